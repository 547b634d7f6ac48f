package httpdconf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// authzCoreCommands are the rows of mod_authz_core, with the providers of
// mod_authz_host that need no name to be resolved.
func authzCoreCommands() map[string]command {
	return map[string]command{
		"Require":                     {"mod_authz_core.c", (*walk).setRequire, "`all`, `ip`, `local`, `host`, `forward-dns`, `method`, `expr`, `env`, `user`, `valid-user`, `group`, `ssl`, `ssl-verify-client`, each also with `not`; any other refuses the start"},
		"<RequireAll":                 {"mod_authz_core.c", (*walk).requireSection, "all rules in it have to hold"},
		"<RequireAny":                 {"mod_authz_core.c", (*walk).requireSection, "one rule in it has to hold"},
		"<RequireNone":                {"mod_authz_core.c", (*walk).requireSection, "no rule in it may hold"},
		"AuthMerging":                 {"mod_authz_core.c", (*walk).setAuthMerging, "`Off`, `And`, `Or`: what becomes of earlier sections' rules"},
		"AuthzSendForbiddenOnFailure": {"mod_authz_core.c", (*walk).setForbiddenOnFailure, "403 rather than 401"},
	}
}

// authzProviders names the module that has each provider of Require. It is
// constant.
var authzProviders = map[string]string{
	"all": "mod_authz_core.c", "env": "mod_authz_core.c", "method": "mod_authz_core.c", "expr": "mod_authz_core.c",
	"ip": "mod_authz_host.c", "host": "mod_authz_host.c", "forward-dns": "mod_authz_host.c", "local": "mod_authz_host.c",
	"user": "mod_authz_user.c", "valid-user": "mod_authz_user.c",
	"group": "mod_authz_groupfile.c", "file-group": "mod_authz_owner.c", "file-owner": "mod_authz_owner.c",
	"dbm-group": "mod_authz_dbm.c", "dbm-file-group": "mod_authz_dbm.c", "dbd-group": "mod_authz_dbd.c", "dbd-login": "mod_authz_dbd.c", "dbd-logout": "mod_authz_dbd.c",
	"ldap-user": "mod_authnz_ldap.c", "ldap-group": "mod_authnz_ldap.c", "ldap-dn": "mod_authnz_ldap.c", "ldap-attribute": "mod_authnz_ldap.c", "ldap-filter": "mod_authnz_ldap.c", "ldap-search": "mod_authnz_ldap.c",
	"ssl": "mod_ssl.c", "ssl-verify-client": "mod_ssl.c",
}

// setRequire reads Require (httpd 2.4 modules/aaa/mod_authz_core.c,
// add_authz_provider). The lines of one section form a RequireAny.
func (w *walk) setRequire(n *syntax.Node, _ []syntax.Arg) *problem {
	name, rest := syntax.Word(n.Args)
	negated := strings.EqualFold(name, "not")
	if negated {
		name, rest = syntax.Word(rest)
	}
	provider := strings.ToLower(name)
	module, known := authzProviders[provider]
	if !known || !w.modules.isLoaded(module) {
		hint := ""
		if known {
			hint = fmt.Sprintf("Require %s belongs to %s: it needs a LoadModule %s line", provider, module, identOf(module))
		}
		return &problem{text: "Unknown Authz provider: " + name, at: n.ArgsRange(), hint: hint}
	}
	rule, p := w.requirement(provider, rest)
	if p != nil {
		p.at = n.ArgsRange()
		return p
	}
	if provider == "host" || provider == "forward-dns" {
		w.authzRecord(n).Resolves = true
	}
	rule.Not, rule.Limit, rule.Range = negated, w.methods, n.Range()
	return w.addRule(n, rule, "negative Require")
}

// authzRecord is the section's record, and the rules to which the next is
// added.
func (w *walk) authzRecord(n *syntax.Node) *AuthzDir {
	if w.records.Authz == nil {
		w.records.Authz = &AuthzDir{Range: n.Range()}
		if parent := enclosing(n); parent != nil {
			w.records.Authz.Section = parent.Opener()
		}
	}
	return w.records.Authz
}

