package pluginloader

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

func TestGoPluginServes(t *testing.T) {
	r := &recorder{}
	l := New(r.log)
	file := loadable(t, "faulty")
	p := load(t, l, file, "count_init")
	if want := []string{"6 " + file + ": CountInit stands for count_init"}; strings.Join(r.lines, "\n") != want[0] {
		t.Errorf("log %q, want %q", r.lines, want)
	}
	if got := Describe(p); got != "Go plugin "+file {
		t.Errorf("Describe = %q, want its file %s", got, file)
	}
	c := newFakeConn()
	s := p.Connect(c)
	s.Message(wsplugin.Text, []byte("hello"))
	s.Disconnect()
	equal(t, "echo", c.take(), []string{"0 hello"})
	if _, err := l.Load(file, "state_init"); err == nil {
		t.Error("destroyed before Destroy")
	}
	l.Destroy([]wsplugin.Plugin{p, panicky{}, p})
	load(t, l, file, "state_init")

	// What else the same library is asked for. Go code cannot be loaded twice,
	// which is why these are no tests of their own.
	for _, name := range []string{"CountInit", "_count_init@0", "echo_init", "Echo_init"} {
		load(t, l, file, name)
	}
	tests := []struct{ init, sentence, cause, remedy string }{
		{"nil_init", sentenceResponse, "NilInit returned nil", ""},
		{"panic_init", sentenceResponse, "PanicInit panicked: init has a bug", ""},
		{"exit_init", sentenceResponse, "ExitInit ended its goroutine", ""},
		{"int_init", sentenceResponse, "IntInit is of type func() int, not func() wsplugin.Plugin", ""},
		{"argument_init", sentenceResponse, "ArgumentInit is of type func(string) wsplugin.Plugin", ""},
		{"var_init", sentenceResponse, "VarInit is of type *func() wsplugin.Plugin", ""},
		{"cuont_init", sentenceInit, "no exported function CuontInit or Cuont_init", "it has CountInit"},
		{"", sentenceInit, "no exported function", ""},
	}
	for _, tt := range tests {
		p, err := l.Load(file, tt.init)
		if p != nil {
			t.Errorf("%s is accepted", tt.init)
		}
		refusal(t, err, tt.sentence, tt.cause, tt.remedy)
	}
	if _, err := l.Load(file, "panic_init"); !strings.Contains(err.Error(), "faulty/main.go:") {
		t.Errorf("a panic comes without its place: %v", err)
	}

	link := filepath.Join(t.TempDir(), "link.so")
	if err := os.Link(file, link); err != nil {
		t.Fatal(err)
	}
	load(t, l, link, "count_init") // the same library
	copied := write(t, "copy.so", read(t, file))
	_, err := l.Load(copied, "count_init")
	refusal(t, err, sentenceOpen, "package path github.com/wshttpd/wshttpd/pluginloader/testdata/faulty is already loaded from "+file, "name "+file)
}

// TestGoPluginWhosePackagePanics: the second attempt must not hang, as a
// second plugin.Open would.
func TestGoPluginWhosePackagePanics(t *testing.T) {
	l := New((&recorder{}).log)
	for dir, cause := range map[string]string{"initpanics": "panicked: the package has a bug", "initexits": "ended its goroutine"} {
		file := loadable(t, dir)
		for range 2 {
			_, err := l.Load(file, "echo_init")
			refusal(t, err, sentenceOpen, cause, "")
		}
		if _, err := l.Load(write(t, "copy.so", read(t, file)), "echo_init"); err == nil {
			t.Error("a copy loads")
		}
	}
}

// elsewhere builds a Go plugin in a module of its own, with a copy of the API
// package that is changed and required at a version.
func elsewhere(t *testing.T, version, change string) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "api"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wsplugin.go", "doc.go", "go.mod"} {
		put("api/"+name, read(t, filepath.Join("wsplugin", name)))
	}
	put("api/doc.go", append(read(t, "wsplugin/doc.go"), change...))
	put("main.go", read(t, "testdata/goplugin/main.go"))
	put("go.mod", []byte("module example.com/elsewhere\n\ngo 1.26\n\nrequire github.com/wshttpd/wshttpd/pluginloader/wsplugin "+version+
		"\n\nreplace github.com/wshttpd/wshttpd/pluginloader/wsplugin => ./api\n"))
	file := filepath.Join(dir, "plugin.so")
	cmd := exec.Command("go", append(append([]string{"build"}, ownFlags()...), "-o", file, ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

func TestGoPluginsOfOtherPackages(t *testing.T) {
	const api = "github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	t.Run("same version, same source", func(t *testing.T) {
		file := elsewhere(t, "v0.1.0", "")
		k, e := inspect(file)
		if e != nil {
			t.Fatal(e)
		}
		// Without -trimpath the folder counts, which is another one here.
		if why := differences(file, k.build); len(why) != 0 && len(ownFlags()) == 2 {
			t.Errorf("differs in %q", why)
		}
	})
	t.Run("same version, changed source", func(t *testing.T) {
		_, err := New((&recorder{}).log).Load(elsewhere(t, "v0.1.0", "\n// One more exported name.\nconst Added = 1\n"), "echo_init")
		refusal(t, err, sentenceOpen, "different version of package "+api, "rebuild the plugin")
	})
	t.Run("other version", func(t *testing.T) {
		_, err := New((&recorder{}).log).Load(elsewhere(t, "v0.2.0", ""), "echo_init")
		refusal(t, err, sentenceOpen, "different version of package "+api, "rebuild the plugin")
	})
}

