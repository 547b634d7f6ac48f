package server

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// overlong stands for a request target that is too long. A blank in a target
// cannot come from a client: the request line is split at it.
const overlong = "/ overlong"

// receiveHead sees a request's head before fasthttp parses its target and
// reads a body. A target that is too long is taken away: cleaning it up takes
// fasthttp time that grows with the square of it. No body is read but the 8
// bytes that draft-76 clients may declare; whoever sends one is answered by
// what the head says, and the connection is closed.
func (s *Server) receiveHead(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	const httpdsOwn = 1 // byte that it takes above each limit
	if len(h.Method())+len(h.RequestURI())+len("  HTTP/1.1") > s.cfg.Main.Limits.Line+httpdsOwn {
		h.SetRequestURI(overlong)
	}
	raw := h.RawHeaders()
	if saysClose(raw) {
		h.SetConnectionClose() // fasthttp knows it as the only word of the last line
	}
	if declaresKey3(raw) {
		return c
	}
	if fieldIn(raw, "Content-Length") || fieldIn(raw, "Transfer-Encoding") || fieldIn(raw, "Expect") {
		h.SetContentLength(0)
		h.Del("Expect")
	}
	return c
}

// saysClose reports whether "close" is among the Connection options (RFC 9112,
// section 9.6).
func saysClose(raw []byte) bool {
	for _, line := range rawLines(raw, "Connection") {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), "close") {
				return true
			}
		}
	}
	return false
}

func fieldIn(raw []byte, name string) bool { return len(rawLines(raw, name)) > 0 }

// rawLines returns the values of all lines with this name, in any case,
// without the white space around them.
func rawLines(raw []byte, name string) []string {
	var lines []string
	for rest := raw; len(rest) > len(name); {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(line) <= len(name) || line[len(name)] != ':' || !strings.EqualFold(string(line[:len(name)]), name) {
			continue
		}
		lines = append(lines, string(bytes.Trim(line[len(name)+1:], " \t\r")))
	}
	return lines
}

// checkHead judges what fasthttp lets pass and httpd does not (RFC 9112,
// sections 2.3, 3.2, 5.1 and 6.1). Status 0 stands for a good head; authority
// is what the request is addressed to.
func checkHead(ctx *fasthttp.RequestCtx) (authority string, status int) {
	h := &ctx.Request.Header
	target := string(h.RequestURI())
	switch {
	case target == overlong:
		return "", fasthttp.StatusRequestURITooLong
	case !bytes.HasPrefix(h.Protocol(), []byte("HTTP/1.")):
		return "", fasthttp.StatusHTTPVersionNotSupported
	case hasBareLF(ctx), !headOf(ctx).good:
		return "", fasthttp.StatusBadRequest
	}
	if status := checkBody(ctx); status != 0 {
		return "", status
	}
	hosts := headerLines(ctx, "Host")
	if len(hosts) > 1 || len(hosts) == 0 && h.IsHTTP11() {
		return "", fasthttp.StatusBadRequest
	}
	if len(hosts) == 1 {
		if authority = hosts[0]; !isAuthority(authority) {
			return "", fasthttp.StatusBadRequest
		}
	}
	if of, absolute := authorityOf(target); absolute {
		if authority = of; !isAuthority(authority) {
			return "", fasthttp.StatusBadRequest
		}
	}
	return authority, 0
}

// setHost puts the authority of a target in absolute form in the place of what
// the Host field says (RFC 9112, section 3.2.2).
func setHost(ctx *fasthttp.RequestCtx, authority string) {
	list := splitFields(rawHeaders(ctx))
	list.set("Host", authority)
	setRawHeaders(ctx, joinFields(list))
}

// knownMethods are those that httpd knows, whatever it does with them (httpd
// 2.4 modules/http/http_protocol.c, register_one_method). It is constant.
var knownMethods = map[string]bool{
	"GET": true, "HEAD": true, "PUT": true, "POST": true, "DELETE": true, "CONNECT": true, "OPTIONS": true, "TRACE": true,
	"PATCH": true, "PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true, "LOCK": true,
	"UNLOCK": true, "VERSION-CONTROL": true, "CHECKOUT": true, "UNCHECKOUT": true, "CHECKIN": true, "UPDATE": true,
	"LABEL": true, "REPORT": true, "MKWORKSPACE": true, "MKACTIVITY": true, "BASELINE-CONTROL": true, "MERGE": true,
}

// checkBody judges what a head says of the body behind it (RFC 9112, section
// 6.3, and RFC 9110, section 10.1.1).
func checkBody(ctx *fasthttp.RequestCtx) int {
	lengths, codings := headerLines(ctx, "Content-Length"), headerLines(ctx, "Transfer-Encoding")
	switch {
	case len(lengths) > 0 && len(codings) > 0: // a request within the request
		return fasthttp.StatusBadRequest
	case len(codings) > 0 && !strings.EqualFold(codings[0], "chunked"): // fasthttp takes "identity" too
		return fasthttp.StatusBadRequest
	}
	if len(lengths) > 0 { // it is one number: fasthttp has refused all else
		if n, err := strconv.ParseInt(lengths[0], 10, 64); err != nil || n < 0 {
			return fasthttp.StatusRequestEntityTooLarge
		}
	}
	for _, expected := range headerLines(ctx, "Expect") {
		if !strings.EqualFold(expected, "100-continue") {
			return fasthttp.StatusExpectationFailed
		}
	}
	return 0
}

// hasBareLF reports whether a line of the head ends in LF alone (httpd 2.4
// under HttpProtocolOptions Strict).
func hasBareLF(ctx *fasthttp.RequestCtx) bool {
	switch c := ctx.Conn().(type) {
	case *netConn:
		return c.scan.bareLF
	case *memConn:
		return c.front.scan.bareLF
	}
	return false
}

// authorityOf returns the authority of a target in absolute form.
func authorityOf(target string) (authority string, absolute bool) {
	scheme, rest, found := strings.Cut(target, "://")
	if !found || strings.ContainsAny(scheme, "/?") {
		return "", false
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest, true
}

// isAuthority reports whether s is a host and perhaps a port, of the bytes that
// httpd takes (RFC 9110, section 7.2; httpd 2.4 server/vhost.c, fix_hostname).
func isAuthority(s string) bool {
	host, port, hasPort := cutPort(s)
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return false
		}
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		inner, closed := strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		return closed && err == nil && ip.Is6() && ip.Zone() == ""
	}
	for i := range len(host) {
		c := host[i]
		isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !isLetter && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return host != "" && host != "." && !strings.Contains(host, "..")
}
