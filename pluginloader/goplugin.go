package pluginloader

import (
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"plugin"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// goLibrary is an opened Go plugin.
type goLibrary struct {
	plugin  *plugin.Plugin
	exports []string
}

const rebuild = "rebuild the plugin with the server's own go release and flags: wshttpd build-plugin DIR -o FILE, " +
	"which runs go build -trimpath -buildmode=plugin"

// openGo opens a Go plugin that will load. mu is held.
func (l *Loader) openGo(path string, k kind) (opened, *Error) {
	refuse := func(why, remedy string) (opened, *Error) {
		return nil, &Error{sentenceOpen, fmt.Sprintf("%s: %s", path, why), remedy}
	}
	for _, other := range l.libraries {
		if other.open != nil && other.kind.form == goPlugin && other.kind.pkgPath == k.pkgPath {
			return refuse(fmt.Sprintf("package path %s is already loaded from %s", k.pkgPath, other.path),
				fmt.Sprintf("name %s in both places", other.path))
		}
	}
	if why := differences(path, k.build); len(why) > 0 {
		return refuse(strings.Join(why, "\n"), rebuild)
	}
	p, err := openPlugin(path)
	if err != nil {
		return refuse(strings.TrimPrefix(err.Error(), fmt.Sprintf("plugin.Open(%q): ", strings.TrimSuffix(path, ".so"))), rebuild)
	}
	return &goLibrary{p, k.exports}, nil
}

// openPlugin is plugin.Open. What the init functions of the plugin's packages
// do wrong is an error.
func openPlugin(path string) (p *plugin.Plugin, err error) {
	fault := protect("an init function of its packages", func() { p, err = plugin.Open(path) })
	if fault != nil {
		return nil, fault
	}
	return p, err
}

// init finds an init function and calls it.
func (g *goLibrary) init(l *Loader, path, name, _ string) (wsplugin.Plugin, *Error) {
	var symbol plugin.Symbol
	found := ""
	for _, candidate := range goNames(name) {
		if s, err := g.plugin.Lookup(candidate); err == nil {
			symbol, found = s, candidate
			break
		}
	}
	if symbol == nil {
		return nil, withoutInit(path, "exported function", goNames(name), g.exports)
	}
	f, ok := symbol.(func() wsplugin.Plugin)
	if !ok {
		return nil, &Error{sentenceResponse, fmt.Sprintf("%s: %s is of type %T, not func() wsplugin.Plugin", path, found, symbol), ""}
	}
	if found != name {
		l.log(levelInfo, "%s: %s stands for %s", path, found, name)
	}
	var p wsplugin.Plugin
	err := protect(found, func() { p = f() })
	switch {
	case err != nil:
		return nil, &Error{sentenceResponse, fmt.Sprintf("%s: %v", path, err), ""}
	case p == nil:
		return nil, &Error{sentenceResponse, fmt.Sprintf("%s: %s returned nil", path, found), ""}
	}
	return p, nil
}

// protect calls f on a goroutine of its own, which f may even end. The error
// says that f panicked, or did not return.
func protect(what string, f func()) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if returned {
				return
			}
			err = fmt.Errorf("%s ended its goroutine", what)
			if cause := recover(); cause != nil {
				err = fmt.Errorf("%s panicked: %v\n%s", what, cause, debug.Stack())
			}
		}()
		f()
		returned = true
	}()
	<-done
	return err
}

// goNames returns the exported names that an INIT of the configuration may
// stand for: itself, EchoInit for echo_init, Echo_init.
func goNames(name string) []string {
	var names []string
	for _, n := range initNames(name) {
		for _, candidate := range []string{n, camelCase(n), capital(n)} {
			if candidate != "" && unicode.IsUpper([]rune(candidate)[0]) && !slices.Contains(names, candidate) {
				names = append(names, candidate)
			}
		}
	}
	return names
}

func capital(s string) string {
	r := []rune(s)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

func camelCase(s string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(s, "_") {
		b.WriteString(capital(word))
	}
	return b.String()
}

func remedyNearest(name string, exports []string) string {
	near := nearest(name, exports)
	if len(near) == 0 {
		return ""
	}
	return "it has " + strings.Join(near, ", ")
}

// differences says in what a plugin's build differs from this server's so that
// plugin.Open would fail. The list names everything, of which Open names one.
func differences(path string, theirs *buildinfo.BuildInfo) []string {
	own, ok := debug.ReadBuildInfo()
	if !ok {
		return nil // then Open will tell
	}
	var why []string
	if theirs.GoVersion != own.GoVersion {
		why = append(why, fmt.Sprintf("built with %s, this server with %s", theirs.GoVersion, own.GoVersion))
	}
	for _, key := range []string{"GOOS", "GOARCH", "GOEXPERIMENT", "-race"} {
		if a, b := setting(theirs, key), setting(own, key); a != b {
			why = append(why, fmt.Sprintf("built with %s=%q, this server with %q", key, a, b))
		}
	}
	switch a, b := setting(theirs, "-trimpath"), setting(own, "-trimpath"); {
	case a == b:
	case a == "":
		why = append(why, "built without -trimpath, this server with it")
	default:
		why = append(why, "built with -trimpath, this server without it")
	}
	if len(why) > 0 {
		return why // the packages then differ all over
	}
	return packageDifferences(path, theirs, own)
}

// hashPrefix begins the symbols by which the runtime compares packages.
const hashPrefix = "go:link.pkghashbytes."

// packageDifferences names the packages that both contain, and that were not
// compiled from the same source at the same version.
func packageDifferences(path string, theirs, own *debug.BuildInfo) []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	ourHashes, theirHashes := packageHashes(self), packageHashes(path)
	var why []string
	for pkg, hash := range theirHashes {
		if o, both := ourHashes[pkg]; both && o != hash {
			why = append(why, "different version of package "+pkg+versions(pkg, theirs, own))
		}
	}
	slices.Sort(why)
	return why
}

// versions tells the versions of a package if they explain why it differs,
// else nothing.
func versions(pkg string, theirs, own *debug.BuildInfo) string {
	a, b := moduleVersion(pkg, theirs), moduleVersion(pkg, own)
	if a == b || a == "" || b == "" {
		return ""
	}
	return fmt.Sprintf(" (plugin %s, server %s)", a, b)
}

// moduleVersion returns the version of the module that a package belongs to,
// or "".
func moduleVersion(pkg string, info *debug.BuildInfo) string {
	module, version := "", ""
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		inside := m.Path == pkg || strings.HasPrefix(pkg, m.Path+"/")
		if inside && len(m.Path) > len(module) { // modules nest
			module, version = m.Path, m.Version
		}
	}
	return version
}

// packageHashes returns the hashes that stand in a Go file, by package.
func packageHashes(path string) map[string]string {
	f, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil
	}
	hashes := make(map[string]string)
	for _, s := range symbols {
		pkg, isHash := strings.CutPrefix(s.Name, hashPrefix)
		if !isHash || s.Size == 0 || s.Size > 64 || int(s.Section) >= len(f.Sections) {
			continue
		}
		section := f.Sections[s.Section]
		data := make([]byte, s.Size)
		if _, err := section.ReadAt(data, int64(s.Value-section.Addr)); err == nil {
			hashes[pkg] = string(data)
		}
	}
	return hashes
}
