package server

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

const (
	// outboxBound is how many bytes may wait to be written before a send
	// waits too. One message may be larger: it is accepted when nothing else
	// waits.
	outboxBound = 1 << 20

	// pooledBytes is the largest buffer that goes back to the pool.
	pooledBytes = 64 << 10

	// corkedFor is how long a reply may be held back so that it leaves in one
	// write with those to later messages of the same read.
	corkedFor = 5 * time.Millisecond

	// inPlaceLeast is the size in bytes from which on a message that is sent
	// back is framed where it lies, and inPlaceAlways that from which on this
	// is so although other messages of the same read follow: below, one copy
	// costs less than one write.
	inPlaceLeast  = 4 << 10
	inPlaceAlways = 32 << 10
)

// outbox holds the bytes on their way to one client: in order, bounded, and
// filled from any goroutine. Frames are made in its buffer under its lock, so
// that they never mix.
//
// It starts plugged: what is sent waits until open writes the 101 head in
// front of it. It ends with seal, after which no frame gets in.
type outbox struct {
	sock    *eventloop.Conn
	conn    *conn // whose it is; told when the client took nothing for timeout
	timeout time.Duration

	sealed atomic.Bool // no frame is accepted any more; set under mu, read anywhere

	mu      sync.Mutex
	room    *sync.Cond // on mu; signalled whenever bytes were written or all is over; nil while nobody waits
	buf     []byte     // guarded by mu, like all that follows; nil while nothing waits
	box     *[]byte    // what buf goes back to the pool in
	written int        // how much of buf has been written
	plugged bool       // the 101 head is not yet in front
	corked  bool       // more replies are expected; uncork will write
	waiting bool       // NotifyWritable is under way
	paused  bool       // nothing is read until all is written
	lost    bool       // the socket takes nothing any more
	shut    bool       // end the writing half once all is written
	release bool       // close the socket once all is written

	lent       []byte      // what is being delivered, with room for a header in front
	corkTimer  *time.Timer // made at the first use
	corkArmed  bool        // corkTimer runs
	stallTimer *time.Timer
}

// outBuffers holds the buffers of outboxes that have something to write: one
// that has nothing owns none.
var outBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (o *outbox) init(c *conn, sock *eventloop.Conn, timeout time.Duration) {
	o.conn, o.sock, o.timeout = c, sock, timeout
	o.plugged = true
}

// awaitRoom waits until bytes were written or all is over. mu is held.
func (o *outbox) awaitRoom() {
	if o.room == nil {
		o.room = sync.NewCond(&o.mu)
	}
	o.room.Wait()
}

// tellWaiting has those look who wait for room. mu is held.
func (o *outbox) tellWaiting() {
	if o.room != nil {
		o.room.Broadcast()
	}
}

// pending returns how many bytes wait to be written. mu is held.
func (o *outbox) pending() int { return len(o.buf) - o.written }

// Why a message is not accepted.
var (
	errSealed  = errors.New("the connection is over")
	errFull    = errors.New("too much waits to be written")
	errNoFrame = errors.New("the protocol has no frame for the message")
)

// add appends a message, and writes it unless frames are held back. When too
// much waits to be written it waits too, if wait allows that.
func (o *outbox) add(t wsplugin.MessageType, payload []byte, wait bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending() > 0 && !o.hasRoom(len(payload), wait) {
		return errFull
	}
	return o.append(t, payload)
}

// addAll is add for all messages or, unless they are bounded, addAlways. What
// is not accepted is lost, as where a send of theirs returns 0.
func (o *outbox) addAll(messages pluginloader.Gathered, bounded, wait bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(messages) > 0 {
		var m pluginloader.Message
		m, messages = messages.Next()
		if !bounded || o.pending() == 0 || o.hasRoom(len(m.Payload), wait) {
			_ = o.append(m.Type, m.Payload)
		}
	}
}

// hasRoom waits for room for size bytes, if wait allows that, and reports
// whether there is some. Once the outbox is sealed nobody waits. mu is held.
func (o *outbox) hasRoom(size int, wait bool) bool {
	for !o.sealed.Load() && o.pending() > 0 && o.pending()+size > outboxBound {
		o.flush()
		if o.pending() == 0 || o.lost {
			continue
		}
		if !wait {
			return false
		}
		o.awaitRoom()
	}
	return true
}

