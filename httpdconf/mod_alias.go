package httpdconf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Mapping is one line of mod_alias: an Alias, or a Redirect. It is for a path
// and what is below it, or for an expression, or for all of a section.
type Mapping struct {
	Path   string       // of the URL; empty with Regexp, and for all of a section
	Regexp *expr.Regexp // nil with Path
	Target string       // file name, absolute, or URL; what $1 to $9 stand for is put in with Regexp
	Expr   *expr.Expr   // in the place of Target, for all of a section
	Status int          // of a Redirect
	Range  hcl.Range
}

// AliasDir is mod_alias's record of a section, and of what stands outside.
type AliasDir struct {
	Redirects []*Mapping // the first that fits counts
	All       *Mapping   // a Redirect without a path
	Alias     *Mapping   // an Alias without one, of a Location
	Relative  *bool      // RedirectRelative; nil inherits
}

// Match returns what a path is mapped to. rest is what of the path is behind
// Path, still to be put behind target; an expression leaves none.
func (m *Mapping) Match(path string) (target, rest string, matches bool) {
	if m.Regexp == nil {
		n := matchedPrefix(path, m.Path)
		if n < 0 {
			return "", "", false
		}
		return m.Target, path[n:], true
	}
	var groups expr.Groups
	if !m.Regexp.Find(path, &groups) {
		return "", "", false
	}
	return substitute(m.Target, &groups), "", true
}

// matchedPrefix returns how many bytes of a path fit a prefix by whole
// segments, -1 if it does not fit. Slashes match any number of them (httpd 2.4
// modules/mappers/mod_alias.c, alias_matches).
func matchedPrefix(path, prefix string) int {
	at := 0
	for i := 0; i < len(prefix); {
		if prefix[i] != '/' {
			if at == len(path) || path[at] != prefix[i] {
				return -1
			}
			at, i = at+1, i+1
			continue
		}
		if at == len(path) || path[at] != '/' {
			return -1
		}
		for i < len(prefix) && prefix[i] == '/' {
			i++
		}
		for at < len(path) && path[at] == '/' {
			at++
		}
	}
	if !strings.HasSuffix(prefix, "/") && at < len(path) && path[at] != '/' {
		return -1
	}
	return at
}

// substitute puts groups in the place of $0 to $9; a backslash takes the
// meaning from what follows (httpd 2.4 server/util.c, ap_pregsub).
func substitute(text string, groups *expr.Groups) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			i++
			b.WriteString(groups.Group(int(text[i] - '0')))
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// mergeAlias puts a section's redirects in front of those of earlier ones
// (httpd 2.4 modules/mappers/mod_alias.c, merge_alias_dir_config).
func mergeAlias(base, over *AliasDir) *AliasDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := &AliasDir{Redirects: slices.Concat(over.Redirects, base.Redirects), All: base.All, Alias: replace(base.Alias, over.Alias), Relative: base.Relative}
	if over.All != nil {
		m.All = over.All
	}
	if over.Relative != nil {
		m.Relative = over.Relative
	}
	return m
}

// aliasCommands are the rows of mod_alias.
func aliasCommands() map[string]command {
	return map[string]command{
		"ScriptAlias":      {"mod_alias.c", (*walk).scriptAlias, "not for this server: the path is answered 501"},
		"ScriptAliasMatch": {"mod_alias.c", (*walk).scriptAlias, "not for this server: paths that match are answered 501"},

		"Alias":             {"mod_alias.c", (*walk).alias, "a folder or file for a path and all below it; with one argument, in a Location, an expression for all of that"},
		"AliasMatch":        {"mod_alias.c", (*walk).alias, "the same for paths that match; `$1` to `$9` stand for groups"},
		"Redirect":          {"mod_alias.c", (*walk).redirect, "sends clients elsewhere, or answers any status; in a section also without a path"},
		"RedirectMatch":     {"mod_alias.c", (*walk).redirect, "the same for paths that match; `$1` to `$9` stand for groups"},
		"RedirectPermanent": {"mod_alias.c", (*walk).redirect, "`Redirect permanent`"},
		"RedirectTemp":      {"mod_alias.c", (*walk).redirect, "`Redirect temp`"},
		"RedirectRelative":  {"mod_alias.c", (*walk).redirectRelative, "a Location header without scheme and host, where the line has none"},
	}
}

