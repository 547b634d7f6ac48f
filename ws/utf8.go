package ws

import (
	"encoding/binary"

	"github.com/wshttpd/wshttpd/ws/mask"
)

// utf8State checks UTF-8 over any number of pieces (RFC 3629, section 4). It says
// what the next byte may be; its zero value stands between two characters.
//
// A state is also a place in the numbers of utf8Steps: the number of a byte has
// there, in six bits, the state that follows. A shift is thus the whole step
// from byte to byte, and takes the same time for every script.
type utf8State uint8

const (
	between utf8State = 6 * iota
	invalid           // and stays so
	oneMore           // continuation byte to come
	twoMore
	threeMore
	behindE0 // the second byte begins at A0
	behindED // it ends at 9F
	behindF0 // it begins at 90
	behindF4 // it ends at 8F
)

// isUTF8 reports whether p is UTF-8, whole.
func isUTF8(p []byte) bool {
	var s utf8State
	return s.check(p) && s.complete()
}

// complete reports whether no character is unfinished.
func (s *utf8State) complete() bool { return *s == between }

// check takes p and returns false if one of its bytes cannot stand where it
// stands.
func (s *utf8State) check(p []byte) bool {
	const block = 256 // skipped as a whole, or not at all
	for len(p) > 0 && *s != invalid {
		q := p[:min(block, len(p))]
		p = p[len(q):]
		if *s == between && mask.IsASCII(q) {
			continue
		}
		*s = s.after(q)
	}
	return *s != invalid
}

// after returns the state behind p. A loop instead of the sixteen lines takes
// twice the time.
func (s utf8State) after(p []byte) utf8State {
	const high = 0x8080808080808080 // what ASCII leaves clear
	steps := uint64(s)              // the state is in the lowest six bits
	for ; len(p) >= 16; p = p[16:] {
		q := p[:16:16]
		seen := binary.LittleEndian.Uint64(q) | binary.LittleEndian.Uint64(q[8:])
		if seen&high == 0 && utf8State(steps&63) == between {
			continue
		}
		steps = utf8Steps[q[0]] >> (steps & 63)
		steps = utf8Steps[q[1]] >> (steps & 63)
		steps = utf8Steps[q[2]] >> (steps & 63)
		steps = utf8Steps[q[3]] >> (steps & 63)
		steps = utf8Steps[q[4]] >> (steps & 63)
		steps = utf8Steps[q[5]] >> (steps & 63)
		steps = utf8Steps[q[6]] >> (steps & 63)
		steps = utf8Steps[q[7]] >> (steps & 63)
		steps = utf8Steps[q[8]] >> (steps & 63)
		steps = utf8Steps[q[9]] >> (steps & 63)
		steps = utf8Steps[q[10]] >> (steps & 63)
		steps = utf8Steps[q[11]] >> (steps & 63)
		steps = utf8Steps[q[12]] >> (steps & 63)
		steps = utf8Steps[q[13]] >> (steps & 63)
		steps = utf8Steps[q[14]] >> (steps & 63)
		steps = utf8Steps[q[15]] >> (steps & 63)
	}
	for _, b := range p {
		steps = utf8Steps[b] >> (steps & 63)
	}
	return utf8State(steps & 63)
}

const (
	nowhere = uint64(invalid)<<between | uint64(invalid)<<invalid | uint64(invalid)<<oneMore | uint64(invalid)<<twoMore | uint64(invalid)<<threeMore |
		uint64(invalid)<<behindE0 | uint64(invalid)<<behindED | uint64(invalid)<<behindF0 | uint64(invalid)<<behindF4

	// What follows is nowhere but for the states in which the byte may stand.
	lead1  = nowhere ^ uint64(invalid^between)<<between
	lead2  = nowhere ^ uint64(invalid^oneMore)<<between
	lead3  = nowhere ^ uint64(invalid^twoMore)<<between
	lead4  = nowhere ^ uint64(invalid^threeMore)<<between
	leadE0 = nowhere ^ uint64(invalid^behindE0)<<between // overlong forms lie below E0 A0
	leadED = nowhere ^ uint64(invalid^behindED)<<between // surrogates begin at ED A0
	leadF0 = nowhere ^ uint64(invalid^behindF0)<<between // overlong forms lie below F0 90
	leadF4 = nowhere ^ uint64(invalid^behindF4)<<between // U+110000 is F4 90

	continuation = nowhere ^ uint64(invalid^between)<<oneMore ^ uint64(invalid^oneMore)<<twoMore ^ uint64(invalid^twoMore)<<threeMore
	from80       = continuation ^ uint64(invalid^oneMore)<<behindED ^ uint64(invalid^twoMore)<<behindF4
	from90       = continuation ^ uint64(invalid^oneMore)<<behindED ^ uint64(invalid^twoMore)<<behindF0
	fromA0       = continuation ^ uint64(invalid^oneMore)<<behindE0 ^ uint64(invalid^twoMore)<<behindF0
)

// utf8Steps holds, for each byte, where it leads from every state (RFC 3629,
// section 4).
var utf8Steps = [256]uint64{
	0x00: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x08: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x10: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x18: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x20: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x28: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x30: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x38: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x40: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x48: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x50: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x58: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x60: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x68: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x70: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x78: lead1, lead1, lead1, lead1, lead1, lead1, lead1, lead1,
	0x80: from80, from80, from80, from80, from80, from80, from80, from80,
	0x88: from80, from80, from80, from80, from80, from80, from80, from80,
	0x90: from90, from90, from90, from90, from90, from90, from90, from90,
	0x98: from90, from90, from90, from90, from90, from90, from90, from90,
	0xa0: fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0,
	0xa8: fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0,
	0xb0: fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0,
	0xb8: fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0, fromA0,
	0xc0: nowhere, nowhere, lead2, lead2, lead2, lead2, lead2, lead2,
	0xc8: lead2, lead2, lead2, lead2, lead2, lead2, lead2, lead2,
	0xd0: lead2, lead2, lead2, lead2, lead2, lead2, lead2, lead2,
	0xd8: lead2, lead2, lead2, lead2, lead2, lead2, lead2, lead2,
	0xe0: leadE0, lead3, lead3, lead3, lead3, lead3, lead3, lead3,
	0xe8: lead3, lead3, lead3, lead3, lead3, leadED, lead3, lead3,
	0xf0: leadF0, lead4, lead4, lead4, leadF4, nowhere, nowhere, nowhere,
	0xf8: nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere,
}
