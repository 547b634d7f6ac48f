package ws

import "encoding/binary"

// AppendHeader appends the header of an unfragmented, unmasked frame, with the
// length in its shortest form (RFC 6455, section 5.2).
func AppendHeader(dst []byte, op Opcode, length int) []byte {
	switch {
	case length <= MaxControlPayload:
		return append(dst, fin|byte(op), byte(length))
	case length <= 0xffff:
		dst = append(dst, fin|byte(op), 126)
		return binary.BigEndian.AppendUint16(dst, uint16(length))
	}
	dst = append(dst, fin|byte(op), 127)
	return binary.BigEndian.AppendUint64(dst, uint64(length))
}

// AppendFrame appends an unfragmented, unmasked frame. A control frame's
// payload must not exceed MaxControlPayload.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendClose appends a close frame with this code and no reason, an empty one
// for code 0.
func AppendClose(dst []byte, code CloseCode) []byte {
	if code == 0 {
		return AppendHeader(dst, Close, 0)
	}
	return binary.BigEndian.AppendUint16(AppendHeader(dst, Close, 2), uint16(code))
}
