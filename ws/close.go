package ws

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// CloseCode is the status code of a close frame (RFC 6455, section 7.4). The
// zero value stands for a close frame without one.
type CloseCode uint16

// The close codes that have a meaning.
const (
	NormalClosure      CloseCode = 1000
	GoingAway          CloseCode = 1001
	ProtocolError      CloseCode = 1002
	UnsupportedData    CloseCode = 1003
	TooLargeOld        CloseCode = 1004 // of versions 8 and 7 (hybi-10, section 7.4.1)
	NoStatus           CloseCode = 1005 // never sent
	AbnormalClosure    CloseCode = 1006 // never sent
	InvalidPayload     CloseCode = 1007
	PolicyViolation    CloseCode = 1008
	TooLarge           CloseCode = 1009
	MandatoryExtension CloseCode = 1010
	InternalError      CloseCode = 1011
	ServiceRestart     CloseCode = 1012
	TryAgainLater      CloseCode = 1013
	BadGateway         CloseCode = 1014
	TLSHandshake       CloseCode = 1015 // never sent
)

// String returns the number, and what it says where that is settled.
func (c CloseCode) String() string {
	number := strconv.Itoa(int(c))
	if meaning := c.meaning(); meaning != "" {
		return number + " " + meaning
	}
	return number
}

func (c CloseCode) meaning() string {
	switch c {
	case NormalClosure:
		return "normal closure"
	case GoingAway:
		return "going away"
	case ProtocolError:
		return "protocol error"
	case UnsupportedData:
		return "unsupported data"
	case TooLargeOld, TooLarge:
		return "too large"
	case NoStatus:
		return "no status"
	case AbnormalClosure:
		return "abnormal closure"
	case InvalidPayload:
		return "invalid payload"
	case PolicyViolation:
		return "policy violation"
	case MandatoryExtension:
		return "mandatory extension"
	case InternalError:
		return "internal error"
	case ServiceRestart:
		return "service restart"
	case TryAgainLater:
		return "try again later"
	case BadGateway:
		return "bad gateway"
	case TLSHandshake:
		return "TLS handshake"
	}
	return ""
}

// For returns the code by which v knows what c says: versions 8 and 7 have
// another one for a message that is too large, and none for an error of the
// server's or its restart (hybi-10 and hybi-07, section 7.4.1).
func (c CloseCode) For(v Version) CloseCode {
	if v != 8 && v != 7 {
		return c
	}
	switch c {
	case TooLarge:
		return TooLargeOld
	case InternalError, ServiceRestart:
		return GoingAway
	}
	return c
}

// CloseAnswer returns the code that answers a client's close frame with this
// payload: the client's own code where it may be sent and the reason is good,
// NormalClosure where it gives none. With allowReserved the codes that are
// reserved for later count as good too (WebSocketAllowReservedStatusCodes).
// One byte is no code (RFC 6455, section 5.5.1); a Decoder fails before that.
func CloseAnswer(payload []byte, allowReserved bool) CloseCode {
	switch len(payload) {
	case 0:
		return NormalClosure
	case 1:
		return ProtocolError
	}
	code := CloseCode(binary.BigEndian.Uint16(payload))
	switch {
	case !code.mayBeSent(allowReserved):
		return ProtocolError
	case !utf8.Valid(payload[2:]):
		return InvalidPayload
	}
	return code
}

// mayBeSent reports whether a close frame may carry the code (RFC 6455,
// sections 7.4.1 and 7.4.2; 1012 and 1013 were registered later).
func (c CloseCode) mayBeSent(allowReserved bool) bool {
	switch {
	case c < 1000, c == NoStatus, c == AbnormalClosure, c == TLSHandshake, c >= 5000:
		return false
	case c == TooLargeOld, c == BadGateway, c >= 1016 && c < 3000:
		return allowReserved
	}
	return true
}
