package pluginloader

/*
#include "cplugin.h"
*/
import "C"

import (
	"sync"
	"time"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// What C plugins have beyond the original's interface
// (WebSocketServerExtended in websocket_plugin.h, which documents it).

// queued is what a connection has that tells of its queue.
type queued interface {
	// TrySend is Send that does not wait for room. It reports whether the
	// message was accepted.
	TrySend(t wsplugin.MessageType, payload []byte) bool

	// Pending returns how many bytes wait to be written.
	Pending() int
}

// noter is what a connection has that notes which callback of its plugin runs.
// It notes those that it calls by itself; what is returned is to be called once
// the callback has returned.
type noter interface {
	NoteTimer() (done func())
	NoteIdle() (done func())
}

func (s *cSession) notes() noter {
	if n, is := s.conn.(noter); is {
		return n
	}
	return unnoted{}
}

// unnoted is the noter of a connection that has none.
type unnoted struct{}

func (unnoted) NoteTimer() (done func()) { return func() {} }
func (unnoted) NoteIdle() (done func())  { return func() {} }

// begin tells the handle whose it is.
func (h *handle) begin(s *cSession) {
	h.mu.Lock()
	h.session = s
	h.mu.Unlock()
}

// sessionOf returns the session that a structure's state names, nil where that
// is over.
func (t *handleTable) sessionOf(state uint64) *cSession {
	h, conn := t.find(state)
	if conn == nil {
		return nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.state() != state {
		return nil
	}
	return h.session
}

// sessionsOf calls f for each connection that a plugin has accepted. No lock is
// held meanwhile: a connection may be over by then.
func (t *handleTable) sessionsOf(p *cPlugin, f func(*cSession)) {
	slots := t.slots.Load()
	if slots == nil {
		return
	}
	for _, h := range *slots {
		h.mu.RLock()
		s := h.session
		h.mu.RUnlock()
		if s != nil && s.plugin == p && s.accepted.Load() {
			f(s)
		}
	}
}

//export wshttpd_go_broadcast
func wshttpd_go_broadcast(state C.uint64_t, t C.int, buffer *C.uchar, size C.size_t) C.size_t {
	caller := handles.sessionOf(uint64(state))
	kind := wsplugin.MessageType(t)
	switch {
	case caller == nil || uint64(size) > maxPayload:
		return 0
	case kind != wsplugin.Text && kind != wsplugin.Binary && kind != wsplugin.Ping && kind != wsplugin.Pong:
		return 0
	}
	payload := unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(size))
	taken := 0
	handles.sessionsOf(caller.plugin, func(s *cSession) {
		if q, ok := s.conn.(queued); ok && q.TrySend(kind, payload) {
			taken++
		}
	})
	return C.size_t(taken)
}

//export wshttpd_go_pending
func wshttpd_go_pending(state C.uint64_t) C.size_t {
	if _, conn := handles.find(uint64(state)); conn != nil {
		if q, ok := conn.(queued); ok {
			return C.size_t(q.Pending())
		}
	}
	return 0
}

// timers are those that a plugin has set for one connection.
type timers struct {
	mu      sync.Mutex
	begun   bool                // on_connect has accepted; guarded by mu
	over    bool                // on_disconnect may begin; guarded by mu
	due     map[*timer]struct{} // guarded by mu
	early   []*timer            // those that were due before on_connect has returned; guarded by mu
	running sync.WaitGroup      // calls under way; Add with mu held, and over false
}

// timer is one call that is to come.
type timer struct {
	clock    *time.Timer
	session  *cSession
	onTimer  C.uintptr_t
	argument C.uintptr_t
}

// set has a plugin called. It reports whether that will be.
func (t *timers) set(after time.Duration, call *timer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	if t.due == nil {
		t.due = make(map[*timer]struct{})
	}
	t.due[call] = struct{}{}
	call.clock = time.AfterFunc(after, func() { t.fire(call) })
	return true
}

// fire calls the plugin, unless it is too late or too early.
func (t *timers) fire(call *timer) {
	t.mu.Lock()
	_, wanted := t.due[call]
	delete(t.due, call)
	if wanted && !t.begun {
		t.early = append(t.early, call)
		wanted = false
	}
	if wanted {
		t.running.Add(1)
	}
	t.mu.Unlock()
	if !wanted {
		return
	}
	defer t.running.Done()
	l := call.session.plugin.loader
	l.enter()
	defer l.leave()
	defer call.session.notes().NoteTimer()()
	C.wshttpd_on_timer(call.onTimer, call.session.private, call.session.handle.memory, call.argument)
}

// begin lets timers run: the plugin's own pointer is known.
func (t *timers) begin() {
	t.mu.Lock()
	t.begun = true
	early := t.early
	t.early = nil
	for _, call := range early {
		t.due[call] = struct{}{}
	}
	t.mu.Unlock()
	for _, call := range early {
		go t.fire(call)
	}
}

// end drops what is due, and waits for what runs.
func (t *timers) end() {
	t.mu.Lock()
	t.over = true
	for call := range t.due {
		call.clock.Stop()
	}
	t.due, t.early = nil, nil
	t.mu.Unlock()
	t.running.Wait()
}

// reset makes the timers ready for another connection. None runs.
func (t *timers) reset() {
	t.mu.Lock()
	t.begun, t.over = false, false
	t.mu.Unlock()
}

//export wshttpd_go_timer
func wshttpd_go_timer(state C.uint64_t, milliseconds C.uint, onTimer, argument C.uintptr_t) C.int {
	s := handles.sessionOf(uint64(state))
	if s == nil {
		return 0
	}
	call := &timer{session: s, onTimer: onTimer, argument: argument}
	if !s.handle.timers.set(time.Duration(milliseconds)*time.Millisecond, call) {
		return 0
	}
	return 1
}
