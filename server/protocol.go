package server

import (
	"slices"
	"unsafe"

	"github.com/wshttpd/wshttpd/draft76"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/ws"
)

// protocol is what a WebSocket protocol does with bytes; conn does the rest.
// Its methods are called from one goroutine at a time, next from the reading
// one only, the others under the outbox's lock.
type protocol interface {
	// next takes bytes of p and returns what they complete and how many it
	// took. With nothing and no error it took all of p. A payload is lent
	// until the next call.
	next(p []byte) (e event, n int, err error)

	// space returns where the next bytes are to be received, or nil if they
	// are to come through next; received takes n of them that were put there.
	space() []byte
	received(n int) (event, error)

	// release gives up the buffer of the last payload.
	release()

	// frameInPlace makes a frame of a payload by writing around it, where the
	// protocol has a frame of which that is the end. There is room in front.
	frameInPlace(t wsplugin.MessageType, payload []byte) ([]byte, bool)

	// appendMessage appends one message, and reports false when the protocol
	// has no frame for it; dst then comes back as it was.
	appendMessage(dst []byte, t wsplugin.MessageType, payload []byte) ([]byte, bool)

	// closes reports whether sending a message of this type closes.
	closes(t wsplugin.MessageType) bool

	// appendClose appends the closing handshake with this payload, a code and
	// a reason, as far as the protocol can carry it.
	appendClose(dst, payload []byte) []byte

	// closeAnswer returns the code that answers the peer's close frame.
	closeAnswer(payload []byte) ws.CloseCode

	// closeCode returns the code by which the protocol knows c.
	closeCode(c ws.CloseCode) ws.CloseCode

	// awaitsClose reports whether a client answers our closing handshake, so
	// that the connection stays until then.
	awaitsClose() bool
}

// event is what a protocol found in the bytes: a ping or close frame, or a
// message of any other type. It is small enough to be passed in registers.
type event struct {
	message wsplugin.MessageType // nothing when none is complete
	payload []byte
}

const nothing wsplugin.MessageType = -1

// hybi is the protocol of versions 13, 8 and 7.
type hybi struct {
	decoder       ws.Decoder
	allowReserved bool // WebSocketAllowReservedStatusCodes
}

func (h *hybi) next(p []byte) (event, int, error) {
	for taken := 0; ; {
		m, n, err := h.decoder.Next(p[taken:])
		taken += n
		if err != nil {
			return event{message: nothing}, taken, err
		}
		if m.Opcode == ws.Pong { // ignored (RFC 6455, section 5.5.3)
			continue
		}
		return hybiEvent(m), taken, nil
	}
}

func (h *hybi) space() []byte { return h.decoder.Space() }
func (h *hybi) release()      { h.decoder.Release() }

func (h *hybi) received(n int) (event, error) {
	m, err := h.decoder.Received(n)
	return hybiEvent(m), err
}

func hybiEvent(m ws.Message) event {
	switch m.Opcode {
	case ws.Text:
		return event{wsplugin.Text, m.Payload}
	case ws.Binary:
		return event{wsplugin.Binary, m.Payload}
	case ws.Ping:
		return event{wsplugin.Ping, m.Payload}
	case ws.Close:
		return event{wsplugin.Close, m.Payload}
	}
	return event{message: nothing}
}

// frameInPlace puts the header in front: what a client has sent with the same
// payload had a larger one there.
func (h *hybi) frameInPlace(t wsplugin.MessageType, payload []byte) ([]byte, bool) {
	op, known := hybiOpcode(t)
	if !known || op >= ws.Close {
		return nil, false
	}
	var header [ws.MaxHeader]byte
	n := len(ws.AppendHeader(header[:0], op, len(payload)))
	frame := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(payload)), -n)), n+len(payload))
	copy(frame, header[:n])
	return frame, true
}

func (h *hybi) appendMessage(dst []byte, t wsplugin.MessageType, payload []byte) ([]byte, bool) {
	op, known := hybiOpcode(t)
	if !known || op >= ws.Close && len(payload) > ws.MaxControlPayload {
		return dst, false
	}
	return ws.AppendFrame(dst, op, payload), true
}

// hybiOpcode names the frame that a message type is sent as. Every other type
// closes.
func hybiOpcode(t wsplugin.MessageType) (op ws.Opcode, known bool) {
	switch t {
	case wsplugin.Text:
		return ws.Text, true
	case wsplugin.Binary:
		return ws.Binary, true
	case wsplugin.Ping:
		return ws.Ping, true
	case wsplugin.Pong:
		return ws.Pong, true
	}
	return ws.Close, false
}

func (h *hybi) closes(t wsplugin.MessageType) bool {
	_, known := hybiOpcode(t)
	return !known
}

// appendClose leaves out what no close frame can carry (RFC 6455, sections 5.5
// and 5.5.1): a payload of one byte, and a reason that makes it longer than
// 125 bytes.
func (h *hybi) appendClose(dst, payload []byte) []byte {
	switch {
	case len(payload) == 1:
		payload = nil
	case len(payload) > ws.MaxControlPayload:
		payload = payload[:2]
	}
	return ws.AppendFrame(dst, ws.Close, payload)
}

func (h *hybi) closeAnswer(payload []byte) ws.CloseCode {
	return ws.CloseAnswer(payload, h.allowReserved)
}

func (h *hybi) closeCode(c ws.CloseCode) ws.CloseCode { return c.For(h.decoder.Version) }

func (h *hybi) awaitsClose() bool { return true }

// hixie is the protocol of draft-76 and draft-75.
type hixie struct {
	decoder draft76.Decoder // its Draft75 says which of the two
}

func (h *hixie) next(p []byte) (event, int, error) {
	f, n, err := h.decoder.Next(p)
	switch {
	case err != nil:
		return event{message: nothing}, n, err
	case f.Kind == draft76.Text:
		return event{wsplugin.MessageType(f.Type), slices.Clip(f.Data)}, n, nil
	case f.Kind == draft76.Close:
		return event{message: wsplugin.Close}, n, nil
	}
	return event{message: nothing}, n, nil
}

func (h *hixie) space() []byte               { return nil }
func (h *hixie) received(int) (event, error) { return event{message: nothing}, nil }
func (h *hixie) release()                    {}

// frameInPlace has nowhere to put the byte behind a text.
func (h *hixie) frameInPlace(wsplugin.MessageType, []byte) ([]byte, bool) { return nil, false }

// appendMessage knows the types 0 to 127 as text frames and 128 to 254 as
// binary ones; the drafts have no ping and no pong.
func (h *hixie) appendMessage(dst []byte, t wsplugin.MessageType, payload []byte) ([]byte, bool) {
	switch {
	case t < 0 || t >= wsplugin.Close:
		return dst, false
	case t < wsplugin.Binary:
		return draft76.AppendText(dst, byte(t), payload)
	}
	return draft76.AppendBinary(dst, byte(t), payload)
}

func (h *hixie) closes(t wsplugin.MessageType) bool { return t == wsplugin.Close }

// appendClose drops the payload: the closing handshake of draft-76 carries
// none, and draft-75 has no closing handshake.
func (h *hixie) appendClose(dst, _ []byte) []byte {
	if h.decoder.Draft75 {
		return dst
	}
	return draft76.AppendClose(dst)
}

func (h *hixie) closeAnswer([]byte) ws.CloseCode       { return ws.NormalClosure }
func (h *hixie) closeCode(c ws.CloseCode) ws.CloseCode { return c }

// awaitsClose is false: clients of that time send no answer.
func (h *hixie) awaitsClose() bool { return false }
