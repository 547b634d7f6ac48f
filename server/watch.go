package server

import (
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/supervise/callpage"
)

const (
	// stuckTime is after how long a callback is said not to return, and
	// watchPause how often that is looked at.
	stuckTime  = 5 * time.Second
	watchPause = time.Second

	// stuckMost is how many callbacks may not return before another process is
	// to take this one's place: each holds a thread, and its connection's memory.
	stuckMost = 64

	// wornPause is how often that is asked for, in looks.
	wornPause = 10
)

// watch looks for callbacks that do not return (plugins.md, section 3.4). Its
// fields belong to its goroutine.
type watch struct {
	seen  [callpage.Slots]lasting
	stuck int // callbacks that do not return
	worn  int // looks since there are too many
	stop  chan struct{}
	over  chan struct{}
}

// lasting is a call that a look has found.
type lasting struct {
	serial uint64
	since  time.Time // the look; the zero value where there was no call
	stuck  bool
}

// beginWatch starts the looking; calls.end ends it.
func (s *Server) beginWatch() {
	w := &s.calls.watch
	if s.calls.page == nil {
		return
	}
	w.stop, w.over = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.over)
		clock := time.NewTicker(watchPause)
		defer clock.Stop()
		for {
			select {
			case <-w.stop:
				return
			case now := <-clock.C:
				s.lookAtCalls(now)
			}
		}
	}()
}

// end ends the watch.
func (c *calls) end() {
	if c.watch.stop == nil {
		return
	}
	close(c.watch.stop)
	<-c.watch.over
}

// lookAtCalls finds those that have begun long ago.
func (s *Server) lookAtCalls(now time.Time) {
	w := &s.calls.watch
	for i := range w.seen {
		at, seen := callpage.Place(i+1), &w.seen[i]
		serial, runs := s.calls.page.Serial(at)
		if seen.stuck && (!runs || serial != seen.serial) {
			w.stuck--
		}
		switch {
		case !runs:
			*seen = lasting{}
		case seen.since.IsZero() || serial != seen.serial:
			*seen = lasting{serial: serial, since: now}
		case seen.stuck:
			s.abandonIfGone(at, serial)
		case now.Sub(seen.since) >= stuckTime:
			seen.stuck = true
			w.stuck++
			s.callIsStuck(at, serial)
		}
	}
	s.judgeWear()
}

// callIsStuck logs a call that does not return, once. Of one of on_disconnect
// nobody waits for the end: the socket is closed, and the connection leaves
// the counters.
func (s *Server) callIsStuck(at callpage.Place, serial uint64) {
	call, c := s.callAt(at, serial)
	if call.Callback == 0 {
		return
	}
	s.calls.page.MarkLasting(at)
	const format = "%v of %s has not returned for %v; so many such callbacks are there now: %d"
	if c == nil {
		s.log.printf("websocket", httpdconf.LevelError, call.Client.String(), format, call.Callback, call.Plugin, stuckTime, s.calls.watch.stuck)
		return
	}
	c.log(httpdconf.LevelError, format, call.Callback, call.Plugin, stuckTime, s.calls.watch.stuck)
	if call.Callback == callpage.Disconnect {
		c.cut()
		s.open.removeSession(c)
	}
}

// abandonIfGone gives up a connection whose client has gone while a callback
// does not return. The session hears of it once it has.
func (s *Server) abandonIfGone(at callpage.Place, serial uint64) {
	call, c := s.callAt(at, serial)
	if c == nil || !c.sock.IsPeerGone() {
		return
	}
	switch call.Callback {
	case callpage.Connect:
		c.cut()
	case callpage.Message:
		c.cut()
		s.open.removeSession(c)
	}
}

// callAt returns the call of this serial and whose it is; none, where the place
// has another by now.
func (s *Server) callAt(at callpage.Place, serial uint64) (callpage.Call, *conn) {
	call, c := s.calls.page.At(at), s.calls.callers[at-1].Load()
	if now, runs := s.calls.page.Serial(at); !runs || now != serial {
		return callpage.Call{}, nil
	}
	return call, c
}

// judgeWear asks for another process where too many callbacks do not return.
func (s *Server) judgeWear() {
	w := &s.calls.watch
	if w.stuck < stuckMost {
		w.worn = 0
		return
	}
	if w.worn == 0 {
		s.log.printf("websocket", httpdconf.LevelError, "", "%d callbacks of plugins do not return: this process should be replaced", w.stuck)
	}
	if w.worn%wornPause == 0 && s.calls.worn != nil {
		s.calls.worn()
	}
	w.worn++
}
