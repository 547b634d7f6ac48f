package httpdconf

import (
	"fmt"
	"os"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// rewriteCommands are the rows of mod_rewrite.
func rewriteCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_rewrite.c", set, effect}
	}
	return map[string]command{
		"RewriteEngine":  row("switches the rules of a host or a section on and off", (*walk).rewriteEngine),
		"RewriteOptions": row("httpd's, `LegacyPrefixDocRoot` and `UnsafePrefixStat` included", (*walk).rewriteOptions),
		"RewriteBase":    row("the URL of a section's folder, for rules that give a relative path", (*walk).rewriteBase),
		"RewriteMap":     row("the maps `int:tolower`, `int:toupper`, `int:escape` and `int:unescape`, and files, `txt:` and `rnd:`; `dbm:`, `dbd:` and `prg:` refuse the start", (*walk).rewriteMap),
		"RewriteCond":    row("a condition of the rule that follows; `%{LA-U:...}` and `%{LA-F:...}` refuse the start", (*walk).rewriteCond),
		"RewriteRule":    row("refuses, redirects or rewrites paths, also those of handshakes; the flags `P` and `H` refuse the start", (*walk).rewriteRule),
	}
}

// rewriteHost is the host's record; any line of mod_rewrite in a host makes
// one.
func (w *walk) rewriteHost() *RewriteHost {
	if w.host.Rewrite == nil {
		w.host.Rewrite = &RewriteHost{}
	}
	return w.host.Rewrite
}

// rewriteDir is the record of the section, or of what stands outside.
func (w *walk) rewriteDir() *RewriteDir {
	w.rewriteHost()
	if w.records.Rewrite == nil {
		w.records.Rewrite = &RewriteDir{Dir: w.sectionPath()}
	}
	return w.records.Rewrite
}

// sectionPath is what the section is for, with a slash behind it (httpd 2.4
// server/core.c, the cmd->path of sections).
func (w *walk) sectionPath() string {
	switch {
	case w.section == nil:
		return ""
	case w.section.Kind == IfSection:
		return "*If/"
	}
	return strings.TrimSuffix(w.section.Pattern, "/") + "/"
}

func (w *walk) rewriteEngine(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.rewriteDir().Engine = &on
	return nil
}

// rewriteOptionNames are the options by name. It is constant.
var rewriteOptionNames = map[string]RewriteOptions{
	"inherit": RewriteInherit, "inheritbefore": RewriteInheritBefore, "inheritdown": RewriteInheritDown,
	"inheritdownbefore": RewriteInheritDownBefore, "ignoreinherit": RewriteIgnoreInherit, "allownoslash": RewriteAllowNoSlash,
	"allowanyuri": RewriteAllowAnyURI, "mergebase": RewriteMergeBase, "ignorecontextinfo": RewriteIgnoreContextInfo,
	"legacyprefixdocroot": RewriteLegacyPrefixDocRoot, "unsafeprefixstat": RewriteUnsafePrefixStat,
}

// rewriteOptions is httpd 2.4 modules/mappers/mod_rewrite.c, cmd_rewriteoptions.
func (w *walk) rewriteOptions(n *syntax.Node, words []syntax.Arg) *problem {
	var set RewriteOptions
	for _, word := range words {
		for _, name := range wordsOf(word.Text) {
			lower := strings.ToLower(name)
			option, known := rewriteOptionNames[lower]
			switch {
			case known:
				set |= option
			case strings.HasPrefix(lower, "maxredirects="):
				w.warn(n, word.Range, "rewrite", "AH00664: RewriteOptions: MaxRedirects option has been removed in favor of the global LimitInternalRecursion directive and will be ignored.", "")
			default:
				return &problem{text: fmt.Sprintf("RewriteOptions: unknown option '%s'", name), at: word.Range}
			}
		}
	}
	d := w.rewriteDir()
	if d.Options != nil {
		set |= *d.Options
	}
	d.Options = &set
	if w.section == nil {
		w.rewriteHost().Options, w.rewriteHost().hasOptions = set, true
	}
	return nil
}

