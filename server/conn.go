package server

import (
	"errors"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
	"github.com/wshttpd/wshttpd/server/supervise/callpage"
	"github.com/wshttpd/wshttpd/ws"
)

// closeTime bounds the closing handshake: from the decision to send our close
// frame to the closed descriptor it takes at most 5 s, the margin included.
const closeTime = 5*time.Second - 200*time.Millisecond

// conn is one WebSocket connection: protocol, session and outbox.
//
//	connecting ── 101 ──▶ open ── our close frame ──▶ closing ──▶ over
//	                       │                                      ▲
//	                       └── the peer's close frame, a failure ─┘
//
// In closing, messages are thrown away and nothing is sent; over ends the
// session, and what still comes from the client is read and discarded until
// its EOF, so that it gets what was written before the socket is gone.
//
// The plugin's side (wsplugin.Conn) may be called from any goroutine.
type conn struct {
	seat
	server  *Server
	use     *pluginUse
	sock    *eventloop.Conn
	proto   protocol
	out     outbox
	request request
	reply   atomic.Pointer[reply] // see openReply

	access        *accessEntry               // nil where no log wants it; set before anything is written
	connectThread atomic.Int64               // the thread that is inside the plugin's connect, else 0
	deadline      atomic.Pointer[time.Timer] // of the closing handshake, where no loop keeps it

	// What follows belongs to the goroutine that reads.
	session wsplugin.Session // what connect gave; it stays
	batches batchSession     // the same, nil where it takes one message at a time
	batch   *messageBatch    // messages of this read that wait to be delivered together; nil while there are none
	ended   bool             // the session was told of the end
	corked  bool             // replies of this read are held back
	direct  bool             // the next bytes go where Space said
	calling bool             // the plugin's on_message has not returned
	over    bool             // bytes are discarded
	ponged  bool             // a pong was sent since the last read
	noted   callpage.Place   // of the messages of this read; see noteMessage

	abandoned bool // nobody waits for the session any more; guarded by openSet.mu
}

// newConn makes a connection in state connecting. attach gives it its socket;
// nothing is written to that before begin.
func newConn(s *Server, o *opening) *conn {
	if o.draft != nil {
		return &conn{server: s, use: o.plugin, request: o.request, proto: &o.draft.proto}
	}
	c := &struct { // one object for both
		conn
		hybi hybi
	}{conn{server: s, use: o.plugin, request: o.request}, o.hybi}
	c.proto = &c.hybi
	return &c.conn
}

func (c *conn) attach(sock *eventloop.Conn, timeout time.Duration) {
	c.sock = sock
	c.out.init(c, sock, timeout)
}

// connect asks the plugin for a session. A plugin that panics, or ends the
// goroutine, leaves crashed true; in the latter case connect does not return.
func (c *conn) connect() (accepted, crashed bool) {
	thread := c.sock.Thread()
	if thread == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread = eventloop.ThreadID()
	}
	c.connectThread.Store(thread)
	c.use.live.Add(1)
	noted := c.noteCall(thread, callpage.Connect)
	crashed = true
	defer func() {
		c.connectThread.Store(0)
		c.noteReturn(noted)
		if crashed {
			c.logCrash("on_connect", recover())
		}
		if !accepted {
			c.out.abandon()
			c.use.live.Add(-1)
		}
	}()
	c.session = c.use.Connect(c)
	crashed = false
	if c.session == nil {
		return false, false
	}
	c.batches, _ = c.session.(batchSession)
	c.server.open.addSession()
	return true, false
}

// begin opens the connection: head goes out first, then what the plugin has
// sent meanwhile.
func (c *conn) begin(head []byte) {
	c.out.open(head)
	c.access.opened()
	c.settle()
}

// settle ends a connection that was closed from our side when its protocol
// does not have the client answer that.
func (c *conn) settle() {
	if !c.over && c.out.sealed.Load() && !c.proto.awaitsClose() {
		c.end()
	}
}

// Space returns where a large message goes on, nil for the driver's own buffer
// (eventloop.Handler).
func (c *conn) Space() []byte {
	if c.over {
		return nil
	}
	space := c.proto.space()
	c.direct = space != nil
	return space
}

