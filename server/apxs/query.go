package apxs

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// variable is one that query knows. Its names are those of apxs (httpd 2.4
// support/apxs.in), and what Go plugins need beside them.
type variable struct {
	name, meaning string
	value         func() (string, error)
}

func constant(s string) func() (string, error) { return func() (string, error) { return s, nil } }

func variables() []variable {
	root, conf := new(supervise.CommandLine).Paths()
	self, err := os.Executable()
	if err != nil {
		self = "wshttpd"
	}
	return []variable{
		{"TARGET", "name of the server", constant(filepath.Base(self))},
		{"SBINDIR", "its folder", constant(filepath.Dir(self))},
		{"PREFIX", "ServerRoot", constant(root)},
		{"SYSCONFDIR", "folder of the configuration", constant(filepath.Dir(conf))},
		{"LIBEXECDIR", "folder of plugins", constant(filepath.Join(root, libexec))},
		{"INCLUDEDIR", "folder of websocket_plugin.h", includeDir},
		{"CC", "compiler of C", constant(strings.Join(cCompiler(), " "))},
		{"CFLAGS", "flags of plugins in C", constant(strings.Join(cFlags(), " "))},
		{"LDFLAGS_SHLIB", "and to link them", constant("-shared")},
		{"INCLUDES", "where httpd's and APR's headers are", constant(strings.Join(foreignIncludes(), " "))},
		{"GOVERSION", "release of Go of plugins in Go", constant(runtime.Version())},
		{"GOFLAGS", "flags of plugins in Go", goFlags},
		{"GOAPI", "folder of package wsplugin, for go mod edit -replace", apiDir},
		{"GOAPIVERSION", "its version", constant(apiVersion())},
	}
}

// query is the command query: it prints what variables stand for, all of them
// without arguments.
func query(stdout, stderr io.Writer, program string, args []string) int {
	known := variables()
	if len(args) == 0 {
		for _, v := range known {
			if value, err := v.value(); err == nil {
				fmt.Fprintf(stdout, "%s=%s\n", v.name, value)
			}
		}
		return 0
	}
	for _, name := range args {
		found := false
		for _, v := range known {
			if v.name != name {
				continue
			}
			found = true
			value, err := v.value()
			if err != nil {
				fmt.Fprintf(stderr, "%s: %s: %v\n", program, name, err)
				return 1
			}
			fmt.Fprintln(stdout, value)
		}
		if !found {
			fmt.Fprintf(stderr, "Usage: %s query [NAME...]\n", program)
			for _, v := range known {
				fmt.Fprintf(stderr, "  %-13s: %s\n", v.name, v.meaning)
			}
			return 2
		}
	}
	return 0
}

func goFlags() (string, error) {
	own, ok := debug.ReadBuildInfo()
	if !ok {
		return "", fmt.Errorf("this server has no build information")
	}
	return strings.Join(append(recordedFlags(own), "-buildmode=plugin"), " "), nil
}

func apiVersion() string {
	own, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return versionsOf(own)[apiModule]
}

// includeDir writes the header where the user keeps caches, and returns the
// folder: the server is one file, compilers want another.
func includeDir() (string, error) {
	return cached("include", pluginloader.Header(), func(folder string) error {
		return os.WriteFile(filepath.Join(folder, "websocket_plugin.h"), []byte(pluginloader.Header()), 0o644)
	})
}

func apiDir() (string, error) {
	source, err := api.ReadFile("api/wsplugin.go.txt")
	if err != nil {
		return "", err
	}
	doc, err := api.ReadFile("api/doc.go.txt")
	if err != nil {
		return "", err
	}
	return cached("wsplugin", string(source)+string(doc), writeAPI)
}

// cached returns a folder that fill has filled. Its name tells what is in it,
// so that servers of several versions do not meet.
func cached(name, content string, fill func(folder string) error) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	parent := filepath.Join(cache, "wshttpd")
	sum := sha256.Sum256([]byte(content))
	folder := filepath.Join(parent, fmt.Sprintf("%s-%x", name, sum[:6]))
	if isDir(folder) {
		return folder, nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(parent, name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, name)
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return "", err
	}
	if err := fill(fresh); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, folder); err != nil && !isDir(folder) {
		return "", err
	}
	return folder, nil
}
