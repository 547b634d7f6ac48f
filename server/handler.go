package server

import (
	"cmp"
	"net"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/ws"
)

// serveHTTP answers one request, in httpd's order: the head, the host, the
// path, the sections, access, the handler. It returns what it has found the
// request to mean.
//
// Rules of mod_rewrite in a section may have it serve another path instead; it
// then returns what the path of the request has meant.
func (s *Server) serveHTTP(ctx *fasthttp.RequestCtx) (r *route) {
	authority, status := s.checkHead(ctx)
	if status != 0 {
		return s.refuseHead(ctx, status)
	}
	if declaresBody(ctx) && !declaresKey3(receivedHeader(ctx)) {
		ctx.SetConnectionClose() // the body was not read
	}
	target := string(ctx.Request.Header.RequestURI())
	if splitTarget(target).hasAuthority {
		setHost(ctx, authority)
	}
	local := localAddr(ctx)
	host, choice := s.routes.choose(local, authority, target)
	path, query, status := parseTarget(target, host.Paths)
	r = newRoute(ctx)
	*r = route{
		host: host, target: target, authority: authority, local: local, path: path, query: query,
		merged: &s.routes.merged, client: remoteOf(ctx), ctx: ctx, tokens: s.cfg.Tokens, trace: s.trace,
	}
	r.settings = r.host.Base
	if string(ctx.Method()) == fasthttp.MethodOptions && isAsterisk(target) {
		r.path, r.filename = "*", strings.TrimSuffix(host.DocumentRoot, "/")+"/*"
		return r
	}
	s.trace.path(target, path, status)
	s.trace.host(host, choice, local, authority)
	s.trace.routed(r)
	if status != 0 {
		r.path, r.query = rawPath(target)
	}
	if status = cmp.Or(s.checkHostStrictly(r, choice), s.checkMethod(ctx, r), status); status != 0 {
		s.answer(ctx, status)
		s.finish(ctx, r)
		return r
	}
	r.locations = s.routes.locations[r.host]
	r.glance, r.scheme = s.routes.glances[r.host], cmp.Or(r.host.Scheme, "http")
	_, r.inMemory = ctx.Conn().(*memConn)
	s.remoteIP(ctx, r)
	if t := overTLS(ctx); t != nil {
		r.scheme, r.isTLS = "https", true
		if status := s.sniFits(t, r); status != 0 {
			s.answer(ctx, status)
			return r
		}
	}
	s.earlyHeaders(ctx, r)
	if s.answersTrace(ctx, r) {
		s.finish(ctx, r)
		return r
	}
	s.serveRoute(ctx, r)
	for next := r; next.inside != nil; {
		if next, status = s.redirectedInside(next); status != 0 {
			s.answer(ctx, status)
			s.finish(ctx, next)
			break
		}
		s.serveRoute(ctx, next)
	}
	return r
}

// serveRoute answers a request, or finds out what is to be served instead: then
// inside is set.
func (s *Server) serveRoute(ctx *fasthttp.RequestCtx, r *route) {
	if r.host.Base.Env != nil {
		r.setEnvIf(ctx, r.host.Base.Env.Rules)
	}
	status := s.rewritePath(ctx, r)
	if r.inMemory && status != 0 {
		return // as below
	}
	if status == 0 {
		status = s.locate(ctx, r)
	}
	defer func() {
		if r.inside == nil {
			s.finish(ctx, r)
		}
	}()
	handler := r.handler()
	isUpgrade := s.isUpgrade(ctx, handler)
	if status == 0 {
		r.trace.handler(r, isUpgrade)
	}
	if r.inMemory && (!isUpgrade || r.asksForPassword() || r.mayResolve()) {
		return // it is served again on a goroutine: nothing is logged twice
	}
	if status == 0 {
		status = s.phases(ctx, r)
	}
	if r.leaves {
		r.inside = nil
		return // as above
	}
	if status != 0 {
		r.inside = nil
		s.answer(ctx, status)
		if isUpgrade {
			decide(ctx)
			ctx.SetConnectionClose() // what follows may be frames
		}
		return
	}
	switch {
	case r.inside != nil:
	case isUpgrade:
		s.upgrade(ctx, r)
	case s.isUnserved(r, handler):
		r.trace.say(StepHandler, "httpd would have run what is not here: 501")
		s.answer(ctx, fasthttp.StatusNotImplemented)
	default:
		s.serveFile(ctx, r)
	}
}

// locate finds what the path leads to, and the sections that cover it. A status
// that is not 0 is the answer (httpd 2.4 modules/mappers/mod_alias.c,
// translate_alias_redir, behind mod_rewrite).
func (s *Server) locate(ctx *fasthttp.RequestCtx, r *route) (status int) {
	if r.translated == "" {
		if status := s.redirected(ctx, r, r.host.Base.Alias); status != 0 {
			return status
		}
	}
	s.walk(ctx, r)
	if a := r.settings.Alias; a != nil && a.All != nil && r.translated == "" {
		return s.redirectedAll(ctx, r, a)
	}
	return 0
}

// phases runs what httpd does between the walks and the handler, in its order:
// access by address, who the user is, what the user may, fixups. A status that
// is not 0 is the answer (httpd 2.4 server/request.c,
// ap_process_request_internal).
func (s *Server) phases(ctx *fasthttp.RequestCtx, r *route) (status int) {
	if r.place.what == isRefused {
		return s.denyPlace(r, &r.place)
	}
	if !r.isSubrequest { // which has the header of the request around it
		if status := checkLength(ctx, r); status != 0 {
			return status
		}
		r.setEnvIfHere(ctx)
	}
	status = s.access(ctx, r)
	r.trace.admitted(r, status)
	if status != 0 {
		return status
	}
	if status := s.rewriteHere(ctx, r); status != 0 {
		return status
	}
	r.setEnv()
	exprEnv{ctx, r}.setSSLEnv()
	s.fixupHeaders(ctx, r)
	return s.redirectedHere(ctx, r)
}

// isUpgrade reports whether a request asks to become a WebSocket where one is.
// Anything else is an ordinary request, whatever the handler.
func (s *Server) isUpgrade(ctx *fasthttp.RequestCtx, handler string) bool {
	return handler == "websocket-handler" && (s.speaksHybi || s.speaksDrafts) &&
		ws.IsUpgrade(headerLines(ctx, "Upgrade"), headerLines(ctx, "Connection"))
}

// isUnserved reports whether httpd would have run a handler that is not here:
// the source of a script is never sent.
func (s *Server) isUnserved(r *route, handler string) bool {
	switch handler {
	case "", "websocket-handler", "default-handler":
	default:
		return true
	}
	for _, section := range r.host.Unserved {
		if section.Covers(r.path) {
			return true
		}
	}
	if r.settings.Mime == nil {
		return false
	}
	if r.place.what == isFolder {
		return false
	}
	for _, ext := range extensions(r.place.base) {
		if _, unserved := r.settings.Mime.Unserved[ext]; unserved {
			return true
		}
	}
	return false
}

// localAddr is the address at which a connection came in.
func localAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	if m, inMemory := ctx.Conn().(*memConn); inMemory {
		return m.front.localAddr()
	}
	if a, ok := ctx.LocalAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
