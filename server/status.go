package server

import (
	"fmt"
	"html"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// statusTexts are the sentences of error pages (httpd 2.4
// modules/http/http_protocol.c, get_canned_error_string). It is constant.
var statusTexts = map[int]string{
	301: "The document has moved.",
	400: "Your browser sent a request that this server could not understand.",
	403: "You don't have permission to access this resource.",
	404: "The requested URL was not found on this server.",
	405: "The requested method is not allowed for this URL.",
	408: "Server timeout waiting for the HTTP request from the client.",
	412: "The precondition on the request for the URL evaluated to false.",
	413: "The body of the request is larger than this server takes.",
	414: "The requested URL's length exceeds the capacity limit for this server.",
	416: "None of the range-specifier values in the Range request-header field overlap the current extent of the selected resource.",
	417: "The expectation given in the Expect request-header field could not be met by this server.",
	431: "Size of the request headers exceeds the server limit.",
	500: "The server encountered an internal error and was unable to complete your request.",
	501: "This server does not have what is needed for this request.",
	505: "The HTTP version of the request is not supported by this server.",
}

func statusText(status int) string {
	if text, ok := statusTexts[status]; ok {
		return text
	}
	return fasthttp.StatusMessage(status) + "."
}

// setError makes the answer an error page that says reason, or one without a
// body for no reason. Nothing of a request stands in it.
func setError(r *fasthttp.Response, status int, reason string) {
	r.SetStatusCode(status)
	if reason == "" {
		r.ResetBody()
		return
	}
	r.Header.SetContentType("text/html; charset=iso-8859-1")
	phrase := html.EscapeString(fasthttp.StatusMessage(status))
	r.SetBodyString(fmt.Sprintf(`<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>%d %s</title>
</head><body>
<h1>%s</h1>
<p>%s</p>
</body></html>
`, status, phrase, phrase, html.EscapeString(reason)))
}

// refuse answers an error and ends the connection behind it: whatever followed
// the request's head is thrown away.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, status int, reason string) {
	setError(&ctx.Response, status, reason)
	ctx.SetConnectionClose()
}

// setRefusal is refuse for a connection that has left fasthttp, whose headers
// it then has to have by itself.
func (s *Server) setRefusal(r *fasthttp.Response, status int, reason string) {
	setError(r, status, reason)
	r.Header.SetServer(serverBanner(s.cfg.Tokens))
	r.SetConnectionClose()
}

// answer answers an error on a connection that goes on, unless the error casts
// doubt on what follows (httpd 2.4 include/http_protocol.h,
// ap_status_drops_connection).
func (s *Server) answer(ctx *fasthttp.RequestCtx, status int) {
	if status == fasthttp.StatusNotModified { // which is no error, and has no page
		ctx.SetStatusCode(status)
		return
	}
	setError(&ctx.Response, status, statusText(status))
	switch status {
	case fasthttp.StatusBadRequest, fasthttp.StatusRequestTimeout, fasthttp.StatusLengthRequired, fasthttp.StatusRequestEntityTooLarge, fasthttp.StatusRequestURITooLong,
		fasthttp.StatusInternalServerError, fasthttp.StatusServiceUnavailable, fasthttp.StatusNotImplemented:
		ctx.SetConnectionClose()
	}
}

func (s *Server) logPanic(ctx *fasthttp.RequestCtx, cause any) {
	s.log.printf("core", httpdconf.LevelError, ctx.RemoteAddr().String(), "panic: %v\n%s", cause, debug.Stack())
}