// rewriteBase is httpd 2.4 modules/mappers/mod_rewrite.c, cmd_rewritebase.
func (w *walk) rewriteBase(_ *syntax.Node, words []syntax.Arg) *problem {
	switch {
	case w.section == nil:
		return &problem{text: "RewriteBase: only valid in per-directory config files"}
	case words[0].Text[0] != '/':
		return &problem{text: "RewriteBase: argument is not a valid URL", at: words[0].Range}
	}
	w.rewriteDir().Base = words[0].Text
	return nil
}

// builtInMaps are the maps of "int:". It is constant.
var builtInMaps = map[string]RewriteMapKind{"tolower": MapToLower, "toupper": MapToUpper, "escape": MapEscape, "unescape": MapUnescape}

// rewriteMap is httpd 2.4 modules/mappers/mod_rewrite.c, cmd_rewritemap. A map
// of a database or a program refuses the start, unless httpd has a reason of its
// own to do so.
func (w *walk) rewriteMap(_ *syntax.Node, words []syntax.Arg) *problem {
	kind, source, hasKind := strings.Cut(words[1].Text, ":")
	kind = strings.ToLower(kind)
	var m RewriteMap
	switch {
	case hasKind && kind == "int":
		var known bool
		if m.Kind, known = builtInMaps[source]; !known {
			return &problem{text: "RewriteMap: internal map not found:" + source, at: words[1].Range}
		}
	case hasKind && (kind == "dbd" || kind == "fastdbd"):
		return &problem{text: "RewriteMap types dbd and fastdbd require mod_dbd!", at: words[1].Range}
	case strings.HasPrefix(kind, "dbm") && !hasKind:
		return &problem{text: "RewriteMap: bad map:" + words[1].Text, at: words[1].Range}
	case hasKind && kind == "prg":
		program, _, _ := strings.Cut(source, " ")
		if p := w.mapFile(words, program); p != nil {
			return p
		}
		return &problem{text: "RewriteMap " + words[1].Text + notObeyed, at: words[1].Range, hint: unservedMap}
	case strings.HasPrefix(kind, "dbm"):
		return &problem{text: "RewriteMap " + words[1].Text + notObeyed, at: words[1].Range, hint: unservedMap}
	default:
		m.Kind = MapText
		switch {
		case hasKind && kind == "rnd":
			m.Kind = MapRandom
		case !hasKind || kind != "txt":
			source = words[1].Text
		}
		if p := w.mapFile(words, source); p != nil {
			return p
		}
		m.File = w.rootRelative(source)
	}
	h := w.rewriteHost()
	if h.Maps == nil {
		h.Maps = make(map[string]RewriteMap)
	}
	h.Maps[words[0].Text] = m
	return nil
}

const unservedMap = "write the map into a file of keys and values, as httpd's httxt2dbm takes one, and name that by txt:"

// mapFile checks that the file of a map is there.
func (w *walk) mapFile(words []syntax.Arg, name string) *problem {
	file := w.rootRelative(name)
	if _, err := os.Stat(file); err != nil {
		return &problem{text: fmt.Sprintf("RewriteMap: file for map %s not found:%s", words[0].Text, file), at: words[1].Range}
	}
	return nil
}

// rewriteLine are the arguments of RewriteRule and RewriteCond.
type rewriteLine struct {
	first, second string
	flags         string // with their brackets
	hasFlags      bool
}

// splitRewriteLine takes a line apart, which is not done as for other
// directives: no backslash loses its meaning, and what is behind the flags is
// not looked at (httpd 2.4 modules/mappers/mod_rewrite.c, parseargline).
func splitRewriteLine(s string) (l rewriteLine, good bool) {
	var closed bool
	l.first, s, closed = rewriteWord(s)
	if !closed {
		return l, false
	}
	l.second, s, closed = rewriteWord(s)
	if !closed || strings.Trim(s, rewriteSpace) == "" {
		return l, true
	}
	l.flags, _, _ = rewriteWord(s)
	l.hasFlags = true
	return l, true
}