// addAlways is add without regard to how much waits.
func (o *outbox) addAlways(t wsplugin.MessageType, payload []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.append(t, payload)
}

// append is addAlways with mu held.
func (o *outbox) append(t wsplugin.MessageType, payload []byte) error {
	if o.sealed.Load() {
		return errSealed
	}
	buf, ok := o.conn.proto.appendMessage(o.writable(), t, payload)
	if !ok {
		return errNoFrame
	}
	o.buf = buf
	if o.corked {
		o.limitCork()
	} else {
		o.flush()
	}
	return nil
}

// lend tells what is being delivered, and with nil that it no longer is.
func (o *outbox) lend(payload []byte) {
	o.mu.Lock()
	o.lent = payload
	o.mu.Unlock()
}

// addInPlace is add for the very payload that is being delivered: frame makes
// a frame of it where it lies, which is written at once, behind what waits. It
// reports false, and has done nothing, where that cannot be.
func (o *outbox) addInPlace(payload []byte, frame func() ([]byte, bool)) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(o.lent) != len(payload), unsafe.SliceData(o.lent) != unsafe.SliceData(payload):
		return false
	case o.sealed.Load(), o.plugged, o.waiting, o.lost, o.pending() > 0 && o.pending()+len(payload) > outboxBound:
		return false
	}
	f, ok := frame()
	if !ok {
		return false
	}
	var n int
	var err error
	before := o.pending()
	if before > 0 {
		n, err = o.sock.TryWrite2(o.buf[o.written:], f)
	} else {
		n, err = o.sock.TryWrite(f)
	}
	o.conn.count(0, n)
	if err != nil {
		o.lose()
		return true // accepted, as what stands in a buffer when the client goes
	}
	o.written += min(n, before)
	if rest := f[max(n-before, 0):]; len(rest) > 0 {
		o.buf = append(o.writableFor(len(rest)), rest...)
		o.await()
		return true
	}
	o.drained()
	return true
}

// seal appends the bytes of a closing handshake, may be none, and accepts
// nothing after them. It reports whether this call was the one that did it.
// Senders that wait give up. With finishes, finish follows, and does the
// writing.
func (o *outbox) seal(finishes bool, last func(dst []byte) []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed.Load() {
		return false
	}
	o.buf = last(o.writable())
	o.sealed.Store(true)
	if !finishes {
		o.flush()
	}
	o.tellWaiting()
	return true
}

// open puts head in front of what has been sent so far and begins to write.
func (o *outbox) open(head []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = slices.Insert(o.writable(), 0, head...)
	o.plugged = false
	o.flush()
}

// cork holds frames back until uncork, or until corkedFor is over.
func (o *outbox) cork() {
	o.mu.Lock()
	o.corked = true
	o.mu.Unlock()
}

// uncork writes what has been held back. If more than limit bytes still wait
// then, nothing is read until they are written: a client that does not read
// gets no answers, and needs none.
func (o *outbox) uncork(limit int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushCorked()
	if o.pending() > limit && !o.lost {
		o.paused = true
		o.sock.Pause()
	}
}

// flushCorked is uncork with mu held and no limit.
func (o *outbox) flushCorked() {
	if !o.corked {
		return
	}
	o.corked = false
	if o.corkArmed {
		o.corkArmed = false
		o.corkTimer.Stop()
	}
	o.flush()
}

// unpause has reading go on. mu is held.
func (o *outbox) unpause() {
	if o.paused {
		o.paused = false
		o.sock.Resume()
	}
}

// limitCork sees to it that a frame held back leaves in time even when the
// callback that runs now blocks. A loop does that by itself. mu is held.
func (o *outbox) limitCork() {
	switch {
	case o.corkArmed, o.sock.InLoop():
		return
	case o.corkTimer == nil:
		o.corkTimer = time.AfterFunc(corkedFor, o.corkedLong)
	default:
		o.corkTimer.Reset(corkedFor)
	}
	o.corkArmed = true
}

// corkedLong ends a cork that a callback holds up.
func (o *outbox) corkedLong() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushCorked()
}

