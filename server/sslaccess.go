package server

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

// secured answers what mod_ssl forbids at a path: TLS or a certificate that is
// not there, a condition that does not hold (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_Access).
func (s *Server) secured(ctx *fasthttp.RequestCtx, r *route) (refusal int) {
	d, t := r.settings.SSL, overTLS(ctx)
	if t == nil {
		if d != nil && d.RequireSSL {
			r.trace.at(StepAccess, "the client does not speak TLS: 403", d.Range)
			s.sslDenies(r, "AH02219: access to %s failed, reason: SSL connection required", r.filename)
			return fasthttp.StatusForbidden
		}
		return 0 // httpd looks no further either
	}
	if why := t.lacks(r.host, d); why != "" {
		r.trace.say(StepAccess, why+": 403")
		s.sslDenies(r, "%s", why)
		return fasthttp.StatusForbidden
	}
	if d == nil {
		return 0
	}
	s.nameUser(ctx, r, d)
	return s.requires(exprEnv{ctx, r}, d.Requires)
}

// requires answers an expression of SSLRequire that does not hold.
func (s *Server) requires(env exprEnv, list []*expr.Expr) (refusal int) {
	r := env.r
	for _, e := range list {
		holds, err := e.Bool(env)
		switch {
		case err != nil:
			s.sslDenies(r, "AH02265: access to %s failed, reason: Failed to execute SSL requirement expression: %v", r.filename, err)
		case !holds:
			s.sslDenies(r, "AH02266: Access to %s denied for %s (requirement expression not fulfilled)", r.filename, r.client.Addr())
			s.sslDenies(r, "AH02228: Failed expression: %s", e.Source())
			s.sslDenies(r, "AH02229: access to %s failed, reason: SSL requirement expression not fulfilled", r.filename)
		default:
			continue
		}
		return fasthttp.StatusForbidden
	}
	return 0
}

func (s *Server) sslDenies(r *route, format string, args ...any) {
	s.logOf(r).printf("ssl", httpdconf.LevelError, r.client.String(), format, args...)
}

// lacks says what the host that a request is for, or the section, wants of the
// client's certificate that is not there. httpd would ask for it now, at which
// most clients fail; here the handshake has to have asked.
func (t *tlsSocket) lacks(h *httpdconf.Host, d *httpdconf.SSLDir) string {
	verify := httpdconf.SSLVerifyUnset
	if h.SSL != nil {
		verify = h.SSL.Clients.Verify
	}
	if d != nil && d.Verify != httpdconf.SSLVerifyUnset {
		verify = d.Verify
	}
	sent := t.ConnectionState().PeerCertificates
	switch asked := t.clients.mode.Asks(); {
	case verify.Asks() && !asked, verify == httpdconf.SSLVerifyRequire && len(sent) == 0:
		return "AH02263: Re-negotiation handshake failed: Client certificate missing"
	case verify == httpdconf.SSLVerifyRequire && t.verdict() != "SUCCESS":
		return "AH02262: Re-negotiation handshake failed: Client verification failed"
	case d == nil, d.Depth == nil, len(sent) == 0, *d.Depth >= t.clients.depth:
		return ""
	}
	if _, err := t.clients.verify(sent, *d.Depth); err != nil {
		return err.Error()
	}
	return ""
}

// verdict is SSL_CLIENT_VERIFY.
func (t *tlsSocket) verdict() string {
	if t.verify == "" {
		t.verify, _ = t.clients.judge(t.ConnectionState().PeerCertificates) // the error is in it
	}
	return t.verify
}

// isVerified reports whether the client of a request has a good certificate.
func isVerified(t *tlsSocket) bool { return t != nil && t.verdict() == "SUCCESS" }

// nameUser makes the user of what a certificate says.
func (s *Server) nameUser(ctx *fasthttp.RequestCtx, r *route, d *httpdconf.SSLDir) {
	if d.UserName == "" || d.Has(httpdconf.SSLFakeBasicAuth) {
		return
	}
	if name := (exprEnv{ctx, r}).sslVariable(d.UserName); name != "" {
		r.user, r.hasUser = name, true
		return
	}
	s.logOf(r).printf("ssl", httpdconf.LevelWarn, r.client.String(), "AH02227: Failed to set r->user to '%s'", d.UserName)
}

// The password under SSLOptions FakeBasicAuth, and what stands for it in the
// files of users: the crypt of old, of which this is the only use here (httpd
// 2.4 docs/manual/mod/mod_ssl.xml, SSLOptions).
const (
	fakedPassword = "password"
	fakedHash     = "xxj31ZMTZzkVA"
)

// fakedCrypt is fakedHash.
type fakedCrypt struct{}

// MatchesPassword compares a password (htpasswd.EncodedPasswd).
func (fakedCrypt) MatchesPassword(password string) bool { return password == fakedPassword }

// certificateUser makes a user of the client's certificate, where SSLOptions
// says FakeBasicAuth (httpd 2.4 modules/ssl/ssl_engine_kernel.c,
// ssl_hook_UserCheck).
func certificateUser(ctx *fasthttp.RequestCtx, r *route) (user, password string, isFaked bool) {
	t := overTLS(ctx)
	if t == nil || !r.settings.SSL.Has(httpdconf.SSLFakeBasicAuth) || r.user != "" {
		return "", "", false
	}
	sent := t.ConnectionState().PeerCertificates
	if len(sent) == 0 {
		return "", "", false
	}
	return legacyName(sent[0].RawSubject), fakedPassword, true
}

// isForged reports whether a client says to be who only a certificate can make
// it.
func (s *Server) isForged(user, password string) bool {
	return s.cfg.HasModule("ssl_module") && strings.HasPrefix(user, "/") && password == fakedPassword
}
