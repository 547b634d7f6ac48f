package server

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

// rewriting is a list of rules at work on a request (httpd 2.4
// modules/mappers/mod_rewrite.c, rewrite_ctx). It does not outlive the handler.
type rewriting struct {
	s   *Server
	ctx *fasthttp.RequestCtx
	r   *route

	dir   string // of the section, with a slash behind it; empty for the rules of a host
	name  string // what rules have come to: a path, a file name within a section, a URL
	info  string // within a section, what stands behind the file's name
	query string

	uri    string      // what the rule at work was matched with
	groups expr.Groups // of the rule, $N
	found  expr.Groups // of the last condition, %N
	vary   []string    // header fields that the conditions of the rule have read

	last      *httpdconf.RewriteRule // that has put something in the path's place
	status    int                    // of an answer, or a redirect
	noEscape  bool                   // the last rule that changed something has NE
	passes    bool                   // PT
	isReduced bool                   // a URL of this server has lost its scheme and authority
}

// rewriteResult is what has come of a list of rules, or of one.
type rewriteResult int

// The results.
const (
	rewriteNothing  rewriteResult = iota // no rule applies
	rewriteKept                          // a rule applies, and changes nothing
	rewriteChanged                       // there is another path
	rewriteAnswered                      // there is a status
)

// run applies rules in order (apply_rewrite_list).
func (w *rewriting) run(rules []*httpdconf.RewriteRule) (done rewriteResult) {
	began := time.Now()
	for i, round := 0, 1; i < len(rules); i++ {
		rule := rules[i]
		if w.r.isSubrequest && rule.Has(httpdconf.RuleNoSubrequests|httpdconf.RuleRedirects) {
			continue
		}
		result := w.apply(rule)
		w.r.trace.rewritten(rule, w, result)
		switch result {
		case rewriteNothing:
			for i < len(rules) && rules[i].Has(httpdconf.RuleChain) {
				i++
			}
			continue
		case rewriteAnswered:
			return rewriteAnswered
		case rewriteChanged:
			done, w.noEscape = rewriteChanged, rule.Has(httpdconf.RuleNoEscape)
		}
		if len(w.name) > 2*maxRequestLine {
			return w.fail("RewriteRule '%s' and URI '%s' exceeded maximum length (%d)", rule.Regexp, w.r.path, 2*maxRequestLine)
		}
		switch {
		case rule.Has(httpdconf.RulePasses):
			w.passes, w.noEscape = true, false
			return rewriteChanged
		case rule.Has(httpdconf.RuleEnd):
			w.r.rewriteEnded = true
			return done
		case rule.Has(httpdconf.RuleLast):
			return done
		case rule.Has(httpdconf.RuleNext):
			if round++; round >= rule.Rounds {
				return w.fail("AH02596: RewriteRule '%s' and URI '%s' exceeded maximum number of rounds (%d) via the [N] flag", rule.Regexp, w.r.path, rule.Rounds)
			}
			if time.Since(began) > rewriteTime {
				return w.fail("RewriteRule '%s' and URI '%s' begin again for more than %v", rule.Regexp, w.r.path, rewriteTime)
			}
			i = -1
		default:
			i += max(rule.Skip, 0)
		}
	}
	return done
}

// rewriteTime bounds how long N may have rules begin again: httpd counts rounds
// alone, each of which may take long here.
const rewriteTime = 2 * time.Second

// maxRequestLine is the size of a request line in bytes by which httpd judges
// that rules run in circles (httpd 2.4 include/httpd.h,
// DEFAULT_LIMIT_REQUEST_LINE).
const maxRequestLine = 8190

// fail ends the rules with an error of the server.
func (w *rewriting) fail(format string, args ...any) rewriteResult {
	w.log(httpdconf.LevelError, format, args...)
	w.status = fasthttp.StatusInternalServerError
	return rewriteAnswered
}

// log writes to the error log, but not of what comes again on a goroutine.
func (w *rewriting) log(level httpdconf.LogLevel, format string, args ...any) {
	if w.dir != "" || !w.r.inMemory {
		w.s.logOf(w.r).printf("rewrite", level, w.r.client.String(), format, args...)
	}
}

// apply applies one rule (apply_rewrite_rule).
func (w *rewriting) apply(rule *httpdconf.RewriteRule) rewriteResult {
	w.uri = w.name
	if w.dir != "" {
		w.uri = strings.TrimPrefix(w.name+w.info, w.dir)
	}
	var groups expr.Groups
	if rule.Regexp.Find(w.uri, &groups) == rule.Not {
		return rewriteNothing
	}
	w.groups, w.found, w.vary = groups, expr.Groups{}, nil
	if !w.hold(rule.Conds) {
		return rewriteNothing
	}
	if !rule.Has(httpdconf.RuleKeeps) {
		return w.substitute(rule)
	}
	if !w.effects(rule) || !w.force(rule) {
		return rewriteAnswered
	}
	if rule.Has(httpdconf.RuleForces) {
		w.status = rule.Status
		return rewriteAnswered
	}
	return rewriteKept
}

