package ws

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestAppendHeader(t *testing.T) {
	for _, test := range []struct {
		name   string
		op     Opcode
		length int
		want   string
	}{
		{"empty text", Text, 0, "8100"},
		{"125 is short", Binary, 125, "827d"},
		{"126 takes 16 bits", Binary, 126, "827e007e"},
		{"65535 takes 16 bits", Text, 65535, "817effff"},
		{"65536 takes 64 bits", Text, 65536, "817f0000000000010000"},
		{"more than 32 bits", Binary, 1 << 40, "827f0000010000000000"},
		{"ping", Ping, 4, "8904"},
		{"pong", Pong, 125, "8a7d"},
		{"close", Close, 2, "8802"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := AppendHeader([]byte("head"), test.op, test.length)
			if want := "head"; string(got[:4]) != want || hex.EncodeToString(got[4:]) != test.want {
				t.Errorf("AppendHeader(%q, %v, %d) = %x, want %q and %s", want, test.op, test.length, got, want, test.want)
			}
		})
	}
}

// RFC 6455, section 5.7, gives these.
func TestAppendFrameGivesTheExamplesOfTheRFC(t *testing.T) {
	if got, want := AppendFrame(nil, Text, []byte("Hello")), "\x81\x05Hello"; string(got) != want {
		t.Errorf("AppendFrame = %x, want %x", got, want)
	}
	if got, want := AppendFrame(nil, Ping, []byte("Hello")), "\x89\x05Hello"; string(got) != want {
		t.Errorf("AppendFrame = %x, want %x", got, want)
	}
	got := AppendFrame(nil, Binary, make([]byte, 256))
	if want := "\x82\x7e\x01\x00" + strings.Repeat("\x00", 256); string(got) != want {
		t.Errorf("AppendFrame of 256 bytes = %x", got)
	}
	got = AppendFrame(nil, Binary, make([]byte, 65536))
	if want := "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"; !strings.HasPrefix(string(got), want) || len(got) != 10+65536 {
		t.Errorf("AppendFrame of 64 KiB = %x..., %d bytes", got[:10], len(got))
	}
}

func TestAppendClose(t *testing.T) {
	for code, want := range map[CloseCode]string{0: "8800", 1000: "880203e8", 1009: "880203f1", 4999: "88021387"} {
		if got := AppendClose([]byte{0xaa}, code); hex.EncodeToString(got) != "aa"+want {
			t.Errorf("AppendClose(aa, %d) = %x, want aa%s", code, got, want)
		}
	}
}

// asClient masks a frame that the server would send.
func asClient(f []byte) []byte {
	header := map[byte]int{126: 4, 127: 10}[f[1]]
	if header == 0 {
		header = 2
	}
	key := [4]byte{0xa1, 0xb2, 0xc3, 0xd4}
	masked := append(bytes.Clone(f[:header]), key[:]...)
	masked[1] |= 0x80
	masked = append(masked, f[header:]...)
	unmaskSlowly(key, 0, masked[header+4:])
	return masked
}

func TestDecodeUndoesEncode(t *testing.T) {
	for _, size := range []int{0, 1, 2, 125, 126, 127, 128, 1000, 65535, 65536, 65537, 200000} {
		payload := bytes.Repeat([]byte("é"), size/2+1)[:size/2*2]
		for _, op := range []Opcode{Text, Binary, Ping, Pong, Close} {
			if op.isControl() && len(payload) > MaxControlPayload {
				continue
			}
			f := asClient(AppendFrame(nil, op, payload))
			var d Decoder
			m, n, err := d.Next(f)
			if m.Opcode != op || !bytes.Equal(m.Payload, payload) || n != len(f) || err != nil {
				t.Errorf("%v of %d bytes: %v of %d, %d of %d taken, %v", op, len(payload), m.Opcode, len(m.Payload), n, len(f), err)
			}
		}
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	room, payload := make([]byte, 0, 100000), make([]byte, 70000)
	if n := testing.AllocsPerRun(100, func() {
		AppendFrame(room, Text, payload)
		AppendClose(room, GoingAway)
		AppendHeader(room, Binary, 1<<30)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	payload := make([]byte, 64)
	room := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		room = AppendFrame(room[:0], Text, payload)
	}
}

// unmaskSlowly is RFC 6455, section 5.3, word for word.
func unmaskSlowly(key [4]byte, from int, p []byte) {
	for i := range p {
		p[i] ^= key[(from+i)%4]
	}
}
