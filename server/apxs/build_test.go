package apxs

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// contents are the files below a folder, plugins left out.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".so" {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// inModule is a plugin in a module with a package of its own beside it.
func inModule(prefix string) map[string]string {
	return map[string]string{
		"go.mod":           "module example.com/told/v2\n\ngo 1.26\n",
		"main.go":          strings.Replace(plugin("words.Prefix"), "import ", "import \"example.com/told/v2/words\"\n\nimport ", 1),
		"words/words.go":   "package words\n\nconst Prefix = " + prefix + "\n",
		"words/unused.txt": "this is not compiled",
	}
}

// TestBuild: each way of having sources gives a plugin that serves, and the
// sources stay as they are.
func TestBuild(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		args  []string
		out   string
	}{
		{"a folder with a file in Go", map[string]string{"main.go": plugin(`"1"`)}, []string{"-o", "x.so", "."}, "x.so"},
		{"a file in Go", map[string]string{"tell.go": plugin(`"1"`), "other.go": "package other\n"}, []string{"tell.go"}, "tell.so"},
		{"a module in Go", inModule(`"1"`), []string{"-o", "x.so", "."}, "x.so"},
		{"a module in Go, unique", inModule(`"1"`), []string{"--unique", ".", "-ox.so"}, "x.so"},
		{"a folder in a module", map[string]string{"go.mod": "module m\n\ngo 1.26\n", "a/tell/main.go": plugin(`"1"`)}, []string{"-c", "a/tell"}, "tell.so"},
		{"a module that requires the API, in another place", map[string]string{
			"go.mod": "module m\n\ngo 1.26\n\nrequire " + apiModule + " v0.9.0\n\nreplace " + apiModule + " v0.9.0 => ../nowhere\n", "main.go": plugin(`"1"`),
		}, []string{"-o", "x.so", "."}, "x.so"},
		{"a file in C", map[string]string{"mod_tell.c": cPlugin("1")}, []string{"-c", "mod_tell.c"}, "mod_tell.so"},
		{"a folder with files in C", map[string]string{
			"tell.c": strings.ReplaceAll(cPlugin("X"), `"X"`, "PREFIX"), "more.c": "int more(void);\nint more(void) { return MORE; }\n",
		}, []string{"-D", `PREFIX="1"`, "-Wc,-DMORE=1 -Werror", "-Wl,-Wl,-soname,tell", "-lm", "-o", "x.so", "."}, "x.so"},
		{"a file in C++", map[string]string{"tell.cpp": strings.NewReplacer(" = malloc", " = (unsigned char *)malloc", "EXPORT ", "extern \"C\" EXPORT ").Replace(cPlugin("1"))}, []string{"tell.cpp"}, "tell.so"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, tt.files)
			before := contents(t, dir)
			want(t, dir, 0, "built "+tt.out+"\n\n<Location /", append([]string{"build-plugin"}, tt.args...)...)
			if after := contents(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("files became %v", after)
			}
			where := address(t)
			put(t, dir, map[string]string{"httpd.conf": base(where, location("/tell", tt.out))})
			serve(t, dir, where, "-X")
			answers(t, dial(t, where, "/tell"), "1x")
		})
	}
}

// TestBuildRefuses: what cannot be built or loaded is not put where it should
// go, and the older plugin stays.
func TestBuildRefuses(t *testing.T) {
	noInit := strings.Replace(plugin(`""`), "TellInit", "tellInit", 1)
	tests := []struct {
		name  string
		files map[string]string
		args  []string
		code  int
		text  string
	}{
		{"an error in Go", map[string]string{"main.go": plugin("nothing")}, []string{"."}, 1, "undefined: nothing"},
		{"no main package", map[string]string{"a.go": "package a\n"}, []string{"."}, 1, "-buildmode=plugin requires exactly one main package"},
		{"an init function that is not exported", map[string]string{"main.go": noInit}, []string{"-n", "tell_init", "."}, 1, "no exported function TellInit or Tell_init"},
		{"a package that is nowhere", map[string]string{"main.go": `package main; import _ "nowhere/at/all"; func main() {}`}, []string{"."}, 1, "nowhere/at/all"},
		{"an error in C", map[string]string{"a.c": "nonsense"}, []string{"."}, 1, "error:"},
		{"a symbol in C that nobody has", map[string]string{"a.c": "int nobody_has_this(void);\nint a_init(void) { return nobody_has_this(); }\n"}, []string{"a.c"}, 1, "needs nobody_has_this: no library has it"},
		{"an init function that returns NULL", map[string]string{"a.c": "void *a_init(void) { return 0; }\n"}, []string{"a.c"}, 1, "a_init: returned NULL"},
		{"an empty folder", nil, []string{"."}, 1, "holds no sources in Go or C"},
		{"no such file", nil, []string{"none.c"}, 1, "no such file"},
		{"Go and C", map[string]string{"a.c": "", "a.go": ""}, []string{"a.go", "a.c"}, 1, "sources of a Go plugin"},
		{"nothing", nil, nil, 2, "Usage: wshttpd build-plugin"},
		{"an unknown option", nil, []string{"-z", "."}, 2, "unknown option -z\nUsage: wshttpd build-plugin"},
		{"an option without its argument", nil, []string{"-o"}, 2, "option -o requires an argument\nUsage: wshttpd build-plugin"},
		{"-a without -i", nil, []string{"-a", "."}, 2, "Usage: wshttpd build-plugin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, tt.files)
			old := filepath.Join(folder(t, map[string]string{"x.so": "older"}), "x.so")
			args := []string{"build-plugin"}
			if tt.code == 1 {
				args = append(args, "-o", old)
			}
			want(t, dir, tt.code, tt.text, append(args, tt.args...)...)
			if text, err := os.ReadFile(old); err != nil || string(text) != "older" {
				t.Errorf("the older plugin is %q, %v", text, err)
			}
		})
	}
}

