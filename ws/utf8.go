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
			if i = skipASCII(p, i); i == len(p) {
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

// skipASCII returns where the first byte at or behind i stands that is not
// ASCII, len(p) if none.
func skipASCII(p []byte, i int) int {
	for len(p)-i >= 16 {
		q := p[i : i+16 : i+16]
		if (binary.LittleEndian.Uint64(q)|binary.LittleEndian.Uint64(q[8:]))&0x8080808080808080 != 0 {
			break
		}
		i += 16
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
