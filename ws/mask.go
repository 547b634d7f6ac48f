package ws

import (
	"encoding/binary"
	"math/bits"
)

// unmask undoes the masking of p, in place (RFC 6455, section 5.3). key holds
// the masking key with its first byte lowest, the byte that belongs to p[0];
// what is returned is the key for the byte behind p.
func unmask(key uint32, p []byte) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	n := len(p)
	for len(p) >= 32 {
		q := p[:32:32]
		binary.LittleEndian.PutUint64(q[0:], binary.LittleEndian.Uint64(q[0:])^wide)
		binary.LittleEndian.PutUint64(q[8:], binary.LittleEndian.Uint64(q[8:])^wide)
		binary.LittleEndian.PutUint64(q[16:], binary.LittleEndian.Uint64(q[16:])^wide)
		binary.LittleEndian.PutUint64(q[24:], binary.LittleEndian.Uint64(q[24:])^wide)
		p = p[32:]
	}
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(wide)
		wide >>= 8
	}
	return bits.RotateLeft32(key, -8*(n%4))
}
