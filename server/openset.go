package server

import (
	"context"
	"sync"

	"github.com/wshttpd/wshttpd/ws"
)

// connection is one as the set of all knows it: a front, a netConn, or a
// conn that came from a front.
type connection interface {
	shutdown(ws.CloseCode) // ends it in order
	closeIdle()            // closes it if no request is under way
	cut()                  // closes it at once
}

// openSet knows every connection from accept to close, and counts the plugins'
// sessions: a session may outlive its socket while a callback runs.
type openSet struct {
	mu       sync.Mutex
	gone     sync.Cond               // mu; signalled when something was removed
	conns    map[connection]struct{} // guarded by mu
	sessions int                     // guarded by mu
	stopping bool                    // guarded by mu; no connection is added any more
	goodbye  ws.CloseCode            // guarded by mu; what WebSockets are told, 0 while they go on
}

func newOpenSet() *openSet {
	o := &openSet{conns: make(map[connection]struct{})}
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
	o.conns[c] = struct{}{}
	return true
}

func (o *openSet) remove(c connection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.conns, c)
	o.gone.Broadcast()
}

// swap puts another in the place of a connection, which goes on as that. One
// that is gone stays so.
func (o *openSet) swap(from, to connection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.conns[from]; known {
		delete(o.conns, from)
		o.conns[to] = struct{}{}
	}
}

func (o *openSet) addSession() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions++
}

func (o *openSet) removeSession() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions--
	o.gone.Broadcast()
}

// stop lets no further connection in and returns those that are open.
func (o *openSet) stop() []connection {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopping = true
	return o.listed()
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
	return o.listed()
}

// listed is all with mu held.
func (o *openSet) listed() []connection {
	list := make([]connection, 0, len(o.conns))
	for c := range o.conns {
		list = append(list, c)
	}
	return list
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
