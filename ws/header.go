package ws

import "encoding/binary"

const (
	// MaxHeader is the size of the largest frame header in bytes.
	MaxHeader = 14

	// shortHeader is the size of the header of a client's frame of at most 125
	// bytes.
	shortHeader = 6

	// MaxControlPayload is the size of the largest payload of a control frame
	// in bytes (RFC 6455, section 5.5).
	MaxControlPayload = 125

	fin      = 0x80
	reserved = 0x70
	masked   = 0x80
)

// header is the header of one frame, as far as it has arrived.
type header struct {
	bytes [MaxHeader]byte
	have  int // bytes of it that have arrived
}

func (h *header) fin() bool      { return h.bytes[0]&fin != 0 }
func (h *header) opcode() Opcode { return Opcode(h.bytes[0] & 0x0f) }

// lengthEnd returns where the payload length ends; the second byte says it.
func (h *header) lengthEnd() int {
	switch h.bytes[1] &^ masked {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// length returns the payload length, of which every byte is there.
func (h *header) length() uint64 {
	switch n := h.bytes[1] &^ masked; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(h.bytes[2:]))
	case 127:
		return binary.BigEndian.Uint64(h.bytes[2:])
	default:
		return uint64(n)
	}
}

// key returns the masking key, of which every byte is there.
func (h *header) key() uint32 {
	return binary.LittleEndian.Uint32(h.bytes[h.lengthEnd():])
}

// take takes bytes of p until the header has upTo bytes, and returns how many.
func (h *header) take(p []byte, upTo int) int {
	n := copy(h.bytes[h.have:upTo], p)
	h.have += n
	return n
}
