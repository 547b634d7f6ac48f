package server

import (
	"bytes"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/eventloop"
	"github.com/wshttpd/wshttpd/ws"
)

// The end of an HTTP connection, and the size of a piece of an answer.
const (
	lingerTime  = 2 * time.Second // for a client to take an answer before the socket goes
	lingerBytes = 64 << 10

	writePiece = 1 << 20 // bytes to which one write deadline applies
)

// phase is where a connection stands in the exchange of requests and answers.
type phase int

const (
	phaseHeader phase = iota
	phaseBody
	phaseIdle // between an answer and the next request
)

// errDetached answers reads once the socket is to leave HTTP: what fasthttp
// has buffered can still be read, and nothing from the socket.
var errDetached = errors.New("connection is leaving HTTP")

// errBareLF answers reads behind a header with a line that ends in LF alone.
var errBareLF = errors.New("a line of the request's header ends in LF alone")

// netConn is an accepted connection, from accept to close. While fasthttp has
// it, it gives each phase its deadline: fasthttp's own cover a whole request
// or a whole answer, and would cut honest slow ones. A WebSocket takes the
// socket and its place in the count of connections over.
type netConn struct {
	seat
	eventloop.Socket
	open      *openSet
	timeout   time.Duration // without progress, for writes
	limits    *httpdconf.HTTPLimits
	keepAlive time.Duration // how long the next request is waited for

	phase     phase
	since     time.Time // begin of the phase
	received  int64     // bytes in this phase
	headerEnd time.Time // when the time for the last request's header is over
	scan      headScan  // of this request's header
	line      startLine
	index     headIndex
	early     []byte // read before the connection came here, or behind a head
	wrote     bool   // an answer, since the last read
	isLast    bool   // the client has announced that nothing follows this request
	eof       bool   // the client has ended its half
	detached  bool
	mute      bool // the client gets no answer

	keepAlives int          // answers that a request could follow
	access     *accessEntry // of the request that is being answered; nil where no log wants it
	took       int64        // bytes that were read, as far as their request knows it
	sent       int64        // bytes
	failed     bool         // an answer could not be sent whole
	logID      string       // see connectionIDOf
	awaits     *opening     // a handshake of draft-76 that waits for its key 3

	session *conn  // accepted, and not taken over yet
	head    []byte // of its answer, for the log
	taken   atomic.Pointer[conn]
	idle    atomic.Bool // no byte of a request has come

	answered atomic.Bool // a request before that
	asked    atomic.Bool // a plugin, whether it accepts
	once     sync.Once
}

// newNetConn makes a connection under the limits of its address' first host.
func newNetConn(c eventloop.Socket, open *openSet, base *httpdconf.Host) *netConn {
	n := &netConn{Socket: c, open: open, timeout: base.Timeout, limits: &base.Limits, keepAlive: base.Limits.KeepAliveTime, since: time.Now()}
	n.idle.Store(true)
	return n
}

// Read reads under the deadline of the phase that the connection is in.
func (c *netConn) Read(p []byte) (int, error) {
	switch {
	case c.detached && len(c.early) == 0:
		return 0, errDetached
	case c.scan.bareLF && c.phase == phaseBody && !c.wrote:
		return 0, errBareLF // fasthttp waits for a header that has ended
	}
	if c.wrote { // fasthttp reads on only once an answer is complete
		c.wrote = false
		c.finishEntry()
		c.enter(phaseIdle)
		if c.open.isStopping() {
			return 0, io.EOF
		}
	}
	for {
		if n, err := c.receive(p); n > 0 || err != nil {
			return n, err
		}
	}
}

