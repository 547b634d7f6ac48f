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
	"unsafe"
)

// Module is a module of httpd that a plugin's library holds: it brings
// directives along.
type Module struct {
	Source     string // the name of its source file, by which IfModule asks
	Directives []Directive
	Hooks      []string // what it would have httpd call, and nobody calls here

	structure *C.module
	path      string
}

// Directive is an entry of a module's command table.
type Directive struct {
	Name, Usage string
	Override    int // where it may stand, by httpd's bits (req_override)
	Args        int // what it takes (enum cmd_how)

	module *Module
	record *C.command_rec
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
		return nil, &ModuleError{Text: fmt.Sprintf("API module structure '%s' in file %s is garbled - expected signature %08x but saw %08x"+
			" - perhaps this is not an Apache module DSO, or was compiled for a different Apache version?", ident, path, moduleMagic, uint64(m.magic))}
	case m.version != apacheVersion:
		return nil, &ModuleError{Text: fmt.Sprintf("Module %q is not compatible with this version of Apache (found %d, need %d). Please contact the vendor for the correct version.",
			C.GoString(m.name), int(m.version), apacheVersion), Remedy: "compile " + file + " for httpd 2.4"}
	case C.wshttpd_apr_is_open() == 0:
		return nil, &ModuleError{Text: fmt.Sprintf("Cannot load %s into server: a module needs libapr-1.so.0, which was not found", path), Remedy: "install the packages libapr1 and libaprutil1"}
	}
	return m, nil
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
		m := &Module{structure: structure, path: path}
		C.wshttpd_module_add(structure, C.int(at))
		m.Source = C.GoString(structure.name)
		m.listDirectives()
		a.modules = append(a.modules, m)
		a.noteNames()
		a.registering = m
		C.wshttpd_module_register(structure, a.process, a.configPool())
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
		l.log(levelWarn, "module %s of %s: its hooks are not run: %s", ident, m.path, strings.Join(others, ", "))
	}
}

// configPool is what httpd calls pconf. modulesMu is held.
func (a *apacheProcess) configPool() *C.apr_pool_t { return a.process.pconf }

//export wshttpd_go_hook
func wshttpd_go_hook(name *C.char) {
	if m := apache.registering; m != nil { // on the thread that loads it
		m.Hooks = append(m.Hooks, C.GoString(name))
	}
}

// listDirectives reads the command table, which ends with an entry without a
// name.
func (m *Module) listDirectives() {
	for record := m.structure.cmds; record != nil && record.name != nil; record = (*C.command_rec)(unsafe.Add(unsafe.Pointer(record), C.sizeof_command_rec)) {
		m.Directives = append(m.Directives, Directive{
			Name: C.GoString(record.name), Usage: C.GoString(record.errmsg),
			Override: int(record.req_override), Args: int(record.args_how), module: m, record: record,
		})
	}
}

// Records are what modules keep of a section, or of a server outside of
// sections. They last as long as the process.
type Records struct{ vector *C.ap_conf_vector_t }

// MainRecords are those of the main server, nil where no module is loaded.
func (l *Loader) MainRecords() *Records {
	apache.modulesMu.Lock()
	loaded := len(apache.modules)
	apache.modulesMu.Unlock()
	if loaded == 0 {
		return nil
	}
	return apache.records(apache.server(nil).lookup_defaults)
}

// records returns the one Records of a vector.
func (a *apacheProcess) records(vector *C.ap_conf_vector_t) *Records {
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	if a.known == nil {
		a.known = make(map[*C.ap_conf_vector_t]*Records)
	}
	if a.known[vector] == nil {
		a.known[vector] = &Records{vector}
	}
	return a.known[vector]
}

// Line is a line of the configuration as a module's function sees it
// (cmd_parms).
type Line struct {
	Host     any      // the Key of the virtual host it stands in, nil for the main server
	Section  string   // its argument; empty outside of sections
	Records  *Records // of the section so far, nil if there are none
	Override int      // what may stand there
	Text     string   // the arguments as written
	File     string
	Number   int
}

// Run has the module take a line whose words are of the right number; those of
// a directive that takes the rest unsplit are one. It returns the records of
// the section, and the module's error or "".
func (d *Directive) Run(line Line, words []string) (*Records, string) {
	server := apache.server(line.Host)
	a := &apache
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	m := maker{a.configPool()}
	var path *C.char
	if line.Section != "" {
		path = m.text(line.Section)
	}
	if line.Records == nil {
		line.Records = &Records{m.vector()}
	}
	C.wshttpd_module_server(d.module.structure, m.pool, server)
	C.wshttpd_module_dir(d.module.structure, m.pool, line.Records.vector, path)
	parms := d.parms(m, line, server, path)
	room := unsafe.Slice((**C.char)(m.zeros((len(words)+3)*int(unsafe.Sizeof(path)))), len(words)+3)
	for i, w := range words {
		room[i] = m.text(w)
	}
	problem := C.wshttpd_module_command(parms, d.module.structure, C.int(len(words)), &room[0])
	if problem == nil {
		return line.Records, ""
	}
	return line.Records, C.GoString(problem)
}

// parms makes what a directive's function is told of its line.
func (d *Directive) parms(m maker, line Line, server *C.server_rec, path *C.char) *C.cmd_parms {
	at := (*C.ap_directive_t)(m.zeros(C.sizeof_ap_directive_t))
	at.directive, at.args = m.text(d.Name), m.text(line.Text)
	at.filename, at.line_num = m.text(line.File), C.int(line.Number)
	p := (*C.cmd_parms)(m.zeros(C.sizeof_cmd_parms))
	p.info, p.cmd = d.record.cmd_data, d.record
	p.override, p.limited = C.int(line.Override), -1
	p.directive, p.server, p.path = at, server, path
	p.pool, p.temp_pool = m.pool, m.pool
	p.context = line.Records.vector
	return p
}

// MergeRecords returns what the records of a path come to that over covers too,
// behind base; either may be nil. The same two always come to the same.
func MergeRecords(base, over *Records) *Records {
	if base == nil || over == nil {
		if over == nil {
			return base
		}
		return over
	}
	a := &apache
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	if m := a.merged[[2]*Records{base, over}]; m != nil {
		return m
	}
	m := maker{a.configPool()}
	result := &Records{m.vector()}
	for _, module := range a.modules {
		C.wshttpd_module_merge_dir(module.structure, m.pool, result.vector, base.vector, over.vector)
	}
	if a.merged == nil {
		a.merged = make(map[[2]*Records]*Records)
	}
	a.merged[[2]*Records{base, over}] = result
	return result
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

// mergeServers gives the virtual hosts what they inherit from the main server.
func (a *apacheProcess) mergeServers(main *C.server_rec, hosts []*C.server_rec) {
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	for _, s := range hosts {
		for _, m := range a.modules {
			C.wshttpd_module_merge_server(m.structure, a.configPool(), main, s)
		}
	}
}

// adoptModule loads the module that a plugin's library holds, where no
// LoadModule line has: its plugin would look into a record that is not there.
// mu is held.
func (l *Loader) adoptModule(lib *library) {
	ident := lib.kind.module
	if ident == "" || C.wshttpd_apr_is_open() == 0 {
		return
	}
	if slices.ContainsFunc(l.modules, func(m *Module) bool { return m.path == lib.path }) {
		return
	}
	if _, err := l.loadModule(ident, lib.path); err != nil {
		l.log(levelWarn, "the module %s of plugin %s is not loaded: %v", ident, lib.path, err)
		return
	}
	l.log(levelNotice, "%s is the module %s too, and is loaded as that: a LoadModule line would make its directives known", lib.path, ident)
}
