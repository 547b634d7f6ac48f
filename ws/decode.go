package ws

import (
	"encoding/binary"

	"github.com/wshttpd/wshttpd/ws/mask"
)

const (
	// DefaultMaxMessage is the limit of a message's payload in bytes where a
	// Decoder sets none.
	DefaultMaxMessage = 33554432

	// Headroom is how many bytes stand free in front of a payload: room for the
	// header of a reply.
	Headroom = MaxHeader

	// Padding is how many zero bytes stand behind a payload that has a buffer
	// of its own.
	Padding = 64

	// keptBuffer is the largest buffer that a Decoder without Memory keeps
	// between messages.
	keptBuffer = 64 << 10

	// directLeast is how many bytes of a payload have to be missing for it to
	// be received straight into its buffer.
	directLeast = 4 << 10

	// ahead is how far a buffer may be larger than twice what has arrived.
	ahead = 64 << 10
)

// Message is a whole message, or a control frame. Opcode Continuation says
// that none is complete.
type Message struct {
	Opcode Opcode

	// Payload is lent until the next call of the Decoder; it is never nil where
	// there is a message. The Headroom bytes in front of it may be written too,
	// if what Next took came with as much in front. Where it has room behind
	// it, that is Padding zero bytes.
	Payload []byte
}

// Memory lends the buffers of messages that do not lie within one read. One
// for many decoders saves them from being made for each message.
type Memory interface {
	// Get returns a buffer of at least least bytes and at most most, all of
	// which it has as its length. What is in it does not matter.
	Get(least, most int) []byte

	// Put takes one back.
	Put([]byte)
}

// Decoder reads the frames of one client. Its zero value is ready, with the
// default limit, for version 13.
type Decoder struct {
	Version Version // decides close codes only

	// MaxMessage is the limit in bytes of a message's payload, all fragments
	// together, and of each control frame's; 0 stands for DefaultMaxMessage.
	// It protects memory: a message holds at most twice what has arrived of it,
	// three times for the moment in which its buffer grows.
	MaxMessage int64

	// Memory lends buffers; nil stands for none but the Decoder's own.
	Memory Memory

	head    header
	ready   bool      // the header is complete; payload follows
	left    uint64    // bytes of the payload to come
	mask    uint32    // the masking key, turned to the next byte
	message Opcode    // of the message that has begun; Continuation if none has
	size    uint64    // of its payload so far, the frame at hand included
	buf     []byte    // of its payload, where that does not lie in one read: Headroom, payload, Padding
	have    int       // bytes of the payload in buf
	spent   bool      // buf is that of the message that was returned last
	text    utf8State // between characters when no message has begun

	control []byte // payload of a control frame, where that does not lie in one read

	err error
}

// Next takes bytes of p and returns the message or control frame that they
// complete, and how many it took. With opcode Continuation and no error it
// took all of p and needs more. p is changed: payloads are unmasked in place.
//
// The error is an *Error, at the first byte that shows the violation, however
// the bytes are cut into calls; after it nothing is taken and it is returned
// again.
func (d *Decoder) Next(p []byte) (m Message, n int, err error) {
	d.Release()
	if m, n = d.takeWhole(p); n > 0 {
		return m, n, nil
	}
	for d.err == nil {
		if !d.ready {
			used := d.readHeader(p[n:])
			n += used
			if !d.ready {
				return Message{}, n, d.err
			}
		}
		if d.left > 0 && n == len(p) {
			return Message{}, n, nil
		}
		size := len(p) - n
		if uint64(size) > d.left {
			size = int(d.left)
		}
		piece := p[n : n+size : n+size]
		n += size
		if m = d.takePayload(piece); m.Opcode != Continuation {
			return m, n, nil
		}
	}
	return Message{}, n, d.err
}

// takeWhole is Next for the usual case: a whole short message in one frame at the
// start of p, in which nothing is wrong. Anything else it leaves alone, n 0: the
// steps of Next find the same, in three times the time.
func (d *Decoder) takeWhole(p []byte) (m Message, n int) {
	if len(p) < MaxHeader || !d.Idle() {
		return Message{}, 0
	}
	op, length := Opcode(p[0]&^fin), int(p[1]&^masked)
	if p[0]&fin == 0 || op != Binary && op != Text || p[1]&masked == 0 || length > MaxControlPayload {
		return Message{}, 0
	}
	n = shortHeader + length
	if len(p) < n || uint64(length) > d.limit() {
		return Message{}, 0
	}
	payload := p[shortHeader:n:n]
	key := binary.LittleEndian.Uint32(p[2:])
	_, ascii := mask.XORASCII(key, payload)
	if op == Text && !ascii && !isUTF8(payload) {
		mask.XOR(key, payload) // as it came
		return Message{}, 0
	}
	return Message{op, payload}, n
}