// substitute puts the rule's text in the place of what the rules have come to.
func (w *rewriting) substitute(rule *httpdconf.RewriteRule) rewriteResult {
	e := expansion{w: w, rule: rule}
	name := e.expand(rule.To)
	if e.isUnsafe() {
		w.log(httpdconf.LevelWarn, "AH10508: Unsafe URL with %%3f URL rewritten without UnsafeAllow3F")
		w.status = fasthttp.StatusForbidden
		return rewriteAnswered
	}
	if !w.effects(rule) {
		return rewriteAnswered
	}
	w.last, w.name = rule, name
	if w.dir != "" && rule.Has(httpdconf.RuleDiscardPathInfo) {
		w.info = ""
	}
	w.splitQuery(rule)
	if !strings.HasPrefix(w.name, "/") && schemeLength(w.name) == 0 {
		switch {
		case w.dir != "":
			w.name = w.dir + w.name
		case !rule.Has(httpdconf.RuleRedirects):
			w.name = "/" + w.name // or a scheme in what the client has sent would be taken for one
		}
	}
	if rule.Has(httpdconf.RuleRedirects) {
		w.qualify()
		w.status = rule.Status
		return rewriteChanged
	}
	w.reduce()
	if schemeLength(w.name) > 0 {
		w.status = rule.Status
		return rewriteChanged
	}
	if !w.force(rule) {
		return rewriteAnswered
	}
	return rewriteChanged
}

// badField is logged of a field whose value cannot be sent; httpd finds that out
// when it writes the header, and answers 500 too (httpd 2.4
// modules/http/http_filters.c, check_headers).
const badField = "AH02430: Response header '%s' value of %q contains invalid characters, aborting request"

// effects are what a rule does besides: header fields that its conditions have
// read, variables and cookies. It is false, and the answer an error, where a
// cookie cannot be sent.
func (w *rewriting) effects(rule *httpdconf.RewriteRule) bool {
	for _, name := range w.vary {
		if !slices.Contains(w.r.vary, name) {
			w.r.vary = append(w.r.vary, name)
		}
	}
	for _, text := range rule.Env {
		setting := w.expand(text)
		if name, is := strings.CutPrefix(setting, "!"); is {
			w.r.env.unset(name)
			continue
		}
		name, value, _ := strings.Cut(setting, ":")
		w.r.env.set(name, value)
	}
	for _, text := range rule.Cookies {
		if cookie := w.cookie(w.expand(text)); !isFieldValue(cookie) {
			w.fail(badField, "Set-Cookie", cookie)
			return false
		} else if cookie != "" {
			w.ctx.Response.Header.Add("Set-Cookie", cookie)
		}
	}
	return true
}

// force keeps the media type that a rule wants (force_type_handler). It is
// false, and the answer an error, where that cannot be sent.
func (w *rewriting) force(rule *httpdconf.RewriteRule) bool {
	e := expansion{w: w, rule: rule}
	mediaType := lowerASCII(e.expand(rule.MimeType))
	if !isFieldValue(mediaType) {
		w.fail(badField, "Content-Type", mediaType)
		return false
	}
	if mediaType != "" {
		w.r.forcedType = mediaType
	}
	return true
}

// splitQuery takes the query out of what a rule has come to
// (splitout_queryargs).
func (w *rewriting) splitQuery(rule *httpdconf.RewriteRule) {
	scheme := schemeLength(w.name)
	if rule.Has(httpdconf.RuleQueryNone) || scheme > 0 && !takesQuery(w.name) {
		w.query = ""
		return
	}
	if rule.Has(httpdconf.RuleQueryDiscard) {
		w.query = ""
	}
	at := strings.IndexByte(w.name[scheme:], '?')
	if rule.Has(httpdconf.RuleQueryLast) {
		at = strings.LastIndexByte(w.name[scheme:], '?')
	}
	if at < 0 {
		return
	}
	own := w.name[scheme+at+1:]
	w.name = w.name[:scheme+at]
	if !rule.Has(httpdconf.RuleQueryAppend) {
		w.query = own
	} else if own != "" {
		w.query = own + "&" + w.query
	}
	w.query = strings.TrimSuffix(w.query, "&")
}

// qualify makes a URL of a path (fully_qualify_uri).
func (w *rewriting) qualify() {
	if schemeLength(w.name) > 0 {
		return
	}
	if !strings.HasPrefix(w.name, "/") {
		w.name = "/" + w.name
	}
	w.name = w.r.ownURL(w.name)
}

// reduce makes a path of a URL of this server (reduce_uri).
func (w *rewriting) reduce() {
	prefix := w.r.scheme + "://"
	if len(w.name) <= len(prefix) || !strings.EqualFold(w.name[:len(prefix)], prefix) {
		return
	}
	authority, path := w.name[len(prefix):], "/"
	if slash := strings.IndexByte(authority, '/'); slash >= 0 {
		authority, path = authority[:slash], authority[slash:]
	}
	host, port, hasPort := strings.Cut(authority, ":")
	number := w.r.defaultPort()
	if hasPort {
		number, _ = strconv.Atoi(port)
	}
	if w.r.isOwnName(host, number) {
		w.name, w.isReduced = path, true
	}
}

// isOwnName reports whether the host that serves a route has a name, or its
// VirtualHost an address, at a port (httpd 2.4 server/vhost.c,
// ap_matches_request_vhost).
func (r *route) isOwnName(name string, port int) bool {
	for _, a := range r.host.Addresses {
		if (a.Port == 0 || a.Port == port) && strings.EqualFold(a.Host, name) {
			return true
		}
	}
	own := r.host.Port
	if own == 0 && len(r.host.Addresses) > 0 {
		own = r.host.Addresses[0].Port
	}
	if port != own {
		return false
	}
	return strings.EqualFold(r.host.Name, name) ||
		slices.ContainsFunc(r.host.Aliases, func(alias string) bool { return httpdconf.MatchAlias(alias, strings.ToLower(name)) })
}
