package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// rewriteFlags reads the flags of a line, each with what stands behind its
// equals sign (httpd 2.4 modules/mappers/mod_rewrite.c, cmd_parseflagfield).
func (w *walk) rewriteFlags(n *syntax.Node, text string, set func(key, value string) *problem) *problem {
	inner, opened := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return &problem{text: n.Name + ": bad flag delimiters", at: n.ArgsRange(), hint: "flags stand in brackets, with commas and no blanks between them: [NC,L]"}
	}
	for flag := range strings.SplitSeq(inner, ",") {
		key, value, _ := strings.Cut(strings.Trim(flag, rewriteSpace), "=")
		if p := set(key, value); p != nil {
			p.text = n.Name + ": " + p.text
			if p.at.Filename == "" {
				p.at = n.ArgsRange()
			}
			return p
		}
	}
	return nil
}

func unknownFlag(key string) *problem { return &problem{text: fmt.Sprintf("unknown flag '%s'", key)} }

// flag sets one flag of a condition (cmd_rewritecond_setflag).
func (c *RewriteCond) flag(key, _ string) *problem {
	switch strings.ToUpper(key) {
	case "NC", "NOCASE":
		c.AnyCase = true
	case "OR", "ORNEXT":
		c.Or = true
	case "NV", "NOVARY":
		c.NoVary = true
	default:
		return unknownFlag(key)
	}
	return nil
}

// ruleFlags are the flags that stand without a value, by their names in upper
// case. It is constant.
var ruleFlags = map[string]RewriteFlags{
	"L": RuleLast, "LAST": RuleLast, "END": RuleEnd, "C": RuleChain, "CHAIN": RuleChain,
	"PT": RulePasses, "PASSTHROUGH": RulePasses, "NE": RuleNoEscape, "NOESCAPE": RuleNoEscape, "NS": RuleNoSubrequests, "NOSUBREQ": RuleNoSubrequests,
	"NC": ruleNoCase, "NOCASE": ruleNoCase,
	"QSA": RuleQueryAppend, "QSAPPEND": RuleQueryAppend, "QSD": RuleQueryDiscard, "QSDISCARD": RuleQueryDiscard, "QSL": RuleQueryLast, "QSLAST": RuleQueryLast,
	"BNP": RuleEscapesNoPlus, "BACKREFERNOPLUS": RuleEscapesNoPlus, "BCTLS": RuleEscapes | RuleEscapesControls,
	"D": RuleDiscardPathInfo, "DPI": RuleDiscardPathInfo, "DISCARDPATH": RuleDiscardPathInfo,
	"UNSAFEPREFIXSTAT": RuleUnsafePrefix, "UNSAFEALLOW3F": RuleUnsafeQuestion,
}

// ruleNoCase is NC, which is compiled into the expression.
const ruleNoCase RewriteFlags = 1 << 30

func (r *RewriteRule) anyCase() bool { return r.Has(ruleNoCase) }

// ruleFlag sets one flag of a rule (cmd_rewriterule_setflag).
func (w *walk) ruleFlag(n *syntax.Node, rule *RewriteRule, key, value string) (p *problem) {
	upper := strings.ToUpper(key)
	if flag, is := ruleFlags[upper]; is {
		rule.Flags |= flag
		return nil
	}
	switch upper {
	case "B", "BACKREFESCAPING":
		rule.Flags |= RuleEscapes
		if value != "" {
			rule.Escapes = value
		}
	case "BNE":
		if value == "" {
			return &problem{text: "flag 'BNE' wants a list of characters (i.e. [BNE=...])"}
		}
		rule.Spares = value
	case "F", "FORBIDDEN":
		rule.Flags |= RuleForces | RuleKeeps
		rule.Status = 403
	case "G", "GONE":
		rule.Flags |= RuleForces | RuleKeeps
		rule.Status = 410
	case "R", "REDIRECT":
		return rule.redirects(value)
	case "N", "NEXT":
		rule.Flags |= RuleNext
		if value != "" {
			rounds, _ := leadingNumber(value)
			rule.Rounds = int(rounds)
		}
	case "S", "SKIP":
		skip, _ := leadingNumber(value)
		rule.Skip = int(skip)
	case "E", "ENV":
		rule.Env, p = w.appendText(n, rule.Env, value)
	case "CO", "COOKIE":
		rule.Cookies, p = w.appendText(n, rule.Cookies, value)
	case "T", "TYPE":
		rule.MimeType, p = w.rewriteText(n, value)
	case "H", "HANDLER":
		return &problem{text: "flag H" + notObeyed, hint: "SetHandler in a Location, Files or If section chooses a handler"}
	case "P", "PROXY":
		return &problem{text: "flag P needs mod_proxy, which wshttpd does not have", hint: refusedHint(&directiveInfo{})}
	default:
		if strings.HasPrefix(upper, "D") {
			return nil // httpd looks at no more of it
		}
		return unknownFlag(key)
	}
	return p
}

func (w *walk) appendText(n *syntax.Node, list []RewriteText, value string) ([]RewriteText, *problem) {
	text, p := w.rewriteText(n, value)
	return append(list, text), p
}

// redirects is R: a word, or a status. One that is no redirect is the answer.
func (r *RewriteRule) redirects(value string) *problem {
	r.Flags |= RuleRedirects
	r.Status = 302
	switch lower := strings.ToLower(value); {
	case lower == "":
	case redirectStatuses[lower] != 0 && lower != "gone":
		r.Status = redirectStatuses[lower]
	case value[0] >= '0' && value[0] <= '9':
		status, _ := leadingNumber(value)
		if !isStatus(int(status)) {
			return &problem{text: fmt.Sprintf("invalid HTTP response code '%s' for flag 'R'", value)}
		}
		if r.Status = int(status); !isRedirection(r.Status) {
			r.Flags |= RuleForces | RuleKeeps
		}
	}
	return nil
}

// keysOf returns the names of a set.
func keysOf(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	return names
}
