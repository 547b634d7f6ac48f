package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Module is a module of httpd that a plugin's library holds: it brings
// directives along.
type Module struct {
	Source     string // the name of its source file, by which IfModule asks
	Directives []Directive
	Hooks      []string // what it would have httpd call, and nobody calls here
	Library    string   // the path of its file

	structure *C.module
}

// ModuleError says why LoadModule cannot load a module, in httpd's words.
type ModuleError struct {
	Text   string
	Remedy string
	// IsLacking says that httpd would have loaded it: it needs functions of
	// httpd that are not here.
	IsLacking bool
}

func (e *ModuleError) Error() string { return e.Text }

// LoadModule loads the module ident from the library at an absolute path, and
// has it register its hooks (httpd 2.4 modules/core/mod_so.c, load_module).
// The library may be a plugin too.
func (l *Loader) LoadModule(ident, path string) (*Module, *ModuleError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.loading("%s", path)()
	return l.loadModule(ident, path)
}

// loadModule is LoadModule; mu is held.
func (l *Loader) loadModule(ident, path string) (*Module, *ModuleError) {
	lib := l.library(path)
	switch {
	case lib.err != nil:
		return nil, &ModuleError{Text: fmt.Sprintf("Cannot load %s into server: %s", path, lib.err.Cause), Remedy: lib.err.Remedy}
	case lib.kind.form != cShared:
		return nil, &ModuleError{Text: fmt.Sprintf("Cannot load %s into server: it is a Go plugin", path), Remedy: "name it by WebSocketHandler alone"}
	}
	if e := l.open(lib); e != nil {
		return nil, &ModuleError{
			Text: fmt.Sprintf("Cannot load %s into server: %s", path, e.Cause), Remedy: e.Remedy,
			IsLacking: lib.kind.lacksHTTPD(),
		}
	}
	if size, isSmall := lib.kind.small[ident]; isSmall || slices.Contains(lib.kind.exports, ident) {
		return nil, garbled(ident, path, fmt.Sprintf("it has %d bytes of data, and not %d", size, moduleSize))
	}
	structure, err := moduleStructure(lib.open.(*cLibrary), ident, path)
	if err != nil {
		return nil, err
	}
	m, err := apache.addModule(structure, lib.path)
	if err == nil {
		l.modules = append(l.modules, m)
		l.warnOfHooks(m, ident)
	}
	return m, err
}

// lacksHTTPD reports whether a library needs functions of httpd that are not
// here.
func (k *kind) lacksHTTPD() bool {
	return slices.ContainsFunc(k.undefined, func(s string) bool { return strings.HasPrefix(s, "ap_") && !isDefined(s, nil) })
}

// apacheVersion is what a module's version has to be (httpd 2.4
// include/ap_mmn.h, MODULE_MAGIC_NUMBER_MAJOR).
const apacheVersion = 20120211

// moduleStructure finds a module's structure in its library, and checks it.
func moduleStructure(lib *cLibrary, ident, path string) (*C.module, *ModuleError) {
	m := (*C.module)(lib.symbol(ident))
	file := filepath.Base(path)
	switch {
	case m == nil:
		return nil, &ModuleError{Text: fmt.Sprintf("Can't locate API module structure `%s' in file %s: %s: undefined symbol: %s", ident, path, path, ident)}
	case m.magic != moduleMagic:
		return nil, garbled(ident, path, fmt.Sprintf("expected signature %08x but saw %08x", moduleMagic, uint64(m.magic)))
	case m.version != apacheVersion:
		return nil, &ModuleError{Text: fmt.Sprintf("Module %q is not compatible with this version of Apache (found %d, need %d). Please contact the vendor for the correct version.",
			C.GoString(m.name), int(m.version), apacheVersion), Remedy: "compile " + file + " for httpd 2.4"}
	case C.wshttpd_apr_is_open() == 0:
		return nil, &ModuleError{Text: fmt.Sprintf("Cannot load %s into server: a module needs libapr-1.so.0, which was not found", path), Remedy: "install the packages libapr1 and libaprutil1"}
	}
	return m, nil
}

