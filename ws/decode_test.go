package ws

import (
	"bytes"
	"strings"
	"testing"
)

// The first byte of a frame: FIN and opcode.
const (
	finText   = 0x81
	finBinary = 0x82
	finMore   = 0x80
	text      = 0x01
	binaryOp  = 0x02
	more      = 0x00
	closing   = 0x88
	ping      = 0x89
	pong      = 0x8a
)

// testLimit is the limit in streams.
const testLimit = 70000

// streams are what clients may send, each with what must come of it.
func streams() []stream {
	long := strings.Repeat("0123456789abcdef", 4100)
	return []stream{
		{"nothing", nil, nil, 0},
		{"masked text of RFC 6455, section 5.7",
			[]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}, []found{{Text, "Hello"}}, 0},
		{"empty text", frame(finText, "", 0), []found{{Text, ""}}, 0},
		{"empty binary", frame(finBinary, "", 0), []found{{Binary, ""}}, 0},
		{"masking key of zeros", []byte{0x82, 0x82, 0, 0, 0, 0, 'h', 'i'}, []found{{Binary, "hi"}}, 0},
		{"125 bytes", frame(finBinary, long[:125], 0), []found{{Binary, long[:125]}}, 0},
		{"126 bytes", frame(finBinary, long[:126], 0), []found{{Binary, long[:126]}}, 0},
		{"length not in its shortest form, 16 bits", frame(finText, "abc", 16), []found{{Text, "abc"}}, 0},
		{"length not in its shortest form, 64 bits", frame(finText, "abc", 64), []found{{Text, "abc"}}, 0},
		{"length of zero in 64 bits", frame(finBinary, "", 64), []found{{Binary, ""}}, 0},
		{"fragments are one message",
			join(frame(text, "Hel", 0), frame(more, "lo, ", 0), frame(finMore, "you", 0)), []found{{Text, "Hello, you"}}, 0},
		{"empty fragments",
			join(frame(binaryOp, "", 0), frame(more, "", 0), frame(more, "x", 0), frame(more, "", 0), frame(finMore, "", 0)), []found{{Binary, "x"}}, 0},
		{"nothing but empty fragments",
			join(frame(text, "", 0), frame(more, "", 0), frame(finMore, "", 0)), []found{{Text, ""}}, 0},
		{"control frames between fragments come first, in order",
			join(frame(text, "a", 0), frame(ping, "1", 0), frame(more, "b", 0), frame(pong, "22", 0), frame(ping, "", 0), frame(finMore, "c", 0)),
			[]found{{Ping, "1"}, {Pong, "22"}, {Ping, ""}, {Text, "abc"}}, 0},
		{"messages behind one another",
			join(frame(finText, "one", 0), frame(finBinary, "two", 0), frame(ping, "three", 0), frame(finText, "four", 0)),
			[]found{{Text, "one"}, {Binary, "two"}, {Ping, "three"}, {Text, "four"}}, 0},
		{"message behind a message of fragments",
			join(frame(text, "a", 0), frame(finMore, "b", 0), frame(finBinary, "c", 0)), []found{{Text, "ab"}, {Binary, "c"}}, 0},
		{"ping of 125 bytes", frame(ping, long[:125], 0), []found{{Ping, long[:125]}}, 0},
		{"empty close", frame(closing, "", 0), []found{{Close, ""}}, 0},
		{"close with code and reason", frame(closing, "\x03\xe8bye", 0), []found{{Close, "\x03\xe8bye"}}, 0},
		{"close inside a message", join(frame(text, "a", 0), frame(closing, "\x03\xe9", 0)), []found{{Close, "\x03\xe9"}}, 0},
		{"reason that is not UTF-8 is not the decoder's", frame(closing, "\x03\xe8\xff", 0), []found{{Close, "\x03\xe8\xff"}}, 0},
		{"character split between fragments",
			join(frame(text, "\xf0\x9f", 0), frame(ping, "\xff", 0), frame(more, "\x98", 0), frame(finMore, "\x80!", 0)), []found{{Ping, "\xff"}, {Text, "😀!"}}, 0},
		{"binary is not looked at", frame(finBinary, "\xff\xc0\xed\xa0", 0), []found{{Binary, "\xff\xc0\xed\xa0"}}, 0},
		{"half a header", []byte{0x81, 0xfe, 0x01}, nil, 0},
		{"half a payload", frame(finText, "half of it", 0)[:10], nil, 0},

		{"reserved bit 1", []byte{0xc1}, nil, 1002},
		{"reserved bit 2", []byte{0xa1}, nil, 1002},
		{"reserved bit 3", []byte{0x91}, nil, 1002},
		{"reserved bit in a continuation", join(frame(text, "a", 0), []byte{0xc0}), nil, 1002},
		{"opcode 3", []byte{0x83}, nil, 1002},
		{"opcode 7 without FIN", []byte{0x07}, nil, 1002},
		{"opcode 11", []byte{0x8b}, nil, 1002},
		{"opcode 15", []byte{0x8f}, nil, 1002},
		{"fragmented ping", []byte{0x09}, nil, 1002},
		{"fragmented close", []byte{0x08}, nil, 1002},
		{"text inside a message", join(frame(binaryOp, "a", 0), []byte{0x81}), nil, 1002},
		{"binary inside a message", join(frame(text, "", 0), []byte{0x02}), nil, 1002},
		{"continuation of nothing", []byte{0x80}, nil, 1002},
		{"continuation behind a whole message", join(frame(finText, "a", 0), []byte{0x00}), []found{{Text, "a"}}, 1002},
		{"continuation behind the last fragment",
			join(frame(text, "a", 0), frame(finMore, "b", 0), []byte{0x80}), []found{{Text, "ab"}}, 1002},
		{"continuation behind a ping", join(frame(ping, "a", 0), []byte{0x80}), []found{{Ping, "a"}}, 1002},
		{"not masked", []byte{0x81, 0x05}, nil, 1002},
		{"whole frame not masked", join([]byte{finText, 0x10}, []byte(long[:20])), nil, 1002},
		{"whole message inside a message", join(frame(binaryOp, "a", 0), frame(finBinary, long[:16], 0)), nil, 1002},
		{"ping not masked", []byte{0x89, 0x00}, nil, 1002},
		{"control frame with a 16-bit length of one", []byte{0x89, 0xfe}, nil, 1002},
		{"control frame with a 64-bit length", []byte{0x8a, 0xff}, nil, 1002},
		{"close of one byte", []byte{0x88, 0x81}, nil, 1002},
		{"64-bit length with the top bit", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, nil, 1009},
		{"fragment that makes the sum overflow",
			join(frame(binaryOp, "a", 0), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), nil, 1009},
		{"fragment with the top bit that makes the sum overflow",
			join(frame(binaryOp, "a", 0), []byte{0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), nil, 1009},
		{"one byte above the limit", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x71}, nil, 1009},
		{"fragments above the limit",
			join(frame(binaryOp, long[:65530], 0), frame(ping, long[:125], 0), []byte{0x00, 0xfe, 0x11, 0x77}),
			[]found{{Ping, long[:125]}}, 1009},
		{"byte that never stands in UTF-8", frame(finText, "ab\xffcd", 0), nil, 1007},
		{"overlong form at its second byte", frame(text, "\xe0\x80", 0), nil, 1007},
		{"surrogate", frame(finText, "\xed\xa0\x80", 0), nil, 1007},
		{"character above U+10FFFF", frame(finText, "\xf4\x90\x80\x80", 0), nil, 1007},
		{"continuation byte first", frame(finText, "\x80", 0), nil, 1007},
		{"bytes that are text before they are unmasked",
			join([]byte{finText, 0x90, 0x80, 0x80, 0x80, 0x80}, []byte(long[:16])), nil, 1007},
		{"text ends inside a character", frame(finText, "\xe2\x82", 0), nil, 1007},
		{"text ends inside a character, last fragment empty",
			join(frame(text, "\xe2\x82", 0), frame(finMore, "", 0)), nil, 1007},
		{"bad character over fragments", join(frame(text, "\xe2", 0), frame(more, "\x28\xa1", 0)), nil, 1007},
		{"messages before a violation count",
			join(frame(finText, "good", 0), frame(ping, "p", 0), []byte{0xff}), []found{{Text, "good"}, {Ping, "p"}}, 1002},
	}
}

