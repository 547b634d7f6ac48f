package server

import (
	"time"

	"github.com/valyala/fasthttp"
)

// logAccess makes the entry of a request that was handled, and hands it to what
// knows when it ends: the connection, once the answer is written, or the
// WebSocket.
func (s *Server) logAccess(ctx *fasthttp.RequestCtx, r *route, began time.Time) {
	if len(s.accessLogs) == 0 {
		return
	}
	status := ctx.Response.StatusCode()
	switch on := ctx.Conn().(type) {
	case *memConn:
		f := on.front
		switch {
		case f.session != nil:
			f.session.access = s.newAccessEntry(ctx, r, fasthttp.StatusSwitchingProtocols, began)
		case on.awaits != nil:
			on.awaits.access = s.newAwaited(ctx, r, began)
		case on.decided:
			f.access = s.newAccessEntry(ctx, r, status, began)
		}
	case *netConn:
		on.finishEntry() // of a request that was pipelined
		switch {
		case on.session != nil:
			on.session.access = s.newAccessEntry(ctx, r, fasthttp.StatusSwitchingProtocols, began)
			on.head = nil // it would live as long as the WebSocket
		case on.awaits != nil:
			on.awaits.access = s.newAwaited(ctx, r, began)
		default:
			on.access = s.newAccessEntry(ctx, r, status, began)
			if on.access != nil {
				on.access.from = on.sent
			}
		}
		on.took = 0
	}
}

// logSilence has the log say that a client has sent nothing in the time that it
// had, unless it was told to go before that (httpd 2.4 server/protocol.c,
// ap_read_request).
func (s *Server) logSilence(f *front) {
	if len(s.accessLogs) == 0 || time.Since(f.began) < f.timeFor(0) {
		return
	}
	m := memConns.Get().(*memConn)
	m.front = f
	m.ctx.Init2(m, nil, false)
	r := s.routeOfBadHead(&m.ctx)
	r.bad = new(startLine).logged(0)
	s.newAccessEntry(&m.ctx, r, fasthttp.StatusRequestTimeout, f.began).write()
	m.free()
}

// finishEntry writes the entry of a request whose answer is written.
func (c *netConn) finishEntry() {
	if e := c.access; e != nil {
		c.access = nil
		e.out.Store(c.sent - e.from)
		if c.failed {
			e.fate = connCut
		}
		e.write()
	}
}

// awaited are the entries of a handshake of draft-76 that waits for its key 3,
// by the status that may come of it: by then the request is gone. It is nil
// where no log wants one.
type awaited map[int]*accessEntry

func (s *Server) newAwaited(ctx *fasthttp.RequestCtx, r *route, began time.Time) awaited {
	opened := s.newAccessEntry(ctx, r, fasthttp.StatusSwitchingProtocols, began)
	if opened == nil {
		return nil
	}
	entries := awaited{fasthttp.StatusSwitchingProtocols: opened}
	for status, reason := range map[int]string{
		fasthttp.StatusForbidden: "", fasthttp.StatusRequestTimeout: lateKey3, fasthttp.StatusInternalServerError: pluginFailed,
	} {
		s.refuse(ctx, status, reason) // into an answer that is not used: its size is logged
		entries[status] = s.newAccessEntry(ctx, r, status, began)
	}
	return entries
}

// accepted returns the entry for the session, and refused the one for an
// answer. n bytes of the key have come.
func (a awaited) accepted(n int) *accessEntry { return a.refused(fasthttp.StatusSwitchingProtocols, n) }

func (a awaited) refused(status, n int) *accessEntry {
	e := a[status]
	if e != nil {
		e.in.Add(int64(n))
	}
	return e
}

// count adds to the counts of a WebSocket that stands in an access log.
func (c *conn) count(in, out int) {
	if c.access != nil {
		c.access.in.Add(int64(in))
		c.access.out.Add(int64(out))
	}
}