// Space returns where the next bytes can be received straight, so that they
// need not be copied, or nil when they are to come through Next.
func (d *Decoder) Space() []byte {
	d.Release()
	if d.err != nil || !d.ready || d.have == 0 || d.left < directLeast || d.head.opcode().isControl() {
		return nil
	}
	if room := d.room() - d.have; uint64(room) < min(d.left, ahead/2) {
		d.grow(d.have+1, 2*d.have+ahead)
	}
	free := d.buf[Headroom+d.have : Headroom+d.room()]
	if uint64(len(free)) > d.left {
		free = free[:d.left]
	}
	return free
}

// Received takes the n bytes that were put to where Space said, and returns
// what Next would.
func (d *Decoder) Received(n int) (Message, error) {
	end := Headroom + d.have + n
	m := d.takePayload(d.buf[end-n : end : end])
	return m, d.err
}

// Release gives back the buffer of the message that was returned last, whose
// payload must not be used any more. Every other call begins with it.
func (d *Decoder) Release() {
	if !d.spent {
		return
	}
	d.spent = false
	switch {
	case d.Memory != nil:
		d.Memory.Put(d.buf)
		d.buf = nil
	case cap(d.buf) > Headroom+keptBuffer+Padding:
		d.buf = nil
	}
}

// Idle reports whether the decoder stands between two messages and holds
// nothing. After an error it never does.
func (d *Decoder) Idle() bool {
	return d.head.have == 0 && d.message == Continuation
}

// readHeader takes bytes of the header, judging each as soon as it is there.
func (d *Decoder) readHeader(p []byte) (n int) {
	if d.head.have == 0 && len(p) >= MaxHeader {
		return d.readWholeHeader(p)
	}
	if d.head.have == 0 {
		if n = d.head.take(p, 1); n == 0 {
			return 0
		}
		if d.err = d.checkFirst(); d.err != nil {
			return n
		}
	}
	if d.head.have == 1 {
		used := d.head.take(p[n:], 2)
		if n += used; used == 0 {
			return n
		}
		if d.err = d.checkSecond(); d.err != nil {
			return n
		}
	}
	end := d.head.lengthEnd()
	if d.head.have < end {
		n += d.head.take(p[n:], end)
		if d.head.have < end {
			return n
		}
	}
	if d.head.have == end {
		if d.err = d.checkLength(); d.err != nil {
			return n
		}
	}
	n += d.head.take(p[n:], end+4)
	if d.head.have == end+4 {
		d.beginPayload()
	}
	return n
}

// readWholeHeader is readHeader where p holds all of it, the usual case: without
// the steps a small message takes a fifth less time.
func (d *Decoder) readWholeHeader(p []byte) (n int) {
	d.head.bytes = [MaxHeader]byte(p)
	d.head.have = d.head.lengthEnd() + 4
	if d.err = d.checkFirst(); d.err != nil {
		return d.head.have
	}
	if d.err = d.checkSecond(); d.err != nil {
		return d.head.have
	}
	if d.err = d.checkLength(); d.err != nil {
		return d.head.have
	}
	d.beginPayload()
	return d.head.have
}

// checkFirst judges the first byte of a frame (RFC 6455, sections 5.2, 5.4 and
// 5.5).
func (d *Decoder) checkFirst() error {
	op := d.head.opcode()
	switch {
	case d.head.bytes[0]&reserved != 0:
		return &Error{ProtocolError, "reserved bit set in a frame"}
	case !op.isKnown():
		return &Error{ProtocolError, "frame with an unknown opcode"}
	case op.isControl() && !d.head.fin():
		return &Error{ProtocolError, "fragmented control frame"}
	case op.isControl():
	case op == Continuation && d.message == Continuation:
		return &Error{ProtocolError, "continuation frame without a message to continue"}
	case op != Continuation && d.message != Continuation:
		return &Error{ProtocolError, "new message inside an unfinished one"}
	}
	return nil
}