type stream struct {
	name  string
	bytes []byte
	found []found
	code  CloseCode
}

func TestDecoder(t *testing.T) {
	for _, s := range streams() {
		t.Run(s.name, func(t *testing.T) {
			want := reference(s.bytes, 13, testLimit)
			if !want.equal(outcome{found: s.found, code: s.code, idle: want.idle}) {
				t.Fatalf("the reference decodes %.40x to %v, want %v, code %d", s.bytes, want, s.found, s.code)
			}
			check := func(how string, got outcome) {
				t.Helper()
				if !got.equal(want) {
					t.Fatalf("%.40x %s: %v, want %v", s.bytes, how, got, want)
				}
			}
			check("whole", decode(t, &Decoder{MaxMessage: testLimit}, s.bytes))
			single := decode(t, &Decoder{MaxMessage: testLimit}, s.bytes, everyByte(s.bytes)...)
			check("byte by byte", single)
			if single.failed != want.failed {
				t.Fatalf("%.40x failed at byte %d, want %d", s.bytes, single.failed, want.failed)
			}
			if s.code != 0 {
				// Were the first byte good, this would end the frame.
				behind := join([]byte{0x80, 0, 0, 0, 0}, frame(finBinary, "another", 0))
				check("with more behind", decode(t, &Decoder{MaxMessage: testLimit}, join(s.bytes, behind)))
			}
			step := 1 + len(s.bytes)/500
			for cut := 0; cut < len(s.bytes); cut += step {
				check("cut in two", decode(t, &Decoder{MaxMessage: testLimit}, s.bytes, cut))
				check("with an empty read", decode(t, &Decoder{MaxMessage: testLimit}, s.bytes, cut, cut))
			}
		})
	}
}

