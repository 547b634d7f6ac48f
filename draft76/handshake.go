package draft76

import (
	"crypto/md5"
	"encoding/binary"
	"strings"
)

// Request holds what an opening handshake is judged by. The slices hold the
// values of header lines, in order, without surrounding white space.
type Request struct {
	Draft75 bool // judged as hixie-75, which has no keys
	Method  string
	HTTP11  bool // HTTP/1.1 or later

	TransferEncoding, ContentLength []string
	Key1, Key2                      []string
	Protocol                        []string // Sec-WebSocket-Protocol, in hixie-75 WebSocket-Protocol
}

// Handshake is a request that was found good, but for key 3.
type Handshake struct {
	Part1, Part2 uint32   // of the challenge (hixie-76, section 5.2, step 7)
	Protocols    []string // offered, in order
}

// Refusal says how to answer a request that is not good.
type Refusal struct {
	Status int
	Reason string // one sentence that names the rule and quotes nothing
}

func (r *Refusal) Error() string { return r.Reason }

func badRequest(reason string) *Refusal { return &Refusal{Status: 400, Reason: reason} }

// CheckRequest judges an opening handshake; the first rule that is broken
// decides. Host, handler, plugin and origin are the caller's.
func CheckRequest(r *Request) (Handshake, *Refusal) {
	switch {
	case r.Method != "GET":
		return Handshake{}, badRequest("A WebSocket handshake must be a GET request.")
	case !r.HTTP11:
		return Handshake{}, badRequest("A WebSocket handshake must use HTTP/1.1 or later.")
	case !bodyIsGood(r):
		return Handshake{}, badRequest("A WebSocket handshake must not declare a body.")
	}
	var h Handshake
	if !r.Draft75 {
		var refusal *Refusal
		if h.Part1, refusal = part(r.Key1); refusal != nil {
			return Handshake{}, refusal
		}
		if h.Part2, refusal = part(r.Key2); refusal != nil {
			return Handshake{}, refusal
		}
	}
	for _, value := range r.Protocol {
		if !isPrintable(value) {
			return Handshake{}, badRequest("The list of subprotocols holds a byte outside 0x20 to 0x7E.")
		}
	}
	h.Protocols = strings.FieldsFunc(strings.Join(r.Protocol, ", "), func(c rune) bool { return c == ' ' })
	return h, nil
}

// bodyIsGood reports whether no body is declared; in hixie-76 the 8 bytes of
// key 3 may be declared as one.
func bodyIsGood(r *Request) bool {
	allowed := "8"
	if r.Draft75 {
		allowed = "0"
	}
	if len(r.TransferEncoding) > 0 || len(r.ContentLength) > 1 {
		return false
	}
	return len(r.ContentLength) == 0 || r.ContentLength[0] == allowed
}

// part computes a key's part of the challenge (hixie-76, section 5.2, steps 4
// to 7).
func part(lines []string) (uint32, *Refusal) {
	if len(lines) != 1 {
		return 0, badRequest("Each of the two WebSocket keys must stand on one line.")
	}
	var number, spaces uint64
	for i := range len(lines[0]) {
		switch c := lines[0][i]; {
		case c >= '0' && c <= '9':
			number = number*10 + uint64(c-'0')
			if number > 1<<32-1 {
				return 0, badRequest("The number in a WebSocket key exceeds 32 bits.")
			}
		case c == ' ':
			spaces++
		}
	}
	switch {
	case spaces == 0:
		return 0, badRequest("A WebSocket key holds no space.")
	case number%spaces != 0:
		return 0, badRequest("The number in a WebSocket key is no multiple of its spaces.")
	}
	return uint32(number / spaces), nil
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Answer returns the 16 bytes that prove that the server has understood:
// the MD5 of both parts and key 3, the 8 bytes behind the request's head
// (hixie-76, section 5.2, steps 8 and 9).
func (h *Handshake) Answer(key3 [8]byte) [md5.Size]byte {
	var challenge [16]byte
	binary.BigEndian.PutUint32(challenge[0:], h.Part1)
	binary.BigEndian.PutUint32(challenge[4:], h.Part2)
	copy(challenge[8:], key3[:])
	return md5.Sum(challenge[:])
}

// Field is a header field that the answer carries behind the handshake's own.
type Field struct{ Name, Value string }

// Response is what the head of the answer is made of.
type Response struct {
	Draft75   bool
	Location  string  // see Location
	Origin    string  // the request's, unchanged
	HasOrigin bool    // the request had one; the empty value is a value
	Protocol  string  // the subprotocol, empty for none
	Fields    []Field // behind the handshake's own
}

// AppendResponse appends the head of the answer, to which Answer's 16 bytes
// are added in hixie-76. Clients compare its first three lines byte by byte
// (hixie-75, section 4.1), so that words, case and order matter.
func AppendResponse(dst []byte, r *Response) []byte {
	status, prefix := "HTTP/1.1 101 WebSocket Protocol Handshake\r\n", "Sec-"
	if r.Draft75 {
		status, prefix = "HTTP/1.1 101 Web Socket Protocol Handshake\r\n", ""
	}
	dst = append(dst, status...)
	dst = append(dst, "Upgrade: WebSocket\r\nConnection: Upgrade\r\n"...)
	dst = appendField(dst, prefix+"WebSocket-Location", r.Location)
	if r.HasOrigin {
		dst = appendField(dst, prefix+"WebSocket-Origin", r.Origin)
	}
	if r.Protocol != "" {
		dst = appendField(dst, prefix+"WebSocket-Protocol", r.Protocol)
	}
	for _, f := range r.Fields {
		dst = appendField(dst, f.Name, f.Value)
	}
	return append(dst, "\r\n"...)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// Location returns the URL that the answer names: the authority as the request
// wrote it, then path and query as in the request line (hixie-76, section 5.2,
// step 11).
func Location(tls bool, authority, pathAndQuery string) string {
	scheme := "ws://"
	if tls {
		scheme = "wss://"
	}
	return scheme + authority + pathAndQuery
}

// IsProtocol reports whether a plugin's choice can stand as the answered
// subprotocol: bytes 0x21 to 0x7E, at least one.
func IsProtocol(s string) bool {
	return s != "" && isPrintable(s) && !strings.Contains(s, " ")
}