// addRule adds a rule to the container that is open, or to the lines of the
// section, of which one is enough.
func (w *walk) addRule(n *syntax.Node, rule *AuthzRule, name string) *problem {
	d := w.authzRecord(n)
	into := w.rules
	if into == nil {
		if d.Root == nil {
			d.Root = &AuthzRule{}
		}
		into = d.Root
	}
	if rule.Not && !into.All {
		outer := "RequireAny"
		if into.Not {
			outer = "RequireNone"
		}
		return &problem{text: fmt.Sprintf("%s directive has no effect in <%s> directive", name, outer), at: n.NameRange(),
			hint: "put it into <RequireAll>, beside what lets somebody in"}
	}
	// A container is silent on the methods of which none of its rules says
	// anything.
	if len(into.Rules) == 0 {
		into.Limit = rule.Limit
	} else {
		into.Limit = into.Limit.union(rule.Limit)
	}
	into.Rules = append(into.Rules, rule)
	return nil
}

// requireSection is RequireAll, RequireAny and RequireNone (httpd 2.4
// modules/aaa/mod_authz_core.c, add_authz_section).
func (w *walk) requireSection(n *syntax.Node, _ []syntax.Arg) *problem {
	arg, closed := n.Args, true
	if end := strings.LastIndexByte(arg, '>'); end >= 0 {
		arg = arg[:end]
	} else {
		closed = false
	}
	switch {
	case !closed:
		return &problem{text: fmt.Sprintf("<%s> directive missing closing '>'", n.Name)}
	case strings.TrimSpace(arg) != "":
		return &problem{text: fmt.Sprintf("<%s> directive doesn't take additional arguments", n.Name), at: n.ArgsRange()}
	}
	rule := &AuthzRule{All: strings.EqualFold(n.Name, "RequireAll"), Not: strings.EqualFold(n.Name, "RequireNone"), Range: n.Range()}
	w.authzRecord(n)
	outer, override, before := w.rules, w.override, len(w.diags)
	w.rules, w.override = rule, orAuthConfig
	w.nodes(n.Children)
	w.rules, w.override = outer, override
	if len(rule.Rules) == 0 {
		if w.diags[before:].HasErrors() {
			return nil // what should stand in it is wrong
		}
		return &problem{text: fmt.Sprintf("<%s> directive contains no authorization directives", n.Name), at: n.NameRange()}
	}
	if !slices.ContainsFunc(rule.Rules, func(r *AuthzRule) bool { return !r.Not }) {
		w.checks = append(w.checks, checkError(fmt.Sprintf("AH01624: <%s> directive contains only negative authorization directives", n.Name),
			fmt.Sprintf("%s:%d: add a Require that lets somebody in, such as Require all granted", shownFile(n.Line.Filename()), n.Line.Last())))
	}
	return w.addRule(n, rule, "<"+n.Name+">")
}

// requirement reads one Require line.
func (w *walk) requirement(provider, args string) (*AuthzRule, *problem) {
	rule := &AuthzRule{Provider: provider}
	switch provider {
	case "all":
		word, rest := syntax.Word(args)
		rule.Granted = strings.EqualFold(word, "granted")
		if rest != "" || !rule.Granted && !strings.EqualFold(word, "denied") {
			return nil, &problem{text: "Argument for 'Require all' must be 'granted' or 'denied'"}
		}
		return rule, nil
	case "local":
		return rule, nil // httpd looks at no argument
	case "ip":
		return rule, requireIP(rule, args)
	case "method":
		for _, m := range wordsOf(args) {
			if !slices.Contains(httpMethods, m) {
				return nil, &problem{text: fmt.Sprintf("Invalid Method '%s'", m)}
			}
			if m == "HEAD" {
				m = "GET" // one number in httpd
			}
			rule.Methods = append(rule.Methods, m)
		}
		return rule, nil
	case "expr":
		return rule, w.requireExpr(rule, args)
	case "ssl", "ssl-verify-client":
		if args != "" {
			return nil, &problem{text: fmt.Sprintf("'Require %s' does not take arguments", provider)}
		}
		return rule, nil
	case "env", "valid-user":
		rule.Names = wordsOf(args)
		return rule, nil
	case "user", "group", "host", "forward-dns":
		return rule, w.requireNames(rule, args)
	}
	return nil, &problem{
		text: fmt.Sprintf("Require %s is not obeyed by this version of wshttpd", provider),
		hint: "rather than let everybody in, the server does not start; Require all, ip, local, host, forward-dns, method, expr, env, user, valid-user, group, ssl and ssl-verify-client are obeyed",
	}
}

