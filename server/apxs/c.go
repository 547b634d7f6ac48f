package apxs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// buildC compiles and links a plugin in C or C++ into a file.
func (o *options) buildC(dir string, files []string, tmp, out string, stderr io.Writer) error {
	if err := os.WriteFile(filepath.Join(tmp, "websocket_plugin.h"), []byte(pluginloader.Header()), 0o644); err != nil {
		return err
	}
	compiler := cCompiler()
	if slices.ContainsFunc(files, func(f string) bool { return filepath.Ext(f) != ".c" }) {
		compiler = strings.Fields(envOr("CXX", "c++"))
	}
	args := slices.Concat(compiler[1:], cFlags(), []string{"-shared", "-I."}, o.compiler, []string{"-I" + tmp}, foreignIncludes(),
		[]string{"-o", out}, files, o.linker)
	cmd := exec.Command(compiler[0], args...)
	cmd.Dir = dir
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s%s", compiler[0], err, text.Bytes(), missingHeaders(text.String()))
	}
	_, _ = stderr.Write(text.Bytes()) // warnings; who would be told
	return nil
}

// missingHeaders says what to install where httpd's or APR's headers are not
// there.
func missingHeaders(compiler string) string {
	switch {
	case strings.Contains(compiler, "apr_") && strings.Contains(compiler, "No such file"):
		return "APR's headers are not installed: apt-get install libapr1-dev libaprutil1-dev"
	case strings.Contains(compiler, "httpd.h") && strings.Contains(compiler, "No such file"), strings.Contains(compiler, "http_") && strings.Contains(compiler, "No such file"):
		return "httpd's headers are not installed: apt-get install apache2-dev"
	}
	return ""
}

func cCompiler() []string { return strings.Fields(envOr("CC", "cc")) }

// cFlags are what every plugin in C is compiled with.
func cFlags() []string {
	return append(strings.Fields(envOr("CFLAGS", "-O2 -Wall")), "-fPIC", "-pthread")
}

// foreignIncludes are the options for the headers of APR and httpd, where they
// are installed.
func foreignIncludes() []string {
	flags := output("apr-1-config", "--cppflags", "--includes")
	if include := output("apxs", "-q", "INCLUDEDIR"); len(include) == 1 {
		flags = append(flags, "-I"+include[0])
	}
	if include := output("apu-1-config", "--includes"); len(include) > 0 {
		flags = append(flags, include...)
	}
	return flags
}

// output runs a program and returns the words that it prints; none where it is
// not there.
func output(name string, args ...string) []string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

func envOr(name, otherwise string) string {
	if value := os.Getenv(name); strings.TrimSpace(value) != "" {
		return value
	}
	return otherwise
}
