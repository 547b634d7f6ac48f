package server

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
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
	if len(h.RequestURI()) > s.routes.longest {
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
	return hasOption(rawLines(raw, "Connection"), "close")
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

// httpdsOwn is the byte that httpd takes above LimitRequestLine.
const httpdsOwn = 1

// checkHead judges what fasthttp lets pass and httpd does not (RFC 9112,
// sections 2.3, 3.2, 5.1 and 6.1). Status 0 stands for a good head.
func (s *Server) checkHead(ctx *fasthttp.RequestCtx) (authority string, status int) {
	h := &ctx.Request.Header
	target := string(h.RequestURI())
	switch {
	case target == overlong, len(h.Method())+len(target)+len("  HTTP/1.1") > s.limitsOf(ctx).Line+httpdsOwn:
		return "", fasthttp.StatusRequestURITooLong
	case !bytes.HasPrefix(h.Protocol(), []byte("HTTP/1.")):
		return "", fasthttp.StatusHTTPVersionNotSupported
	case hasBareLF(ctx), !headOf(ctx).good:
		return "", fasthttp.StatusBadRequest
	}
	if status := checkBody(ctx); status != 0 {
		return "", status
	}
	authority, good := addressOf(headerLines(ctx, "Host"), target, s.urlScheme(ctx), h.IsHTTP11())
	if !good {
		return "", fasthttp.StatusBadRequest
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

// addressOf returns whom a request is addressed to: what its target names under
// the connection's scheme, else what Host does, which is then judged; nobody
// where HTTP/1.0 has neither (httpd 2.4 server/vhost.c,
// fix_hostname and ap_update_vhost_from_headers; server/protocol.c,
// ap_parse_uri).
func addressOf(hosts []string, target, scheme string, is11 bool) (authority string, good bool) {
	if is11 && len(hosts) == 0 {
		return "", false
	}
	if t := splitTarget(target); t.hasAuthority && strings.EqualFold(t.scheme, scheme) {
		host, port, _ := cutPort(t.authority)
		return t.authority, (host == "" || isAuthority(host)) && strings.Trim(port, "0123456789") == ""
	}
	switch {
	case len(hosts) == 0:
		return "", true
	case len(hosts) > 1:
		return "", false
	}
	return hosts[0], isAuthority(hosts[0]) || hosts[0] == "" && !is11
}

// limitsOf returns the limits that hold for a request's head: its Host is not
// asked for.
func (s *Server) limitsOf(ctx *fasthttp.RequestCtx) *httpdconf.HTTPLimits {
	switch c := ctx.Conn().(type) {
	case *memConn:
		return &c.front.base().Limits
	case *netConn:
		return c.limits
	}
	return &s.cfg.Main.Limits
}

// urlScheme is the scheme under which a request's target names its host.
func (s *Server) urlScheme(ctx *fasthttp.RequestCtx) string {
	if overTLS(ctx) != nil || s.routes.first(localAddr(ctx)).Scheme == "https" {
		return "https"
	}
	return "http"
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

// target is a request target in absolute form, taken apart.
type target struct {
	scheme, authority string
	hasAuthority      bool
	rest              string // path and query
}

// splitTarget takes a target apart. One that has no scheme is all rest.
func splitTarget(s string) target {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || strings.ContainsAny(scheme, "/?") || !strings.HasPrefix(rest, "/") {
		return target{rest: s}
	}
	authority, hasAuthority := strings.CutPrefix(rest, "//")
	if !hasAuthority {
		return target{scheme: scheme, rest: rest}
	}
	rest = ""
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority, rest = authority[:i], authority[i:]
	}
	return target{scheme, authority, true, rest}
}

// isAsterisk reports whether a target stands for the server as a whole: "*",
// or a host without a path (RFC 9112, section 3.2.4).
func isAsterisk(s string) bool {
	t := splitTarget(s)
	return s == "*" || t.hasAuthority && t.rest == ""
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
	return host != "" && host != "." && !strings.Contains(host, "..") && isStrictHost(strings.TrimSuffix(host, "."))
}

// isStrictHost reports whether a name of digits and dots is an IPv4 address
// without leading zeros, and whether the last label of another begins with a
// letter (httpd 2.4 server/vhost.c, strict_hostname_check).
func isStrictHost(host string) bool {
	if strings.Trim(host, "0123456789.") != "" {
		last := host[strings.LastIndexByte(host, '.')+1:]
		return last == host || last[0]|0x20 >= 'a' && last[0]|0x20 <= 'z'
	}
	labels := strings.Split(host, ".")
	return len(labels) == 4 && !slices.ContainsFunc(labels, func(l string) bool { return l == "" || len(l) > 1 && l[0] == '0' })
}
