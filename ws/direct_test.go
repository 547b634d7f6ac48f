package ws

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// poisoned is a Memory that overwrites what it gets back, and counts what is
// lent.
type poisoned struct {
	lent  int
	spare []byte
}

func (p *poisoned) Get(least, most int) []byte {
	p.lent++
	if len(p.spare) >= least && len(p.spare) <= most {
		b := p.spare
		p.spare = nil
		return b
	}
	return bytes.Repeat([]byte{0xbb}, least)
}

func (p *poisoned) Put(b []byte) {
	p.lent--
	for i := range b {
		b[i] = 0xcc
	}
	p.spare = b
}

// receive feeds a stream to a decoder as a socket would: into its own space
// where it has some, else through a read buffer with room for size bytes.
func receive(t *testing.T, d *Decoder, stream []byte, size func() int) (o outcome, direct int) {
	t.Helper()
	for len(stream) > 0 {
		n := min(size(), len(stream))
		if space := d.Space(); space != nil {
			n = copy(space, stream[:n])
			stream = stream[n:]
			direct += n
			m, err := d.Received(n)
			if err != nil {
				o.code = err.(*Error).Code
				return o, direct
			}
			o.add(t, m)
			continue
		}
		p := bytes.Clone(stream[:n])
		stream = stream[n:]
		for {
			m, n, err := d.Next(p)
			if err != nil {
				o.code = err.(*Error).Code
				return o, direct
			}
			p = p[n:]
			if m.Opcode == Continuation {
				break
			}
			o.add(t, m)
		}
	}
	d.Release()
	o.idle = d.Idle()
	return o, direct
}

// add notes a message, whose payload has room for zeros behind it or none.
func (o *outcome) add(t *testing.T, m Message) {
	t.Helper()
	if m.Opcode == Continuation {
		return
	}
	o.found = append(o.found, found{m.Opcode, string(m.Payload)})
	room := cap(m.Payload) - len(m.Payload)
	if behind := m.Payload[len(m.Payload):cap(m.Payload)]; room != 0 && room != Padding || len(bytes.Trim(behind, "\x00")) > 0 && room > 0 {
		t.Fatalf("behind a payload of %d bytes stand %d: %x", len(m.Payload), room, behind)
	}
}

func TestDecoderFindsTheSameWhereBytesAreReceivedStraight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	direct := 0
	for range 300 {
		var stream []byte
		for range 1 + r.IntN(4) {
			text := strings.Repeat("grün und ASCII ", r.IntN(12000))
			cut := r.IntN(len(text) + 1)
			switch r.IntN(4) {
			case 0:
				stream = append(stream, frame(finText, text, 0)...)
			case 1:
				stream = join(stream, frame(finBinary, text[:cut], 0), frame(ping, "in between", 0))
			case 2:
				stream = join(stream, frame(binaryOp, text[:cut], 0), frame(ping, "inside", 0), frame(finMore, text[cut:], 0))
			case 3:
				stream = join(stream, frame(0x01, text[:cut], 0), frame(more, "", 0), frame(finMore, text[cut:]+"\xff", 0))
			}
		}
		limit := int64(1 + r.IntN(1<<18))
		want := reference(stream, 13, limit)
		memory := &poisoned{}
		d := &Decoder{Version: 13, MaxMessage: limit, Memory: memory}
		got, n := receive(t, d, stream, func() int { return 1 + r.IntN(70000) })
		direct += n
		if !got.equal(want) {
			t.Fatalf("found %v, want %v", got, want)
		}
		if got.idle && memory.lent != 0 {
			t.Fatalf("idle, and %d buffers are lent", memory.lent)
		}
	}
	if direct < 1<<20 {
		t.Errorf("only %d bytes went straight to where they belong", direct)
	}
}

// TestDecoderSpaceFollowsWhatArrived: a buffer is at most twice as large as
// what has arrived of its message, and 64 KiB.
func TestDecoderSpaceFollowsWhatArrived(t *testing.T) {
	var d Decoder
	if _, _, err := d.Next([]byte{0x82, 0xff, 0, 0, 0, 0, 0x02, 0, 0, 0, 1, 2, 3, 4}); err != nil { // 32 MiB
		t.Fatal(err)
	}
	if space := d.Space(); space != nil || d.buf != nil {
		t.Fatalf("a header alone has space for %d bytes", len(space))
	}
	if _, _, err := d.Next(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	for arrived := 100; arrived < 32<<20-directLeast; {
		n := min(len(d.Space()), 50000)
		if n == 0 {
			t.Fatalf("no space after %d bytes", arrived)
		}
		if d.room() > 2*arrived+ahead {
			t.Fatalf("%d bytes arrived, buffer of %d", arrived, d.room())
		}
		if _, err := d.Received(n); err != nil {
			t.Fatal(err)
		}
		arrived += n
	}
}
