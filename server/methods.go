package server

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// knownMethods are those that httpd knows, whatever it does with them (httpd
// 2.4 modules/http/http_protocol.c, register_one_method). It is constant.
var knownMethods = map[string]bool{
	"GET": true, "HEAD": true, "PUT": true, "POST": true, "DELETE": true, "CONNECT": true, "OPTIONS": true, "TRACE": true,
	"PATCH": true, "PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true, "LOCK": true,
	"UNLOCK": true, "VERSION-CONTROL": true, "CHECKOUT": true, "UNCHECKOUT": true, "CHECKIN": true, "UPDATE": true,
	"LABEL": true, "REPORT": true, "MKWORKSPACE": true, "MKACTIVITY": true, "BASELINE-CONTROL": true, "MERGE": true,
}

// allowedMethods are those of a host's static files, for the Allow field.
func allowedMethods(h *httpdconf.Host) string {
	if h.Trace == httpdconf.TraceOff {
		return "GET,POST,OPTIONS,HEAD"
	}
	return "GET,POST,OPTIONS,HEAD,TRACE"
}

// refusalOf is how a method is refused that no file answers.
func (s *Server) refusalOf(method string) int {
	if s.isRegistered(method) {
		return fasthttp.StatusMethodNotAllowed
	}
	return fasthttp.StatusNotImplemented
}

func (s *Server) isRegistered(method string) bool {
	return knownMethods[method] || slices.Contains(s.cfg.Methods, method)
}

// checkMethod refuses under HttpProtocolOptions RegisteredMethods what httpd does
// not know, as the first host of the address has it (httpd 2.4
// server/protocol.c, ap_check_request_header).
func (s *Server) checkMethod(ctx *fasthttp.RequestCtx, r *route) (status int) {
	first := s.routes.first(r.local)
	if first.RegisteredMethods == nil || !*first.RegisteredMethods || s.isRegistered(string(ctx.Method())) {
		return 0
	}
	ctx.Response.Header.Set("Allow", "TRACE")
	return fasthttp.StatusNotImplemented
}

// answersTrace answers TRACE, whatever is asked for (httpd 2.4
// modules/http/http_filters.c, ap_send_http_trace).
func (s *Server) answersTrace(ctx *fasthttp.RequestCtx, r *route) bool {
	switch h := r.host; {
	case string(ctx.Method()) != fasthttp.MethodTrace:
		return false
	case h.Trace == httpdconf.TraceOff:
		ctx.Response.Header.Set("Allow", allowedMethods(h))
		s.answer(ctx, fasthttp.StatusMethodNotAllowed)
	case hasBody(ctx):
		s.answer(ctx, fasthttp.StatusRequestEntityTooLarge)
	default:
		ctx.SetContentType("message/http")
		if text := requestText(ctx); ctx.Request.Header.IsHTTP11() {
			ctx.SetBodyStream(strings.NewReader(text), -1) // in chunks, as httpd's
		} else {
			ctx.SetBodyString(text)
		}
	}
	return true
}

// hasBody reports whether a request announces a body that is not empty.
func hasBody(ctx *fasthttp.RequestCtx) bool {
	lengths := headerLines(ctx, "Content-Length")
	return headerLines(ctx, "Transfer-Encoding") != nil || len(lengths) > 0 && strings.Trim(lengths[0], "0") != ""
}

// requestText is a request's head as httpd gives it back: lines of one name are
// joined.
func requestText(ctx *fasthttp.RequestCtx) string {
	h, index := &ctx.Request.Header, headOf(ctx)
	var b strings.Builder
	b.WriteString(string(h.Method()) + " " + string(h.RequestURI()) + " " + string(h.Protocol()) + "\r\n")
	seen := make(map[string]bool)
	for _, name := range index.names {
		if lower := strings.ToLower(name); !seen[lower] {
			seen[lower] = true
			b.WriteString(name + ": " + strings.Join(index.lines(name), ", ") + "\r\n")
		}
	}
	b.WriteString("\r\n")
	return b.String()
}
