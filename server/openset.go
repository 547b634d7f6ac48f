package server

import (
	"context"
	"slices"
	"sync"

	"github.com/wshttpd/wshttpd/server/supervise/callpage"
	"github.com/wshttpd/wshttpd/ws"
)

// connection is one as the set of all knows it: a front, a netConn, or a
// conn that came from a front.
type connection interface {
	seated() *seat
	shutdown(ws.CloseCode) // ends it in order
	closeIdle()            // closes it if no request is under way
	cut()                  // closes it at once
}

// seat is where a connection stands in the set of all.
type seat struct{ at int } // its place in the list and one; 0 outside. Guarded by the set's mu

func (s *seat) seated() *seat { return s }

// openSet knows every connection from accept to close, and counts the plugins'
// sessions: a session may outlive its socket while a callback runs.
type openSet struct {
	mu       sync.Mutex
	gone     sync.Cond    // mu; signalled when something was removed
	conns    []connection // guarded by mu, in no order; each knows its place
	sessions int          // guarded by mu
	stopping bool         // guarded by mu; no connection is added any more
	goodbye  ws.CloseCode // guarded by mu; what WebSockets are told, 0 while they go on

	page *callpage.Page // where their number is noted; set before the first is there
}

func newOpenSet() *openSet {
	o := new(openSet)
	o.gone.L = &o.mu
	return o
}

// add counts a connection in, unless that would be more than limit or the
// server stops.
func (o *openSet) add(c connection, limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopping || len(o.conns) >= limit {
		return false
	}
	o.conns = append(o.conns, c)
	c.seated().at = len(o.conns)
	o.page.SetConnections(len(o.conns))
	return true
}

// remove counts a connection out, once. The last of the list takes its place.
func (o *openSet) remove(c connection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	free := c.seated()
	if free.at == 0 {
		return
	}
	end := len(o.conns) - 1
	o.place(o.conns[end], free.at)
	o.conns[end] = nil
	o.conns = o.conns[:end]
	free.at = 0
	o.page.SetConnections(end)
	o.gone.Broadcast()
}

// place puts a connection where one stood. mu is held.
func (o *openSet) place(c connection, at int) {
	o.conns[at-1] = c
	c.seated().at = at
}

// swap puts another in the place of a connection, which goes on as that. One
// that is gone stays so. It returns what goodbyeCode does.
func (o *openSet) swap(from, to connection) (goodbye ws.CloseCode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if free := from.seated(); free.at != 0 {
		o.place(to, free.at)
		free.at = 0
	}
	return o.goodbye
}

func (o *openSet) addSession() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions++
}

// removeSession counts the session of c out, once: when it has ended, or when
// nobody waits for that any more.
func (o *openSet) removeSession(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.abandoned {
		return
	}
	c.abandoned = true
	o.sessions--
	o.gone.Broadcast()
}

// stop lets no further connection in and returns those that are open.
func (o *openSet) stop() []connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopping = true
	return slices.Clone(o.conns)
}

// end is stop for the end of the server: what becomes a WebSocket from now on
// is told code as well.
func (o *openSet) end(code ws.CloseCode) []connection {
	o.mu.Lock()
	o.goodbye = code
	o.mu.Unlock()
	return o.stop()
}

// goodbyeCode returns what WebSockets are told, 0 while they go on.
func (o *openSet) goodbyeCode() ws.CloseCode {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.goodbye
}

// isStopping reports whether stop was called.
func (o *openSet) isStopping() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stopping
}

// all returns the open connections.
func (o *openSet) all() []connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.conns)
}

// await waits until no connection and no session is left, or until ctx ends,
// and reports whether all are gone.
func (o *openSet) await(ctx context.Context) bool {
	wake := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.gone.Broadcast()
	})
	defer wake()
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.conns) > 0 || o.sessions > 0 {
		if ctx.Err() != nil {
			return false
		}
		o.gone.Wait()
	}
	return true
}
