package server

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// rewritePath runs the rules of a host, in front of Redirect and Alias: they
// change the path, give the name of a file, or answer by a status that is not 0
// (httpd 2.4 modules/mappers/mod_rewrite.c, hook_uri2file). A request in memory
// that is answered comes again on a goroutine.
func (s *Server) rewritePath(ctx *fasthttp.RequestCtx, r *route) (status int) {
	h := r.host.Rewrite
	if h == nil || r.rewriteEnded || !r.isRewriteOn() {
		return 0
	}
	r.setScriptURL(ctx)
	w := &rewriting{s: s, ctx: ctx, r: r, name: r.path, query: r.query}
	if status, ends := w.settled(h.Rules, "AH10410", func() string { return w.name }); ends {
		return status
	}
	r.query = w.query
	if w.passes {
		return r.passThrough(w.name)
	}
	return w.mapFile(h)
}

// settled runs rules, and reports whether nothing is left to be done with what
// they made of the path: they have answered, redirect to url, or did nothing.
// unclean is httpd's number of the line for a query that cannot be sent.
func (w *rewriting) settled(rules []*httpdconf.RewriteRule, unclean string, url func() string) (status int, ends bool) {
	done := w.run(rules)
	switch {
	case done == rewriteAnswered:
		return w.status, true
	case done == rewriteNothing:
		return 0, true
	case !w.isQueryClean():
		w.log(httpdconf.LevelError, "%s: Rewritten query string contains control characters or spaces", unclean)
		return fasthttp.StatusForbidden, true
	case w.isURL():
		return w.redirect(url()), true
	}
	return 0, false
}

// isRewriteOn reports whether RewriteEngine is on where the path is mapped: of
// the sections only Location is known then.
func (r *route) isRewriteOn() bool {
	on := r.host.Base.Rewrite.IsOn()
	for _, section := range r.appendLocations(nil) {
		if d := section.Records.Rewrite; d != nil && d.Engine != nil {
			on = *d.Engine
		}
	}
	return on
}

// setScriptURL sets the variables that tell the URL as the client has named it.
func (r *route) setScriptURL(ctx *fasthttp.RequestCtx) {
	path, isSet := r.env.get("REDIRECT_SCRIPT_URL")
	if !isSet {
		path = r.path
	}
	r.env.set("SCRIPT_URL", path)
	r.env.set("SCRIPT_URI", r.ownURL(path))
}

// passThrough makes the path that rules have come to the request's: Alias,
// Redirect and Location go by it. It is cleaned, so that no section is gone
// around.
func (r *route) passThrough(path string) (status int) {
	if !strings.HasPrefix(path, "/") {
		return fasthttp.StatusBadRequest
	}
	path, above := removeDots(path)
	if above {
		return fasthttp.StatusForbidden
	}
	r.path = path
	return 0
}

// mapFile makes a file name of the path that rules have come to: the path is
// one already if its first segment is there at the root of the file system,
// else it is below DocumentRoot.
func (w *rewriting) mapFile(h *httpdconf.RewriteHost) (status int) {
	name := w.name
	if strings.HasPrefix(name, "/~") {
		if w.r.leaves = w.r.inMemory; w.r.leaves { // users are not looked up in a loop
			return fasthttp.StatusServiceUnavailable
		}
		name = expandHome(name)
	}
	if !strings.HasPrefix(name, "/") {
		return fasthttp.StatusBadRequest
	}
	reduced := w.isReduced && h.Options&httpdconf.RewriteLegacyPrefixDocRoot == 0
	if reduced || !w.isFileName(name, h.Options&httpdconf.RewriteUnsafePrefixStat != 0) {
		path, above := removeDots(name)
		if above {
			w.log(httpdconf.LevelError, "AH00127: Cannot map %s to file", w.r.target)
			return fasthttp.StatusForbidden
		}
		name = strings.TrimSuffix(w.r.host.DocumentRoot, "/") + path
	}
	w.r.translated = canonical(name)
	return 0
}

// isFileName reports whether a path is taken for the name of a file: its first
// segment exists, and the administrator has written that, or the path leads
// below DocumentRoot (prefix_stat).
func (w *rewriting) isFileName(name string, always bool) bool {
	first, _, _ := strings.Cut(name[1:], "/")
	first = filepath.Clean("/" + first)
	if _, err := os.Stat(first); err != nil {
		return false
	}
	return always || w.last == nil || w.last.Has(httpdconf.RuleUnsafePrefix) || strings.HasPrefix(w.last.Output, first) ||
		strings.HasPrefix(name, w.r.host.DocumentRoot)
}

// expandHome puts a user's folder in the place of "/~name" (expand_tildepaths).
func expandHome(name string) string {
	who, rest, _ := strings.Cut(strings.TrimPrefix(name, "/~"), "/")
	account, err := user.Lookup(who)
	if err != nil || who == "" {
		return name
	}
	if rest == "" && !strings.HasSuffix(name, "/") {
		return account.HomeDir
	}
	return strings.TrimSuffix(account.HomeDir, "/") + "/" + rest
}

