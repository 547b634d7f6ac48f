package httpdconf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// aliasCommands are the rows of mod_alias that must not be ignored.
func aliasCommands() map[string]command {
	return map[string]command{
		"ScriptAlias":      {"mod_alias.c", (*walk).scriptAlias, "not for this server: the path is answered 501"},
		"ScriptAliasMatch": {"mod_alias.c", (*walk).scriptAlias, "not for this server: paths that match are answered 501"},
		"Redirect":         {"mod_alias.c", (*walk).redirect, "not obeyed yet, a warning; a status that closes a path, as 403 or `gone`, refuses the start"},
		"RedirectMatch":    {"mod_alias.c", (*walk).redirect, "the same"},
	}
}

// scriptAlias notes a path below which httpd would have run programs.
func (w *walk) scriptAlias(n *syntax.Node, words []syntax.Arg) *problem {
	s := &Section{Kind: LocationSection, Pattern: words[0].Text, Range: n.Range()}
	if tableName(n) == "scriptaliasmatch" {
		re, err := compileRegexp(words[0].Text)
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
	w.fail(warning(n, n.NameRange(), LevelError, "alias", "",
		fmt.Sprintf("%s %s: wshttpd runs no programs, the path is answered 501", n.Name, words[0].Text), ""))
	return nil
}

// redirect warns that a path is served as it is, and refuses the start where
// the line closes the path instead of moving it: what httpd answers 403, 404 or
// 410 must not be sent (httpd 2.4 modules/mappers/mod_alias.c,
// add_redirect_internal).
func (w *walk) redirect(n *syntax.Node, words []syntax.Arg) *problem {
	if closesPath(words) {
		return &problem{
			text: fmt.Sprintf("%s %s%s", n.Name, words[0].Text, notObeyed), at: n.NameRange(),
			hint: "it closes a path: rather than serve what is behind it, the server does not start; write Require all denied in a Location or LocationMatch",
		}
	}
	return w.plainForm(n)
}

// closesPath reports whether the first word is a status that sends the client
// nowhere else. A path starts with a slash and an expression is no number, so
// that neither is taken for one.
func closesPath(words []syntax.Arg) bool {
	first := words[0].Text
	if strings.EqualFold(first, "gone") {
		return true
	}
	status, err := strconv.Atoi(first)
	return err == nil && (status < 300 || status > 399)
}
