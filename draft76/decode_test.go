package draft76

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// event is a frame with data of its own, and the position behind it.
type event struct {
	kind Kind
	typ  byte
	data string
	end  int
}

// decode gives stream to d in pieces that end at the cuts, overwrites each
// piece as soon as the decoder has let go of it, and returns what came out and
// at which byte the stream failed.
func decode(d *Decoder, stream []byte, cuts ...int) (events []event, at int, err error) {
	start := 0
	for _, cut := range append(cuts, len(stream)) {
		piece := bytes.Clone(stream[start:cut])
		for taken := 0; ; {
			f, n, err := d.Next(piece[taken:])
			taken += n
			if err != nil {
				return events, start + taken, err
			}
			if f.Kind == None {
				break
			}
			events = append(events, event{f.Kind, f.Type, string(f.Data), start + taken})
		}
		for i := range piece {
			piece[i] = 0xee
		}
		start = cut
	}
	return events, -1, nil
}

// reference reads a stream a byte at a time, apart from Decoder and without
// its care for copies. The draft is its source: hixie-76, section 5.3.
func reference(stream []byte, maxText int64, draft75 bool) (events []event, at int, err error) {
	for i := 0; i < len(stream); {
		typ := stream[i]
		i++
		if typ < 0x80 {
			var data []byte
			for ; i < len(stream) && stream[i] != 0xff; i++ {
				data = append(data, stream[i])
				if int64(len(data)) > maxText {
					return events, i + 1, ErrTextTooLarge
				}
			}
			if i == len(stream) {
				return events, -1, nil
			}
			i++
			events = append(events, event{Text, typ, string(data), i})
			continue
		}
		length := 0
		for more := true; more; i++ {
			if i == len(stream) {
				return events, -1, nil
			}
			length = length*128 + int(stream[i]&0x7f)
			if length > MaxBinary {
				return events, i + 1, ErrBinaryTooLarge
			}
			more = stream[i] >= 0x80
		}
		if typ == 0xff && length == 0 && !draft75 {
			events = append(events, event{kind: Close, end: i})
		}
		i = min(i+length, len(stream))
	}
	return events, -1, nil
}

const testLimit = 8

var streams = map[string]string{
	"hixie-76 example":                  "\x00Hello\xff",
	"two messages":                      "\x00a\xff\x00b\xff",
	"an empty message":                  "\x00\xff",
	"another text type":                 "\x7fdata\xff",
	"data are not checked for UTF-8":    "\x00\xc0\x80\xfe\xff",
	"text of the limit":                 "\x0012345678\xff\x00x\xff",
	"text over the limit":               "\x00123456789\xff",
	"text over the limit without end":   "\x00123456789012345",
	"binary is discarded":               "\x80\x03abc\x00x\xff",
	"binary may hold 0xff":              "\x80\x02\xff\x00\x00x\xff",
	"length with leading zeros":         "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x03abc\x00x\xff",
	"empty binary is ignored":           "\x80\x00\x00x\xff",
	"close":                             "\xff\x00",
	"close behind a message":            "\x00a\xff\xff\x00rest",
	"close with padded length":          "\xff\x80\x00",
	"0xff with a length is binary":      "\xff\x02ab\x00x\xff",
	"length of 32 MiB is taken":         "\x80\x90\x80\x80\x00",
	"length of 32 MiB and 1 is refused": "\x80\x90\x80\x80\x01",
	"length that overflows is refused":  "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
}

func TestDecoderAgreesWithTheReference(t *testing.T) {
	for name, stream := range streams {
		for _, draft75 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, 75 %v", name, draft75), func(t *testing.T) {
				checkAgainstReference(t, []byte(stream), draft75)
				for cut := range len(stream) {
					checkAgainstReference(t, []byte(stream), draft75, cut)
				}
				if len(stream) <= 12 {
					for set := range 1 << (len(stream) - 1) {
						checkAgainstReference(t, []byte(stream), draft75, cutsOf(set, len(stream))...)
					}
				}
			})
		}
	}
}