// TestOtherToolchainIsRefused: a go command that is of another release says so
// in the server's words.
func TestOtherToolchainIsRefused(t *testing.T) {
	dir := folder(t, map[string]string{"main.go": plugin(`""`), "bin/go": "#!/bin/sh\necho go1.21.0\n"})
	if err := os.Chmod(filepath.Join(dir, "bin/go"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, []string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")}, "build-plugin", ".")
	if text := "is of go1.21.0, this server was built with " + runtime.Version(); r.code != 1 || !strings.Contains(r.stderr, text) {
		t.Errorf("exit status %d, %q; want %q", r.code, r.stderr, text)
	}
}

// TestFlagsOfTheUserDoNotCount: GOFLAGS and a go.work would make a plugin that
// the server refuses.
func TestFlagsOfTheUserDoNotCount(t *testing.T) {
	files := inModule(`"1"`)
	files["go.work"] = "go 1.26\n\nuse .\n"
	dir := folder(t, files)
	if r := run(t, dir, []string{"GOFLAGS=-trimpath=false -race -mod=vendor", "GOWORK=", "GO111MODULE=off"}, "build-plugin", "-o", "x.so", "."); r.code != 0 {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// shared is a module that the server links, and its version there.
const shared, sharedVersion = "github.com/mitchellh/go-wordwrap", "v1.0.1"

// proxy makes a module proxy in a folder with versions of modules: files by
// "module@version/name". What go has downloaded before stands behind it.
func proxy(t *testing.T, modules map[string]map[string]string) (env []string) {
	t.Helper()
	dir := t.TempDir()
	for name, files := range modules {
		module, version, _ := strings.Cut(name, "@")
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for file, text := range files {
			w, err := z.Create(name + "/" + file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		at := module + "/@v/" + version
		put(t, dir, map[string]string{at + ".info": fmt.Sprintf("{%q:%q}", "Version", version), at + ".mod": files["go.mod"], at + ".zip": b.String()})
	}
	downloaded, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	env = []string{
		"GOPROXY=file://" + dir + ",file://" + strings.TrimSpace(string(downloaded)) + "/cache/download",
		"GONOSUMDB=*", "GONOSUMCHECK=1", "GOFLAGS=", "GOMODCACHE=" + cache, "GOWORK=off",
	}
	t.Cleanup(func() {
		cmd := exec.Command("go", "clean", "-modcache")
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go clean: %v\n%s", err, out)
		}
	})
	return env
}

// TestSharedModulesAgree: a plugin that wants a newer version of a module that
// the server links too, by itself and through another module, gets the
// server's, and loads.
func TestSharedModulesAgree(t *testing.T) {
	const newer = "v1.0.9"
	env := proxy(t, map[string]map[string]string{
		shared + "@" + newer: {"go.mod": "module " + shared + "\n", "wrap.go": "package wordwrap\n\nfunc WrapString(s string, n uint) string { return \"newer\" }\n"},
		"example.com/wants@v1.0.0": {
			"go.mod":   "module example.com/wants\n\nrequire " + shared + " " + newer + "\n",
			"wants.go": "package wants\n\nimport \"" + shared + "\"\n\nfunc Prefix() string { return wordwrap.WrapString(\"1\", 80) }\n",
		},
	})
	source := strings.Replace(plugin(`wants.Prefix()+wordwrap.WrapString("2", 80)`), "import ", "import \"example.com/wants\"\n\nimport \""+shared+"\"\n\nimport ", 1)
	dir := folder(t, map[string]string{
		"main.go": source,
		"go.mod":  "module example.com/plugin\n\ngo 1.26\n\nrequire (\n\texample.com/wants v1.0.0\n\t" + shared + " " + newer + "\n)\n",
	})
	where := address(t)
	put(t, dir, map[string]string{"httpd.conf": base(where, location("/tell", "x.so"))})

	// Without build-plugin it is refused, and what differs is named.
	cmd := exec.Command("go", "build", "-mod=mod", "-trimpath", "-buildmode=plugin", "-o", "x.so", ".")
	cmd.Dir, cmd.Env = folder(t, map[string]string{
		"main.go": source,
		"go.mod": "module example.com/plugin\n\ngo 1.26\n\nrequire (\n\texample.com/wants v1.0.0\n\t" + apiModule + " v0.1.0\n)\n\n" +
			"replace " + apiModule + " => " + absolute(t, "../../pluginloader/wsplugin") + "\n",
	}), append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	want(t, cmd.Dir, 1, "differs: different version of package "+shared+" (plugin "+newer+", server "+sharedVersion+")", "check-plugin", "x.so", "tell_init")

	if r := run(t, dir, env, "build-plugin", "-o", "x.so", "."); r.code != 0 {
		t.Fatalf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	serve(t, dir, where, "-X")
	answers(t, dial(t, where, "/tell"), "12x")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