// OnData takes what the client sent (eventloop.Handler), nothing after
// Interrupt.
func (c *conn) OnData(p []byte) {
	c.count(len(p), 0)
	c.takeAll(p)
	c.proto.release()
	c.settle()
	limit := outboxBound / 2
	if c.ponged { // a client that pings and does not read gets no further than this
		c.ponged, limit = false, 0
	}
	c.corked = false
	c.out.uncork(limit)
}

// takeAll takes the bytes of one read. A callback that does not return ends the
// connection, whichever message it was for.
func (c *conn) takeAll(p []byte) {
	defer func() {
		c.noteReturned()
		if c.calling {
			c.crashed(recover())
		}
	}()
	if c.direct && len(p) > 0 {
		c.direct = false
		if !c.over {
			e, err := c.proto.received(len(p))
			c.take(e, err, false)
		}
		p = nil
	}
	for len(p) > 0 && !c.over {
		e, n, err := c.proto.next(p)
		p = p[n:]
		c.take(e, err, len(p) > 0)
	}
	c.deliverBatch()
}

// take does what a piece of the stream asks for. With more, other frames of the
// same read follow.
func (c *conn) take(e event, err error, more bool) {
	if err != nil {
		c.deliverBatch()
		c.fail(err)
		return
	}
	switch e.message {
	case nothing:
		c.deliverBatch()
	case wsplugin.Ping:
		c.deliverBatch()
		c.pong(e.payload)
	case wsplugin.Close:
		c.deliverBatch()
		c.peerCloses(e.payload)
	default:
		if !c.joinsBatch(e, more) {
			c.deliver(e, more)
		}
	}
}

// OnWritable goes on writing, also what a callback that lasts has sent
// (eventloop.Handler).
func (c *conn) OnWritable() {
	if f, ok := c.session.(interface{ Flush() }); ok {
		f.Flush()
	}
	c.out.resume()
}

// OnDeadline ends a closing handshake that takes too long, whatever a callback
// does (eventloop.Handler).
func (c *conn) OnDeadline() { c.cut() }

// OnRelease counts the connection out (eventloop.Handler).
func (c *conn) OnRelease() {
	c.closed()
	c.server.open.remove(c)
}

// OnClose ends what OnData began: nothing more can be read
// (eventloop.Handler). At EOF the client may still read.
func (c *conn) OnClose(err error) {
	c.over = true
	if err == io.EOF {
		c.seal(true, ws.NormalClosure)
		c.out.finish(true)
	} else {
		if !errors.Is(err, net.ErrClosed) {
			c.log(httpdconf.LevelInfo, "connection lost: %v", err)
		}
		c.cut()
	}
	c.disconnect()
}

// deliver hands a message to the plugin. Once a close frame has gone out
// messages are thrown away. With more, other frames of the same read follow,
// and replies are held back to leave in one write.
func (c *conn) deliver(e event, more bool) {
	if c.out.sealed.Load() {
		return
	}
	if more {
		c.cork()
	}
	lent := len(e.payload) >= inPlaceLeast && (!more || len(e.payload) >= inPlaceAlways)
	if lent {
		c.out.lend(e.payload)
	}
	c.noteMessage()
	c.calling = true
	c.session.Message(e.message, e.payload)
	c.calling = false
	if lent {
		c.out.lend(nil)
	}
}

// crashed ends the connection after an on_message that did not return.
func (c *conn) crashed(cause any) {
	c.calling = false
	c.out.lend(nil)
	c.logCrash("on_message", cause)
	c.seal(true, ws.InternalError)
	c.end()
}

// cork holds back replies until the read is done with, if somebody sees to it
// that they leave when a callback lasts.
func (c *conn) cork() {
	if !c.corked && (c.sock.IsWatched() || !c.sock.InLoop()) {
		c.corked = true
		c.out.cork()
	}
}

// pong answers a ping (RFC 6455, section 5.5.3).
func (c *conn) pong(payload []byte) {
	c.ponged = c.out.addAlways(wsplugin.Pong, payload) == nil || c.ponged
}

