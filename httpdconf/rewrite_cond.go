package httpdconf

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// rewriteCond is httpd 2.4 modules/mappers/mod_rewrite.c, cmd_rewritecond.
func (w *walk) rewriteCond(n *syntax.Node, _ []syntax.Arg) *problem {
	l, good := splitRewriteLine(n.Args)
	if !good {
		return &problem{text: fmt.Sprintf("RewriteCond: bad argument line '%s'", n.Args), at: n.ArgsRange(), hint: "it takes a text and what that is compared with"}
	}
	c := &RewriteCond{Range: n.Range()}
	if l.hasFlags {
		if p := w.rewriteFlags(n, l.flags, c.flag); p != nil {
			return p
		}
	}
	pattern := l.second
	pattern, c.Not = strings.CutPrefix(pattern, "!")
	c.Kind, c.Operand = CondExpr, pattern
	if !strings.EqualFold(l.first, "expr") {
		c.operator(pattern)
	}
	if c.AnyCase && c.Kind != CondRegexp && (c.Kind < CondTextEqual || c.Kind > CondTextAtLeast) {
		w.warn(n, n.ArgsRange(), "rewrite", fmt.Sprintf("AH00665: RewriteCond: NoCase option for non-regex pattern '%s' is not supported and will be ignored.", pattern), "")
		c.AnyCase = false
	}
	var p *problem
	switch {
	case c.Kind == CondRegexp:
		c.Regexp, p = rewriteRegexp(n, pattern, c.AnyCase)
	case c.Kind == CondExpr:
		c.Expr, p = w.condition(pattern, fmt.Sprintf("RewriteCond: cannot compile expression \"%s\" ", pattern))
	}
	if p == nil && c.Kind != CondExpr {
		c.Input, p = w.rewriteText(n, l.first)
	}
	if p != nil {
		return p
	}
	if w.section == nil {
		w.rewriteDir()
		w.rewriteHost().conds = append(w.rewriteHost().conds, c)
		return nil
	}
	w.rewriteDir().conds = append(w.rewriteDir().conds, c)
	return nil
}

// operator finds what a condition does with its input, and its operand.
func (c *RewriteCond) operator(pattern string) {
	c.Kind = CondRegexp
	if len(pattern) < 2 {
		return
	}
	if pattern[0] == '-' {
		c.dashOperator(pattern)
		return
	}
	for _, o := range []struct {
		text string
		kind RewriteCondKind
	}{{">=", CondTextAtLeast}, {">", CondTextGreater}, {"<=", CondTextAtMost}, {"<", CondTextLess}, {"=", CondTextEqual}} {
		if operand, is := strings.CutPrefix(pattern, o.text); is {
			c.Kind, c.Operand = o.kind, operand
			if o.kind == CondTextEqual && operand == `""` {
				c.Operand = ""
			}
			return
		}
	}
}

func (c *RewriteCond) dashOperator(pattern string) {
	if len(pattern) == 2 {
		if strings.IndexByte("fsdxhLlUF", pattern[1]) >= 0 {
			c.Kind, c.Test = CondTest, pattern[1]
			if c.Test == 'l' {
				c.Test = 'L'
			}
		}
		return
	}
	if len(pattern) < 4 {
		return
	}
	kinds := map[string]RewriteCondKind{
		"-lt": CondNumberLess, "-le": CondNumberAtMost, "-gt": CondNumberGreater, "-ge": CondNumberAtLeast, "-eq": CondNumberEqual, "-ne": CondNumberEqual,
	}
	if kind, is := kinds[pattern[:3]]; is {
		c.Kind, c.Operand = kind, pattern[3:]
		c.Not = c.Not != (pattern[:3] == "-ne")
	}
}

// warnConds warns of conditions of a host and its sections that no rule
// follows.
func (w *walk) warnConds(h *Host) {
	if h.Rewrite != nil {
		w.warnUnused(h.Rewrite.conds)
	}
	for _, list := range [][]*Section{h.Directories, h.Files, h.Locations, w.ifs} {
		for _, s := range list {
			if d := s.Records.Rewrite; d != nil {
				w.warnUnused(d.conds)
				d.conds = nil
			}
		}
	}
}

func (w *walk) warnUnused(conds []*RewriteCond) {
	for _, c := range conds {
		w.fail(&hcl.Diagnostic{
			Severity: hcl.DiagWarning, Subject: &c.Range, Summary: "RewriteCond without a RewriteRule behind it has no effect",
			Extra: &Place{Level: LevelWarn, Module: "rewrite"},
		})
	}
}
