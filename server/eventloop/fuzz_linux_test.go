package eventloop

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What a fuzz input does, a byte each, followed by the byte of the connection
// (modulo how many there are) and one argument.
const (
	opOpen = iota
	opAccept
	opAcceptError
	opSend
	opEOF
	opReset
	opRoom
	opArm // the argument is what the next OnData does
	opInterrupt
	opInterruptAfter
	opPause
	opResume
	opClose
	opCloseElsewhere
	opCloseWrite
	opRecvAnswer
	opSendAnswer
	opWaitEINTR
	opAtOnce
	opSpurious
	opNotify
	opFailAdd
	opWithin // the next thing to a connection is done as a wait begins, or from another goroutine
	opSettle
	ops
)

// What an OnData does besides its echo.
const (
	actNothing = iota
	actInterrupt
	actInterruptAfter
	actCancel
	actSteal     // the loop is taken away, and the call goes on at once
	actStuck     // the call goes on when another thread has the loop
	actBurn      // as though it had used the processor for long
	actClose     // from the callback
	actElsewhere // from another goroutine, awaited
	actLeave
	actGoexit
	actPause
	actHold // the echo waits for a later call
	acts
)

// fuzzRun is one input's loops, connections and what went wrong.
type fuzzRun struct {
	t     *testing.T
	k     *fakeKernel
	g     *Group
	conns []*fuzzConn
	fd    int // of the listening socket
	when  int // argument of opWithin, plus 1; 0 for at once

	mu     sync.Mutex
	failed string // guarded by mu

	accepted sync.Mutex   // guards conns against Accepted
	others   atomic.Int32 // other goroutines that are doing something
}

// fuzzConn is a handler as the server's, which echoes, and what it was told.
type fuzzConn struct {
	run  *fuzzRun
	id   int
	c    *Conn
	sock *fakeSock
	fd   int

	inside   atomic.Int32 // OnData, OnClose
	closes   atomic.Int32
	releases atomic.Int32
	asked    atomic.Bool // for an interrupt that did not come yet
	closing  atomic.Bool // Close was called
	left     atomic.Bool

	mu      sync.Mutex
	armed   []byte // acts of the next OnData, guarded by mu like all that follows
	backlog []byte
	in      int  // bytes that came in
	waiting bool // for OnWritable
	full    bool // paused until the backlog is written
	paused  bool // from outside
	lost    bool // nothing can be written
	finish  bool // close when all is written
}

func (r *fuzzRun) report(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == "" {
		r.failed = fmt.Sprintf(format, args...)
	}
}

func (r *fuzzRun) check() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != "" {
		r.t.Fatal(r.failed)
	}
}

