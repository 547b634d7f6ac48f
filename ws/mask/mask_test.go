package mask

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// way is one way to do what this package does.
type way struct {
	name    string
	least   int // bytes it takes
	xor     func(key uint32, p []byte) (next uint32, ascii bool)
	isASCII func(p []byte) bool
}

// ways are all that this machine and build have.
func ways() []way {
	exported := way{"exported", 0, XORASCII, IsASCII}
	return append(assembly(), exported, way{"Go", 32, xorInGo, isASCIIInGo})
}

// xorSlowly is RFC 6455, section 5.3, word for word: the oracle of this test.
func xorSlowly(key uint32, p []byte) (next uint32, ascii bool) {
	var octets [8]byte
	binary.LittleEndian.PutUint32(octets[:], key)
	ascii = true
	for i := range p {
		p[i] ^= octets[i%4]
		ascii = ascii && p[i] < 0x80
	}
	copy(octets[4:], octets[:4])
	return binary.LittleEndian.Uint32(octets[len(p)%4:]), ascii
}

const (
	around  = 64 // bytes before and behind a payload that must not change
	longest = 1<<20 + 1
)

// lengths yields all short ones and some beyond.
func lengths(yield func(length int) bool) {
	for length := range 301 {
		if !yield(length) {
			return
		}
	}
	for _, length := range []int{511, 512, 513, 1000, 4095, 4096, 4097, 65535, 65536, 65549, longest} {
		if !yield(length) {
			return
		}
	}
}

func TestXORAtEveryOffsetAndLength(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			room := make([]byte, around+63+longest+around)
			want := make([]byte, len(room))
			for length := range lengths {
				step := 1 + min(6, length/301) // fewer offsets for long ones
				for offset := 0; offset < 64 && length >= w.least; offset += step {
					begin := around + offset
					end := begin + length
					got := room[:end+around]
					for i := range got {
						got[i] = byte(i*7 + i>>8)
					}
					want = append(want[:0], got...)
					key := uint32(0x9a3412d6) + uint32(offset)
					wantNext, wantASCII := xorSlowly(key, want[begin:end])
					next, ascii := w.xor(key, got[begin:end:end])
					if next != wantNext || ascii != wantASCII || !bytes.Equal(got, want) {
						t.Fatalf("%d bytes at %d: next key %x, ASCII %v, want %x, %v; bytes alike: before %v, in %v, behind %v",
							length, offset, next, ascii, wantNext, wantASCII, bytes.Equal(got[:begin], want[:begin]),
							bytes.Equal(got[begin:end], want[begin:end]), bytes.Equal(got[end:], want[end:]))
					}
				}
			}
		})
	}
}

func TestXORUndoesItselfWithEveryTurnOfTheKey(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			key := uint32(0x78563412)
			turns := []uint32{0x78563412, 0x12785634, 0x34127856, 0x56341278}
			for length := w.least; length <= 300; length++ {
				for cut := w.least; cut <= length-w.least; cut++ {
					p := bytes.Repeat([]byte{0x55}, length)
					turned, _ := w.xor(key, p[:cut])
					if turned != turns[cut%4] {
						t.Fatalf("next key behind %d bytes: %x, want %x", cut, turned, turns[cut%4])
					}
					w.xor(turned, p[cut:])
					if xorSlowly(key, p); !bytes.Equal(p, bytes.Repeat([]byte{0x55}, length)) {
						t.Fatalf("%d bytes cut at %d: %x", length, cut, p)
					}
				}
			}
		})
	}
}

func TestASCIIFindsOneHighByteAnywhere(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			masked := make([]byte, 700)
			for _, length := range []int{0, 1, 3, 4, 7, 8, 9, 31, 32, 33, 40, 63, 64, 65, 96, 127, 128, 129, 130, 200, 255, 256, 257, 300, 383, 384, 385, 639, 640} {
				if length < w.least {
					continue
				}
				for high := -1; high < length; high++ { // -1 for none
					for offset := range 3 {
						text := masked[13*offset:][:length]
						for i := range text {
							text[i] = byte(i*7) & 0x7f
						}
						if high >= 0 {
							text[high] |= 0x80
						}
						if got := w.isASCII(text); got != (high < 0) {
							t.Fatalf("IsASCII of %d bytes, byte %d is high: %v", length, high, got)
						}
						key := uint32(0xf00f8001)
						xorSlowly(key, text)
						if _, got := w.xor(key, text); got != (high < 0) {
							t.Fatalf("ASCII in %d bytes, byte %d is high: %v", length, high, got)
						}
					}
				}
			}
		})
	}
}