// cutsOf turns a set of bits into places to cut.
func cutsOf(set, n int) (cuts []int) {
	for i := 1; i < n; i++ {
		if set>>(i-1)&1 == 1 {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

func checkAgainstReference(t *testing.T, stream []byte, draft75 bool, cuts ...int) {
	t.Helper()
	got, at, err := decode(&Decoder{MaxText: testLimit, Draft75: draft75}, stream, cuts...)
	want, wantAt, wantErr := reference(stream, testLimit, draft75)
	if fmt.Sprint(got) != fmt.Sprint(want) || !errors.Is(err, wantErr) || at != wantAt {
		t.Fatalf("decode(%q, cut at %v, 75 %v) = %v, %v at %d, want %v, %v at %d",
			stream, cuts, draft75, got, err, at, want, wantErr, wantAt)
	}
}

func TestErrorStays(t *testing.T) {
	d := &Decoder{MaxText: 1}
	if _, _, err := d.Next([]byte("\x00abc")); !errors.Is(err, ErrTextTooLarge) {
		t.Fatalf("Next = %v", err)
	}
	f, n, err := d.Next([]byte("\xff\x00x\xff"))
	if f.Kind != None || n != 0 || !errors.Is(err, ErrTextTooLarge) {
		t.Errorf("Next after an error = %v, %d, %v", f, n, err)
	}
	if d.Idle() {
		t.Error("a failed decoder is idle")
	}
}

func TestDefaultLimitIs32MiB(t *testing.T) {
	d := &Decoder{}
	block := bytes.Repeat([]byte("x"), 1<<20)
	if _, _, err := d.Next([]byte{0}); err != nil {
		t.Fatal(err)
	}
	for i := range 32 {
		if _, _, err := d.Next(block); err != nil {
			t.Fatalf("after %d MiB: %v", i+1, err)
		}
	}
	if _, _, err := d.Next([]byte("x")); !errors.Is(err, ErrTextTooLarge) {
		t.Errorf("one byte over 32 MiB: %v", err)
	}
}

func TestMessageWithinOneReadIsNotCopied(t *testing.T) {
	d := &Decoder{}
	p := []byte("\x00hello\xff")
	f, _, err := d.Next(p)
	if err != nil || &f.Data[0] != &p[1] {
		t.Errorf("data are a copy (%v)", err)
	}
	allocs := testing.AllocsPerRun(100, func() {
		if f, _, _ := d.Next(p); f.Kind != Text {
			t.Fatal("no frame")
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a message", allocs)
	}
}

func TestLargeBufferIsDroppedAfterItsMessage(t *testing.T) {
	d := &Decoder{}
	stream := []byte("\x00" + strings.Repeat("x", 2*keptBuffer) + "\xff\x00")
	if _, _, err := decode(d, stream, 100); err != nil {
		t.Fatal(err)
	}
	if cap(d.buf) > keptBuffer {
		t.Errorf("%d bytes are kept after the message", cap(d.buf))
	}
}

func TestIdle(t *testing.T) {
	d := &Decoder{}
	for _, step := range []struct {
		bytes string
		idle  bool
	}{{"\x00a", false}, {"\xff", true}, {"\x80", false}, {"\x02a", false}, {"b", true}} {
		if _, _, err := d.Next([]byte(step.bytes)); err != nil {
			t.Fatal(err)
		}
		if d.Idle() != step.idle {
			t.Errorf("after %q: Idle() = %v", step.bytes, d.Idle())
		}
	}
}

func TestWhatIsSent(t *testing.T) {
	tests := []struct {
		typ  byte
		data string
		want string
	}{
		{0, "Hello", "\x00Hello\xff"},
		{0, "", "\x00\xff"},
		{0x7f, "a", "\x7fa\xff"},
		{0, "a\xffb", ""},
		{0x80, "ab", "\x80\x02ab"},
		{0xfe, "", "\xfe\x00"},
		{0xff, "ab", ""},
		{0x80, strings.Repeat("x", 127), "\x80\x7f" + strings.Repeat("x", 127)},
		{0x80, strings.Repeat("x", 128), "\x80\x81\x00" + strings.Repeat("x", 128)},
		{0x80, strings.Repeat("x", 16384), "\x80\x81\x80\x00" + strings.Repeat("x", 16384)},
	}
	for _, test := range tests {
		appendFrame := AppendText
		if test.typ&0x80 != 0 {
			appendFrame = AppendBinary
		}
		got, ok := appendFrame([]byte("before"), test.typ, []byte(test.data))
		if string(got) != "before"+test.want || ok != (test.want != "") {
			t.Errorf("type %#x, %d bytes: %q, %v, want %q", test.typ, len(test.data), got, ok, test.want)
		}
	}
	if _, ok := AppendText(nil, 0x80, nil); ok {
		t.Error("AppendText takes a binary type")
	}
	if _, ok := AppendBinary(nil, 0, nil); ok {
		t.Error("AppendBinary takes a text type")
	}
	if got := string(AppendClose(nil)); got != "\xff\x00" {
		t.Errorf("AppendClose = %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, stream := range streams {
		f.Add([]byte(stream), uint16(3), uint16(5), false)
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut1, cut2 uint16, draft75 bool) {
		a, b := int(cut1)%(len(stream)+1), int(cut2)%(len(stream)+1)
		checkAgainstReference(t, stream, draft75, min(a, b), max(a, b))
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("Hello"), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, typ byte) {
		frame, ok := AppendText(nil, typ, data)
		if !ok {
			return
		}
		got, _, err := (&Decoder{}).Next(frame)
		if err != nil || got.Type != typ || !bytes.Equal(got.Data, data) {
			t.Errorf("Next(%q) = %v, %v", frame, got, err)
		}
	})
}
