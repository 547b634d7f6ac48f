package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// A stream is what connections send and what has to come back. It is made once
// and only read afterwards.
type stream struct {
	send, reply         []byte // see doc.go
	sendSize, replySize int    // bytes of one message on the wire
	batch               int    // messages of a batch
	batches             int    // how many differ
}

// Bounds of a ring: batches enough that two connections rarely stand at the
// same place, a size that leaves the caches to the sockets. 251 is a prime.
const (
	maxBatches = 251
	minBatches = 2
	ringSize   = 256 << 10
)

// newStream makes the messages. With sleep the first of each batch begins with
// 'S' and the seconds to sleep, and no other message does.
func newStream(o *Options, batch int, sleep bool) *stream {
	if o.Protocol == HTTP {
		return newRequests(o)
	}
	s := &stream{batch: batch}
	s.batches = min(max(ringSize/(batch*(o.Size+1)), minBatches), maxBatches)
	random := rand.New(rand.NewPCG(uint64(o.Size), uint64(batch)))
	messages := s.batches * batch
	payload := make([]byte, o.Size)
	for i := range messages {
		fill(payload, i, o.Text || o.Protocol == Draft76, random)
		if sleep && i%batch == 0 {
			payload[0], payload[1] = 'S', '0'+byte(o.Sleep/time.Second)
		}
		s.append(o, payload, random.Uint32())
	}
	s.sendSize, s.replySize = len(s.send)/messages, len(s.reply)/messages
	s.send = append(s.send, s.send[:batch*s.sendSize]...)
	s.reply = append(s.reply, s.reply[:batch*s.replySize]...)
	return s
}

// fill writes a payload: its number, so that no two are the same, then random
// bytes, or printable ones.
func fill(p []byte, number int, text bool, random *rand.Rand) {
	for i := range p {
		if text {
			p[i] = ' ' + byte(random.IntN(95))
		} else {
			p[i] = byte(random.Uint32())
		}
	}
	copy(p, fmt.Sprintf("%07x:", number))
}

func (s *stream) append(o *Options, payload []byte, mask uint32) {
	switch o.Protocol {
	case Raw:
		s.send = append(s.send, payload...)
		s.reply = append(s.reply, payload...)
	case Draft76:
		for _, ring := range []*[]byte{&s.send, &s.reply} {
			*ring = append(*ring, 0)
			*ring = append(*ring, payload...)
			*ring = append(*ring, 0xFF)
		}
	default:
		first := byte(0x82)
		if o.Text {
			first = 0x81
		}
		s.reply = append(frameHead(s.reply, first, 0, len(payload)), payload...)
		s.send = frameHead(s.send, first, 0x80, len(payload))
		key := binary.BigEndian.AppendUint32(nil, mask)
		s.send = append(s.send, key...)
		for i, b := range payload {
			s.send = append(s.send, b^key[i%4])
		}
	}
}

// frameHead appends the first bytes of a frame (RFC 6455, section 5.2).
func frameHead(p []byte, first, mask byte, size int) []byte {
	switch {
	case size < 126:
		return append(p, first, mask|byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(p, first, mask|126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(p, first, mask|127), uint64(size))
}
