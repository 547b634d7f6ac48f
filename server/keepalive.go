package server

import (
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
)

// keepAlive decides whether a connection goes on behind an answer that is made,
// and for how long the next request is waited for. A client that has asked for
// it is told so, all are told the end (httpd 2.4 modules/http/http_protocol.c,
// ap_set_keepalive).
func keepAlive(ctx *fasthttp.RequestCtx, r *route) {
	c, is := ctx.Conn().(*netConn)
	if !is || c.session != nil || c.awaits != nil {
		return // it is no HTTP any more, or ends with this answer
	}
	c.isLast = ctx.Request.Header.ConnectionClose() && !declaresBody(ctx)
	l := &r.host.Limits
	left := l.MaxRequests - c.keepAlives // of answers that may be followed by a request
	isLast := l.MaxRequests > 0 && left <= 0
	if isLast {
		c.keepAlives++ // counts in the log all the same
	}
	asked := hasOption(headerLines(ctx, "Connection"), "keep-alive")
	ends := closedByEnv(ctx, r.answering(), asked) || ctx.Request.Header.ConnectionClose() || ctx.Response.ConnectionClose()
	if ends || isLast || !l.KeepAlive || l.KeepAliveTime <= 0 {
		ctx.SetConnectionClose()
		return
	}
	c.keepAlives++
	c.keepAlive = l.KeepAliveTime
	if !asked {
		return
	}
	ctx.Response.Header.Set("Connection", "Keep-Alive")
	value := fmt.Sprintf("timeout=%d", int(l.KeepAliveTime.Seconds()))
	if l.MaxRequests > 0 {
		value += fmt.Sprintf(", max=%d", left)
	}
	ctx.Response.Header.Set("Keep-Alive", value)
}

// closedByEnv has the variables by which BrowserMatch tells clients that are
// broken act, and reports whether they end the connection. asked says that the
// client has asked for it to stay (httpd 2.4 modules/http/http_filters.c,
// basic_http_header_check).
func closedByEnv(ctx *fasthttp.RequestCtx, r *route, asked bool) bool {
	isOld := !ctx.Request.Header.IsHTTP11() || r.isSet("downgrade-1.0")
	switch {
	case isOld && r.isSet("force-response-1.0"):
		ctx.Response.Header.SetProtocol([]byte("HTTP/1.0"))
		return true
	case isOld && !asked:
		return true
	}
	return r.isSet("nokeepalive") && headerLines(ctx, "Via") == nil
}

// hasOption reports whether an option is among those of Connection's lines.
func hasOption(lines []string, option string) bool {
	for _, line := range lines {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(word, " \t"), option) {
				return true
			}
		}
	}
	return false
}

// keepConnectionField has fasthttp leave the answer's Connection as it is: for
// HTTP/1.0 it would put a word of its own there. Nothing else that is still to
// be done asks for the version.
func keepConnectionField(ctx *fasthttp.RequestCtx) {
	if !ctx.Response.ConnectionClose() {
		ctx.Request.Header.SetProtocol("HTTP/1.1")
	}
}

// keepAlivesOf returns how many answers of a connection could be, or can be,
// followed by a request.
func keepAlivesOf(ctx *fasthttp.RequestCtx) int {
	if c, is := ctx.Conn().(*netConn); is {
		return c.keepAlives
	}
	return 0
}

// fate is what becomes of a connection behind an answer, as %X says it (httpd
// 2.4 modules/loggers/mod_log_config.c, log_connection_status).
type fate byte

const (
	connCut   fate = 'X' // or, for HTTP, become something else
	connStays fate = '+'
	connEnds  fate = '-'
)

// fateOf returns the fate of a connection whose answer has not failed yet. On
// what the last answer before MaxKeepAliveRequests is told httpd and its log
// differ.
func fateOf(ctx *fasthttp.RequestCtx, r *route, status int) fate {
	switch l := &r.host.Limits; {
	case status == fasthttp.StatusSwitchingProtocols:
		return connCut
	case r.bad != nil, ctx.Response.ConnectionClose(), l.MaxRequests > 0 && keepAlivesOf(ctx) >= l.MaxRequests:
		return connEnds
	}
	return connStays
}
