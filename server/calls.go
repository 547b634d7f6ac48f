package server

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/supervise/callpage"
)

// pluginUse is a WebSocketHandler line that is served.
type pluginUse struct {
	wsplugin.Plugin
	file string
	name callpage.Name
	live atomic.Int64 // connections of which a callback may run, or will
}

// calls is what the server knows of callbacks that run.
type calls struct {
	page    *callpage.Page
	worn    func()                               // see AdoptCalls; may be nil
	callers [callpage.Slots]atomic.Pointer[conn] // whose call has a place; of one that is free, any
	watch   watch
}

// nameCalls makes the page ready for calls of the plugins there are.
func (s *Server) nameCalls() {
	if s.calls.page == nil {
		s.calls.page = callpage.Private()
	}
	s.open.page = s.calls.page
	s.uses = make(map[*httpdconf.PluginRef]*pluginUse, len(s.plugins))
	for ref, p := range s.plugins {
		s.uses[ref] = &pluginUse{Plugin: p, file: ref.File, name: s.calls.page.Name(describePlugin(ref))}
	}
}

// describePlugin is how calls of a plugin are told from those of others.
func describePlugin(ref *httpdconf.PluginRef) string {
	text := fmt.Sprintf("%s (%s)", ref.File, ref.Init)
	if ref.Section != "" {
		text += " at " + ref.Section
	}
	return text
}

// noteCall notes that a callback of c's plugin is about to be called. near tells
// callers apart.
func (c *conn) noteCall(near int64, what callpage.Callback) callpage.Place {
	calls := &c.server.calls
	at := calls.page.Enter(near, what, c.use.name, c.request.remote)
	if at != 0 {
		calls.callers[at-1].Store(c)
	}
	return at
}

// noteReturn notes that it has returned.
func (c *conn) noteReturn(at callpage.Place) {
	if at != 0 {
		c.server.calls.callers[at-1].Store(nil)
	}
	c.server.calls.page.Leave(at)
}

// near is what noteCall takes on the goroutine that reads: the thread, where that
// is a loop's, so that it goes on in the same memory.
func (c *conn) near() int64 {
	if thread := c.sock.Thread(); thread != 0 {
		return thread
	}
	return int64(c.request.remote.Port())
}

// noteMessage notes that on_message is about to be called. What is noted stays
// until noteReturned, for all messages of a read.
func (c *conn) noteMessage() {
	if c.noted == 0 {
		c.noted = c.noteCall(c.near(), callpage.Message)
		return
	}
	c.server.calls.page.Next(c.noted)
}

// noteReturned ends what noteMessage has begun.
func (c *conn) noteReturned() {
	if c.noted == 0 {
		return
	}
	if c.sock.Thread() != 0 { // which will need the place soon
		c.server.calls.page.Leave(c.noted)
	} else {
		c.noteReturn(c.noted)
	}
	c.noted = 0
}

// NoteTimer notes calls that the C side makes by itself (pluginloader).
func (c *conn) NoteTimer() (done func()) { return c.noteApart(callpage.Timer) }

// NoteIdle does so for on_idle.
func (c *conn) NoteIdle() (done func()) { return c.noteApart(callpage.Idle) }

func (c *conn) noteApart(what callpage.Callback) (done func()) {
	at := c.noteCall(int64(c.request.remote.Port()), what)
	return func() { c.noteReturn(at) }
}

// noteDestroy notes that a plugin is being destroyed.
func (s *Server) noteDestroy(u *pluginUse) callpage.Place {
	return s.calls.page.Enter(0, callpage.Destroy, u.name, netip.AddrPort{})
}
