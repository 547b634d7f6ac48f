package server

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/ws"
)

// headIndex is a request's header, taken apart once for all who look things up
// in it. It lives in the connection and is used again by its next request: the
// slices it gives out do not outlive the handler, the strings do, and hold all
// of the header in memory.
type headIndex struct {
	names, values []string // of each line, in order; values without the white space around them
	good          bool     // as httpd demands: see take
}

// headOf returns the index of the request that ctx serves, which take has
// filled.
func headOf(ctx *fasthttp.RequestCtx) *headIndex {
	switch c := ctx.Conn().(type) {
	case *memConn:
		return &c.index
	case *netConn:
		return &c.index
	}
	h := new(headIndex)
	h.take(receivedHeader(ctx), &unlimited)
	return h
}

// unlimited judges no size: that was done before. It is constant.
var unlimited = httpdconf.HTTPLimits{FieldSize: 1 << 30}

// take takes a header apart, and judges each of its lines: a token, a colon
// right behind it, and a value without control bytes; lines end in CR LF, and
// none continues another (RFC 9112, section 5). A line without a colon has no
// name.
func (h *headIndex) take(raw []byte, limits *httpdconf.HTTPLimits) {
	h.names, h.values, h.good = h.names[:0], h.values[:0], true
	all := string(raw) // raw is what is searched: the copy is not in the cache yet
	for begin := 0; begin < len(raw); {
		end, next := len(raw), len(raw)
		if i := bytes.IndexByte(raw[begin:], '\n'); i >= 0 {
			end, next = begin+i, begin+i+1
		}
		line := all[begin:end]
		begin = next
		line, hasCR := strings.CutSuffix(line, "\r")
		h.good = h.good && hasCR
		if line == "" {
			continue
		}
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			h.good = false
			continue
		}
		name, value := line[:colon], line[colon+1:]
		if len(line) > limits.FieldSize+1 || !ws.IsToken(name) || !isFieldValue(value) {
			h.good = false
		}
		h.names, h.values = append(h.names, name), append(h.values, trimValue(value))
	}
	h.good = h.good && (limits.Fields == 0 || len(h.names) <= limits.Fields)
}

// lines returns the values of all lines with this name, in any case.
func (h *headIndex) lines(name string) []string {
	for i := range h.names {
		if !sameName(h.names[i], name) {
			continue
		}
		found := h.values[i : i+1 : i+1]
		for j := i + 1; j < len(h.names); j++ {
			if sameName(h.names[j], name) {
				found = append(found, h.values[j])
			}
		}
		return found
	}
	return nil
}

// trimValue takes the white space around a value away.
func trimValue(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\r' }

func sameName(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// headerLines returns the values of all lines with this name: fasthttp keeps
// some headers apart, joins others, and shows the first of many. The slice must
// not outlive the handler.
func headerLines(ctx *fasthttp.RequestCtx, name string) []string { return headOf(ctx).lines(name) }