// checkSecond judges the second byte (RFC 6455, sections 5.1, 5.5 and 5.5.1).
func (d *Decoder) checkSecond() error {
	length := d.head.bytes[1] &^ masked
	switch op := d.head.opcode(); {
	case d.head.bytes[1]&masked == 0:
		return &Error{ProtocolError, "frame that is not masked"}
	case op.isControl() && length > MaxControlPayload:
		return &Error{ProtocolError, "control frame longer than 125 bytes"}
	case op == Close && length == 1:
		return &Error{ProtocolError, "close frame with a payload of one byte"}
	}
	return nil
}

// checkLength judges the announced length before anything of the payload is
// read (RFC 6455, section 10.4). size is never above the limit, so that the
// sum cannot overflow.
func (d *Decoder) checkLength() error {
	length := d.head.length()
	limit := d.limit()
	size := uint64(0)
	if d.head.opcode() == Continuation {
		size = d.size
	}
	if length > limit || size+length > limit {
		return &Error{TooLarge.For(d.Version), "message larger than the limit"}
	}
	return nil
}

func (d *Decoder) limit() uint64 {
	if d.MaxMessage > 0 {
		return uint64(d.MaxMessage)
	}
	return DefaultMaxMessage
}

// beginPayload turns from a complete header to its payload.
func (d *Decoder) beginPayload() {
	d.ready = true
	d.left = d.head.length()
	d.mask = d.head.key()
	switch op := d.head.opcode(); {
	case op.isControl():
		d.control = d.control[:0]
		return
	case op != Continuation:
		d.message, d.size = op, 0
	}
	d.size += d.left
}

// takePayload takes a piece of the payload, which it unmasks. When it is the
// last one the frame is over, and perhaps the message.
func (d *Decoder) takePayload(piece []byte) Message {
	d.left -= uint64(len(piece))
	var ascii bool
	d.mask, ascii = mask.XORASCII(d.mask, piece)
	if op := d.head.opcode(); op.isControl() {
		return d.takeControl(op, piece)
	}
	if d.message == Text && !(ascii && d.text.complete()) && !d.text.check(piece) {
		d.err = &Error{InvalidPayload, "text that is not UTF-8"}
		return Message{}
	}
	over := d.left == 0
	last := over && d.head.fin()
	if last && d.message == Text && !d.text.complete() {
		d.err = &Error{InvalidPayload, "text that ends inside a character"}
		return Message{}
	}
	if over {
		d.ready, d.head.have = false, 0
	}
	if last && d.have == 0 {
		return d.complete(piece)
	}
	d.collect(piece)
	if !last {
		return Message{}
	}
	end := Headroom + d.have
	clear(d.buf[end : end+Padding])
	d.have, d.spent = 0, true
	return d.complete(d.buf[Headroom : end : end+Padding])
}

// takeControl is takePayload for a control frame, which may stand between the
// fragments of a message.
func (d *Decoder) takeControl(op Opcode, piece []byte) Message {
	if d.left > 0 || len(d.control) > 0 {
		d.control = append(d.control, piece...)
		piece = d.control
	}
	if d.left > 0 {
		return Message{}
	}
	d.ready, d.head.have = false, 0
	return Message{op, piece}
}

// complete returns the message that payload is the whole of.
func (d *Decoder) complete(payload []byte) Message {
	m := Message{d.message, payload}
	d.message = Continuation
	return m
}

// collect appends a piece to the buffer, if it was not received there.
func (d *Decoder) collect(piece []byte) {
	if len(piece) == 0 {
		return
	}
	need := d.have + len(piece)
	if need > d.room() {
		d.grow(need, 2*d.room())
	}
	if at := d.buf[Headroom+d.have:]; &at[0] != &piece[0] {
		copy(at, piece)
	}
	d.have = need
}

// room returns how much payload the buffer can hold.
func (d *Decoder) room() int { return max(len(d.buf)-Headroom-Padding, 0) }

// grow makes room for need bytes of payload, or wish bytes where the message
// can become as long. It grows by doubling, so that many small fragments are
// not copied again and again.
func (d *Decoder) grow(need, wish int) {
	most := d.limit()
	if d.head.fin() {
		most = d.size
	}
	size := max(need, int(min(uint64(wish), most)))
	var buf []byte
	if d.Memory != nil {
		buf = d.Memory.Get(Headroom+size+Padding, Headroom+int(min(most, 1<<40))+Padding)
	} else {
		buf = make([]byte, Headroom+size+Padding)
	}
	copy(buf[Headroom:], d.buf[min(Headroom, len(d.buf)):min(Headroom+d.have, len(d.buf))])
	if d.Memory != nil && d.buf != nil {
		d.Memory.Put(d.buf)
	}
	d.buf = buf
}
