package server

import (
	"bytes"
	"io"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/eventloop"
	"github.com/wshttpd/wshttpd/ws"
)

// front is an accepted connection in a loop, until the head of its first
// request is there. A client that is slow or silent costs this and a deadline.
//
//	accept ─▶ head collected ─┬─ asks for an upgrade ─▶ fasthttp parses it in memory ─┬─ 101 ─▶ conn, in the loop
//	                          │                                                       ├─ draft-76: key 3 awaited
//	                          └─ all else, bad or late ─▶ leaves for a goroutine ◀────┴─ refused
type front struct {
	seat
	server *Server
	sock   *eventloop.Conn
	local  netip.AddrPort // the zero value until it is asked for, unless the listener has it
	peer   netip.AddrPort
	began  time.Time

	scan    headScan
	buf     []byte       // what has arrived, where that is not within one read
	size    int          // of the head, once it is whole
	asked   *opening     // a handshake of draft-76 that waits for its key 3
	silent  atomic.Bool  // no byte has come
	ends    atomic.Int64 // until when a byte has to come, since closeIdle was called; in nanoseconds of Unix, else 0
	logID   string       // see connectionIDOf
	session *conn        // the plugin has accepted
	access  *accessEntry // of a request that is refused here
}

func newFront(s *Server, local, remote netip.AddrPort, began time.Time) *front {
	f := &front{server: s, local: local, peer: remote, began: began}
	f.silent.Store(true)
	return f
}

// start has a loop drive the connection.
func (f *front) start(l *eventloop.Loop, fd int) {
	f.sock = l.New(fd, f)
	if err := f.sock.StartWithin(f.timeFor(0)); err != nil {
		f.server.log.printf("core", httpdconf.LevelError, f.peer.String(), "event loop: %v", err)
		f.server.open.remove(f)
	}
}

// Space leaves the buffer to the loop (eventloop.Handler).
func (f *front) Space() []byte { return nil }

// OnWritable has nothing to write (eventloop.Handler).
func (f *front) OnWritable() {}

// OnDeadline has checkTime called, where nothing else is (eventloop.Handler).
func (f *front) OnDeadline() { f.sock.Interrupt() }

// OnRelease counts the connection out (eventloop.Handler).
func (f *front) OnRelease() { f.server.open.remove(f) }

// OnClose ends a connection whose client has gone; one that has ended its half
// inside a request is still answered (eventloop.Handler).
func (f *front) OnClose(err error) {
	if err == io.EOF && len(f.buf) > 0 && f.asked == nil {
		f.leave(f.buf)
		return
	}
	_ = f.sock.Close() // the descriptor is gone whatever it says
}

// OnData collects the head, and serves it (eventloop.Handler).
func (f *front) OnData(p []byte) {
	if len(p) == 0 {
		f.checkTime()
		return
	}
	f.silent.Store(false)
	all := p
	if f.buf != nil {
		f.buf = append(f.buf, p...)
		all = f.buf
	}
	if f.size == 0 {
		n, ends := f.scan.take(p)
		if ends {
			f.size = len(all) - len(p) + n
		}
	}
	switch {
	case f.asked != nil:
		f.takeKey3(all)
	case f.size > 0 && len(all) >= f.size+len(f.body(all)):
		f.serve(all)
	case len(all) >= f.server.routes.headRoom: // fasthttp knows the answer
		f.leave(all)
	case f.buf == nil:
		f.buf = append(make([]byte, 0, len(p)+eventloop.Headroom), p...)
	}
}

// key3 is where draft-76's 8 bytes behind the head stand for those to come.
var key3 [8]byte

// body returns as many bytes as the head declares that belong to it: key 3,
// where a client declares that as a body.
func (f *front) body(all []byte) []byte {
	if bytes.Contains(all[:f.size], []byte("\r\nContent-Length: 8\r\n")) && declaresKey3(all[:f.size]) {
		return key3[:]
	}
	return nil
}

// localAddr asks the kernel where the listener's address is a wildcard.
func (f *front) localAddr() netip.AddrPort {
	if !f.local.IsValid() {
		f.local, _ = f.sock.LocalAddr()
	}
	return f.local
}

// base returns the host whose limits hold for the head.
func (f *front) base() *httpdconf.Host {
	if f.server.routes.uniform {
		return f.server.cfg.Main
	}
	return f.server.routes.first(f.localAddr())
}

// timeFor returns how long the head may take of which n bytes have come; a
// century stands for no limit.
func (f *front) timeFor(n int) time.Duration {
	return min(readTime(f.base().Limits.Header, int64(n)), 100*365*24*time.Hour)
}

// checkTime ends a connection whose head takes too long: without a word when
// nothing has come, else by fasthttp's answer.
func (f *front) checkTime() {
	left := time.Until(f.began.Add(f.timeFor(len(f.buf))))
	if ends := f.ends.Load(); ends != 0 && f.silent.Load() {
		left = min(left, time.Until(time.Unix(0, ends)))
	}
	switch {
	case left > 0:
		f.sock.SetDeadline(left)
	case len(f.buf) == 0:
		f.server.logSilence(f)
		_ = f.sock.Close()
	case f.asked != nil:
		f.access = f.asked.access.refused(fasthttp.StatusRequestTimeout, len(f.buf)-f.size)
		f.leaveWith(f.server.refusal(fasthttp.StatusRequestTimeout, lateKey3))
	default:
		f.leave(f.buf)
	}
}

