package main

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wshttpd/wshttpd"

// forbidden lists what a package must not know, and why. An entry that is a
// path forbids what lies below it too; packages of this module and of others
// are looked for behind other imports as well, those of the standard library
// among the package's own imports.
var forbidden = []struct {
	pkg     string // below the module's path; /... takes in what lies below
	imports []string
	because string
}{
	{"ws", []string{"net", "time", "sync", "log", "os", "github.com", "golang.org"},
		"byte machines stay testable only while pure"},
	{"draft76", []string{"net", "time", "sync", "log", "os", "github.com", "golang.org"},
		"byte machines stay testable only while pure; two protocols stay two"},
	{"pluginloader", []string{module + "/ws", module + "/draft76", module + "/server", module + "/httpdconf", "github.com/valyala"},
		"it deals in sessions and messages, not in frames or requests"},
	{"httpdconf/...", []string{module + "/server", module + "/ws", module + "/draft76", module + "/pluginloader", "github.com/valyala", "net/http"},
		"the model is data; reading a file has no effects"},
	{"httpdconf/syntax", []string{module + "/httpdconf"},
		"grammar has no opinions"},
	{"server/eventloop", []string{module + "/ws", module + "/draft76", module + "/pluginloader", module + "/httpdconf", "github.com/valyala"},
		"sockets and buffers only"},
	{"server/supervise", []string{module + "/server", module + "/ws", module + "/draft76", module + "/pluginloader", "github.com/valyala"},
		"the master survives what kills a worker"},
	{"server/process", []string{"net", "os/exec", "os/signal", "syscall"},
		"it has the order of the steps, and none of the steps"},
	{"...", []string{"testing", "github.com/fasthttp/websocket"},
		"test code and the foreign client stay out of production code"},
}

// reserved lists packages that only some may import, and why; what lies below
// them is not meant.
var reserved = []struct {
	pkg     string
	by      []string // below the module's path; "" is main
	because string
}{
	{module + "/server/process", []string{""},
		"it is a process from its first step to its last: nobody is behind it"},
	{module + "/server/supervise", []string{"", "server/process", "server/doctor", "server/apxs"},
		"what serves does not know who has started it; doctor and apxs have its command line"},
	{"github.com/valyala/fasthttp", []string{"server"},
		"what is recycled when a handler returns stays in one room"},
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Deps       []string
}

// packages returns every package of the module in dir.
func packages(t *testing.T, dir string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,Deps", "./...")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v", dir, err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// governs reports whether a rule for pattern holds for the package at path.
func governs(pattern, path string) bool {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if base, deep := strings.CutSuffix(pattern, "..."); deep {
		return rel == strings.TrimSuffix(base, "/") || strings.HasPrefix(rel, base)
	}
	return rel == pattern
}

// below reports whether path is root or lies below it.
func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t, ".") {
		for _, rule := range forbidden {
			if !governs(rule.pkg, p.ImportPath) {
				continue
			}
			for _, root := range rule.imports {
				known := p.Imports
				if strings.Contains(root, ".") {
					known = p.Deps
				}
				for _, imported := range known {
					if below(imported, root) && !below(imported, p.ImportPath) {
						t.Errorf("%s knows %s, and must not: %s", p.ImportPath, imported, rule.because)
					}
				}
			}
		}
	}
}

func TestReservedPackagesAreImportedByFew(t *testing.T) {
	for _, p := range packages(t, ".") {
		for _, rule := range reserved {
			rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			if slices.Contains(p.Imports, rule.pkg) && !slices.Contains(rule.by, rel) {
				t.Errorf("%s knows %s, and must not: %s", p.ImportPath, rule.pkg, rule.because)
			}
		}
	}
}

func TestPluginAPIImportsNothing(t *testing.T) {
	for _, p := range packages(t, "pluginloader/wsplugin") {
		if len(p.Imports) > 0 {
			t.Errorf("%s imports %q: a plugin and the server must share identical sources of every common package", p.ImportPath, p.Imports)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, dir := range []string{".", "pluginloader/wsplugin", "bench"} {
		for _, p := range packages(t, dir) {
			if !hasDoc(t, p) {
				t.Errorf("%s has no package comment", p.ImportPath)
			}
		}
	}
}

func hasDoc(t *testing.T, p listed) bool {
	t.Helper()
	for _, name := range append(p.GoFiles, p.CgoFiles...) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil {
			return true
		}
	}
	return false
}

func TestTopLevelHoldsWhatBelongsThere(t *testing.T) {
	belongs := map[string]bool{}
	for _, name := range strings.Fields(`go.mod go.sum main.go main_test.go README.md LICENSE CHANGELOG.md Makefile
		layout_test.go readme_test.go .ci .golangci.yml .gitignore httpdconf server ws draft76 pluginloader examples bench`) {
		belongs[name] = true
	}
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		top, _, _ := strings.Cut(file, "/")
		if !belongs[top] {
			t.Errorf("%s stands at the top level", top)
		}
	}
}
