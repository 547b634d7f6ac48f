package server

import (
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// finish is what stands between an answer and the client: ErrorDocument, the
// footer of error pages, Header. What is no answer of fasthttp's it leaves
// alone: a WebSocket's 101 has the lines of the handshake and of the plugin and
// no others.
func (s *Server) finish(ctx *fasthttp.RequestCtx, r *route) {
	if m, inMemory := ctx.Conn().(*memConn); inMemory && (!m.decided || len(m.head) > 0 || m.awaits != nil) || ctx.Hijacked() {
		return
	}
	s.expire(ctx, r)
	core := r.settings.Core
	if core == nil && r.settings.Headers == nil && r.vary == nil {
		return
	}
	if status := ctx.Response.StatusCode(); hasDocument(status) && core != nil {
		r = s.errorDocument(ctx, r, core.ErrorDocuments[status])
	}
	s.sign(ctx, r)
	s.editAnswer(ctx, r)
}

// hasDocument reports whether an answer is one that ErrorDocument is for: the
// server's own, redirects among them, and not a handler's.
func hasDocument(status int) bool {
	return status >= 300 && status != fasthttp.StatusNotModified && status != fasthttp.StatusPreconditionFailed
}

// pageEnd ends a page of setError; the footer goes in front of it.
const pageEnd = "</body></html>\n"

// sign puts the footer on an error page.
func (s *Server) sign(ctx *fasthttp.RequestCtx, r *route) {
	if ctx.Response.StatusCode() < 300 || r.isDocument || ctx.Response.IsBodyStream() {
		return
	}
	if page, is := strings.CutSuffix(string(ctx.Response.Body()), pageEnd); is {
		if footer := r.signature(); footer != "" {
			ctx.Response.SetBodyString(page + footer + pageEnd)
		}
	}
}

// errorDocument puts something else in an error page's place, and returns the
// route whose settings hold for the answer (httpd 2.4
// modules/http/http_request.c, ap_die_r).
func (s *Server) errorDocument(ctx *fasthttp.RequestCtx, r *route, d httpdconf.ErrorDocument) *route {
	if d.Kind == httpdconf.DefaultDocument {
		return r
	}
	text, err := d.Text.String(exprEnv{ctx, r})
	if err != nil {
		s.logOf(r).printf("core", httpdconf.LevelError, r.client.String(), "AH02841: core: ErrorDocument: can't evaluate require expression: %v", err)
		return r
	}
	r.trace.document(ctx.Response.StatusCode(), &d, text)
	switch d.Kind {
	case httpdconf.TextDocument:
		ctx.Response.Header.SetContentType("text/html; charset=iso-8859-1")
		ctx.Response.SetBodyString(text)
		r.isDocument = true
		page := *r
		page.isDocument = false // it is an error's answer: Header always alone
		page.settings.Core = nil
		return &page
	case httpdconf.URLDocument:
		ctx.Response.Header.Del("Allow")
		setError(&ctx.Response, fasthttp.StatusFound, statusTexts[fasthttp.StatusMovedPermanently])
		ctx.Response.Header.Set("Location", text)
		return r
	}
	return s.pathDocument(ctx, r, text)
}

// pathDocument answers with a file of this server, under the status of the
// error (httpd 2.4 modules/http/http_request.c, ap_internal_redirect).
func (s *Server) pathDocument(ctx *fasthttp.RequestCtx, r *route, target string) *route {
	status := ctx.Response.StatusCode()
	inner := r.renamed()
	inner.user, inner.notes, inner.isDocument = r.user, r.notes, true
	inner.env.set("REDIRECT_STATUS", fmt.Sprint(status))
	inner.env.set("REDIRECT_REQUEST_METHOD", string(ctx.Method())) // no _URL, which programs alone are given
	second := fasthttp.StatusInternalServerError
	var bad int
	if inner.path, inner.query, bad = parseTarget(target, r.host.Paths); bad == 0 {
		if answer := s.rewritePath(ctx, inner); answer != 0 {
			return s.errorAnew(ctx, inner, answer)
		}
		second = s.serveDocument(ctx, inner, r)
	}
	ctx.Response.SetStatusCode(status)
	if second == fasthttp.StatusOK {
		return inner
	}
	r.answered = true
	ctx.Response.Header.Del("Location")
	setError(&ctx.Response, status, statusText(status))
	page := strings.TrimSuffix(string(ctx.Response.Body()), pageEnd)
	ctx.Response.SetBodyString(page + fmt.Sprintf("<p>Additionally, a %d %s\nerror was encountered while trying to use an ErrorDocument to handle the request.</p>\n",
		status, fasthttp.StatusMessage(status)) + pageEnd) // the first error's status, as in httpd
	return r
}

// errorAnew answers an ErrorDocument's path as a rule of mod_rewrite wants it:
// that is no second error, and has an ErrorDocument of its own (httpd 2.4
// modules/http/http_request.c, ap_die_r, to which mod_rewrite has hidden the
// first).
func (s *Server) errorAnew(ctx *fasthttp.RequestCtx, r *route, status int) *route {
	s.answer(ctx, status)
	core := r.settings.Core
	if r.redirects++; status < 400 || core == nil || r.redirects > r.host.Limits.Redirects {
		return r
	}
	return s.errorDocument(ctx, r, core.ErrorDocuments[status])
}

// renamed returns a route for what is served in a route's place, which begins
// anew. What the environment holds has other names there (httpd 2.4
// modules/http/http_request.c, rename_original_env).
func (r *route) renamed() *route {
	next := &route{
		host: r.host, target: r.target, authority: r.authority, merged: r.merged, glance: r.glance, locations: r.locations, client: r.client,
		tokens: r.tokens, settings: r.host.Base, scheme: r.scheme, isTLS: r.isTLS, local: r.local, redirects: r.redirects, subrequests: r.subrequests, rewriteEnded: r.rewriteEnded, cookies: r.cookies, trace: r.trace, ctx: r.ctx, id: r.id,
	}
	for _, v := range r.env {
		next.env.set("REDIRECT_"+v.name, v.value)
	}
	r.next = next
	return next
}

// serveDocument serves a path as if it had been asked for, without conditions
// and ranges, which are not for errors. Access is not asked for again under the
// settings that have refused it. It returns the status that came of it (httpd
// 2.4 server/request.c, ap_process_request_internal).
func (s *Server) serveDocument(ctx *fasthttp.RequestCtx, r, outer *route) int {
	method := string(ctx.Method())
	defer ctx.Request.Header.SetMethod(method) // for the log
	ctx.Request.Header.SetMethod(fasthttp.MethodGet)
	ctx.Response.SkipBody = method == fasthttp.MethodHead
	setRawHeaders(ctx, without(rawHeaders(ctx), "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Range", "If-Range"))
	ctx.Response.ResetBody()
	ctx.Response.SetStatusCode(fasthttp.StatusOK)
	if base := r.host.Base.Env; base != nil {
		r.setEnvIf(ctx, base.Rules)
	}
	s.walk(ctx, r)
	if r.settings == outer.settings { // what has closed the first would close this one
		if status := s.rewriteHere(ctx, r); status != 0 {
			return status
		}
		r.setEnv()
		s.fixupHeaders(ctx, r)
	} else if status := s.phases(ctx, r); status != 0 {
		return status
	}
	switch {
	case r.inside != nil:
	case s.isUnserved(r, r.handler()):
		return fasthttp.StatusNotImplemented
	default:
		s.serveFile(ctx, r)
	}
	if r.inside == nil {
		return ctx.Response.StatusCode()
	}
	next, status := s.redirectedInside(r)
	if status != 0 {
		return status
	}
	*r = *next
	r.isDocument = true
	if status := s.rewritePath(ctx, r); status != 0 {
		return status
	}
	return s.serveDocument(ctx, r, outer)
}
