package server

import (
	"path/filepath"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// mapPath finds the file name of a route's path: it is what rules of mod_rewrite
// have given, or by the first Alias that fits,
// else below DocumentRoot (httpd 2.4 modules/mappers/mod_alias.c,
// translate_alias_redir, and server/core.c, ap_core_translate).
func (r *route) mapPath() string {
	if r.located == "" {
		r.alias = nil
	}
	if r.translated != "" {
		r.trace.mapped(r, r.translated, nil)
		return r.translated
	}
	if r.located != "" {
		r.trace.mapped(r, r.located, r.alias)
		return r.located
	}
	for _, a := range r.host.PathAliases {
		if target, rest, matches := a.Match(r.path); matches {
			r.alias = a
			name := canonical(target + rest)
			r.trace.mapped(r, name, a)
			return name
		}
	}
	path := r.path
	if rest, below := belowServerPath(r.host, path); below {
		path = "/" + strings.TrimLeft(rest, "/")
	}
	name := strings.TrimSuffix(r.host.DocumentRoot, "/") + path
	if r.host.Paths.KeepSlashes {
		name = canonical(name) // sections go by it
	}
	r.trace.mapped(r, name, nil)
	return name
}

// aliasHere maps a route's path by the Alias of a Location, where one covers it
// (httpd 2.4 modules/mappers/mod_alias.c, try_alias).
func (s *Server) aliasHere(ctx *fasthttp.RequestCtx, r *route) {
	r.located = ""
	if !r.host.HasLocationAlias {
		return
	}
	var a *httpdconf.Mapping
	for _, section := range r.appendLocations(nil) {
		r.capture(section)
		if d := section.Records.Alias; d != nil && d.Alias != nil {
			a = d.Alias
		}
	}
	if a == nil {
		return
	}
	if name := s.textOf(ctx, r, a); strings.HasPrefix(name, "/") {
		r.located, r.alias = canonical(name), a
	} else if name != "" {
		r.located, r.alias = canonical(s.cfg.ServerRoot+"/"+name), a
	}
}

// textOf returns what the expression of a mapping comes to for a request, "" where it
// cannot be evaluated.
func (s *Server) textOf(ctx *fasthttp.RequestCtx, r *route, m *httpdconf.Mapping) string {
	text, err := m.Expr.String(exprEnv{ctx, r})
	if err != nil {
		s.logOf(r).printf("alias", httpdconf.LevelError, r.client.String(), "AH02825: Can't evaluate alias or redirect expression: %v", err)
		return ""
	}
	return text
}

// redirectedAll answers by the Redirect of all of a section.
func (s *Server) redirectedAll(ctx *fasthttp.RequestCtx, r *route, a *httpdconf.AliasDir) (status int) {
	return s.redirect(ctx, r, a, a.All, s.textOf(ctx, r, a.All))
}

// canonical takes empty segments, "." and ".." out of a file name: what an
// expression puts into a target may hold them, and the Directory sections must
// cover what is opened. One that leads above the root is the root's (APR's
// apr_filepath_merge).
func canonical(name string) string {
	clean := filepath.Clean(name)
	if strings.HasSuffix(name, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// redirected answers by a Redirect with a path, if one fits: by those outside of
// sections in front of the walks, and by all that hold for the path behind
// access. One without a path, which is of a whole section, comes in front of
// access too. The status is 0 where none does.
func (s *Server) redirected(ctx *fasthttp.RequestCtx, r *route, a *httpdconf.AliasDir) (status int) {
	if a == nil {
		return 0
	}
	for _, m := range a.Redirects {
		target, rest, matches := m.Match(r.path)
		if !matches {
			continue
		}
		if m.Regexp != nil {
			target = escapeTarget(target)
		}
		return s.redirect(ctx, r, a, m, target+escapePath(rest))
	}
	return 0
}

// redirectedHere is redirected for the lines of the sections that cover a route
// (httpd 2.4 modules/mappers/mod_alias.c, fixup_redir).
func (s *Server) redirectedHere(ctx *fasthttp.RequestCtx, r *route) (status int) {
	a, base := r.settings.Alias, r.host.Base.Alias
	if a == base {
		return 0
	}
	if a.All != nil && r.translated != "" {
		return s.redirectedAll(ctx, r, a)
	}
	own := *a
	if base != nil {
		own.Redirects = a.Redirects[:len(a.Redirects)-len(base.Redirects)]
	}
	return s.redirected(ctx, r, &own)
}

// redirect sends the client to a target, with the request's query unless that
// has one (httpd 2.4 modules/mappers/mod_alias.c, translate_alias_redir).
func (s *Server) redirect(ctx *fasthttp.RequestCtx, r *route, a *httpdconf.AliasDir, m *httpdconf.Mapping, target string) int {
	if m.Status < 300 || m.Status > 399 {
		r.trace.redirect(m, "")
		return m.Status
	}
	if strings.HasPrefix(target, "/") && (a.Relative == nil || !*a.Relative) {
		target = r.ownURL(target)
	}
	if r.query != "" && !strings.Contains(target, "?") {
		target += "?" + r.query
	}
	r.trace.redirect(m, target)
	ctx.Response.Header.Set("Location", target)
	return m.Status
}

// escapeTarget escapes what an expression has made, but for its query and
// fragment.
func escapeTarget(target string) string {
	i := strings.IndexAny(target, "?#")
	if i < 0 {
		i = len(target)
	}
	scheme := ""
	if at := strings.Index(target[:i], "://"); at >= 0 {
		slash := strings.IndexByte(target[at+3:i], '/')
		if slash < 0 {
			return target
		}
		scheme = target[:at+3+slash]
	}
	return scheme + escapePath(target[len(scheme):i]) + target[i:]
}