// scriptAlias notes a path below which httpd would have run programs.
func (w *walk) scriptAlias(n *syntax.Node, words []syntax.Arg) *problem {
	s := &Section{Kind: LocationSection, Pattern: words[0].Text, Range: n.Range()}
	if tableName(n) == "scriptaliasmatch" {
		re, err := expr.CompileRegexp(words[0].Text, false)
		if err != nil {
			return &problem{text: "Regular expression could not be compiled.", at: words[0].Range, hint: err.Error()}
		}
		s.Kind, s.Regexp = LocationMatchSection, re
	}
	if len(words) == 1 || w.section != nil { // in a Location: the path is the section's
		handler := "cgi-script"
		w.core().Handler, w.core().HandlerRange = &handler, n.Range()
		w.unserved = append(w.unserved, n)
	} else {
		w.host.Unserved = append(w.host.Unserved, s)
	}
	w.fail(difference(n, n.NameRange(), LevelError, "alias",
		fmt.Sprintf("%s %s: wshttpd runs no programs, the path is answered 501", n.Name, words[0].Text), ""))
	return nil
}

// alias is Alias and AliasMatch (httpd 2.4 modules/mappers/mod_alias.c,
// add_alias_internal).
func (w *walk) alias(n *syntax.Node, words []syntax.Arg) *problem {
	if len(words) == 1 {
		if w.section == nil {
			return &problem{text: n.Name + " must have two arguments when used globally"}
		}
		return w.aliasAll(n, words[0])
	}
	if w.section != nil {
		switch w.section.Kind {
		case DirectorySection, DirectoryMatchSection, FilesSection, FilesMatchSection:
			return &problem{text: n.Name + " cannot occur within directory context"}
		}
		return &problem{text: n.Name + " within <" + enclosing(n).Name + ">" + notObeyed, hint: "write it outside of the section"}
	}
	m, p := newMapping(n, words[0], tableName(n) == "aliasmatch")
	if p != nil {
		return p
	}
	m.Target = w.rootRelative(words[1].Text)
	if strings.HasSuffix(words[1].Text, "/") && !strings.HasSuffix(m.Target, "/") {
		m.Target += "/" // what is behind the path is put behind it as it is
	}
	w.host.PathAliases = append(w.host.PathAliases, m)
	return nil
}

// aliasAll sets the Alias of all of a Location. What is behind the Location's
// path plays no part, unless the expression names it.
func (w *walk) aliasAll(n *syntax.Node, target syntax.Arg) *problem {
	switch kind := w.section.Kind; kind {
	case LocationSection, LocationMatchSection:
	case DirectorySection, DirectoryMatchSection, FilesSection, FilesMatchSection:
		return &problem{text: n.Name + " cannot occur within directory context"}
	default:
		return &problem{text: n.Name + " within <" + enclosing(n).Name + ">" + notObeyed, hint: "write it within a Location"}
	}
	e, p := w.textExpr(target.Text, "Cannot parse alias expression '"+target.Text+"': ")
	if p != nil {
		p.at = target.Range
		return p
	}
	w.aliasDir().Alias = &Mapping{Expr: e, Range: n.Range()}
	w.host.HasLocationAlias = true
	return nil
}

// newMapping makes a Mapping for a path or an expression.
func newMapping(n *syntax.Node, from syntax.Arg, isMatch bool) (*Mapping, *problem) {
	m := &Mapping{Path: from.Text, Range: n.Range()}
	if isMatch {
		re, err := expr.CompileRegexp(from.Text, false)
		if err != nil {
			return nil, &problem{text: "Regular expression could not be compiled.", at: from.Range, hint: err.Error()}
		}
		m.Path, m.Regexp = "", re
	}
	return m, nil
}

