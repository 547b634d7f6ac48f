package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// Directive is an entry of a module's command table.
type Directive struct {
	Name, Usage string
	EmptyUsage  bool // there is a usage text, and it is empty
	Override    int  // where it may stand, by httpd's bits (req_override)
	Args        int  // what it takes (enum cmd_how)

	module *Module
	record *C.command_rec
}

// listDirectives reads the command table, which ends with an entry without a
// name.
func (m *Module) listDirectives() {
	for record := m.structure.cmds; record != nil && record.name != nil; record = (*C.command_rec)(unsafe.Add(unsafe.Pointer(record), C.sizeof_command_rec)) {
		m.Directives = append(m.Directives, Directive{
			Name: C.GoString(record.name), Usage: C.GoString(record.errmsg), EmptyUsage: record.errmsg != nil && *record.errmsg == 0,
			Override: int(record.req_override), Args: int(record.args_how), module: m, record: record,
		})
	}
}

// Line is a line of the configuration as a module's function sees it
// (cmd_parms).
type Line struct {
	Host     any      // the Key of the virtual host it stands in, nil for the main server
	Section  string   // its argument; empty outside of sections
	Records  *Records // of the section so far, nil if there are none
	Override int      // what may stand there
	Methods  *Methods // of the Limit section it stands in; nil for all
	Node     Node
	Tree     Tree

	// Walk has a directive of the tree run as if it stood at a place, and returns
	// what is wrong or "". A function calls it for what stands in its section.
	Walk func(key any, at Place) string

	// NextLine returns the line behind those that have been read, and its number,
	// 0 at the end of the file; Build reads lines up to a closing tag and returns
	// what they are, or what is wrong. Both are there while a file is read.
	NextLine func() (text string, number int)
	Build    func(closing string) (list []Node, problem string)
}

// Methods are those of a Limit section: Names, or all but them.
type Methods struct {
	Names  []string
	Except bool
}

// Place is where a directive in a section of a module's own is to be run.
type Place struct {
	Host     any // the Key of the virtual host, nil for the main server
	Records  *Records
	IsOwn    bool    // Records are those of the place where the section stands
	Section  *string // the path of cmd_parms; nil outside of sections
	Override int
}

// improper is what httpd says of an entry that it cannot call.
const improper = " is improperly configured internally (server bug)"

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
		line.Records = a.recordsOf(m.vector())
	}
	module, vector := d.module.structure, line.Records.vector
	C.wshttpd_module_server(module, m.pool, server)
	C.wshttpd_module_dir(module, m.pool, vector, path)
	p := d.parms(m, line, server)
	p.path, p.context, p.directive = path, vector, a.nodeOf(m, line.Tree, line.Node)
	return line.Records, d.call(m, &line, p, C.wshttpd_module_record(vector, module), words)
}

// RunReading has the module take a line while its file is read (EXEC_ON_READ).
// It returns the keys of the directives that stand in its place then.
func (d *Directive) RunReading(line Line, words []string) (keys []any, problem string) {
	server := apache.server(nil)
	a := &apache
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	m := maker{a.configPool()}
	p := d.parms(m, line, server)
	p.config_file = C.wshttpd_file_being_read(m.pool, m.text(line.Node.File), C.uint(line.Node.Number))
	p.err_directive = a.nodeOf(m, line.Tree, line.Node)
	yield := (**C.ap_directive_t)(m.zeros(int(unsafe.Sizeof(p))))
	if problem = d.call(m, &line, p, unsafe.Pointer(yield), words); problem != "" {
		return nil, problem
	}
	for at := *yield; at != nil; at = at.next {
		key, known := a.tree.keys[at]
		if !known {
			return nil, d.Name + " has made directives of its own, which this server does not take"
		}
		keys = append(keys, key)
	}
	return keys, ""
}

// call calls the function. modulesMu is held, but not while the line's own
// functions run.
func (d *Directive) call(m maker, line *Line, parms *C.cmd_parms, config unsafe.Pointer, words []string) string {
	if d.record._func == nil || d.Args < 0 || d.Args > lastArgs {
		return d.Name + improper
	}
	room := unsafe.Slice((**C.char)(m.zeros((len(words)+3)*int(unsafe.Sizeof(parms)))), len(words)+3)
	for i, w := range words {
		room[i] = m.text(w)
	}
	runtime.LockOSThread() // by which its own functions find the line
	defer runtime.UnlockOSThread()
	defer apache.begin(line, parms)()
	problem := C.wshttpd_module_command(parms, config, C.int(len(words)), &room[0])
	if problem == nil {
		return ""
	}
	return C.GoString(problem)
}

// lastArgs is the last of enum cmd_how, TAKE_ARGV.
const lastArgs = 12

// parms makes what a directive's function is told of its line.
func (d *Directive) parms(m maker, line Line, server *C.server_rec) *C.cmd_parms {
	p := (*C.cmd_parms)(m.zeros(C.sizeof_cmd_parms))
	p.info, p.cmd = d.record.cmd_data, d.record
	p.override, p.override_opts = C.int(line.Override), allOptions
	p.limited = line.Methods.mask(m)
	p.server, p.pool, p.temp_pool = server, m.pool, apache.tempPool()
	return p
}

// allOptions are what Options may set in a file of the server's (httpd 2.4
// server/config.c, ap_process_config_tree).
const allOptions = 0xff

// mask is the set of methods by httpd's numbers, -1 for all.
func (s *Methods) mask(m maker) C.int64_t {
	if s == nil {
		return -1
	}
	var bits C.int64_t
	for _, name := range s.Names {
		bits |= 1 << C.ap_method_register(m.pool, m.text(name))
	}
	if s.Except {
		return ^bits
	}
	return bits
}
