package server

import (
	"strings"

	"github.com/valyala/fasthttp"
)

// serveDirectory answers with the file that stands for the folder. Where none
// does, the last of those that are there and may not be sent decides (httpd 2.4
// modules/mappers/mod_dir.c, fixup_dir).
func (s *Server) serveDirectory(ctx *fasthttp.RequestCtx, r *route) {
	refused := 0
	names := r.settings.Index.Names()
	if !s.cfg.HasModule("dir_module") {
		names = nil
	}
	for i, name := range names {
		found, status := s.lookUp(ctx, r, name)
		switch {
		case status == 0:
			r.trace.index(r, found)
			s.serveIndex(ctx, r, found)
			return
		case status >= 300 && status < 400, status == fasthttp.StatusUnauthorized && i == len(names)-1:
			s.answer(ctx, status)
			return
		case status != fasthttp.StatusNotFound:
			refused = status
		}
		ctx.Response.Header.Del("WWW-Authenticate") // of a name that is not the answer
	}
	if refused != 0 {
		s.answer(ctx, refused)
		return
	}
	r.trace.index(r, nil)
	if !s.serveFallback(ctx, r) {
		s.serveListing(ctx, r)
	}
}

// serveListing answers for a folder that nothing stands for. wshttpd makes no
// lists of files.
func (s *Server) serveListing(ctx *fasthttp.RequestCtx, r *route) {
	if !s.takesMethod(ctx, r) {
		return
	}
	if !s.cfg.HasModule("autoindex_module") {
		s.answer(ctx, fasthttp.StatusNotFound)
		return
	}
	s.answer(ctx, s.deny(ctx, r, "AH01276: Cannot serve directory, and wshttpd lists none"))
}

// lookUp finds out what a name that is relative to a request's path leads to,
// as if it had been asked for: a regular file that may be sent has status 0. The
// request is not changed (httpd 2.4 server/request.c, ap_sub_req_lookup_uri).
func (s *Server) lookUp(ctx *fasthttp.RequestCtx, r *route, name string) (found *route, status int) {
	path := r.path[:strings.LastIndexByte(r.path, '/')+1] + name
	if strings.HasPrefix(name, "/") {
		path = name
	}
	path, above := removeDots(path)
	if above {
		return nil, fasthttp.StatusNotFound
	}
	next := *r
	next.path, next.translated = path, ""
	next.isSubrequest, next.folder = true, r.place.name()
	status = s.rewritePath(ctx, &next)
	if status == 0 {
		status = s.locate(ctx, &next)
	}
	if status != 0 {
		return nil, status
	}
	if status := s.phases(ctx, &next); status != 0 {
		return nil, status
	}
	if next.place.what != isFile {
		return nil, fasthttp.StatusNotFound
	}
	return &next, 0
}

// serveIndex answers with the file that stands for a folder, or sends the client
// to it.
func (s *Server) serveIndex(ctx *fasthttp.RequestCtx, r, found *route) {
	if index := r.settings.Index; index != nil && index.Redirect != nil && *index.Redirect != 0 {
		ctx.Response.Header.Set("Location", r.ownURL(found.path))
		s.answer(ctx, *index.Redirect)
		return
	}
	s.serveInstead(ctx, r, found)
}

// serveInstead makes of a request what was looked up for it, and answers (httpd
// 2.4 modules/http/http_request.c, ap_internal_fast_redirect).
func (s *Server) serveInstead(ctx *fasthttp.RequestCtx, r, found *route) {
	*r = *found // for the log too, as in httpd
	r.isSubrequest = false
	switch {
	case r.inside != nil:
	case s.isUnserved(r, r.handler()):
		s.answer(ctx, fasthttp.StatusNotImplemented)
	default:
		s.serveNamed(ctx, r)
	}
}

// serveFallback answers with FallbackResource where nothing is there, and
// reports whether it has (httpd 2.4 modules/mappers/mod_dir.c, fixup_dflt).
func (s *Server) serveFallback(ctx *fasthttp.RequestCtx, r *route) bool {
	path := r.settings.Index.FallbackPath()
	if path == "" || path == r.path || r.place.what != isNothing && r.place.what != isFolder || r.handler() != "" {
		return false
	}
	switch found, status := s.lookUp(ctx, r, path); {
	case status == 0:
		s.serveInstead(ctx, r, found)
	case status >= 300 && status < 400:
		s.answer(ctx, status)
	default:
		return false
	}
	return true
}

// redirectToSlash sends the client to the folder's path with a slash.
func (s *Server) redirectToSlash(ctx *fasthttp.RequestCtx, r *route) {
	location := r.ownURL(escapePath(r.path) + "/")
	if r.query != "" {
		location += "?" + r.query
	}
	ctx.Response.Header.Set("Location", location)
	s.answer(ctx, fasthttp.StatusMovedPermanently)
}

// lacksSlash reports whether the path is a folder's without the slash at its end.
func (r *route) lacksSlash() bool {
	return r.place.what == isFolder && !strings.HasSuffix(r.path, "/")
}