// receive reads what fasthttp is to have next: no blank lines in front of a
// request, and not what stands behind its head, so that one request after the
// other is answered and counted. It may find nothing of that kind.
func (c *netConn) receive(p []byte) (n int, err error) {
	fromSocket := len(c.early) == 0
	if fromSocket {
		n, err = c.readSocket(p)
	} else {
		n = copy(p, c.early)
	}
	blank := 0
	if c.phase != phaseBody && len(c.line.text) == 0 {
		blank = n - len(bytes.TrimLeft(p[:n], "\r\n"))
	}
	used := blank + c.advance(p[blank:n])
	c.took += int64(used)
	switch {
	case !fromSocket:
		c.early = c.early[used:]
	case used < n:
		c.early, err = bytes.Clone(p[used:n]), nil // an error comes again
	}
	return copy(p, p[blank:used]), err
}

func (c *netConn) readSocket(p []byte) (int, error) {
	if err := c.Socket.SetReadDeadline(c.readDeadline()); err != nil {
		return 0, err
	}
	n, err := c.Socket.Read(p)
	c.eof = err == io.EOF
	return n, err
}

func (c *netConn) readDeadline() time.Time {
	var d time.Duration
	switch c.phase {
	case phaseIdle:
		d = c.keepAlive
	case phaseBody:
		d = readTime(c.limits.Body, c.received)
	default:
		d = readTime(c.limits.Header, c.received)
	}
	if d == math.MaxInt64 {
		return time.Time{}
	}
	return c.since.Add(d)
}

// advance moves to the phase that begins with what was read, and returns how
// much of that it has looked at: no more than a head.
func (c *netConn) advance(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	if c.phase == phaseIdle {
		c.enter(phaseHeader)
	}
	c.idle.Store(false)
	used, ends := len(p), false
	if c.phase == phaseHeader {
		used, ends = c.scan.take(p)
		c.line.take(p[:used], c.limits.Line)
	}
	c.received += int64(used)
	if ends {
		c.headerEnd = c.readDeadline()
		c.enter(phaseBody)
	}
	return used
}

func (c *netConn) enter(p phase) {
	c.phase, c.since, c.received = p, time.Now(), 0
	switch p {
	case phaseIdle:
		c.answered.Store(true)
		c.scan.tail = [3]byte{}
	case phaseHeader:
		c.scan, c.isLast = headScan{}, false
		c.line.reset()
	default:
		c.scan.tail = [3]byte{}
	}
	c.idle.Store(p == phaseIdle)
}

// Write writes p, each piece of it within the time that a client may take to
// accept a byte. To a connection that has not sent a byte of a request nothing
// is written: it is just closed.
func (c *netConn) Write(p []byte) (int, error) {
	if c.mute || c.phase == phaseIdle || c.phase == phaseHeader && c.received == 0 {
		return len(p), nil
	}
	c.wrote = true
	written := 0
	for written < len(p) {
		if err := c.Socket.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
			return written, err
		}
		n, err := c.write(p[written:min(len(p), written+writePiece)])
		written += n
		c.sent += int64(n)
		if err != nil {
			c.failed = true
			return written, err
		}
	}
	return written, nil
}

// write writes a piece. Behind a last answer comes the end of the connection,
// which leaves with it.
func (c *netConn) write(p []byte) (int, error) {
	if s, is := c.Socket.(*fileSocket); is && c.isLast {
		return s.WriteLast(p)
	}
	return c.Socket.Write(p)
}

// ReadFrom sends a file without copying it, piece by piece as Write does.
func (c *netConn) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	c.wrote = true
	var sent int64
	for limited.N > 0 {
		if err := c.Socket.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
			return sent, err
		}
		// The kernel sends a file by itself only through a single limit.
		n, err := c.sendFrom(&io.LimitedReader{R: limited.R, N: min(limited.N, writePiece)})
		sent += n
		c.sent += n
		limited.N -= n
		if err != nil || n == 0 {
			c.failed = err != nil
			return sent, err
		}
	}
	return sent, nil
}

// sendFrom sends a file without copying it, where the socket can.
func (c *netConn) sendFrom(r *io.LimitedReader) (int64, error) {
	if from, ok := c.Socket.(io.ReaderFrom); ok {
		return from.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Socket}, r)
}