// TestGoPluginsOfOtherToolchains changes what a good plugin says of its build.
func TestGoPluginsOfOtherToolchains(t *testing.T) {
	good := read(t, loadable(t, "goplugin"))
	older := "go1.11.1" + strings.Repeat("1", max(len(runtime.Version())-len("go1.11.1"), 0))
	tests := []struct{ name, from, to, cause string }{
		{"Go release", runtime.Version(), older[:len(runtime.Version())], "this server with " + runtime.Version()},
		{"architecture", "GOARCH=" + runtime.GOARCH, "GOARCH=" + strings.Repeat("x", len(runtime.GOARCH)), `built with GOARCH="xxx`},
		{"system", "GOOS=linux", "GOOS=minix", `built with GOOS="minix"`},
		{"mode", "-buildmode=plugin", "-buildmode=xxxxxx", "Go file of buildmode xxxxxx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !bytes.Contains(good, []byte(tt.from)) {
				t.Fatalf("no %q in the plugin", tt.from)
			}
			file := write(t, "other.so", bytes.ReplaceAll(good, []byte(tt.from), []byte(tt.to)))
			_, err := New((&recorder{}).log).Load(file, "echo_init")
			refusal(t, err, sentenceOpen, tt.cause, "-buildmode=plugin")
		})
	}
}

func TestVersionsAreToldWhereTheyExplain(t *testing.T) {
	info := func(modules ...string) *debug.BuildInfo {
		b := &debug.BuildInfo{}
		for _, m := range modules {
			path, version, _ := strings.Cut(m, "@")
			b.Deps = append(b.Deps, &debug.Module{Path: path, Version: version})
		}
		b.Main, b.Deps = *b.Deps[0], b.Deps[1:]
		return b
	}
	tests := []struct {
		name, pkg    string
		theirs, ours *debug.BuildInfo
		want         string
	}{
		{"another version", "a.b/c/d", info("x@", "a.b/c@v1.0.0"), info("y@", "a.b/c@v1.1.0"), " (plugin v1.0.0, server v1.1.0)"},
		{"the module itself", "a.b/c", info("x@", "a.b/c@v1.0.0"), info("y@", "a.b/c@v1.1.0"), " (plugin v1.0.0, server v1.1.0)"},
		{"main module of one", "a.b/c", info("x@", "a.b/c@v1.0.0"), info("a.b/c@(devel)"), " (plugin v1.0.0, server (devel))"},
		{"same version", "a.b/c", info("x@", "a.b/c@v1.0.0"), info("y@", "a.b/c@v1.0.0"), ""},
		{"nested module", "a.b/c/d", info("x@", "a.b/c@v1.0.0", "a.b/c/d@v2.0.0"), info("y@", "a.b/c/d@v2.1.0", "a.b/c@v1.1.0"), " (plugin v2.0.0, server v2.1.0)"},
		{"path that only begins alike", "a.b/cd", info("x@", "a.b/c@v1.0.0"), info("y@", "a.b/c@v1.1.0"), ""},
		{"standard library", "strings", info("x@", "a.b/c@v1.0.0"), info("y@"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := versions(tt.pkg, tt.theirs, tt.ours); got != tt.want {
				t.Errorf("versions = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestProtect(t *testing.T) {
	if err := protect("a good one", func() {}); err != nil {
		t.Errorf("a function that returns: %v", err)
	}
	if err := protect("a bad one", func() { panic(nil) }); err == nil || !strings.Contains(err.Error(), "a bad one panicked: panic called with nil argument") {
		t.Errorf("panic(nil): %v", err)
	}
	if err := protect("a quiet one", runtime.Goexit); err == nil || err.Error() != "a quiet one ended its goroutine" {
		t.Errorf("Goexit: %v", err)
	}
}
