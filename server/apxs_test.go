package server

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
)

// apxs compiles a plugin of testdata, or of the examples, against httpd's own
// headers, with httpd's own tool and the CFLAGS of the environment, and returns
// the library.
func apxs(t testing.TB, name string) string {
	t.Helper()
	compiled.mu.Lock()
	defer compiled.mu.Unlock()
	if compiled.libraries[name] != "" {
		return compiled.libraries[name]
	}
	dir, err := os.MkdirTemp("", "apxs") // shared by the tests of this process
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // httpd reads it as another user
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join("testdata/plugins", name+".c"))
	options := []string{"-c", "-Wc,-Wall -Wextra -Werror " + os.Getenv("CFLAGS")}
	if os.IsNotExist(err) { // apxs knows the ending of C alone, and links as for C, whatever the compiler
		source, err = os.ReadFile(filepath.Join("testdata/plugins", name+".cc"))
		options = append([]string{"-S", "CC=g++", "-lstdc++"}, options...)
	}
	if os.IsNotExist(err) {
		source, err = os.ReadFile("../examples/c/mod_websocket_" + name + ".c")
		options = options[len(options)-2:]
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".c")
	if err := os.WriteFile(file, source, 0o644); err != nil {
		t.Fatal(err)
	}
	header, err := filepath.Abs("../pluginloader")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("apxs", append(options, "-I"+header, file)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (apt-get install apache2-dev, if it is not there)\n%s", err, out)
	}
	if compiled.libraries == nil {
		compiled.libraries = make(map[string]string)
	}
	compiled.libraries[name] = filepath.Join(dir, ".libs", name+".so")
	return compiled.libraries[name]
}

// compiled holds what apxs has made, so that each is made once.
var compiled struct {
	mu        sync.Mutex
	libraries map[string]string // guarded by mu
}

// withLibraries puts the libraries of testdata into a configuration: MODULE:name
// stands for the LoadModule line of one, PLUGIN:name for its file and INIT.
func withLibraries(t testing.TB, conf string) string {
	t.Helper()
	return libraryName.ReplaceAllStringFunc(conf, func(s string) string {
		kind, name, _ := strings.Cut(s, ":")
		if kind == "MODULE" {
			return "LoadModule " + name + "_module " + apxs(t, name)
		}
		return apxs(t, name) + " " + name + "_init"
	})
}

var libraryName = regexp.MustCompile(`(MODULE|PLUGIN):\w+`)

// location is a Location with a plugin of testdata.
func location(path, plugin string) string {
	return "<Location " + path + ">\nSetHandler websocket-handler\nWebSocketHandler PLUGIN:" + plugin + "\n</Location>\n"
}

// serveModules serves a configuration that names libraries of testdata. HOME is
// the folder root.
func serveModules(t testing.TB, root, conf string) *live {
	t.Helper()
	loader := pluginloader.New(func(level int, format string, args ...any) { t.Logf("%d: "+format, append([]any{level}, args...)...) })
	head := "ErrorLog error.log\nLogLevel info\nTraceEnable off\n"
	for _, module := range []string{"websocket", "authz_core", "dir", "mime"} {
		head += "LoadModule " + module + "_module x\n"
	}
	cfg, diags := loadModules(t, loader, root, head+conf)
	if diags != "" {
		t.Fatal(diags)
	}
	cfg.Listeners = append(cfg.Listeners, httpdconf.Listener{Host: "127.0.0.1"})
	s, more := New(cfg, loader)
	if more.HasErrors() {
		t.Fatal(more)
	}
	l := begin(t, s)
	l.log = filepath.Join(root, "error.log")
	return l
}

// loadModules loads such a configuration, and returns its errors as they are
// written.
func loadModules(t testing.TB, loader *pluginloader.Loader, root, conf string) (*httpdconf.Config, string) {
	t.Helper()
	file := filepath.Join(root, "ours.conf")
	if err := os.WriteFile(file, []byte(withLibraries(t, strings.ReplaceAll(conf, "HOME", root))), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: root, LoadModule: LoadModule(loader)})
	if !diags.HasErrors() {
		return cfg, ""
	}
	var text bytes.Buffer
	httpdconf.WriteDiagnostics(&text, "wshttpd", cfg, "error", diags)
	return cfg, text.String()
}

// oneProcess has httpd serve all connections by one process, as here.
const oneProcess = "ServerLimit 1\nStartServers 1\nThreadLimit 64\nThreadsPerChild 64\nMaxRequestWorkers 64\n"

// twins is Apache httpd, with a stand-in for mod_websocket (testdata/plugins/standin.c),
// and this server: of one configuration, and with plugins in the same binaries.
type twins struct{ theirs, ours *live }

// serveBoth serves a configuration by both. HOME is the folder home.
func serveBoth(t *testing.T, home, conf string) twins {
	t.Helper()
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	theirs := &live{addr: startApache(t, home, oneProcess+withLibraries(t, "MODULE:standin\n"+conf)), log: filepath.Join(home, "apache.log")}
	return twins{theirs, serveModules(t, home, conf)}
}

// agree has the same dialogue with both, and compares what it returns. It
// returns what it was here.
func (p twins) agree(t *testing.T, dialogue func(*testing.T, *live) string) string {
	t.Helper()
	want, got := dialogue(t, p.theirs), dialogue(t, p.ours)
	if want == "" || got != want {
		t.Errorf("here:\n%s\nhttpd:\n%s", got, want)
	}
	return got
}