// SetDeadline and SetWriteDeadline leave the deadlines to the phases: fasthttp
// clears them before a takeover, and must not fail there.
func (c *netConn) SetDeadline(time.Time) error      { return nil }
func (c *netConn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline does so as well, until the socket has left HTTP.
func (c *netConn) SetReadDeadline(t time.Time) error {
	if c.taken.Load() == nil {
		return nil
	}
	return c.Socket.SetReadDeadline(t)
}

// readKey reads more of what belongs to a header but stands behind its blank
// line, within the header's time. It appends to p.
func (c *netConn) readKey(p []byte) ([]byte, error) {
	if err := c.Socket.SetReadDeadline(c.headerEnd); err != nil {
		return p, err
	}
	var buf [1024]byte
	n, err := c.Socket.Read(buf[:])
	c.eof = err == io.EOF
	return append(p, buf[:n]...), err
}

// takeover hands the socket to a WebSocket connection: no deadline is left on
// it, and Close closes it at once.
func (c *netConn) takeover() (*conn, error) {
	ws := c.session
	c.session = nil
	c.taken.Store(ws)
	return ws, c.Socket.SetDeadline(time.Time{})
}

// socket makes what a WebSocket is driven by; accepted keeps it until the
// takeover (carrier).
func (c *netConn) socket(w *conn) (*eventloop.Conn, error) {
	c.asked.Store(true)
	if t, is := c.Socket.(*tlsSocket); is {
		return eventloop.NewStream(c, t, c.timeout, w), nil
	}
	return eventloop.New(c, w)
}
func (c *netConn) accepted(w *conn) { c.session = w }

// Close ends the connection. In HTTP it lingers until the client has read the
// answer, so that bytes which it still sends do not destroy it by a reset: not
// where it has announced that there are none (RFC 9112, section 9.6), but for
// the last word of TLS.
func (c *netConn) Close() error {
	if c.session != nil {
		c.session.abort() // fasthttp did not get as far as the takeover
		c.session = nil
	}
	if c.taken.Load() == nil {
		hasBody := c.access != nil && c.access.hasBody
		if !hasBody {
			c.finishEntry()
		}
		_, isTLS := c.Socket.(*tlsSocket)
		if !c.eof && c.phase != phaseIdle && (!c.isLast || isTLS) {
			c.took += c.linger()
		}
		if hasBody {
			c.access.in.Add(c.took + int64(len(c.early)))
			c.finishEntry()
		}
	}
	return c.close()
}

// linger returns how many bytes have still come.
func (c *netConn) linger() int64 {
	if c.Socket.CloseWrite() != nil || c.Socket.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return 0
	}
	n, _ := io.CopyN(io.Discard, c.Socket, lingerBytes) // whatever ends it, the socket is closed next
	return n
}

// close closes the socket and takes the connection out of the count. Any
// goroutine may call it; only the first call counts.
func (c *netConn) close() (err error) {
	c.once.Do(func() {
		err = c.Socket.Close()
		if socket := c.taken.Load(); socket != nil {
			socket.closed()
		}
		c.open.remove(c)
	})
	return err
}

// shutdown ends the connection when the server stops: a WebSocket by a close
// frame, an idle HTTP connection at once, one with a request under way after
// its answer.
func (c *netConn) shutdown(code ws.CloseCode) {
	if socket := c.taken.Load(); socket != nil {
		socket.shutdown(code)
		return
	}
	if c.idle.Load() {
		_ = c.close() // nobody is left to tell
	}
}

// closeIdle closes an HTTP connection that waits for a further request. One
// that is new has a last chance: its client may be in the midst of TLS'
// handshake.
func (c *netConn) closeIdle() {
	switch {
	case c.taken.Load() != nil || !c.idle.Load():
	case c.answered.Load():
		_ = c.close()
	default:
		time.AfterFunc(lastChance, func() {
			if c.taken.Load() == nil && c.idle.Load() {
				_ = c.close()
			}
		})
	}
}

// cut ends the connection at once.
func (c *netConn) cut() {
	if ws := c.taken.Load(); ws != nil {
		ws.cut()
		return
	}
	_ = c.close()
}

var _ eventloop.Socket = (*netConn)(nil)
