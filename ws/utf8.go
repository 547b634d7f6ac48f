package ws

import "encoding/binary"

// utf8State checks UTF-8 byte by byte over any number of pieces (RFC 3629,
// section 4). Its zero value stands between two characters.
type utf8State struct {
	left   byte // continuation bytes to come
	lo, hi byte // what the next of them may be, where left > 0
}

// complete reports whether no character is unfinished.
func (s *utf8State) complete() bool { return s.left == 0 }

// check takes p and returns false at the first byte that cannot stand where it
// stands.
func (s *utf8State) check(p []byte) bool {
	for i := 0; i < len(p); {
		if s.left == 0 {
			if i = skipWhole(p, i); i == len(p) {
				return true
			}
			if !s.begin(p[i]) {
				return false
			}
			i++
			continue
		}
		if p[i] < s.lo || p[i] > s.hi {
			return false
		}
		s.left--
		s.lo, s.hi = 0x80, 0xbf
		i++
	}
	return true
}

// skipWhole skips characters of one to three bytes, from i on, that lie whole
// in p and are good. It is there for speed only: whatever it stops at is left
// to the steps of check, which alone say no.
func skipWhole(p []byte, i int) int {
	for {
		i = skipASCII(p, i)
		if len(p)-i < 3 {
			return i
		}
		q := p[i : i+3 : i+3]
		switch first, second := q[0], q[1]; {
		case second&0xc0 != 0x80 || first < 0xc2 || first >= 0xf0:
			return i
		case first < 0xe0:
			i += 2
		case q[2]&0xc0 != 0x80 || first == 0xe0 && second < 0xa0 || first == 0xed && second > 0x9f:
			return i
		default:
			i += 3
		}
	}
}

// skipASCII returns where the first byte from i on stands that is not ASCII,
// len(p) if none.
func skipASCII(p []byte, i int) int {
	const high = 0x8080808080808080
	for len(p)-i >= 32 {
		q := p[i : i+32 : i+32]
		a := binary.LittleEndian.Uint64(q) | binary.LittleEndian.Uint64(q[8:])
		b := binary.LittleEndian.Uint64(q[16:]) | binary.LittleEndian.Uint64(q[24:])
		if (a|b)&high != 0 {
			break
		}
		i += 32
	}
	for i < len(p) && p[i] < 0x80 {
		i++
	}
	return i
}

// begin takes the first byte of a character of more than one: it says how many
// follow, and keeps overlong forms, surrogates and what lies above U+10FFFF
// out through the second (RFC 3629, section 4, UTF8-2 to UTF8-4).
func (s *utf8State) begin(b byte) bool {
	s.lo, s.hi = 0x80, 0xbf
	switch {
	case b >= 0xc2 && b <= 0xdf:
		s.left = 1
	case b >= 0xe0 && b <= 0xef:
		s.left = 2
		switch b {
		case 0xe0:
			s.lo = 0xa0
		case 0xed:
			s.hi = 0x9f
		}
	case b >= 0xf0 && b <= 0xf4:
		s.left = 3
		switch b {
		case 0xf0:
			s.lo = 0x90
		case 0xf4:
			s.hi = 0x8f
		}
	default:
		return false
	}
	return true
}