func TestDecoderFindsAllStreamsOnOneConnection(t *testing.T) {
	var all []byte
	for _, s := range streams() {
		if s.code == 0 && reference(s.bytes, 13, testLimit).idle {
			all = append(all, s.bytes...)
		}
	}
	want := reference(all, 13, testLimit)
	for cut := range all {
		if got := decode(t, &Decoder{MaxMessage: testLimit}, all, cut/2, cut); !got.equal(want) {
			t.Fatalf("cut at %d and %d: %v, want %v", cut/2, cut, got, want)
		}
	}
}

func TestDecoderLimit(t *testing.T) {
	announce := func(n uint64) []byte {
		return []byte{0x82, 0xff, byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	tests := []struct {
		name    string
		decoder Decoder
		bytes   []byte
		code    CloseCode
	}{
		{"default limit itself is fine", Decoder{}, announce(33554432), 0},
		{"one above the default is not", Decoder{}, announce(33554433), 1009},
		{"version 8 knows it as 1004", Decoder{Version: 8}, announce(33554433), 1004},
		{"version 7 knows it as 1004", Decoder{Version: 7}, announce(33554433), 1004},
		{"version 13 says 1009", Decoder{Version: 13}, announce(33554433), 1009},
		{"largest limit, largest length", Decoder{MaxMessage: 1<<63 - 1}, announce(1<<63 - 1), 0},
		{"largest limit, top bit", Decoder{MaxMessage: 1<<63 - 1}, announce(1 << 63), 1009},
		{"largest limit, sum above it", Decoder{MaxMessage: 1<<63 - 1},
			join(frame(binaryOp, "a", 0), []byte{0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 1009},
		{"limit of 4 takes 4 bytes", Decoder{MaxMessage: 4}, frame(finText, "abcd", 0), 0},
		{"limit of 4 refuses 5 at the length", Decoder{MaxMessage: 4}, []byte{0x81, 0x85}, 1009},
		{"limit of 4 refuses a close of 5", Decoder{MaxMessage: 4}, []byte{0x88, 0x85}, 1009},
		{"fragments are summed", Decoder{MaxMessage: 4}, join(frame(text, "abc", 0), []byte{0x80, 0x82}), 1009},
		{"all of them are", Decoder{MaxMessage: 4}, join(frame(text, "ab", 0), frame(more, "cd", 0), []byte{0x80, 0x81}), 1009},
		{"the sum may reach the limit", Decoder{MaxMessage: 4}, join(frame(text, "abc", 0), frame(finMore, "d", 0)), 0},
		{"a ping does not count to the message", Decoder{MaxMessage: 4},
			join(frame(text, "abc", 0), frame(ping, "ping", 0), frame(finMore, "d", 0)), 0},
		{"the next message counts from zero", Decoder{MaxMessage: 4},
			join(frame(text, "abc", 0), frame(finMore, "d", 0), frame(finText, "abcd", 0)), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, cuts := range [][]int{nil, everyByte(test.bytes)} {
				d := test.decoder
				if got := decode(t, &d, test.bytes, cuts...); got.code != test.code {
					t.Errorf("Next(%x) fails with %d, want %d", test.bytes, got.code, test.code)
				}
			}
		})
	}
}

func TestDecoderLendsTheCallersBytes(t *testing.T) {
	var d Decoder
	p := join(frame(finText, "hello", 0), frame(ping, "p", 0), frame(binaryOp, "", 0), frame(finMore, "last", 0))
	at := 0
	for _, offset := range []int{6, 17, 30} {
		m, n, err := d.Next(p[at:])
		if err != nil || m.Opcode == Continuation {
			t.Fatalf("Next = %v, %v", m, err)
		}
		at += n
		if &m.Payload[0] != &p[offset] {
			t.Errorf("payload %q is a copy", m.Payload)
		}
		if cap(m.Payload) != len(m.Payload) {
			t.Errorf("payload %q has room for %d bytes that are not its own", m.Payload, cap(m.Payload)-len(m.Payload))
		}
	}
}

func TestDecoderMemoryFollowsWhatArrived(t *testing.T) {
	var d Decoder
	announced := []byte{0x82, 0xff, 0, 0, 0, 0, 0x02, 0, 0, 0, 1, 2, 3, 4} // 32 MiB
	if _, _, err := d.Next(announced); err != nil || d.room() > 0 {
		t.Fatalf("header alone: %v, buffer of %d bytes", err, d.room())
	}
	arrived := 0
	for size := 1; arrived < 1<<20; size = size*3/2 + 1 {
		if m, n, err := d.Next(make([]byte, size)); m.Opcode != Continuation || n != size || err != nil {
			t.Fatalf("Next = %v, %d, %v", m, n, err)
		}
		if arrived += size; d.room() > 2*arrived+64 {
			t.Fatalf("%d bytes arrived, buffer of %d", arrived, d.room())
		}
	}
}

func TestDecoderCopiesALargeMessageFewTimes(t *testing.T) {
	fragments := frame(binaryOp, "", 0)
	for range 20000 {
		fragments = append(fragments, frame(more, "0123456789", 0)...)
	}
	for _, test := range []struct {
		name  string
		bytes []byte
		piece int // bytes of each read, at most one frame
		most  int // times that the buffer may grow
	}{
		{"one frame in pieces of 1000 bytes", frame(finBinary, strings.Repeat("x", 4<<20), 0), 1000, 14},
		{"fragments of 10 bytes", append(fragments, frame(finMore, "0123456789", 0)...), 16, 16},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			grown := 0
			for p := test.bytes; len(p) > 0; {
				before := d.room()
				_, n, err := d.Next(p[:min(test.piece, len(p))])
				if err != nil {
					t.Fatal(err)
				}
				p = p[n:]
				if d.room() > before {
					grown++
				}
			}
			if grown < 2 || grown > test.most {
				t.Errorf("buffer grew %d times", grown)
			}
		})
	}
}

func TestDecoderMemoryFollowsFragments(t *testing.T) {
	d := Decoder{MaxMessage: 1 << 62}
	for i := range 1000 {
		first := byte(more)
		if i == 0 {
			first = binaryOp
		}
		if _, _, err := d.Next(frame(first, "0123456789", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if d.have != 10000 || d.room() > 20064 {
		t.Errorf("10000 bytes arrived, %d held in a buffer of %d", d.have, d.room())
	}
}

func TestDecoderReleasesALargeBuffer(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		kept bool
	}{
		{"message of 64 KiB leaves its buffer", 64 << 10, true},
		{"message of 1 MiB does not", 1 << 20, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			sent := strings.Repeat("x", test.size)
			f := frame(finBinary, sent, 0)
			if _, _, err := d.Next(f[:1000]); err != nil {
				t.Fatal(err)
			}
			m, _, err := d.Next(f[1000:])
			if err != nil || string(m.Payload) != sent {
				t.Fatalf("Next = %v of %d bytes, %v", m.Opcode, len(m.Payload), err)
			}
			d.Release()
			if kept := d.room() > 0; kept != test.kept {
				t.Errorf("buffer of %d bytes kept, want %v", d.room(), test.kept)
			}
		})
	}
}

func TestDecoderIdle(t *testing.T) {
	whole := join(frame(text, "ab", 0), frame(ping, "p", 0), frame(finMore, "c", 16))
	var d Decoder
	for i, b := range whole {
		if got, want := d.Idle(), i == 0; got != want {
			t.Fatalf("Idle after %x = %v, want %v", whole[:i], got, want)
		}
		if _, _, err := d.Next([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if !d.Idle() {
		t.Error("not idle behind a message")
	}
	if _, _, err := d.Next([]byte{0xff}); err == nil || d.Idle() {
		t.Errorf("idle behind the error %v", err)
	}
}

func TestDecoderAllocatesNothingOnceWarm(t *testing.T) {
	long := strings.Repeat("äöü!", 5000)
	for _, test := range []struct {
		name  string
		bytes []byte
		cut   int
	}{
		{"message in one read", frame(finText, "hello", 0), 0},
		{"message in two reads", frame(finText, long, 0), 3000},
		{"message cut in its header", frame(finBinary, long, 0), 3},
		{"fragments with pings", join(frame(text, "a", 0), frame(ping, "ping", 0), frame(more, long, 0), frame(finMore, "c", 0)), 9},
		{"ping in two reads", frame(ping, "0123456789", 0), 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			room := make([]byte, len(test.bytes))
			once := func() {
				copy(room, test.bytes)
				for _, p := range [][]byte{room[:test.cut], room[test.cut:]} {
					for len(p) > 0 {
						_, n, err := d.Next(p)
						if err != nil {
							t.Fatal(err)
						}
						p = p[n:]
					}
				}
			}
			once()
			if n := testing.AllocsPerRun(100, once); n != 0 {
				t.Errorf("%v allocations a message", n)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range streams() {
		if len(s.bytes) < 1000 {
			f.Add(s.bytes, uint8(13), uint16(200), uint16(3), uint16(7))
			f.Add(s.bytes, uint8(8), uint16(4), uint16(1), uint16(2))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, version uint8, limit, a, b uint16) {
		v, maxMessage := Version(version), int64(limit)+1
		want := reference(stream, v, maxMessage)
		fresh := func() *Decoder { return &Decoder{Version: v, MaxMessage: maxMessage} }
		if got := decode(t, fresh(), bytes.Clone(stream)); !got.equal(want) {
			t.Fatalf("%x whole: %v, want %v", stream, got, want)
		}
		got := decode(t, fresh(), stream, everyByte(stream)...)
		if !got.equal(want) || got.failed != want.failed {
			t.Fatalf("%x byte by byte: %v, want %v", stream, got, want)
		}
		first := int(a) % (len(stream) + 1)
		second := first + int(b)%(len(stream)-first+1)
		if got := decode(t, fresh(), stream, first, second); !got.equal(want) {
			t.Fatalf("%x cut at %d and %d: %v, want %v", stream, first, second, got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name    string
		first   byte
		payload string
	}{
		{"binary 64 B", finBinary, strings.Repeat("x", 64)},
		{"text 64 B", finText, strings.Repeat("x", 64)},
		{"binary 64 KiB", finBinary, strings.Repeat("x", 64<<10)},
		{"text 64 KiB ASCII", finText, strings.Repeat("x", 64<<10)},
		{"text 64 KiB Greek", finText, strings.Repeat("λόγος", 64<<10/10)},
		{"text 64 KiB Japanese", finText, strings.Repeat("日本語", 64<<10/9)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			sent := frame(bench.first, bench.payload, 0)
			copy(sent[len(sent)-len(bench.payload)-4:], []byte{0, 0, 0, 0}) // unmasking again changes nothing
			copy(sent[len(sent)-len(bench.payload):], bench.payload)
			var d Decoder
			b.SetBytes(int64(len(bench.payload)))
			b.ReportAllocs()
			for b.Loop() {
				if m, _, err := d.Next(sent); err != nil || len(m.Payload) != len(bench.payload) {
					b.Fatal(m, err)
				}
			}
		})
	}
}
