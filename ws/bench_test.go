package ws

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wshttpd/wshttpd/ws/mask"
)

// BenchmarkUnmask has frames lie behind each other in a read of 64 KiB, 16 at
// most: one payload alone, again and again, would measure how loads wait for
// the stores of the turn before.
func BenchmarkUnmask(b *testing.B) {
	for _, size := range []int{7, 16, 64, 512, 4 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			header := len(AppendHeader(nil, Binary, size)) + 4
			count := max(1, min(16, 64<<10/(header+size)))
			read := make([]byte, count*(header+size))
			b.SetBytes(int64(count * size))
			for b.Loop() {
				for p := read; len(p) > 0; p = p[header+size:] {
					mask.XOR(0x12345678, p[header:header+size])
				}
			}
		})
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, text := range []struct{ name, words string }{
		{"ASCII", "The quick brown fox jumps over the lazy dog. "},
		{"German", "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. "},
		{"Cyrillic", "Съешь же ещё этих мягких французских булок, да выпей чаю. "},
		{"CJK", "いろはにほへと散りぬるを。我が世誰ぞ常ならむ"},
		{"mixed", "Grüße 😀 aus 東京, привет! 👍🏽 ok "},
	} {
		for _, size := range []int{64, 64 << 10} {
			b.Run(fmt.Sprintf("text=%s/size=%d", text.name, size), func(b *testing.B) {
				p := []byte(strings.Repeat(text.words, size/len(text.words)+1))[:size]
				for !utf8.Valid(p) {
					p = p[:len(p)-1] // cut inside a character
				}
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					var s utf8State
					if !s.check(p) || !s.complete() {
						b.Fatal("good text is refused")
					}
				}
			})
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{64, 4 << 10, 64 << 10} {
		payload := make([]byte, size)
		room := make([]byte, 0, MaxHeader+size)
		b.Run(fmt.Sprintf("what=header/size=%d", size), func(b *testing.B) {
			for b.Loop() {
				room = AppendHeader(room[:0], Binary, size)
			}
		})
		b.Run(fmt.Sprintf("what=frame/size=%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				room = AppendFrame(room[:0], Binary, payload)
			}
		})
	}
}

// BenchmarkNext reads what one recv may bring.
func BenchmarkNext(b *testing.B) {
	for _, op := range []Opcode{Binary, Text} {
		for _, read := range []struct{ frames, size int }{{1, 64}, {16, 64}, {1, 1 << 10}, {1, 64 << 10}} {
			b.Run(fmt.Sprintf("opcode=%v/frames=%d/size=%d", op, read.frames, read.size), func(b *testing.B) {
				p := strings.Repeat(maskedByZero(op, read.size), read.frames)
				b.SetBytes(int64(read.frames * read.size))
				b.ReportAllocs()
				var d Decoder
				for sent := []byte(p); b.Loop(); {
					messages := 0
					for rest := sent; len(rest) > 0; messages++ {
						_, n, err := d.Next(rest)
						if err != nil {
							b.Fatal(err)
						}
						rest = rest[n:]
					}
					if messages != read.frames {
						b.Fatalf("%d messages, want %d", messages, read.frames)
					}
				}
			})
		}
	}
}

// maskedByZero returns a client's frame of ASCII that is the same again when
// it has been unmasked.
func maskedByZero(op Opcode, size int) string {
	header := AppendHeader(nil, op, size)
	header[1] |= masked
	return string(header) + "\x00\x00\x00\x00" + strings.Repeat("x", size)
}
