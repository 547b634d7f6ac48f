package ws

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// unmaskSlowly is RFC 6455, section 5.3, word for word: the oracle for unmask.
func unmaskSlowly(key [4]byte, from int, p []byte) {
	for i := range p {
		p[i] ^= key[(from+i)%4]
	}
}

func TestUnmaskAtEveryLengthOffsetAndCut(t *testing.T) {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	for length := range 100 {
		for offset := range 9 { // of the bytes in memory
			for cut := range length + 1 {
				got := make([]byte, offset+length+8)
				for i := range got {
					got[i] = byte(i * 7)
				}
				want := bytes.Clone(got)
				unmaskSlowly(key, 0, want[offset:offset+length])
				turned := unmask(binary.LittleEndian.Uint32(key[:]), got[offset:offset+cut])
				unmask(turned, got[offset+cut:offset+length])
				if !bytes.Equal(got, want) {
					t.Fatalf("%d bytes at %d, cut at %d: %x, want %x", length, offset, cut, got, want)
				}
			}
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("abcd"), []byte("Hello"), uint16(2))
	f.Add([]byte{0, 0, 0, 0}, []byte{}, uint16(0))
	f.Add([]byte{0xff, 1, 2, 3}, bytes.Repeat([]byte("0123456789"), 9), uint16(33))
	f.Fuzz(func(t *testing.T, key, p []byte, cut uint16) {
		k := [4]byte{}
		copy(k[:], key)
		want, got := bytes.Clone(p), bytes.Clone(p)
		unmaskSlowly(k, 0, want)
		at := int(cut) % (len(p) + 1)
		turned := unmask(binary.LittleEndian.Uint32(k[:]), got[:at])
		after := unmask(turned, got[at:])
		if !bytes.Equal(got, want) {
			t.Fatalf("unmask(%x, %x) cut at %d: %x, want %x", k, p, at, got, want)
		}
		if whole := unmask(binary.LittleEndian.Uint32(k[:]), got); whole != after || !bytes.Equal(got, p) {
			t.Fatalf("twice = %x, want %x; key %x, want %x", got, p, whole, after)
		}
	})
}