func TestASCIILooksAtThePayloadOnly(t *testing.T) {
	for _, w := range ways() {
		for length := w.least; length <= 300; length++ {
			room := bytes.Repeat([]byte{0xff}, length+2*around)
			text := room[around:][:length]
			clear(text)
			if _, ascii := w.xor(0, text); !ascii || !w.isASCII(text) {
				t.Fatalf("%s: %d bytes among high ones are not ASCII", w.name, length)
			}
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	p := make([]byte, 1000)
	for _, w := range ways() {
		if n := testing.AllocsPerRun(10, func() { w.xor(1, p); w.isASCII(p) }); n != 0 {
			t.Errorf("%s: %v allocations", w.name, n)
		}
	}
}

func FuzzXOR(f *testing.F) {
	f.Add(uint32(0), uint8(0), []byte(nil))
	f.Add(uint32(0x12345678), uint8(3), []byte("Hello"))
	f.Add(uint32(0x80ff0001), uint8(31), bytes.Repeat([]byte("0123456789"), 9))
	f.Add(uint32(0x01020304), uint8(7), bytes.Repeat([]byte("0123456789"), 40))
	f.Fuzz(func(t *testing.T, key uint32, offset uint8, p []byte) {
		begin := around + int(offset)
		end := begin + len(p)
		sent := bytes.Repeat([]byte{0xa5}, end+around)
		copy(sent[begin:], p)
		want := bytes.Clone(sent)
		wantNext, wantASCII := xorSlowly(key, want[begin:end])
		for _, w := range ways() {
			if len(p) < w.least {
				continue
			}
			got := bytes.Clone(sent)
			next, ascii := w.xor(key, got[begin:end:end])
			if next != wantNext || ascii != wantASCII || !bytes.Equal(got, want) {
				t.Fatalf("%s: key %x, %x = %x, %x, %v, want %x, %x, %v", w.name, key, p,
					got[begin:end], next, ascii, want[begin:end], wantNext, wantASCII)
			}
			if w.isASCII(got[begin:end:end]) != wantASCII {
				t.Fatalf("%s: IsASCII(%x) = %v", w.name, got[begin:end], !wantASCII)
			}
		}
	})
}

// BenchmarkXORASCII unmasks frames that lie behind each other in one read, the
// first header at its beginning: one payload alone, again and again, would
// measure how loads wait for the stores of the turn before.
func BenchmarkXORASCII(b *testing.B) {
	for _, size := range []int{8, 16, 32, 48, 64, 96, 128, 256, 512, 4 << 10, 64 << 10, 1 << 20} {
		for _, w := range ways() {
			if size < w.least {
				continue
			}
			b.Run(fmt.Sprintf("size=%d/by=%s", size, w.name), func(b *testing.B) {
				payloads := inOneRead(size)
				b.SetBytes(int64(size * len(payloads)))
				for b.Loop() {
					for _, p := range payloads {
						w.xor(0x12345678, p)
					}
				}
			})
		}
	}
}

func BenchmarkIsASCII(b *testing.B) {
	for _, size := range []int{16, 32, 64, 128, 512, 64 << 10} {
		for _, w := range ways() {
			if size < w.least {
				continue
			}
			b.Run(fmt.Sprintf("size=%d/by=%s", size, w.name), func(b *testing.B) {
				payloads := inOneRead(size)
				b.SetBytes(int64(size * len(payloads)))
				for b.Loop() {
					for _, p := range payloads {
						if !w.isASCII(p) {
							b.Fatal("zeros are not ASCII")
						}
					}
				}
			})
		}
	}
}

// inOneRead returns payloads of this size where they lie in a read of 64 KiB,
// 16 at most; at least one.
func inOneRead(size int) (payloads [][]byte) {
	header := 6 // RFC 6455, section 5.2
	switch {
	case size > 0xffff:
		header = 14
	case size > 125:
		header = 8
	}
	count := max(1, min(16, 64<<10/(header+size)))
	for p := make([]byte, count*(header+size)); len(p) > 0; p = p[header+size:] {
		payloads = append(payloads, p[header:][:size:size])
	}
	return payloads
}