// rewriteSpace is what isspace takes for a blank.
const rewriteSpace = " \t\n\v\f\r"

// rewriteWord cuts one argument off, up to a quote like the one it begins with,
// or to a blank that has no backslash in front of it; closed is false where the
// line ends first.
func rewriteWord(s string) (word, rest string, closed bool) {
	s = strings.TrimLeft(s, rewriteSpace)
	quote := byte(0)
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		quote, s = s[0], s[1:]
	}
	for i := 0; i < len(s); i++ {
		isBlank := strings.IndexByte(rewriteSpace, s[i]) >= 0
		switch {
		case isBlank && quote == 0, quote != 0 && s[i] == quote:
			return s[:i], s[i+1:], true
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(rewriteSpace, s[i+1]) >= 0:
			i++
		}
	}
	return s, "", false
}

// rewriteText takes a text of a line apart, and warns of variables that stand
// for nothing.
func (w *walk) rewriteText(n *syntax.Node, s string) (RewriteText, *problem) {
	text, unknown, p := parseRewriteText(s)
	for _, name := range unknown {
		w.warn(n, n.ArgsRange(), "rewrite", fmt.Sprintf("%s: %%{%s} is no variable of mod_rewrite: it stands for nothing, as under httpd", n.Name, name),
			hintNearest(strings.ToUpper(name), keysOf(rewriteVariables)))
	}
	return text, p
}

// rewriteRule is httpd 2.4 modules/mappers/mod_rewrite.c, cmd_rewriterule.
func (w *walk) rewriteRule(n *syntax.Node, _ []syntax.Arg) *problem {
	l, good := splitRewriteLine(n.Args)
	if !good {
		return &problem{text: fmt.Sprintf("RewriteRule: bad argument line '%s'", n.Args), at: n.ArgsRange(), hint: "it takes an expression and what is put in the path's place; \"-\" keeps the path"}
	}
	rule := &RewriteRule{Status: 302, Rounds: maxRewriteRounds, Output: l.second, Range: n.Range()}
	if l.hasFlags {
		if p := w.rewriteFlags(n, l.flags, func(key, value string) *problem { return w.ruleFlag(n, rule, key, value) }); p != nil {
			return p
		}
	}
	pattern := l.first
	pattern, rule.Not = strings.CutPrefix(pattern, "!")
	var p *problem
	if rule.Regexp, p = rewriteRegexp(n, pattern, rule.anyCase()); p != nil {
		return p
	}
	switch {
	case rule.Output == "-":
		rule.Flags |= RuleKeeps
	case strings.HasSuffix(rule.Output, "?"):
		rule.Flags |= RuleQueryNone
		rule.Output = strings.TrimSuffix(rule.Output, "?")
	case rule.Has(RuleQueryDiscard) && !strings.Contains(rule.Output, "?"):
		rule.Flags |= RuleQueryNone
	}
	if rule.To, p = w.rewriteText(n, rule.Output); p != nil {
		return p
	}
	if w.section == nil {
		h := w.rewriteHost()
		rule.Conds, h.conds = h.conds, nil
		h.Rules = append(h.Rules, rule)
		w.rewriteDir()
		return nil
	}
	d := w.rewriteDir()
	rule.Conds, d.conds = d.conds, nil
	d.Rules = append(d.Rules, rule)
	return nil
}

// maxRewriteRounds is REWRITE_MAX_ROUNDS.
const maxRewriteRounds = 10000

func rewriteRegexp(n *syntax.Node, pattern string, anyCase bool) (*expr.Regexp, *problem) {
	re, err := expr.CompileRegexp(pattern, anyCase)
	if err != nil {
		return nil, &problem{text: fmt.Sprintf("%s: cannot compile regular expression '%s'", n.Name, pattern), at: n.ArgsRange(), hint: err.Error()}
	}
	return re, nil
}
