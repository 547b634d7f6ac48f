package ws

import "strconv"

// Opcode says what a frame is (RFC 6455, section 5.2).
type Opcode byte

// The opcodes that are defined. Continuation, the zero value, is never that of
// a message: Decoder.Next returns it when nothing is complete yet.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "opcode " + strconv.Itoa(int(o))
}

// isControl reports whether the frame is a control frame (RFC 6455, section
// 5.5).
func (o Opcode) isControl() bool { return o&8 != 0 }

// isKnown reports whether the opcode is one of those defined.
func (o Opcode) isKnown() bool { return o <= Binary || o >= Close && o <= Pong }

// Version is the version of the protocol: 13, 8 or 7. The zero value behaves
// as 13.
type Version int
