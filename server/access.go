package server

import (
	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// access asks mod_ssl, Allow and Deny, and Require, and where that needs to know
// the user, for a password. It logs a refusal as httpd does, and returns its
// status, 0 where the request is let in (httpd 2.4 server/request.c,
// ap_process_request_internal). Whom mod_ssl refuses may be let in as a user
// under Satisfy Any, unless StrictRequire stands (ssl_hook_Auth).
func (s *Server) access(ctx *fasthttp.RequestCtx, r *route) (refusal int) {
	admits, either := true, false
	if compat := r.settings.Access; compat != nil {
		q := &httpdconf.AccessRequest{Client: r.client.Addr(), Method: string(ctx.Method()), IsSet: r.isSet, HostIs: r.hosts().hostIs, Asked: r.trace.entryAsker()}
		admits, either = compat.Admits(q), compat.SatisfiesAny(q.Method)
		r.trace.compat(compat, q.Method, admits, either)
	}
	switch insecure := s.secured(ctx, r); {
	case insecure != 0 && (!either || r.settings.SSL.Has(httpdconf.SSLStrictRequire)):
		return insecure
	case insecure != 0:
		admits = false
	}
	switch {
	case admits && either:
		return 0
	case !admits && !either:
		s.logOf(r).printf("access_compat", httpdconf.LevelError, r.client.String(), "AH01797: client denied by server configuration: %s", r.filename)
		return fasthttp.StatusForbidden
	case !r.settings.Authz.HasRules():
		return s.withoutRules(r) // also under Satisfy Any with Deny, as in httpd
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

// withoutRules answers where no Require stands: everybody is let in, unless
// passwords are meant to be asked for (httpd 2.4 modules/aaa/mod_authz_core.c,
// authorize_user_core).
func (s *Server) withoutRules(r *route) (status int) {
	if !r.asksForPassword() {
		return 0
	}
	s.logOf(r).printf("authz_core", httpdconf.LevelError, r.client.String(), "AH01627: AuthType configured with no corresponding authorization directives")
	return fasthttp.StatusInternalServerError
}

// refusedBy makes a status of what Require says, and logs it (httpd 2.4
// modules/aaa/mod_authz_core.c, authorize_user_core).
func (s *Server) refusedBy(ctx *fasthttp.RequestCtx, r *route, result httpdconf.AuthzResult, hasUser bool) (status int) {
	if result == httpdconf.AuthzGranted {
		return 0
	}
	a, log, client := r.settings.Authz, s.logOf(r), r.client.String()
	switch {
	case result == httpdconf.AuthzFailed:
		log.printf("authz_core", httpdconf.LevelError, client, "AH02320: cannot evaluate the expression of Require expr for %s", r.path)
		status = fasthttp.StatusInternalServerError
	case result == httpdconf.AuthzDeniedNoUser:
		log.printf("authz_core", httpdconf.LevelError, client, "AH01628: authorization failure (no authenticated user): %s", r.path)
		status = fasthttp.StatusUnauthorized
		challenge(ctx, r)
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
