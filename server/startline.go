package server

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/valyala/fasthttp"
)

// startLine keeps a request's first line as it comes: fasthttp gives it away
// where it cannot read the head, and logs tell it.
type startLine struct {
	text  []byte // without its end in LF; overlong ones in part
	whole bool   // the LF has come
}

// take takes what has come of a head. Blank lines in front of it are none of it
// (RFC 9112, section 2.2). Of one that is longer than limit no more is kept than
// tells that.
func (l *startLine) take(p []byte, limit int) {
	if l.whole {
		return
	}
	if len(l.text) == 0 {
		p = bytes.TrimLeft(p, "\r\n")
	}
	p, _, l.whole = bytes.Cut(p, []byte{'\n'})
	l.text = append(l.text, p[:min(len(p), limit+len("\r\n")-len(l.text))]...)
}

// reset makes room for the next one.
func (l *startLine) reset() { l.text, l.whole = l.text[:0], false }

// badLine is what logs tell of the line of a request whose head was refused.
type badLine struct {
	request, method, path, query, protocol string

	unanswered bool // nothing of it has come
}

// logged returns what httpd logs of the line: its first three words, behind one
// blank each. Of a line that has not ended, is longer than limit or ends in LF
// alone nothing is told apart (httpd 2.4 server/protocol.c, read_request_line
// and ap_parse_request_line).
func (l *startLine) logged(limit int) *badLine {
	text, hasCR := strings.CutSuffix(string(l.text), "\r")
	switch {
	case !l.whole:
		return &badLine{protocol: "HTTP/1.0", unanswered: len(text) == 0}
	case len(text) > limit+httpdsOwn, len(text) > limit && !hasCR:
		return &badLine{request: text[:limit+httpdsOwn], protocol: "HTTP/1.0"}
	case !hasCR:
		return &badLine{request: text + "\n", protocol: "HTTP/1.0"}
	}
	words := strings.Fields(text)
	words = words[:min(len(words), 3)]
	b := &badLine{request: strings.Join(words, " "), path: "/", protocol: "HTTP/1.0"}
	if len(words) > 0 {
		b.method = words[0]
	}
	if len(words) > 1 {
		b.path, b.query = rawPath(words[1])
	}
	if len(words) > 2 && isProtocol(words[2]) {
		b.protocol = words[2]
	}
	return b
}

// rawPath returns path and query of a target that cannot be mapped, as they
// came.
func rawPath(target string) (path, query string) {
	rest, _, _ := strings.Cut(splitTarget(target).rest, "#")
	path, query, _ = strings.Cut(rest, "?")
	return cmp.Or(path, "/"), query
}

// isProtocol reports whether a word names a version of HTTP, from 1.0 on.
func isProtocol(word string) bool {
	return len(word) == len("HTTP/1.1") && strings.EqualFold(word[:5], "HTTP/") &&
		word[5] >= '1' && word[5] <= '9' && word[6] == '.' && word[7] >= '0' && word[7] <= '9'
}

// badLineOf returns the line of a request whose head is refused; nil where
// somebody else has read it.
func (s *Server) badLineOf(ctx *fasthttp.RequestCtx) *badLine {
	if c, is := ctx.Conn().(*netConn); is {
		return c.line.logged(c.limits.Line)
	}
	return nil
}

// of returns what an item of a log is taken from, if it is one of the line.
func (b *badLine) of(directive byte) (text string, is bool) {
	switch directive {
	case 'H':
		return b.protocol, true
	case 'm':
		return b.method, true
	case 'r':
		return b.request, true
	}
	return "", false
}