// serve has the request answered. Only one that asks for an upgrade is parsed
// in the loop.
func (f *front) serve(all []byte) {
	head := all[:f.size+len(f.body(all))]
	m := memConns.Get().(*memConn)
	m.front, m.in = f, head
	if !m.asksForUpgrade() {
		m.free()
		f.leave(all)
		return
	}
	f.sock.SetDeadline(0)
	returned := false
	defer func() {
		if !returned { // the plugin has ended the goroutine
			if cause := recover(); cause != nil {
				f.server.log.printf("core", httpdconf.LevelError, f.peer.String(), "panic: %v\n%s", cause, debug.Stack())
			}
			f.leaveWith(f.server.refusal(fasthttp.StatusInternalServerError, pluginFailed))
		}
	}()
	m.serve()
	returned = true
	switch {
	case f.session != nil:
		f.become(f.session, m.head, all[len(head):])
	case m.awaits != nil:
		f.asked = m.awaits
		if f.buf == nil {
			f.buf = bytes.Clone(all)
		}
		f.sock.SetDeadline(time.Until(f.began.Add(f.timeFor(0))))
		f.takeKey3(f.buf)
	case m.decided:
		f.leaveWith(bytes.Clone(m.out))
	default:
		f.leave(all)
	}
	m.free() // not where the plugin has ended the goroutine: then the request is still in m
}

// takeKey3 goes on with a handshake of draft-76 once the 8 bytes behind its
// head are there.
func (f *front) takeKey3(all []byte) {
	behind := all[f.size:]
	o := f.asked
	if len(behind) < len(o.key3) {
		return
	}
	n := copy(o.key3[:], behind)
	f.sock.SetDeadline(0)
	returned := false
	defer func() {
		if !returned { // the plugin has ended the goroutine
			f.access = o.access.refused(fasthttp.StatusInternalServerError, n)
			f.leaveWith(f.server.refusal(fasthttp.StatusInternalServerError, pluginFailed))
		}
	}()
	head, status, reason := f.server.ask(f, nil, o)
	returned = true
	if status != fasthttp.StatusSwitchingProtocols {
		f.access = o.access.refused(status, n)
		f.leaveWith(f.server.refusal(status, reason))
		return
	}
	f.session.access = o.access.accepted(n)
	f.become(f.session, head, behind[n:])
}

// become turns the connection into a WebSocket. early is what came behind the
// request.
func (f *front) become(c *conn, head, early []byte) {
	f.sock.SetHandler(c)
	if code := f.server.open.swap(f, c); code != 0 {
		c.shutdown(code) // Shutdown may have passed by before it was a WebSocket
	}
	c.begin(head)
	if len(early) > 0 {
		c.OnData(early)
	}
}

// leave gives the connection, and what has been read of it, to a goroutine on
// which fasthttp serves it.
func (f *front) leave(read []byte) {
	read = bytes.Clone(read)
	f.leaveFor(func(nc *netConn) bool {
		nc.early = read
		return f.server.serveConn(nc)
	})
}

// leaveWith does so with an answer that is ready, after which the connection
// ends.
func (f *front) leaveWith(answer []byte) {
	f.leaveFor(func(nc *netConn) bool {
		nc.enter(phaseBody)
		_, _ = nc.Write(answer) // a client that does not take it is closed all the same
		_ = nc.Close()
		return true
	})
}

func (f *front) leaveFor(serve func(nc *netConn) (unchanged bool)) {
	base := f.base()
	fd, ok := f.sock.Leave()
	if !ok {
		return
	}
	f.server.workers.run(func() bool {
		socket := newFileSocket(fd, f.local, f.peer)
		nc := newNetConn(socket, f.server.open, base)
		nc.since, nc.access, nc.logID = f.began, f.access, f.logID
		f.server.open.swap(f, nc)
		return serve(nc)
	})
}

// ask, carrier: the connection of an opening that is in a loop.
func (f *front) socket(*conn) (*eventloop.Conn, error) { return f.sock, nil }
func (f *front) accepted(c *conn)                      { f.session = c }

// shutdown ends the connection if no request has begun on it.
func (f *front) shutdown(ws.CloseCode) {
	if f.silent.Load() {
		f.cut()
	}
}

// lastChance is how long a new connection may be silent when others accept in
// this process's place: its request may be on the way, and is answered then.
const lastChance = 2 * time.Second

// closeIdle ends the connection if no request begins on it soon.
func (f *front) closeIdle() {
	if f.silent.Load() && f.ends.CompareAndSwap(0, time.Now().Add(lastChance).UnixNano()) {
		f.sock.Interrupt() // the loop sets the deadline: by then it may be a WebSocket
	}
}

func (f *front) cut() { _ = f.sock.Close() }