// rewriteHere runs the rules of the sections that cover a route, whose path has
// become a file name. What they give is a path again, which the server then
// serves as if it had been asked for: see inside. A status that is not 0 is the
// answer (httpd 2.4 modules/mappers/mod_rewrite.c, hook_fixup).
func (s *Server) rewriteHere(ctx *fasthttp.RequestCtx, r *route) (status int) {
	d := r.settings.Rewrite
	if !d.IsOn() || d.Dir == "" || r.rewriteEnded {
		return 0
	}
	name := r.mappedName()
	if !d.Has(httpdconf.RewriteAllowNoSlash) && name+"/" == d.Dir {
		return 0 // the client is sent to the folder's own path
	}
	var options httpdconf.OptionFlags
	if core := r.settings.Core; core != nil {
		options = core.Options.Flags()
	} else {
		options = (*httpdconf.OptionSet)(nil).Flags()
	}
	if options&(httpdconf.OptFollowSymLinks|httpdconf.OptSymLinksIfOwnerMatch) == 0 {
		return s.deny(ctx, r, "AH00670: Options FollowSymLinks and SymLinksIfOwnerMatch are both off, so the RewriteRule directive is also forbidden due to its similar ability to circumvent directory restrictions")
	}
	w := &rewriting{s: s, ctx: ctx, r: r, dir: d.Dir, name: name, info: r.place.rest, query: r.query}
	status, ends := w.settled(d.Rules, "AH10411", func() string { return w.baseOfURL(d) })
	switch {
	case ends:
		return status
	case !strings.HasPrefix(w.name, "/"):
		return fasthttp.StatusBadRequest
	}
	r.query = w.query
	if w.name == name {
		return 0 // or it would never end
	}
	target := w.pathOf(d)
	if w.query != "" {
		target += "?" + w.query
	}
	r.inside = &target
	return 0
}

// baseOfURL puts RewriteBase in the place of the folder in a URL.
func (w *rewriting) baseOfURL(d *httpdconf.RewriteDir) string {
	scheme := schemeLength(w.name)
	slash := strings.IndexByte(w.name[scheme:], '/')
	if d.Base == "" || slash < 0 {
		return w.name
	}
	at := scheme + slash + 1
	path, _ := replacePrefix(w.name[at:], strings.TrimPrefix(d.Dir, "/"), d.Base[1:])
	return w.name[:at] + path
}

// pathOf makes a path of the file name that rules have come to: RewriteBase
// stands for the folder, else DocumentRoot is taken away, or the path of an
// Alias stands for its folder. With a RewriteBase of another folder DocumentRoot
// leaves no path at all, as under httpd.
func (w *rewriting) pathOf(d *httpdconf.RewriteDir) string {
	if d.Base != "" {
		if path, is := replacePrefix(w.name, d.Dir, d.Base); is {
			return path
		}
	} else if path, is := strings.CutPrefix(w.name, strings.TrimSuffix(w.r.host.DocumentRoot, "/")); is && strings.HasPrefix(path, "/") {
		return path
	}
	folder, url := w.r.host.DocumentRoot, ""
	if a := w.r.alias; a != nil && a.Path != "" { // one of an expression has none
		folder, url = a.Target, a.Path
	}
	if d.Has(httpdconf.RewriteIgnoreContextInfo) {
		return w.name
	}
	path, _ := replacePrefix(w.name, folder, url)
	return path
}

// replacePrefix puts one folder in the place of another at the start of a path
// (subst_prefix_path).
func replacePrefix(path, prefix, by string) (string, bool) {
	rest, is := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/"))
	if !is || !strings.HasPrefix(rest, "/") {
		return path, false
	}
	if by != "" && !strings.HasSuffix(by, "/") {
		by += "/"
	}
	return by + rest[1:], true
}

// isURL reports whether rules have come to a URL to which the client is sent.
// What is passed through is a path, whatever it is.
func (w *rewriting) isURL() bool { return !w.passes && schemeLength(w.name) > 0 }

// redirect sends the client to a URL that rules have come to. What they have
// not changed of the query is not escaped again.
func (w *rewriting) redirect(url string) (status int) {
	if !w.noEscape {
		url = escapeURL(url)
	}
	if w.query != "" {
		query := w.query
		if !w.noEscape && query != w.r.query {
			query = escapePath(query)
		}
		url += "?" + query
	}
	if !isFieldValue(url) {
		w.fail(badField, "Location", url)
		return w.status
	}
	w.ctx.Response.Header.Set("Location", url)
	if w.status < 300 || w.status > 399 {
		return fasthttp.StatusFound
	}
	return w.status
}

// isQueryClean reports whether a query can be sent on: it holds no control byte
// and no blank, or will be escaped (httpd 2.4 server/util.c,
// ap_scan_vchar_obstext).
func (w *rewriting) isQueryClean() bool {
	if w.isURL() && !w.noEscape {
		return true
	}
	return strings.IndexFunc(w.query, func(c rune) bool { return c <= ' ' || c == 0x7f }) < 0
}

// redirectedInside returns the route of what rules of a section want to be
// served instead, where inside is set. A status that is not 0 is the answer, and
// the route that by whose settings it is given (httpd 2.4
// modules/http/http_request.c, ap_internal_redirect).
func (s *Server) redirectedInside(r *route) (next *route, status int) {
	next = r.renamed()
	next.vary, next.inMemory = r.vary, r.inMemory
	next.env.set("REDIRECT_STATUS", strconv.Itoa(fasthttp.StatusOK))
	if next.redirects++; next.redirects > r.host.Limits.Redirects {
		s.logOf(r).printf("core", httpdconf.LevelError, r.client.String(), "AH00124: Request exceeded the limit of %d internal redirects due to probable configuration error."+
			" Use 'LimitInternalRecursion' to increase the limit if necessary. Use 'LogLevel debug' to get a backtrace.", r.host.Limits.Redirects)
		return r, fasthttp.StatusInternalServerError
	}
	target, _, _ := strings.Cut(*r.inside, "#")
	if next.path, next.query, status = parseTarget(target, r.host.Paths); status == 0 {
		next.trace.inside(next)
	}
	return next, status
}
