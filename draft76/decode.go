package draft76

import (
	"bytes"
	"errors"
)

const (
	// DefaultMaxText is the limit of a text frame's data in bytes where the
	// Decoder sets none.
	DefaultMaxText = 33554432

	// MaxBinary is the limit of a binary frame's announced length in bytes.
	// It protects nothing but patience, since binary data are not kept.
	MaxBinary = 33554432

	// keptBuffer is the largest buffer that a Decoder keeps after a frame.
	keptBuffer = 64 << 10
)

// The errors of Decoder.Next. Each ends the connection.
var (
	ErrTextTooLarge   = errors.New("text frame exceeds the limit without an end")
	ErrBinaryTooLarge = errors.New("announced length of a binary frame exceeds 32 MiB")
)

// Kind says what Decoder.Next found.
type Kind int

// The kinds of Frame.
const (
	None  Kind = iota // nothing complete yet
	Text              // data of a frame with a type byte of 0x00 to 0x7f
	Close             // hixie-76's closing handshake, 0xff 0x00
)

// Frame is what the client has sent.
type Frame struct {
	Kind Kind
	Type byte   // of a text frame: 0x00 to 0x7f
	Data []byte // lent until the next call of Next; never nil in a text frame
}

// Decoder reads frames (hixie-76, section 5.3; hixie-75 alike). Its zero value
// is ready, with the default limit, for hixie-76.
type Decoder struct {
	MaxText int64 // bytes; 0 stands for DefaultMaxText
	Draft75 bool  // 0xff 0x00 is an empty frame like any other

	state  state
	typ    byte
	length uint64 // announced so far, then what is left to discard
	buf    []byte // data of a text frame that did not lie whole in one read
	err    error
}

type state int

const (
	atType   state = iota // the type byte comes next
	inText                // data up to 0xff
	inLength              // bytes of a length
	inBinary              // d.length bytes to discard
)

// Next takes bytes of p and returns the frame that they complete, and how many
// it took: with Kind None and no error it took all of them. After an error it
// takes nothing and returns the same error again.
func (d *Decoder) Next(p []byte) (f Frame, n int, err error) {
	for n < len(p) && d.err == nil {
		switch d.state {
		case atType:
			d.begin(p[n])
			n++
		case inText:
			var used int
			f, used, d.err = d.text(p[n:])
			n += used
		case inLength:
			f.Kind, d.err = d.announce(p[n])
			n++
		case inBinary:
			n += d.discard(len(p) - n)
		}
		if f.Kind != None {
			return f, n, nil
		}
	}
	return Frame{}, n, d.err
}

// Idle reports whether the decoder is between frames and holds nothing.
func (d *Decoder) Idle() bool { return d.state == atType && d.err == nil }

// begin takes a type byte (hixie-76, section 5.3, step 1).
func (d *Decoder) begin(typ byte) {
	d.typ, d.length = typ, 0
	if cap(d.buf) > keptBuffer {
		d.buf = nil
	}
	d.buf = d.buf[:0]
	d.state = inText
	if typ&0x80 != 0 {
		d.state = inLength
	}
}

// text takes data up to 0xff (hixie-76, section 5.3, "If the high-order bit
// ... is not set").
func (d *Decoder) text(p []byte) (f Frame, n int, err error) {
	limit := d.MaxText
	if limit == 0 {
		limit = DefaultMaxText
	}
	// The end may stand one byte behind the largest data, and no further.
	window := p
	if left := limit - int64(len(d.buf)) + 1; int64(len(window)) > left {
		window = window[:left]
	}
	end := bytes.IndexByte(window, 0xff)
	switch {
	case end < 0 && int64(len(d.buf)+len(window)) > limit:
		return Frame{}, len(window), ErrTextTooLarge
	case end < 0:
		d.buf = append(d.buf, window...)
		return Frame{}, len(window), nil
	}
	d.state = atType
	data := window[:end]
	if len(d.buf) > 0 {
		d.buf = append(d.buf, data...)
		data = d.buf
	}
	return Frame{Kind: Text, Type: d.typ, Data: data}, end + 1, nil
}

// announce takes one byte of a length: 7 bits of it, most significant first,
// the high bit set on all but the last (hixie-76, section 5.3). It is judged
// at each byte, so that no sum overflows.
func (d *Decoder) announce(b byte) (Kind, error) {
	d.length = d.length<<7 | uint64(b&0x7f)
	if d.length > MaxBinary {
		return None, ErrBinaryTooLarge
	}
	if b&0x80 != 0 {
		return None, nil
	}
	d.state = inBinary
	if d.length > 0 {
		return None, nil
	}
	d.state = atType
	if d.typ == 0xff && !d.Draft75 {
		return Close, nil
	}
	return None, nil
}

// discard throws binary data away, of which available bytes are at hand.
func (d *Decoder) discard(available int) int {
	n := int(min(d.length, uint64(available)))
	d.length -= uint64(n)
	if d.length == 0 {
		d.state = atType
	}
	return n
}
