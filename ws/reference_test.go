package ws

import (
	"bytes"
	"fmt"
	"testing"
	"unicode/utf8"
)

// found is one thing that a decoder returned, with a copy of its payload.
type found struct {
	opcode  Opcode
	payload string
}

func (f found) String() string { return fmt.Sprintf("%v %.40q", f.opcode, f.payload) }

// outcome is what a decoder made of a stream.
type outcome struct {
	found  []found
	code   CloseCode // of the error, 0 if there was none
	failed int       // how many bytes showed the error
	idle   bool
}

func (o outcome) String() string {
	return fmt.Sprintf("%v, failed with %d at byte %d, idle %v", o.found, o.code, o.failed, o.idle)
}

func (o outcome) equal(other outcome) bool {
	if len(o.found) != len(other.found) || o.code != other.code || o.idle != other.idle {
		return false
	}
	for i := range o.found {
		if o.found[i] != other.found[i] {
			return false
		}
	}
	return true
}

// reference decodes a whole stream the slow and obvious way: the oracle for
// Decoder.
func reference(stream []byte, v Version, limit int64) outcome {
	var (
		o       = outcome{idle: true}
		begun   Opcode
		message []byte
		pending []byte // the character of a text that is unfinished
		at      int
	)
	fail := func(code CloseCode, at int) outcome {
		o.code, o.failed, o.idle = code, at, false
		return o
	}
	for at < len(stream) {
		o.idle = false
		first := stream[at]
		op, last := Opcode(first%16), first >= 128
		control := op >= 8
		switch {
		case first/16%8 != 0,
			op >= 3 && op <= 7, op >= 11,
			control && !last,
			(op == 1 || op == 2) && begun != 0,
			op == 0 && begun == 0:
			return fail(1002, at+1)
		}
		if at+1 == len(stream) {
			return o
		}
		second := stream[at+1]
		short := second % 128
		switch {
		case second < 128,
			control && short > 125,
			op == 8 && short == 1:
			return fail(1002, at+2)
		}
		header := 2 + map[byte]int{126: 2, 127: 8}[short]
		if len(stream) < at+header {
			return o
		}
		length := uint64(short)
		if header > 2 {
			length = 0
			for _, b := range stream[at+2 : at+header] {
				length = length*256 + uint64(b)
			}
		}
		size := length
		if op == 0 {
			size += uint64(len(message))
		}
		if length >= 1<<63 || size > uint64(limit) {
			if v == 8 || v == 7 {
				return fail(1004, at+header)
			}
			return fail(1009, at+header)
		}
		at += header
		if len(stream) < at+4 {
			return o
		}
		key := stream[at : at+4]
		at += 4
		if op == 1 || op == 2 {
			begun, message, pending = op, nil, nil
		}
		var payload []byte
		text := !control && begun == Text
		for i := uint64(0); i < length; i++ {
			if at == len(stream) {
				return o
			}
			payload = append(payload, stream[at]^key[i%4])
			at++
			if !text {
				continue
			}
			pending = append(pending, payload[i])
			if utf8.Valid(pending) {
				pending = nil
			}
			if !mayBecomeUTF8(pending) {
				return fail(1007, at)
			}
		}
		if control {
			o.found = append(o.found, found{op, string(payload)})
			o.idle = begun == 0
			continue
		}
		message = append(message, payload...)
		if last {
			if text && !utf8.Valid(message) {
				return fail(1007, at)
			}
			o.found = append(o.found, found{begun, string(message)})
			begun = 0
			o.idle = true
		}
	}
	return o
}

// mayBecomeUTF8 reports whether p is the beginning of valid UTF-8, by trying
// what could come next.
func mayBecomeUTF8(p []byte) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			break
		}
		p = p[n:]
	}
	if len(p) == 0 {
		return true
	}
	for _, second := range []byte{0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf} {
		for more := 1; more <= 3; more++ {
			try := append(append([]byte{}, p...), second, 0x80, 0x80)[:len(p)+more]
			if r, n := utf8.DecodeRune(try); n == len(try) && r != utf8.RuneError || string(try) == "\ufffd" {
				return true
			}
		}
	}
	return false
}

// decode feeds a stream to a decoder, cut behind these offsets, and checks what
// Next promises on the way. The bytes are overwritten as soon as they are no
// longer lent.
func decode(t *testing.T, d *Decoder, stream []byte, cuts ...int) outcome {
	t.Helper()
	var o outcome
	begin := 0
	for _, end := range append(cuts, len(stream)) {
		piece := bytes.Clone(stream[begin:end])
		for rest := piece; ; {
			m, n, err := d.Next(rest)
			if n < 0 || n > len(rest) {
				t.Fatalf("Next took %d of %d bytes", n, len(rest))
			}
			if err != nil {
				e, isError := err.(*Error)
				if !isError || e.Reason == "" || m.Opcode != Continuation {
					t.Fatalf("Next = %v, %#v, want no message and an *Error with a reason", m, err)
				}
				if _, n, again := d.Next([]byte{0x81, 0x80, 0, 0, 0, 0}); again != err || n != 0 {
					t.Fatalf("Next after an error took %d, %v, want 0, %v", n, again, err)
				}
				o.code, o.failed, o.idle = e.Code, begin+len(piece)-len(rest)+n, d.Idle()
				return o
			}
			rest = rest[n:]
			if m.Opcode == Continuation {
				if len(rest) > 0 {
					t.Fatalf("Next returned nothing and left %d bytes", len(rest))
				}
				break
			}
			if m.Payload == nil {
				t.Fatalf("payload of %v is nil", m.Opcode)
			}
			o.found = append(o.found, found{m.Opcode, string(m.Payload)})
			for i := range m.Payload {
				m.Payload[i] = 0xee
			}
			for i := range len(piece) - len(rest) {
				piece[i] = 0xee
			}
		}
		for i := range piece {
			piece[i] = 0xee
		}
		begin = end
	}
	o.idle = d.Idle()
	return o
}

// everyByte returns the offsets that cut a stream into single bytes.
func everyByte(stream []byte) []int {
	cuts := make([]int, len(stream))
	for i := range cuts {
		cuts[i] = i
	}
	return cuts
}

// frame builds what a client sends: first byte, payload, and how long the
// length field is to be: 0 for the shortest, else 16 or 64 bits.
func frame(first byte, payload string, bits int) []byte {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	n := len(payload)
	f := []byte{first}
	switch {
	case bits == 64 || bits == 0 && n > 0xffff:
		f = append(f, 0xff, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	case bits == 16 || bits == 0 && n > 125:
		f = append(f, 0xfe, byte(n>>8), byte(n))
	default:
		f = append(f, 0x80|byte(n))
	}
	f = append(f, key[:]...)
	for i := range n {
		f = append(f, payload[i]^key[i%4])
	}
	return f
}

// join joins frames into one stream.
func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
