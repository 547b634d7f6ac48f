package pluginloader

/*
#include "cplugin.h"
*/
import "C"

import (
	"sync"
	"time"
)

// idlePause is what lies between two calls of on_idle: the fork polls its
// socket for so long (Siriuscoder's mod_websocket.c,
// mod_websocket_data_framing).
const idlePause = 10 * time.Millisecond

// idler calls one fork's on_idle for a connection, again and again, between its
// other callbacks. Its methods do nothing on nil.
type idler struct {
	turn sync.Mutex // held while any callback runs
	stop chan struct{}
	over chan struct{} // closed when the last call has returned
}

// beginIdle starts the calls. on_connect has returned.
func (s *cSession) beginIdle() *idler {
	i := &idler{stop: make(chan struct{}), over: make(chan struct{})}
	go i.run(s)
	return i
}

func (i *idler) run(s *cSession) {
	defer close(i.over)
	l := s.plugin.loader
	clock := time.NewTicker(idlePause)
	defer clock.Stop()
	for {
		select {
		case <-i.stop:
			return
		case <-clock.C:
		}
		if !i.turn.TryLock() {
			continue // it is not idle
		}
		l.enter()
		done := s.notes().NoteIdle()
		C.wshttpd_on_idle(s.plugin.structure, s.private, s.handle.memory)
		done()
		l.leave()
		i.turn.Unlock()
	}
}

// pause waits for a call that runs, and lets none begin until resume.
func (i *idler) pause() {
	if i != nil {
		i.turn.Lock()
	}
}

func (i *idler) resume() {
	if i != nil {
		i.turn.Unlock()
	}
}

// end waits for a call that runs; it was the last.
func (i *idler) end() {
	if i != nil {
		close(i.stop)
		<-i.over
	}
}