// garbled refuses what is no structure of a module.
func garbled(ident, path, why string) *ModuleError {
	return &ModuleError{Text: fmt.Sprintf("API module structure '%s' in file %s is garbled - %s"+
		" - perhaps this is not an Apache module DSO, or was compiled for a different Apache version?", ident, path, why)}
}

// addModule gives a module its index, and makes its records of the main server
// (httpd 2.4 server/config.c, ap_add_module and ap_single_module_configure).
func (a *apacheProcess) addModule(structure *C.module, path string) (*Module, *ModuleError) {
	main := a.server(nil)
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	at := slices.IndexFunc(a.modules, func(m *Module) bool { return m.structure == structure })
	if at < 0 {
		if len(a.modules) == maxModules {
			return nil, &ModuleError{Text: fmt.Sprintf("Cannot load %s into server: there are %d modules of plugins already", path, maxModules)}
		}
		at = len(a.modules)
		m := &Module{structure: structure, Library: path}
		C.wshttpd_module_add(structure, C.int(at))
		m.Source = C.GoString(structure.name)
		m.listDirectives()
		a.modules = append(a.modules, m)
		a.noteNames()
		a.registering = m
		C.wshttpd_module_register(structure, a.configPool())
		a.registering = nil
	}
	C.wshttpd_module_server(structure, a.configPool(), main)
	C.wshttpd_module_dir(structure, a.configPool(), main.lookup_defaults, nil)
	return a.modules[at], nil
}

// warnOfHooks says which of a module's hooks nobody calls. That of the handler
// is for requests that are no WebSockets, and declines them as a rule.
func (l *Loader) warnOfHooks(m *Module, ident string) {
	others := slices.DeleteFunc(slices.Clone(m.Hooks), func(name string) bool { return name == "handler" })
	if len(others) > 0 {
		l.log(levelWarn, "module %s of %s: its hooks are not run: %s", ident, m.Library, strings.Join(others, ", "))
	}
}

// configPool is what httpd calls pconf. modulesMu is held.
func (a *apacheProcess) configPool() *C.apr_pool_t { return a.process.pconf }

// tempPool is what httpd calls ptemp: it ends when the configuration has been
// read. modulesMu is held.
func (a *apacheProcess) tempPool() *C.apr_pool_t {
	if a.temp == nil {
		a.temp = C.wshttpd_pool_new(a.configPool())
	}
	return a.temp
}

// endReading lets go of what is there while a configuration is read.
func (a *apacheProcess) endReading() {
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	a.tree = nodes{}
	if a.temp != nil {
		C.wshttpd_pool_destroy(a.temp)
		a.temp = nil
	}
}

//export wshttpd_go_hook
func wshttpd_go_hook(name *C.char) {
	if m := apache.registering; m != nil { // on the thread that loads it
		m.Hooks = append(m.Hooks, C.GoString(name))
	}
}

// noteNames has the names of the modules at hand for records of the log, which
// a module may write while modulesMu is held.
func (a *apacheProcess) noteNames() {
	names := make([]string, 0, len(a.modules))
	for _, m := range a.modules {
		names = append(names, m.logName())
	}
	a.names.Store(&names)
}

// logName is what records call a module: its source's name without what most
// begin and end with (httpd 2.4 server/config.c, ap_add_module).
func (m *Module) logName() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(m.Source, "mod_"), ".")
	return name
}

// adoptModule loads the module that a plugin's library holds, where no
// LoadModule line has: its plugin would look into a record that is not there.
// mu is held.
func (l *Loader) adoptModule(lib *library) {
	ident := lib.kind.module
	if ident == "" || C.wshttpd_apr_is_open() == 0 {
		return
	}
	if slices.ContainsFunc(l.modules, func(m *Module) bool { return m.Library == lib.path }) {
		return
	}
	if _, err := l.loadModule(ident, lib.path); err != nil {
		l.log(levelWarn, "the module %s of plugin %s is not loaded: %v", ident, lib.path, err)
		return
	}
	l.log(levelNotice, "%s is the module %s too, and is loaded as that: a LoadModule line would make its directives known", lib.path, ident)
}