// writable returns the buffer to append to. mu is held.
func (o *outbox) writable() []byte {
	if o.buf == nil {
		o.box = outBuffers.Get().(*[]byte)
		o.buf = (*o.box)[:0]
	}
	return o.buf
}

// writableFor is writable for a large rest. mu is held.
func (o *outbox) writableFor(size int) []byte {
	buf := o.writable()
	if len(buf) > 0 || size <= pooledBytes {
		return buf
	}
	return buffers.Get(size, 2*size)[:0]
}

// putBack gives the buffer to the next outbox that needs one, unless it has
// grown large. mu is held.
func (o *outbox) putBack() {
	if o.box != nil {
		*o.box = nil
		if cap(o.buf) <= pooledBytes {
			*o.box = o.buf[:0]
		} else {
			buffers.Put(o.buf[:cap(o.buf)])
		}
		outBuffers.Put(o.box)
	}
	o.box, o.buf, o.written = nil, nil, 0
}

// compact drops what has been written, once that is most of a large buffer: a
// client that is slow but steady must not make it grow. mu is held.
func (o *outbox) compact() {
	if o.written < pooledBytes || o.written < len(o.buf)/2 {
		return
	}
	o.buf = o.buf[:copy(o.buf, o.buf[o.written:])]
	o.written = 0
}

// flush writes what the socket takes. mu is held.
func (o *outbox) flush() {
	if o.plugged || o.waiting || o.lost {
		return
	}
	if o.pending() > 0 {
		n, err := o.write(o.buf[o.written:])
		o.written += n
		o.conn.count(0, n)
		if err != nil {
			o.lose()
			return
		}
		if n > 0 {
			o.compact()
			o.tellWaiting()
		}
	}
	if o.pending() > 0 {
		o.await()
		return
	}
	o.drained()
}

// write writes what the socket takes of p, which is all that waits. mu is held.
func (o *outbox) write(p []byte) (int, error) {
	if o.shut || o.release {
		return o.sock.TryWriteLast(p)
	}
	return o.sock.TryWrite(p)
}

// await has the socket tell when it takes bytes again. mu is held.
func (o *outbox) await() {
	o.waiting = true
	o.watchStall()
	o.sock.NotifyWritable()
}

// drained puts the buffer away and does what was to be done at the end. mu is
// held.
func (o *outbox) drained() {
	o.putBack()
	o.unpause()
	if o.stallTimer != nil {
		o.stallTimer.Stop()
	}
	o.tellWaiting()
	switch {
	case o.release:
		_ = o.sock.Close()
	case o.shut:
		o.shut = false
		if err := o.sock.CloseWrite(); errors.Is(err, syscall.ENOTCONN) {
			_ = o.sock.Close() // the client has reset the connection: nothing will be read
		}
	}
}

// resume goes on writing; the socket takes bytes again.
func (o *outbox) resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting {
		o.waiting = false
		if o.stallTimer != nil {
			o.stallTimer.Reset(o.timeout)
		}
	}
	o.corked = false // a callback that lasts must not hold up what it has sent
	o.flush()
}

// watchStall starts the time within which the client has to take a byte. mu is
// held.
func (o *outbox) watchStall() {
	if o.stallTimer == nil {
		o.stallTimer = time.AfterFunc(o.timeout, o.conn.stalled)
		return
	}
	o.stallTimer.Reset(o.timeout)
}

// finish ends the writing half, and with release closes the socket too, once
// all is written. The outbox is sealed.
func (o *outbox) finish(release bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
	o.release = o.release || release
	if o.lost && o.release {
		_ = o.sock.Close()
		return
	}
	o.flush()
}

// abandon gives up on what is still to be written, and wakes all who wait.
func (o *outbox) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lose()
}

// lose is abandon with mu held.
func (o *outbox) lose() {
	o.sealed.Store(true)
	o.lost = true
	o.putBack()
	o.unpause()
	if o.stallTimer != nil {
		o.stallTimer.Stop()
	}
	if o.corkTimer != nil {
		o.corkTimer.Stop()
	}
	if o.release {
		_ = o.sock.Close()
	}
	o.tellWaiting()
}