// redirectStatuses are the words for a status. It is constant.
var redirectStatuses = map[string]int{"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}

// statusOf reads a status of Redirect: a word, or a number.
func statusOf(word string) (int, bool) {
	if status, known := redirectStatuses[strings.ToLower(word)]; known {
		return status, true
	}
	status, err := strconv.Atoi(word)
	return status, err == nil && word[0] >= '0' && word[0] <= '9'
}

// redirect is Redirect and its kin (httpd 2.4 modules/mappers/mod_alias.c,
// add_redirect_internal).
func (w *walk) redirect(n *syntax.Node, words []syntax.Arg) *problem {
	name := tableName(n)
	status := 302
	if name == "redirectpermanent" {
		status = 301
	}
	if strings.HasPrefix(name, "redirectp") || strings.HasPrefix(name, "redirectt") {
		return w.addRedirect(n, status, words[0], words[1:])
	}
	given, isStatus := statusOf(words[0].Text)
	switch {
	case len(words) == 3 && !isStatus:
		return &problem{text: "Redirect: invalid first argument (of three)", at: words[0].Range}
	case len(words) == 3, len(words) == 2 && isStatus:
		return w.addRedirect(n, given, words[1], words[2:])
	case len(words) == 2:
		return w.addRedirect(n, status, words[0], words[1:])
	case w.section == nil && !isStatus:
		return &problem{text: "URL to redirect to is missing"}
	case isStatus:
		return w.redirectAll(n, given, "")
	}
	return w.redirectAll(n, status, words[0].Text)
}

// addRedirect adds a Redirect of a path or an expression. Within a section one
// argument behind the status is the target of all of it.
func (w *walk) addRedirect(n *syntax.Node, status int, from syntax.Arg, target []syntax.Arg) *problem {
	isMatch := tableName(n) == "redirectmatch"
	if w.section != nil && len(target) == 0 && !isMatch {
		return w.redirectAll(n, status, from.Text)
	}
	m, p := newMapping(n, from, isMatch)
	if p != nil {
		return p
	}
	m.Status = status
	switch {
	case !isRedirection(status) && len(target) > 0:
		return &problem{text: "Redirect URL not valid for this status", at: target[0].Range}
	case isRedirection(status) && len(target) == 0:
		return &problem{text: "URL to redirect to is missing"}
	case isRedirection(status):
		m.Target = target[0].Text
		if !isMatch && !isURL(m.Target) && !strings.HasPrefix(m.Target, "/") {
			return &problem{text: "Redirect to non-URL", at: target[0].Range}
		}
	}
	w.aliasDir().Redirects = append(w.aliasDir().Redirects, m)
	return nil
}

// redirectAll sets the Redirect of a whole section.
func (w *walk) redirectAll(n *syntax.Node, status int, target string) *problem {
	e, p := w.textExpr(target, "Cannot parse redirect expression '"+target+"': ")
	if p != nil {
		return p
	}
	w.aliasDir().All = &Mapping{Expr: e, Status: status, Range: n.Range()}
	return nil
}

func (w *walk) redirectRelative(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.aliasDir().Relative = &on
	return nil
}

func (w *walk) aliasDir() *AliasDir {
	if w.records.Alias == nil {
		w.records.Alias = &AliasDir{}
	}
	return w.records.Alias
}

// isRedirection reports whether a status comes with a Location.
func isRedirection(status int) bool { return status >= 300 && status <= 399 }

// isURL reports whether s begins with a scheme (httpd 2.4 server/util.c,
// ap_is_url).
func isURL(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		default:
			return i > 0 && c == ':'
		}
	}
	return false
}

// closesPath reports whether the first word is a status that sends the client
// nowhere else. A path starts with a slash and an expression is no number, so
// that neither is taken for one.
func closesPath(words []syntax.Arg) bool {
	status, isStatus := statusOf(words[0].Text)
	return isStatus && !isRedirection(status)
}