func newFuzzRun(t *testing.T, loops int) *fuzzRun {
	r := &fuzzRun{t: t}
	r.k = newFakeKernel(t, r.report)
	r.g = &Group{note: func(string, ...any) {}, workersMost: workersMost}
	for range loops {
		l, err := r.g.start(r.k, false)
		if err != nil {
			t.Fatal(err)
		}
		r.g.loops = append(r.g.loops, l)
	}
	r.fd = r.k.open(&fakeSock{listens: true})
	if err := r.g.Listen(r.fd, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *fuzzRun) Accepted(l *Loop, fd int, _ netip.AddrPort, _ time.Time) { r.add(l, fd) }

func (r *fuzzRun) AcceptFailed(error) time.Duration { return time.Millisecond }

// elsewhere does something on another goroutine.
func (r *fuzzRun) elsewhere(what func()) {
	r.others.Add(1)
	go func() {
		defer r.others.Add(-1)
		what()
	}()
}

// add starts a connection on a socket.
func (r *fuzzRun) add(l *Loop, fd int) {
	r.accepted.Lock()
	defer r.accepted.Unlock()
	h := &fuzzConn{run: r, id: len(r.conns), fd: fd}
	r.k.change(func() {
		h.sock = r.k.socks[fd]
		h.sock.id, h.sock.room = h.id, 100
	})
	h.c = l.New(fd, h)
	if h.c.Start() == nil {
		r.conns = append(r.conns, h)
	}
}

func (r *fuzzRun) all() []*fuzzConn {
	r.accepted.Lock()
	defer r.accepted.Unlock()
	return append([]*fuzzConn(nil), r.conns...)
}

func (h *fuzzConn) Space() []byte {
	if h.id%2 == 0 {
		return nil
	}
	return make([]byte, 7)
}

// enter begins a callback that must be alone.
func (h *fuzzConn) enter(name string) (leave func()) {
	if h.inside.Add(1) != 1 {
		h.run.report("connection %d: %s while another callback is under way", h.id, name)
	}
	if h.closes.Load() > 0 || h.left.Load() {
		h.run.report("connection %d: %s after the end", h.id, name)
	}
	return func() { h.inside.Add(-1) }
}

func (h *fuzzConn) OnData(p []byte) {
	defer h.enter("OnData")()
	h.mu.Lock()
	for i, b := range p {
		if want := streamByte(h.id, h.in+i); b != want {
			h.run.report("connection %d: byte %d = %#x, want %#x", h.id, h.in+i, b, want)
			break
		}
	}
	h.in += len(p)
	h.backlog = append(h.backlog, p...)
	clear(p) // lent
	armed := h.armed
	h.armed = nil
	if len(p) == 0 {
		h.asked.Store(false)
	}
	h.mu.Unlock()
	for _, act := range armed {
		if act == actHold {
			return
		}
		h.act(act)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush()
}

func (h *fuzzConn) act(act byte) {
	switch act {
	case actInterrupt:
		h.interrupt()
	case actInterruptAfter:
		h.interruptAfter(time.Microsecond)
	case actCancel:
		h.c.SetDeadline(time.Hour)
		h.c.SetDeadline(0)
		h.asked.Store(false)
	case actSteal:
		h.steal()
	case actStuck:
		if b := h.steal(); b != nil {
			for until := time.Now().Add(time.Second); b.isStolen() && time.Now().Before(until); {
				time.Sleep(10 * time.Microsecond)
			}
		}
	case actBurn:
		b := h.c.loop.Load().baton
		atomic.StoreUint64(b.burns, atomic.LoadUint64(b.word))
	case actClose:
		h.close()
	case actElsewhere:
		done := make(chan struct{})
		go func() { h.close(); close(done) }()
		<-done
	case actLeave:
		if fd, ok := h.c.Leave(); ok {
			h.left.Store(true)
			h.run.k.close(fd)
		}
	case actGoexit:
		runtime.Goexit()
	case actPause:
		h.pause(true)
	}
}

// steal does what the monitor does with a call that lasts, be it this one or
// another one of the loop's.
func (h *fuzzConn) steal() *baton {
	b := h.c.loop.Load().baton
	word := atomic.LoadUint64(b.word)
	if word&calling == 0 || !atomic.CompareAndSwapUint64(b.word, word, word&^calling|stolen) {
		return nil
	}
	b.give(1)
	return b
}

func (h *fuzzConn) interrupt() {
	h.asked.Store(true)
	h.c.Interrupt()
}

func (h *fuzzConn) interruptAfter(d time.Duration) {
	h.asked.Store(true)
	h.c.SetDeadline(d)
}

func (h *fuzzConn) close() {
	h.closing.Store(true)
	_ = h.c.Close()
}

func (h *fuzzConn) pause(paused bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = paused
	if paused {
		h.c.Pause()
	} else if !h.full {
		h.c.Resume()
	}
}

// flush writes what the socket takes, as server/outbox.go does. mu is held.
func (h *fuzzConn) flush() {
	for len(h.backlog) > 0 && !h.waiting && !h.lost {
		half := len(h.backlog) / 2
		n, err := h.c.TryWrite2(h.backlog[:half], h.backlog[half:])
		if err != nil {
			h.lost = true
			break
		}
		if h.backlog = h.backlog[n:]; len(h.backlog) > 0 {
			h.waiting = true
			h.c.NotifyWritable()
		}
	}
	if h.lost {
		h.backlog = nil
	}
	if full := len(h.backlog) > 20; full && !h.full {
		h.full = true
		h.c.Pause()
	} else if len(h.backlog) == 0 && h.full {
		if h.full = false; !h.paused {
			h.c.Resume()
		}
	}
	if h.finish && len(h.backlog) == 0 {
		h.close()
	}
}

func (h *fuzzConn) OnWritable() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = false
	h.flush()
}

func (h *fuzzConn) OnClose(err error) {
	defer h.closes.Add(1)
	defer h.enter("OnClose")()
	h.mu.Lock()
	defer h.mu.Unlock()
	sent, eof, reset := 0, false, false
	h.run.k.mu.Lock()
	sent, eof, reset = h.sock.sent, h.sock.eof, h.sock.reset
	h.run.k.mu.Unlock()
	switch {
	case errors.Is(err, net.ErrClosed) && (h.closing.Load() || h.sock.refused):
	case err == io.EOF && eof && !reset && h.in != sent:
		h.run.report("connection %d: EOF after %d bytes of %d", h.id, h.in, sent)
	case err == io.EOF && (eof || reset):
	case err == syscall.ECONNRESET && reset:
	default:
		h.run.report("connection %d: OnClose(%v), want none; eof %v, reset %v", h.id, err, eof, reset)
	}
	h.finish = true
	h.flush()
}

func (h *fuzzConn) OnDeadline() { h.c.Interrupt() }

func (h *fuzzConn) OnRelease() {
	if n := h.releases.Add(1); n != 1 || !h.closing.Load() && !h.sock.refused {
		h.run.report("connection %d: OnRelease %d times, closed %v", h.id, n, h.closing.Load())
	}
}
