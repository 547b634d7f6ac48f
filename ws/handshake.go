package ws

import (
	"crypto/sha1"
	"encoding/base64"
	"strings"
)

// SupportedVersions is the value of the Sec-WebSocket-Version header that goes
// with a refusal (RFC 6455, section 4.4).
const SupportedVersions = "13, 8, 7"

// Request holds what an opening handshake is judged by. The slices hold the
// values of header lines, in order, without surrounding white space.
type Request struct {
	Method   string
	HTTP11   bool     // HTTP/1.1 or later
	HasBody  bool     // a body is declared, which must not be taken for frames
	Version  []string // Sec-WebSocket-Version
	Key      []string // Sec-WebSocket-Key
	Protocol []string // Sec-WebSocket-Protocol
}

// Handshake is a request that was found good.
type Handshake struct {
	Version   Version
	Key       string
	Protocols []string // offered subprotocols, in order
}

// Refusal says how to answer a request that is not good.
type Refusal struct {
	Status       int
	Reason       string // one sentence that names the rule and quotes nothing
	ListVersions bool   // send SupportedVersions
}

// IsUpgrade reports whether a request with these Upgrade and Connection header
// lines asks for a WebSocket: Upgrade is the one value "websocket", and
// Connection names "upgrade" (RFC 6455, section 4.2.1, items 3 and 4).
func IsUpgrade(upgrade, connection []string) bool {
	return len(upgrade) == 1 && equalFold(upgrade[0], "websocket") &&
		namesUpgrade(strings.Join(connection, ", "))
}

// namesUpgrade reads a Connection header from the left, as both modules of
// httpd do: an element that is empty, or not followed by a comma, ends the
// search.
func namesUpgrade(s string) bool {
	for {
		element, rest := nextToken(s)
		if equalFold(element, "upgrade") {
			return true
		}
		if element == "" {
			return false
		}
		for strings.HasPrefix(rest, ";") {
			_, rest = nextToken(rest[1:]) // a parameter
		}
		if !strings.HasPrefix(rest, ",") {
			return false
		}
		s = rest[1:]
	}
}

// equalFold compares without regard to the case of ASCII letters only. Where
// lower is ASCII, no other letter that Unicode folds to one of its has the same
// size.
func equalFold(s, lower string) bool {
	return len(s) == len(lower) && strings.EqualFold(s, lower)
}

// nextToken returns what stands before the next white space, comma or
// semicolon, and the rest behind white space. A quoted string hides all three
// (httpd 2.4 server/util.c, ap_get_token).
func nextToken(s string) (token, rest string) {
	s = strings.TrimLeft(s, " \t")
	end, quoted := 0, false
	for end < len(s) && (quoted || strings.IndexByte(" \t,;", s[end]) < 0) {
		if s[end] == '"' {
			quoted = !quoted
		}
		end++
	}
	return s[:end], strings.TrimLeft(s[end:], " \t")
}

// CheckRequest judges an opening handshake of version 13, 8 or 7; the first
// rule that is broken decides (RFC 6455, section 4.2.1). Host, access, handler,
// plugin and origin are the caller's.
func CheckRequest(r *Request) (Handshake, *Refusal) {
	version, known := parseVersion(r.Version)
	refuse := func(reason string) (Handshake, *Refusal) {
		return Handshake{}, &Refusal{Status: 400, Reason: reason, ListVersions: !known}
	}
	protocols, protocolsGood := parseProtocols(r.Protocol)
	switch {
	case r.Method != "GET":
		return refuse("A WebSocket handshake must be a GET request.")
	case !r.HTTP11:
		return refuse("A WebSocket handshake must use HTTP/1.1 or later.")
	case r.HasBody:
		return refuse("A WebSocket handshake must not declare a body.")
	case !known:
		return refuse("The version of the WebSocket protocol is missing or not one that is spoken here.")
	case len(r.Key) != 1:
		return refuse("A WebSocket handshake must have one Sec-WebSocket-Key header.")
	case !isKey(r.Key[0], version):
		return refuse("The Sec-WebSocket-Key header is malformed.")
	case !protocolsGood:
		return refuse("The Sec-WebSocket-Protocol header is no list of tokens.")
	}
	return Handshake{Version: version, Key: r.Key[0], Protocols: protocols}, nil
}

// parseVersion takes one line of digits that is 13, 8 or 7 (RFC 6455, section
// 4.3, version).
func parseVersion(lines []string) (v Version, known bool) {
	if len(lines) != 1 {
		return 0, false
	}
	switch lines[0] {
	case "13":
		return 13, true
	case "8":
		return 8, true
	case "7":
		return 7, true
	}
	return 0, false
}

// isKey judges the key by its version's rule: in version 13 it is the base64
// of 16 bytes (RFC 6455, section 4.2.1, item 5); clients of versions 8 and 7
// are known to send other sizes.
func isKey(key string, v Version) bool {
	data := strings.TrimRight(key, "=")
	padding := len(key) - len(data)
	for i := range len(data) {
		if !isBase64(data[i]) {
			return false
		}
	}
	if v == 13 {
		return len(data) == 22 && padding == 2 && strings.IndexByte("AQgw", data[21]) >= 0
	}
	return key != "" && padding <= 2
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// parseProtocols splits the lists of subprotocols, which may have empty
// elements but must not be empty as a whole (RFC 6455, section 11.3.4; RFC
// 9110, section 5.6.1).
func parseProtocols(lines []string) (protocols []string, good bool) {
	if len(lines) == 0 {
		return nil, true
	}
	for element := range strings.SplitSeq(strings.Join(lines, ", "), ",") {
		element = strings.Trim(element, " \t")
		if element == "" {
			continue
		}
		if !IsToken(element) {
			return nil, false
		}
		protocols = append(protocols, element)
	}
	return protocols, len(protocols) > 0
}

// IsToken reports whether s is a token (RFC 9110, section 5.6.2).
func IsToken(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

// tokenBytes are the bytes of a token: those that can be seen, but for these
// separators. It is constant.
var tokenBytes = func() (in [256]bool) {
	for c := '!'; c <= '~'; c++ {
		in[c] = !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}
	return in
}()

// AppendAccept appends what proves that the server has read the key (RFC 6455,
// section 4.2.2, item 5.4).
func AppendAccept(dst []byte, key string) []byte {
	var room [64]byte // for the 24 bytes of a key of version 13
	sum := sha1.Sum(append(append(room[:0], key...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// Field is a header field that the answer carries behind the handshake's own.
type Field struct{ Name, Value string }

// AppendResponse appends the head of the answer: these lines in this order,
// and nothing else. An empty protocol leaves its line out.
func AppendResponse(dst []byte, key, protocol string, fields []Field) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\n"+
		"Connection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "...)
	dst = AppendAccept(dst, key)
	dst = append(dst, "\r\n"...)
	if protocol != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", protocol)
	}
	for _, f := range fields {
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