// peerCloses answers the client's close frame, unless it is the answer to
// ours, and ends.
func (c *conn) peerCloses(payload []byte) {
	c.sealWith(true, closePayload(c.proto.closeAnswer(payload)))
	c.end()
}

// fail ends a connection whose client broke the protocol.
func (c *conn) fail(err error) {
	code := ws.ProtocolError
	if e, ok := errors.AsType[*ws.Error](err); ok {
		code = e.Code
	}
	c.log(httpdconf.LevelInfo, "connection failed with %d: %v", code, err)
	c.seal(true, code)
	c.end()
}

// end is the end of the closing handshake: the server closes first (RFC 6455,
// section 7.1.1), the session is told, and OnClose does the rest.
func (c *conn) end() {
	c.over = true
	c.out.finish(false)
	c.disconnect()
}

// disconnect tells the session, once, that the connection is over. The outbox
// is sealed, so that no send of the plugin goes on waiting.
func (c *conn) disconnect() {
	if c.ended || c.session == nil {
		return
	}
	c.ended = true
	c.noteReturned()
	noted := c.noteCall(c.near(), callpage.Disconnect)
	returned := false
	defer func() {
		c.noteReturn(noted)
		if !returned {
			c.logCrash("on_disconnect", recover())
		}
		c.use.live.Add(-1)
		c.server.open.removeSession(c)
	}()
	c.session.Disconnect()
	returned = true
}

// abort ends a connection that was accepted and never taken over.
func (c *conn) abort() {
	c.out.abandon()
	c.disconnect()
}

// seal sends a close frame with a code and starts the time for the handshake.
// With finishes, the outbox is finished next, and sends it.
func (c *conn) seal(finishes bool, code ws.CloseCode) bool {
	return c.sealWith(finishes, closePayload(c.proto.closeCode(code)))
}

func closePayload(code ws.CloseCode) []byte { return []byte{byte(code >> 8), byte(code)} }

func (c *conn) sealWith(finishes bool, payload []byte) bool {
	sealed := c.out.seal(finishes, func(dst []byte) []byte { return c.proto.appendClose(dst, payload) })
	if sealed {
		if c.sock.InLoop() {
			c.sock.SetDeadline(closeTime)
		} else {
			c.deadline.Store(time.AfterFunc(closeTime, c.cut))
		}
		if !c.proto.awaitsClose() {
			c.sock.Interrupt() // the reader settles it
		}
	}
	return sealed
}

// stalled cuts a client that takes nothing of what is to be written.
func (c *conn) stalled() {
	c.log(httpdconf.LevelInfo, "client took nothing for %v, connection cut", c.out.timeout)
	c.cut()
}

// cut closes the socket, whatever is going on. The reader finds out, and
// disconnects.
func (c *conn) cut() {
	c.out.abandon()
	_ = c.sock.Close() // the descriptor is gone whatever it says
}

// closed tells that the socket is closed; the netConn calls it.
func (c *conn) closed() {
	c.access.write()
	if t := c.deadline.Load(); t != nil {
		t.Stop()
	}
}

// logCrash logs a callback that did not return, with its stack.
func (c *conn) logCrash(callback string, cause any) {
	what := "ended its goroutine"
	if cause != nil {
		what = "panicked"
	}
	c.log(httpdconf.LevelError, "plugin %s in %s: %v\n%s", what, callback, cause, debug.Stack())
}

// logs reports whether what log is called with at level is written.
func (c *conn) logs(level httpdconf.LogLevel) bool {
	return c.request.log.enabled("websocket", level)
}

func (c *conn) log(level httpdconf.LogLevel, format string, args ...any) {
	if c.logs(level) {
		c.request.log.printf("websocket", level, c.request.remote.String(), format, args...)
	}
}

// shutdown tells the client that the server stops.
func (c *conn) shutdown(code ws.CloseCode) { c.seal(false, code) }

// closeIdle leaves a WebSocket alone: it is not idle while it is open.
func (c *conn) closeIdle() {}