// requireNames reads words that an expression may stand for.
func (w *walk) requireNames(rule *AuthzRule, args string) *problem {
	if !strings.ContainsAny(args, "%$\\") {
		rule.Names = wordsOf(args)
		return nil
	}
	e, err := w.exprOptions().ParseString(args)
	e, p := checkedExpr(e, err, "Cannot parse expression in require line: ")
	rule.Text = e
	return p
}

// httpMethods are those that httpd knows without further modules (httpd 2.4
// modules/http/http_protocol.c, ap_method_registry_init). It is constant.
var httpMethods = []string{
	"GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
	"VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE",
}

// requireExpr reads "Require expr". An expression in quotes is one word.
func (w *walk) requireExpr(rule *AuthzRule, args string) *problem {
	e, err := w.exprOptions().Parse(unquoted(args))
	e, p := checkedExpr(e, err, "Cannot parse expression in require line: ")
	if p != nil {
		return p
	}
	rule.Expr = e
	rule.OfUser = slices.ContainsFunc(e.Reads(), func(r expr.Read) bool { return r.Name == "REMOTE_USER" })
	return nil
}

// unquoted is the expression of a line that is quoted as a whole (httpd 2.4
// modules/aaa/mod_authz_core.c, expr_parse_config).
func unquoted(s string) string {
	if s != "" && s[0] == '"' {
		if word, rest := syntax.Word(s); rest == "" {
			return word
		}
	}
	return s
}

// requireIP reads the networks of "Require ip" (APR's apr_ipsubnet_create):
// addresses, the first parts of one, with a prefix length or a netmask.
func requireIP(rule *AuthzRule, args string) *problem {
	words := wordsOf(args)
	if end := slices.Index(words, ""); end >= 0 {
		words = words[:end]
	}
	if len(words) == 0 {
		return &problem{text: "'require ip' requires an argument"}
	}
	for _, word := range words {
		prefix, why := parseNetwork(word)
		if address, _, _ := strings.Cut(word, "/"); why != "" && !looksLikeIP(address) {
			return &problem{text: fmt.Sprintf("ip address '%s' appears to be invalid", word)}
		}
		if why != "" {
			return &problem{text: fmt.Sprintf("ip address '%s' appears to be invalid: %s", word, why)}
		}
		rule.Networks = append(rule.Networks, prefix)
	}
	return nil
}

// looksLikeIP tells an address from the name of a host (APR's looks_like_ip).
func looksLikeIP(s string) bool {
	return s != "" && (strings.Contains(s, ":") || strings.Trim(s, "0123456789.") == "")
}

func parseNetwork(s string) (p netip.Prefix, why string) {
	const badIP, badMask = "The specified IP address is invalid.", "The specified network mask is invalid."
	address, mask, hasMask := strings.Cut(s, "/")
	bits := -1
	if strings.Trim(address, "0123456789.") == "" && address != "" {
		parts := strings.Split(strings.TrimSuffix(address, "."), ".")
		if len(parts) > 4 || len(parts) < 4 && hasMask {
			return p, badIP
		}
		if len(parts) < 4 {
			bits = 8 * len(parts)
		}
		address = strings.Join(append(parts, slices.Repeat([]string{"0"}, 4-len(parts))...), ".")
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return p, badIP
	}
	if bits < 0 || hasMask {
		bits = ip.BitLen()
	}
	if hasMask {
		var good bool
		if bits, good = maskBits(mask, ip); !good {
			return p, badMask
		}
	}
	return netip.PrefixFrom(ip, bits).Masked(), ""
}

