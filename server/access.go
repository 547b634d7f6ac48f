package server

import (
	"net/netip"
	"strings"

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

// exprEnv is what expressions see of a request. It does not outlive the
// handler.
type exprEnv struct {
	ctx *fasthttp.RequestCtx
	r   *route
}

// exprHeaders are the variables that are headers. It is constant.
var exprHeaders = map[string]string{
	"HTTP_HOST": "Host", "HTTP_USER_AGENT": "User-Agent", "HTTP_REFERER": "Referer", "HTTP_COOKIE": "Cookie", "HTTP_ACCEPT": "Accept",
	"HTTP_FORWARDED": "Forwarded",
}

// Variable returns a variable, of those that httpdconf lets pass.
func (e exprEnv) Variable(name string) string {
	if header := exprHeaders[name]; header != "" {
		return e.header(header)
	}
	switch name {
	case "HTTPS":
		if e.r.scheme == "https" {
			return "on"
		}
		return "off"
	case "REQUEST_SCHEME":
		return e.r.scheme
	case "REMOTE_USER":
		return e.r.user
	case "REQUEST_METHOD":
		return string(e.ctx.Method())
	case "REQUEST_URI":
		return e.r.path
	case "QUERY_STRING":
		return e.r.query
	case "REMOTE_ADDR", "CONN_REMOTE_ADDR":
		return e.Remote().String()
	case "SERVER_PROTOCOL":
		return string(e.ctx.Request.Header.Protocol())
	case "DOCUMENT_ROOT":
		return e.r.host.DocumentRoot
	}
	return ""
}

// header returns the lines of a header as one.
func (e exprEnv) header(name string) string {
	return strings.Join(headerLines(e.ctx, name), ", ")
}

// Function is req, http, req_novary and reqenv: no other passes httpdconf.
func (e exprEnv) Function(name, arg string) (string, error) {
	if name == "reqenv" {
		return e.r.env[arg], nil
	}
	return e.header(arg), nil
}

// Test answers no operator: none passes httpdconf.
func (e exprEnv) Test(byte, string) bool { return false }

// List holds nothing: no list passes httpdconf.
func (e exprEnv) List(string, string) []string { return nil }

// Remote is the client's address.
func (e exprEnv) Remote() netip.Addr { return e.r.client.Addr() }
