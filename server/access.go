package server

import (
	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// access asks Allow and Deny, and Require, and where that needs to know the
// user, for a password. It logs a refusal as httpd does, and returns its status,
// 0 where the request is let in (httpd 2.4 server/request.c,
// ap_process_request_internal).
func (s *Server) access(ctx *fasthttp.RequestCtx, r *route) (refusal int) {
	compat := r.settings.Access
	admits := compat.Admits(r.client.Addr(), r.isSet)
	any := compat != nil && compat.SatisfyAny
	switch {
	case admits && any:
		return 0
	case !admits && !any:
		s.logOf(r).printf("access_compat", httpdconf.LevelError, ctx.RemoteAddr().String(), "AH01797: client denied by server configuration: %s", r.filename)
		return fasthttp.StatusForbidden
	case r.settings.Authz == nil:
		return 0 // also under Satisfy Any with Deny, as in httpd
	}
	result := s.authorize(ctx, r)
	if result != httpdconf.AuthzDeniedNoUser {
		return s.refusedBy(ctx, r, result, false)
	}
	if status := s.authenticate(ctx, r); status != 0 {
		return status
	}
	return s.refusedBy(ctx, r, s.authorize(ctx, r), true)
}

// refusedBy makes a status of what Require says, and logs it (httpd 2.4
// modules/aaa/mod_authz_core.c, authorize_user_core).
func (s *Server) refusedBy(ctx *fasthttp.RequestCtx, r *route, result httpdconf.AuthzResult, hasUser bool) (status int) {
	a, log, client := r.settings.Authz, s.logOf(r), ctx.RemoteAddr().String()
	switch {
	case result == httpdconf.AuthzGranted:
		return 0
	case result == httpdconf.AuthzFailed:
		log.printf("authz_core", httpdconf.LevelError, client, "AH02320: cannot evaluate the expression of Require expr for %s", r.path)
		status = fasthttp.StatusInternalServerError
	case !hasUser:
		log.printf("authz_core", httpdconf.LevelError, client, "AH01630: client denied by server configuration: %s", r.filename)
		status = fasthttp.StatusForbidden
	default:
		log.printf("authz_core", httpdconf.LevelError, client, `AH01631: user %s: authorization failure for "%s": `, r.user, r.path)
		status = fasthttp.StatusUnauthorized
		if a.Forbidden != nil && *a.Forbidden {
			status = fasthttp.StatusForbidden
		} else {
			challenge(ctx, r)
		}
	}
	log.printf("authz_core", httpdconf.LevelInfo, client, "%s", closedBy(r, a))
	return status
}