// maskBits reads a prefix length, or a netmask whose ones stand together.
func maskBits(mask string, ip netip.Addr) (bits int, good bool) {
	if n, err := strconv.Atoi(mask); err == nil {
		return n, n > 0 && n <= ip.BitLen()
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !ip.Is4() {
		return 0, false
	}
	b := m.As4()
	wide := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for wide&(1<<31) != 0 {
		bits++
		wide <<= 1
	}
	return bits, wide == 0
}

// AuthzResult is what rules say of a request.
type AuthzResult int

// The results. The zero value lets nobody in.
const (
	AuthzDenied AuthzResult = iota
	AuthzGranted
	AuthzNeutral      // no opinion: a negated rule that does not hold
	AuthzFailed       // an expression could not be evaluated
	AuthzDeniedNoUser // who the user is would make a difference
)

func (r AuthzResult) String() string {
	return [...]string{"denied", "granted", "no opinion", "cannot be evaluated", "denied, until the user is known"}[r]
}

// AuthzRequest is what rules look at.
type AuthzRequest struct {
	Client, Server netip.Addr // the ends of the connection
	Method         string
	Env            expr.Env

	User     string                     // empty for nobody
	IsMember func(groups []string) bool // of User
	IsSet    func(variable string) bool // in the environment

	IsTLS      bool // the connection is
	IsVerified bool // the client has a certificate that was found good

	HostIs    func(domain string) bool // of the name of Client
	IsAddress func(host string) bool   // of Client, by the addresses of a host

	// Asked is told what each rule says, a container's behind those in it; nil
	// for nobody.
	Asked func(rule *AuthzRule, result AuthzResult)
}

// HasRules reports whether a Require stands anywhere.
func (a *AuthzDir) HasRules() bool { return a != nil && a.Root != nil }

// GrantsAll reports whether the record is the usual "Require all granted", which
// asks for nothing of a request.
func (a *AuthzDir) GrantsAll() bool {
	if a == nil || a.Root == nil || a.Root.Limit != nil || a.Root.Not || len(a.Root.Rules) != 1 {
		return false
	}
	only := a.Root.Rules[0]
	return only.Provider == "all" && only.Granted && !only.Not && only.Limit == nil
}

// Decide returns what the record says of a request: AuthzGranted lets it in.
func (a *AuthzDir) Decide(q *AuthzRequest) AuthzResult {
	if a == nil || a.Root == nil {
		return AuthzGranted
	}
	plain := *q
	plain.Client, plain.Server = q.Client.Unmap(), q.Server.Unmap()
	if plain.Method == "HEAD" {
		plain.Method = "GET"
	}
	return a.Root.decide(&plain, true)
}

// decide is httpd 2.4 modules/aaa/mod_authz_core.c, apply_authz_sections. inAll
// says that all rules of the container in which r stands have to hold.
func (r *AuthzRule) decide(q *AuthzRequest, inAll bool) AuthzResult {
	result := r.result(q, inAll)
	if q.Asked != nil {
		q.Asked(r, result)
	}
	return result
}

func (r *AuthzRule) result(q *AuthzRequest, inAll bool) AuthzResult {
	if !r.Limit.Has(q.Method) {
		if inAll {
			return AuthzGranted
		}
		return AuthzNeutral
	}
	result := r.combine(q)
	if !r.Not {
		return result
	}
	switch result {
	case AuthzGranted:
		return AuthzDenied
	case AuthzDenied, AuthzDeniedNoUser:
		return AuthzNeutral
	}
	return result
}

// combine asks a container's rules in order, until one decides.
func (r *AuthzRule) combine(q *AuthzRequest) AuthzResult {
	if r.Provider != "" {
		return r.holds(q)
	}
	result := AuthzNeutral
	for _, child := range r.Rules {
		switch c := child.decide(q, r.All); {
		case c == AuthzFailed, r.All && c == AuthzDenied, !r.All && c == AuthzGranted:
			return c
		case c == AuthzNeutral:
		case result == AuthzNeutral, c == AuthzDeniedNoUser && (r.All || result == AuthzDenied):
			result = c
		}
	}
	return result
}

func (r *AuthzRule) holds(q *AuthzRequest) AuthzResult {
	holds := false
	switch r.Provider {
	case "user", "valid-user", "group":
		if q.User == "" {
			return AuthzDeniedNoUser
		}
	}
	switch r.Provider {
	case "user":
		holds = slices.Contains(r.names(q), q.User)
	case "valid-user":
		holds = true
	case "group":
		holds = q.IsMember(r.names(q))
	case "host":
		holds = slices.ContainsFunc(r.names(q), q.HostIs)
	case "forward-dns":
		holds = slices.ContainsFunc(r.names(q), q.IsAddress)
	case "env":
		holds = slices.ContainsFunc(r.Names, q.IsSet)
	case "all":
		holds = r.Granted
	case "local":
		holds = q.Client.IsLoopback() || q.Client == q.Server
	case "ip":
		holds = slices.ContainsFunc(r.Networks, func(p netip.Prefix) bool { return p.Contains(q.Client) })
	case "ssl":
		holds = q.IsTLS
	case "ssl-verify-client":
		holds = q.IsVerified
	case "method":
		holds = slices.Contains(r.Methods, q.Method)
	case "expr":
		var err error
		if holds, err = r.Expr.Bool(q.Env); err != nil {
			return AuthzFailed
		}
		if !holds && r.OfUser {
			return AuthzDeniedNoUser
		}
	}
	if holds {
		return AuthzGranted
	}
	return AuthzDenied
}

// names returns the words of the rule. An expression that cannot be evaluated
// names nobody.
func (r *AuthzRule) names(q *AuthzRequest) []string {
	if r.Text == nil {
		return r.Names
	}
	text, err := r.Text.String(q.Env)
	if err != nil {
		return nil
	}
	return wordsOf(text)
}

func (w *walk) setAuthMerging(n *syntax.Node, words []syntax.Arg) *problem {
	mode := map[string]AuthMerging{"off": MergingOff, "and": MergingAnd, "or": MergingOr}[strings.ToLower(words[0].Text)]
	if mode == MergingUnset {
		return &problem{text: "AuthMerging must be one of: Off | And | Or", at: words[0].Range}
	}
	w.authzRecord(n).Merging = mode
	return nil
}

func (w *walk) setForbiddenOnFailure(n *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.authzRecord(n).Forbidden = &on
	return nil
}

// mergeAuthz is httpd 2.4 modules/aaa/mod_authz_core.c,
// merge_authz_core_dir_config: under AuthMerging And and Or both records' rules
// hold, else the later ones alone.
func mergeAuthz(base, over *AuthzDir) *AuthzDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := *over
	m.Resolves = base.Resolves || over.Resolves
	switch {
	case over.Merging == MergingUnset && over.Root == nil:
		m.Root, m.Merging, m.Section, m.Range = base.Root, base.Merging, base.Section, base.Range
	case over.Merging == MergingUnset, over.Merging == MergingOff, base.Root == nil:
	case over.Root == nil:
		m.Root, m.Section, m.Range = base.Root, base.Section, base.Range
	default:
		m.Root = &AuthzRule{All: over.Merging == MergingAnd, Limit: base.Root.Limit.union(over.Root.Limit), Rules: []*AuthzRule{base.Root, over.Root}}
	}
	if m.Forbidden == nil {
		m.Forbidden = base.Forbidden
	}
	return &m
}
