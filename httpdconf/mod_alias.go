package httpdconf

import (
	"fmt"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// aliasCommands are the rows of mod_alias that must not be ignored.
func aliasCommands() map[string]command {
	return map[string]command{
		"ScriptAlias":      {"mod_alias.c", (*walk).scriptAlias, "not for this server: the path is answered 501"},
		"ScriptAliasMatch": {"mod_alias.c", (*walk).scriptAlias, "not for this server: paths that match are answered 501"},
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
	} else {
		w.host.Unserved = append(w.host.Unserved, s)
	}
	w.fail(warning(n, n.NameRange(), LevelError, "alias", "",
		fmt.Sprintf("%s %s: wshttpd runs no programs, the path is answered 501", n.Name, words[0].Text), ""))
	return nil
}
