package server

import (
	"maps"
	"path/filepath"
	"strings"

	"github.com/valyala/fasthttp"
)

// isServed answers the tests that ask what would become of a request: -U for a
// URL that is not refused, -F for a file that is there and not refused (httpd
// 2.4 modules/mappers/mod_rewrite.c, apply_rewrite_cond, and server/request.c,
// ap_sub_req_lookup_uri and ap_sub_req_lookup_file). Access may take its time,
// and is not judged in a loop.
func (w *rewriting) isServed(operator byte, target string) bool {
	if w.r.leaves = w.r.leaves || w.r.inMemory; w.r.leaves {
		return false
	}
	if target == "" || w.r.isSubrequest && w.r.outerPath == w.r.path || w.r.redirects >= w.r.host.Limits.Redirects || w.r.subrequests >= w.r.host.Limits.Subrequests {
		return false // or it would never end
	}
	sub := w.subrequest()
	defer func() { // the answers to both are one answer here
		w.ctx.Response.Header.Del(fasthttp.HeaderLocation)
		w.ctx.Response.Header.Del(fasthttp.HeaderWWWAuthenticate)
	}()
	if operator == 'F' {
		if !strings.HasPrefix(target, "/") {
			target = filepath.Dir(w.name) + "/" + target
		}
		sub.path, sub.translated = target, canonical(target)
		status := w.s.judged(w.ctx, sub)
		return status < 300 && (sub.place.what == isFile || sub.place.what == isOther) // whatever stands behind its name
	}
	if !strings.HasPrefix(target, "/") {
		target = w.r.path[:strings.LastIndexByte(w.r.path, '/')+1] + target
	}
	var status int
	if sub.path, sub.query, status = parseTarget(target, w.r.host.Paths); status != 0 {
		return false
	}
	if status = w.s.rewritePath(w.ctx, sub); status != 0 {
		return status < 400
	}
	return w.s.judged(w.ctx, sub) < 400
}

// subrequest returns a route for what is only looked up.
func (w *rewriting) subrequest() *route {
	sub := w.r.renamed()
	sub.env = maps.Clone(w.r.env)
	sub.user, sub.hasUser = w.r.user, w.r.hasUser
	sub.isSubrequest, sub.outerPath, sub.subrequests = true, w.r.path, w.r.subrequests+1
	return sub
}

// judged runs what httpd runs of a subrequest in front of its handler, but for
// what changes the request's header. The status is 0 where nothing refuses it.
func (s *Server) judged(ctx *fasthttp.RequestCtx, r *route) (status int) {
	if status := s.locate(ctx, r); status != 0 {
		return status
	}
	if r.place.what == isRefused {
		return s.denyPlace(r, &r.place)
	}
	if status := s.secured(ctx, r); status != 0 {
		return status
	}
	if status := s.access(ctx, r); status != 0 {
		return status
	}
	return s.rewriteHere(ctx, r)
}
