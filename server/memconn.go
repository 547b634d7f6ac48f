package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// memConn is what fasthttp takes for the connection of a request that is
// already in memory.
type memConn struct {
	front   *front
	in      []byte   // the head, as far as fasthttp has not read it
	header  []byte   // of a head that fasthttp does not read, else nil
	out     []byte   // an answer of fasthttp's
	head    []byte   // our own, once the plugin has accepted
	awaits  *opening // needs key 3 first
	decided bool     // out is the answer; else the request is none for here
	index   headIndex
	route   route // lives as long as ctx

	ctx    fasthttp.RequestCtx
	reader *bufio.Reader
}

var memConns = sync.Pool{New: func() any {
	m := new(memConn)
	m.reader = bufio.NewReaderSize(m, headBytes)
	return m
}}

// free ends the use of m.
func (m *memConn) free() {
	m.front, m.in, m.header, m.out, m.head, m.awaits, m.decided = nil, nil, nil, m.out[:0], m.head[:0], nil, false
	memConns.Put(m)
}

// asksForUpgrade takes the head apart, and reports whether it may ask for an
// upgrade.
func (m *memConn) asksForUpgrade() bool {
	if !bytes.HasPrefix(m.in, []byte("GET ")) {
		return false
	}
	m.index.take(m.in[m.line():], &m.front.base().Limits)
	return m.index.lines("Upgrade") != nil
}

// line returns the size of the request line.
func (m *memConn) line() int { return bytes.IndexByte(m.in, '\n') + 1 }

// serve has the request parsed and answered. fasthttp does that whole where it
// has more to see to than the head.
func (m *memConn) serve() {
	s := m.front.server
	has := func(name string) bool { return m.index.lines(name) != nil }
	if m.line() > m.front.base().Limits.Line || has("Content-Length") || has("Transfer-Encoding") || has("Expect") {
		_ = s.http.ServeConn(m) // httpd.go logs what fasthttp reports
		return
	}
	ctx := &m.ctx
	ctx.Init2(m, nil, false)
	ctx.Response.Header.SetNoDefaultContentType(true) // before any rule asks for the type
	if !m.takeHead(&ctx.Request.Header) {
		m.reader.Reset(m)
		if err := ctx.Request.Header.Read(m.reader); err != nil {
			return // fasthttp answers it on a goroutine
		}
	}
	s.guarded(ctx)
	if m.decided && m.front.session == nil && m.awaits == nil {
		m.write(&ctx.Response)
	}
	ctx.ResetUserValues()
	ctx.Request.Reset()
	ctx.Response.Reset()
}

// takeHead fills in what is asked of fasthttp's header: the request line. The
// fields are in the index. It reports false, and leaves the head to fasthttp,
// where anything is unusual.
func (m *memConn) takeHead(h *fasthttp.RequestHeader) bool {
	target, usual := bytes.CutSuffix(m.in[len("GET "):m.line()], []byte(" HTTP/1.1\r\n"))
	if !usual || !m.index.good || len(m.index.names) == 0 || !isPlain(target) {
		return false
	}
	h.SetMethod(fasthttp.MethodGet)
	h.SetRequestURIBytes(target)
	m.header = m.in[m.line():]
	return true
}

// isPlain reports whether a target is one, of bytes that a URL can have.
func isPlain(target []byte) bool {
	for _, b := range target {
		if b <= ' ' || b >= 0x7f {
			return false
		}
	}
	return len(target) > 0
}

// write writes an answer to out.
func (m *memConn) write(r *fasthttp.Response) {
	r.Header.SetServer(serverBanner(m.front.server.cfg.Tokens))
	w := bufio.NewWriter(m)
	_ = r.Write(w) // memory takes everything
	_ = w.Flush()
}

func (m *memConn) Read(p []byte) (int, error) {
	if len(m.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.in)
	m.in = m.in[n:]
	return n, nil
}

func (m *memConn) Write(p []byte) (int, error) {
	m.out = append(m.out, p...)
	return len(p), nil
}

func (m *memConn) Close() error         { return nil }
func (m *memConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(m.front.peer) }

func (m *memConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(m.front.localAddr()) }

// The deadlines are the front's.
func (m *memConn) SetDeadline(time.Time) error      { return nil }
func (m *memConn) SetReadDeadline(time.Time) error  { return nil }
func (m *memConn) SetWriteDeadline(time.Time) error { return nil }
