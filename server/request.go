package server

import (
	"bytes"
	"hash/maphash"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// request holds the facts of an upgrade request that outlive fasthttp's
// context: copied once, read-only afterwards, and so free for any goroutine.
type request struct {
	target    string // as in the request line
	remote    netip.AddrPort
	header    headerBlock
	protocols []string
	log       *errorLog     // of the host, at the levels of the path
	facts     *requestFacts // nil where the plugin cannot ask for them
}

// remoteOf returns the client's address.
func remoteOf(ctx *fasthttp.RequestCtx) netip.AddrPort {
	if m, inMemory := ctx.Conn().(*memConn); inMemory {
		return m.front.peer
	}
	if a, ok := ctx.RemoteAddr().(*net.TCPAddr); ok {
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// lookup returns the values of all lines with this name, in any case, joined
// with ", " (RFC 9110, section 5.3), and whether there is one.
func (r *request) lookup(name string) (value string, present bool) {
	if r.header.hasKey && strings.EqualFold(name, keyName) {
		return string(r.header.key[:]), true
	}
	for line := range strings.SplitSeq(r.header.lines, "\n") {
		n, v, isField := strings.Cut(line, ":")
		if !isField || !strings.EqualFold(n, name) {
			continue
		}
		v = strings.Trim(v, " \t\r")
		if present {
			value += ", " + v
			continue
		}
		value, present = v, true
	}
	return value, present
}

// fields lists the header, the values of one name joined at the first of its
// lines (httpd 2.4 server/protocol.c, ap_get_mime_headers_core).
func (r *request) fields() (list []pluginloader.Field) {
	for line := range strings.SplitSeq(r.header.whole(), "\n") {
		name, _, isField := strings.Cut(line, ":")
		known := func(f pluginloader.Field) bool { return strings.EqualFold(f.Name, name) }
		if isField && !slices.ContainsFunc(list, known) {
			value, _ := r.lookup(name)
			list = append(list, pluginloader.Field{Name: name, Value: value})
		}
	}
	return list
}

// keyName is the one field that differs between requests of one client.
const keyName = "Sec-WebSocket-Key"

// headerBlock holds a header, lines as received. The key of the handshake
// stands apart, so that what is left is often the same for many connections,
// and kept once.
type headerBlock struct {
	lines  string
	key    [24]byte
	hasKey bool
	keyAt  uint32 // where its line stood
}

// whole is the header with the key in its place.
func (h *headerBlock) whole() string {
	if !h.hasKey {
		return h.lines
	}
	return h.lines[:h.keyAt] + keyName + ": " + string(h.key[:]) + "\n" + h.lines[h.keyAt:]
}

func newHeaderBlock(raw []byte) (h headerBlock) {
	begin, end, ok := keyLine(raw)
	if !ok {
		h.lines = intern(raw)
		return h
	}
	value := bytes.Trim(raw[begin+len(keyName)+1:end], " \t\r\n")
	if len(value) != len(h.key) {
		h.lines = intern(raw)
		return h
	}
	copy(h.key[:], value)
	h.hasKey, h.keyAt = true, uint32(begin)
	var room [1024]byte
	h.lines = intern(append(append(room[:0], raw[:begin]...), raw[end:]...))
	return h
}

// keyLine finds the line of the key, if there is just one.
func keyLine(raw []byte) (begin, end int, ok bool) {
	for at := 0; at < len(raw); {
		next := len(raw)
		if i := bytes.IndexByte(raw[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if line := raw[at:next]; len(line) > len(keyName) && line[len(keyName)] == ':' &&
			bytes.EqualFold(line[:len(keyName)], []byte(keyName)) {
			if ok {
				return 0, 0, false
			}
			begin, end, ok = at, next, true
		}
		at = next
	}
	return begin, end, ok
}

// lately holds strings that were interned, each in the place that its hash
// gives it.
var lately [256]atomic.Pointer[string]

var hashSeed = maphash.MakeSeed()

// intern returns b as a string, the same one as lately where that is equal.
func intern(b []byte) string {
	place := &lately[maphash.Bytes(hashSeed, b)%uint64(len(lately))]
	if s := place.Load(); s != nil && *s == string(b) {
		return *s
	}
	s := string(b)
	place.Store(&s)
	return s
}
