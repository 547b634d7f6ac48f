package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Node is a directive of the configuration's tree, as modules may look at it
// (ap_directive_t).
type Node struct {
	Key             any    // tells it from others
	Directive, Args string // with the bracket of a section: "<Location", "/x>"
	File            string
	Number          int // of its line
}

// Tree is the configuration, as far as it has been read.
type Tree struct {
	ID       any // tells it from others
	IsWhole  bool
	Parent   func(key any) (Node, bool)
	Children func(key any) []Node // of nil: what stands in no section
}

// nodes are the directives of a tree as C sees them.
type nodes struct {
	id       any
	isLinked bool
	known    map[any]*C.ap_directive_t
	keys     map[*C.ap_directive_t]any
}

// nodeOf returns a directive of a tree as C sees it: with all others, once the
// tree has been read, else with those around it. modulesMu is held.
func (a *apacheProcess) nodeOf(m maker, t Tree, n Node) *C.ap_directive_t {
	if a.tree.id != t.ID {
		a.tree = nodes{id: t.ID, known: make(map[any]*C.ap_directive_t), keys: make(map[*C.ap_directive_t]any)}
	}
	if t.IsWhole && !a.tree.isLinked {
		a.tree.isLinked = true
		a.link(m, t, t.Children(nil), nil)
	}
	c := a.node(m, n)
	if p, has := t.Parent(n.Key); has && c.parent == nil {
		c.parent = a.nodeOf(m, t, p)
	}
	return c
}

// link joins the directives of a section, and those in them. It returns the
// first.
func (a *apacheProcess) link(m maker, t Tree, list []Node, parent *C.ap_directive_t) (first *C.ap_directive_t) {
	to := &first
	for _, n := range list {
		c := a.node(m, n)
		*to, c.parent, c.next = c, parent, nil
		c.first_child = a.link(m, t, t.Children(n.Key), c)
		to = &c.next
	}
	return first
}

// node returns a directive alone.
func (a *apacheProcess) node(m maker, n Node) *C.ap_directive_t {
	if c := a.tree.known[n.Key]; c != nil {
		return c
	}
	c := (*C.ap_directive_t)(m.zeros(C.sizeof_ap_directive_t))
	c.directive, c.args = m.text(n.Directive), m.text(n.Args)
	c.filename, c.line_num = m.text(n.File), C.int(n.Number)
	a.tree.known[n.Key], a.tree.keys[c] = c, n.Key
	return c
}

// running is a directive whose function runs.
type running struct {
	line  *Line
	parms *C.cmd_parms
}

// begin notes that a directive's function runs on this thread, in that of
// another if there is one, and returns what ends it. modulesMu is held.
func (a *apacheProcess) begin(line *Line, parms *C.cmd_parms) (end func()) {
	a.running = append(a.running, running{line, parms})
	a.runner.Store(int64(syscall.Gettid()))
	return func() {
		if a.running = a.running[:len(a.running)-1]; len(a.running) == 0 {
			a.runner.Store(0)
			return
		}
		outer := a.running[len(a.running)-1].parms
		outer.cmd, outer.info = parms.cmd, parms.info // as the one cmd_parms of httpd has them then
	}
}

// now returns the directive whose function runs on this thread. Other threads,
// and functions that are called at other times, have none.
func (a *apacheProcess) now() (r running, ok bool) {
	if a.runner.Load() != int64(syscall.Gettid()) {
		return r, false
	}
	return a.running[len(a.running)-1], true
}

// apart runs f without modulesMu: it runs further directives.
func (a *apacheProcess) apart(f func()) {
	a.modulesMu.Unlock()
	defer a.modulesMu.Lock()
	f()
}

// notNow is the answer to functions that are called when no directive is run.
const notNow = "functions that run directives can be called by those of directives alone"

//export wshttpd_go_walk
func wshttpd_go_walk(node *C.ap_directive_t, parms *C.cmd_parms) *C.char {
	a := &apache
	r, ok := a.now()
	if !ok || r.line.Walk == nil {
		return lasting.text(notNow)
	}
	m := maker{a.configPool()}
	key, known := a.tree.keys[node]
	if !known {
		return m.text("a module has made a directive of its own, which this server does not run")
	}
	at := Place{Host: a.keyOf(parms.server), Records: a.recordsOf(parms.context), Override: int(parms.override)}
	at.IsOwn = at.Records == r.line.Records
	if parms.path != nil {
		path := C.GoString(parms.path)
		at.Section = &path
	}
	var problem string
	a.apart(func() { problem = r.line.Walk(key, at) })
	return m.optional(problem)
}

//export wshttpd_go_build
func wshttpd_go_build(first **C.ap_directive_t, closing *C.char) *C.char {
	a := &apache
	r, ok := a.now()
	if !ok || r.line.Build == nil {
		return lasting.text(notNow)
	}
	m := maker{a.configPool()}
	var list []Node
	var problem string
	a.apart(func() { list, problem = r.line.Build(C.GoString(closing)) })
	if problem == "" {
		*first = a.link(m, r.line.Tree, list, nil)
	}
	return m.optional(problem)
}

//export wshttpd_go_line
func wshttpd_go_line(to *C.char, size C.size_t) C.int {
	r, ok := apache.now()
	if !ok || r.line.NextLine == nil {
		return 0
	}
	text, number := r.line.NextLine()
	if number == 0 {
		return 0
	}
	if C.size_t(len(text)+2) > size {
		return -1
	}
	room := unsafe.Slice((*byte)(unsafe.Pointer(to)), len(text)+2)
	copy(room, text)
	room[len(text)], room[len(text)+1] = '\n', 0
	return C.int(number)
}
