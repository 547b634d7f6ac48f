package ws

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkUTF8 checks p cut behind these offsets and returns whether it is good
// so far, and complete.
func checkUTF8(p []byte, cuts ...int) (good, complete bool) {
	var s utf8State
	begin := 0
	for _, end := range append(cuts, len(p)) {
		if !s.check(p[begin:end]) {
			return false, false
		}
		begin = end
	}
	return true, s.complete()
}

// wantUTF8 is checkUTF8's oracle.
func wantUTF8(p []byte) (good, complete bool) {
	return mayBecomeUTF8(p), utf8.Valid(p)
}

func TestUTF8EverySequenceOfThreeBytes(t *testing.T) {
	edges := []byte{0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff}
	for first := range 256 {
		for second := range 256 {
			for _, third := range edges {
				p := []byte{byte(first), byte(second), third}
				good, complete := checkUTF8(p)
				wantGood, wantComplete := wantUTF8(p)
				if good != wantGood || complete != wantComplete {
					t.Fatalf("%x: good %v, complete %v, want %v, %v", p, good, complete, wantGood, wantComplete)
				}
			}
		}
	}
}

func TestUTF8FourBytes(t *testing.T) {
	for _, first := range []byte{0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5} {
		for second := range 256 {
			for _, rest := range []string{"\x80\x80", "\xbf\xbf", "\x7f\x80", "\xc0\x80", "\x80\x7f", "\x80\xc0", "\x80"} {
				p := append([]byte{first, byte(second)}, rest...)
				for cut := range p {
					good, complete := checkUTF8(p, cut)
					wantGood, wantComplete := wantUTF8(p)
					if good != wantGood || complete != wantComplete {
						t.Fatalf("%x cut at %d: good %v, complete %v, want %v, %v", p, cut, good, complete, wantGood, wantComplete)
					}
				}
			}
		}
	}
}

func TestUTF8FailsAtTheFirstBadByte(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		bad  int // offset of the byte that cannot stand there
	}{
		{"C0 at once", "a\xc0", 1},
		{"C1 at once", "\xc1", 0},
		{"F5 at once", "ab\xf5", 2},
		{"FF at once", "\xff", 0},
		{"E0 80 at its second byte", "\xe0\x80", 1},
		{"ED A0 at its second byte", "\xed\xa0", 1},
		{"F0 80 at its second byte", "\xf0\x80", 1},
		{"F4 90 at its second byte", "\xf4\x90", 1},
		{"ASCII inside a character", "\xf0\x9f\x98a", 3},
		{"character inside a character", "\xe2\x82\xe2", 2},
		{"continuation byte on its own", "é\x80", 2},
		{"behind much ASCII", strings.Repeat("a", 100) + "\x80", 100},
		{"among much ASCII", strings.Repeat("a", 45) + "\xfe" + strings.Repeat("a", 100), 45},
		{"among long characters", strings.Repeat("日本", 30) + "\xed\xbf\xbf" + "日本", 181},
		{"among short characters", strings.Repeat("é", 50) + "\xc3\xc3\xa9", 101},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := []byte(test.text)
			for cut := range test.bad + 1 {
				if good, _ := checkUTF8(p[:test.bad], min(cut, test.bad)); !good {
					t.Errorf("%x fails before its bad byte", p[:test.bad])
				}
				if good, _ := checkUTF8(p[:test.bad+1], cut); good {
					t.Errorf("%x cut at %d passes", p[:test.bad+1], cut)
				}
			}
			if good, _ := checkUTF8(p); good {
				t.Errorf("%x passes", p)
			}
		})
	}
}

// TestUTF8WhereBlocksMeet has what is good and what is not at every place of
// the 16 and the 256 bytes that are taken together, whole and cut in two.
func TestUTF8WhereBlocksMeet(t *testing.T) {
	for _, piece := range []string{"é", "日", "😀", "\xc3", "\xe6\x97", "\xf0\x9f\x98", "\x80", "\xc3é", "日\xa5", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"} {
		for _, filler := range []string{"a", "ш"} {
			for before := range 280 {
				if before > 40 && before < 230 {
					continue
				}
				for _, behind := range []int{0, 1, 15, 16, 40, 300} {
					p := []byte(strings.Repeat(filler, before)[:before] + piece + strings.Repeat("a", behind))
					wantGood, wantComplete := mayBecomeUTF8(p), utf8.Valid(p)
					for cut := before; cut <= before+len(piece); cut++ {
						good, complete := checkUTF8(p, cut)
						if good != wantGood || complete != wantComplete {
							t.Fatalf("%q behind %d bytes of %q, before %d, cut at %d: good %v, complete %v, want %v, %v",
								piece, before, filler, behind, cut, good, complete, wantGood, wantComplete)
						}
					}
				}
			}
		}
	}
}

func TestUTF8StaysBad(t *testing.T) {
	var s utf8State
	if s.check([]byte("\xff")) || s.check([]byte("good")) || s.check(nil) || s.complete() {
		t.Error("a good piece behind a bad byte passes")
	}
}

func TestUTF8Good(t *testing.T) {
	for _, text := range []string{
		"", "plain", "κόσμε", "日本語", "😀", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000",
		"\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0010ffff", strings.Repeat("0123456789", 20) + "é" + strings.Repeat("x", 40),
	} {
		for cut := range len(text) + 1 {
			if good, complete := checkUTF8([]byte(text), cut); !good || !complete {
				t.Errorf("%q cut at %d: good %v, complete %v", text, cut, good, complete)
			}
		}
	}
}

func FuzzUTF8(f *testing.F) {
	for _, text := range []string{"", "a", "é", "日本語", "😀", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90", "\xc0\x80", "long enough to be skipped by words, and then ä\xff"} {
		f.Add([]byte(text), uint16(1), uint16(2))
	}
	f.Fuzz(func(t *testing.T, p []byte, a, b uint16) {
		first := int(a) % (len(p) + 1)
		second := first + int(b)%(len(p)-first+1)
		wantGood, wantComplete := wantUTF8(p)
		good, complete := checkUTF8(bytes.Clone(p), first, second)
		if good != wantGood || complete != wantComplete {
			t.Fatalf("%x cut at %d and %d: good %v, complete %v, want %v, %v", p, first, second, good, complete, wantGood, wantComplete)
		}
		for end := range p { // good until its first bad byte, bad from there on
			if good, _ := checkUTF8(p[:end]); good != mayBecomeUTF8(p[:end]) {
				t.Fatalf("%x: good %v", p[:end], good)
			}
		}
	})
}
