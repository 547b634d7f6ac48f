package mask

import (
	"encoding/binary"
	"math/bits"
)

const (
	// long is the number of bytes from which on the assembly is used, as it is
	// faster from there on. It takes 32 and more.
	long = 33

	high = 0x8080808080808080 // of eight bytes, the bits that ASCII leaves clear
)

// XOR unmasks p in place (RFC 6455, section 5.3). key has its first byte
// lowest, the byte that belongs to p[0]; what is returned is the key for the
// byte behind p.
func XOR(key uint32, p []byte) uint32 {
	next, _ := XORASCII(key, p)
	return next
}

// XORASCII is XOR and reports whether every unmasked byte is below 0x80, which
// is so where p is empty.
//
// Short payloads, the usual ones, are done here and not one call further down.
// Where words overlap, all are read before any is written, so that no byte is
// unmasked twice.
func XORASCII(key uint32, p []byte) (next uint32, ascii bool) {
	n := len(p)
	if n >= long {
		if haveAVX2 {
			return xorAVX2(key, p)
		}
		return xorInGo(key, p)
	}
	next = bits.RotateLeft32(key, -8*(n&3))
	first, last := twice(key), twice(next) // eight bytes are two turns of the key: last is good for two words
	switch {
	case n > 16:
		a := binary.LittleEndian.Uint64(p) ^ first
		b := binary.LittleEndian.Uint64(p[8:]) ^ first
		c := binary.LittleEndian.Uint64(p[n-16:]) ^ last
		d := binary.LittleEndian.Uint64(p[n-8:]) ^ last
		binary.LittleEndian.PutUint64(p, a)
		binary.LittleEndian.PutUint64(p[8:], b)
		binary.LittleEndian.PutUint64(p[n-16:], c)
		binary.LittleEndian.PutUint64(p[n-8:], d)
		return next, (a|b|c|d)&high == 0
	case n >= 8:
		a := binary.LittleEndian.Uint64(p) ^ first
		b := binary.LittleEndian.Uint64(p[n-8:]) ^ last
		binary.LittleEndian.PutUint64(p, a)
		binary.LittleEndian.PutUint64(p[n-8:], b)
		return next, (a|b)&high == 0
	case n >= 4:
		a := binary.LittleEndian.Uint32(p) ^ key
		b := binary.LittleEndian.Uint32(p[n-4:]) ^ next
		binary.LittleEndian.PutUint32(p, a)
		binary.LittleEndian.PutUint32(p[n-4:], b)
		return next, (a|b)&(high>>32) == 0
	}
	seen := byte(0)
	for i := range p {
		p[i] ^= byte(key)
		seen |= p[i]
		key >>= 8
	}
	return next, seen < 0x80
}

// IsASCII reports whether every byte of p is below 0x80.
func IsASCII(p []byte) bool {
	n := len(p)
	switch {
	case n >= long:
		if haveAVX2 {
			return isASCIIAVX2(p)
		}
		return isASCIIInGo(p)
	case n > 16:
		return (binary.LittleEndian.Uint64(p)|binary.LittleEndian.Uint64(p[8:])|
			binary.LittleEndian.Uint64(p[n-16:])|binary.LittleEndian.Uint64(p[n-8:]))&high == 0
	case n >= 8:
		return (binary.LittleEndian.Uint64(p)|binary.LittleEndian.Uint64(p[n-8:]))&high == 0
	case n >= 4:
		return (binary.LittleEndian.Uint32(p)|binary.LittleEndian.Uint32(p[n-4:]))&(high>>32) == 0
	}
	seen := byte(0)
	for _, b := range p {
		seen |= b
	}
	return seen < 0x80
}

// twice returns the key for eight bytes.
func twice(key uint32) uint64 { return uint64(key)<<32 | uint64(key) }

// xorInGo is XORASCII for 32 bytes and more.
func xorInGo(key uint32, p []byte) (next uint32, ascii bool) {
	wide := twice(key)
	next = bits.RotateLeft32(key, -8*(len(p)&3))
	end := p[len(p)-8:] // may overlap what is written before it
	last := binary.LittleEndian.Uint64(end) ^ twice(next)
	seen := last
	for len(p) > 32 {
		q := p[:32:32]
		a := binary.LittleEndian.Uint64(q) ^ wide
		b := binary.LittleEndian.Uint64(q[8:]) ^ wide
		c := binary.LittleEndian.Uint64(q[16:]) ^ wide
		d := binary.LittleEndian.Uint64(q[24:]) ^ wide
		binary.LittleEndian.PutUint64(q, a)
		binary.LittleEndian.PutUint64(q[8:], b)
		binary.LittleEndian.PutUint64(q[16:], c)
		binary.LittleEndian.PutUint64(q[24:], d)
		seen |= a | b | c | d
		p = p[32:]
	}
	for len(p) > 8 {
		a := binary.LittleEndian.Uint64(p) ^ wide
		binary.LittleEndian.PutUint64(p, a)
		seen |= a
		p = p[8:]
	}
	binary.LittleEndian.PutUint64(end, last)
	return next, seen&high == 0
}

// isASCIIInGo is IsASCII for 32 bytes and more.
func isASCIIInGo(p []byte) bool {
	seen := binary.LittleEndian.Uint64(p[len(p)-8:])
	for len(p) > 32 {
		q := p[:32:32]
		seen |= binary.LittleEndian.Uint64(q) | binary.LittleEndian.Uint64(q[8:]) |
			binary.LittleEndian.Uint64(q[16:]) | binary.LittleEndian.Uint64(q[24:])
		if seen&high != 0 {
			return false
		}
		p = p[32:]
	}
	for len(p) > 8 {
		seen |= binary.LittleEndian.Uint64(p)
		p = p[8:]
	}
	return seen&high == 0
}
