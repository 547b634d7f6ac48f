package server

import (
	"os"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

// hold reports whether the conditions of a rule hold, of which those that "or"
// joins are one.
func (w *rewriting) hold(conds []*httpdconf.RewriteCond) bool {
	for i := 0; i < len(conds); i++ {
		c := conds[i]
		before := len(w.vary)
		holds := w.holds(c)
		w.r.trace.ruled(c, holds)
		if c.NoVary || c.Or && !holds {
			w.vary = w.vary[:before]
		}
		switch {
		case c.Or && holds:
			for i < len(conds) && conds[i].Or {
				i++
			}
		case !c.Or && !holds:
			return false
		}
	}
	return true
}

// holds judges one condition (apply_rewrite_cond).
func (w *rewriting) holds(c *httpdconf.RewriteCond) bool {
	switch c.Kind {
	case httpdconf.CondExpr:
		return w.exprHolds(c) != c.Not
	case httpdconf.CondRegexp:
		var groups expr.Groups
		matched := c.Regexp.Find(w.expand(c.Input), &groups)
		if matched && !c.Not {
			w.found = groups
		}
		return matched != c.Not
	case httpdconf.CondTest:
		return w.test(c.Test, w.expand(c.Input)) != c.Not
	}
	return compares(c, w.expand(c.Input)) != c.Not
}

// exprHolds evaluates an expression, whose last match is what %N then stands
// for.
func (w *rewriting) exprHolds(c *httpdconf.RewriteCond) bool {
	if w.dir == "" {
		w.r.filename = w.name // it is none yet
	}
	before, groups := w.r.vary, expr.Groups{}
	w.r.vary = nil
	holds, err := c.Expr.BoolGroups(exprEnv{w.ctx, w.r}, &groups)
	w.vary = append(w.vary, w.r.vary...)
	w.r.vary = before
	if err != nil {
		return false
	}
	if holds && !c.Not {
		w.found = groups
	}
	return holds
}

// test looks at a file.
func (w *rewriting) test(operator byte, name string) bool {
	if operator == 'U' || operator == 'F' {
		return w.isServed(operator, name)
	}
	if operator == 'x' { // whoever may execute it
		info, err := os.Stat(name)
		return err == nil && info.Mode().Perm()&0o111 != 0
	}
	return exprEnv{w.ctx, w.r}.Test(operator, name)
}

// compares compares an input with a condition's operand.
func compares(c *httpdconf.RewriteCond, input string) bool {
	order := 0
	switch {
	case c.Kind >= httpdconf.CondNumberEqual:
		order = leadingInt(input) - leadingInt(c.Operand)
	case c.AnyCase:
		order = strings.Compare(lowerASCII(input), lowerASCII(c.Operand))
	default:
		order = compareLengthFirst(input, c.Operand)
	}
	switch c.Kind {
	case httpdconf.CondTextEqual, httpdconf.CondNumberEqual:
		return order == 0
	case httpdconf.CondTextLess, httpdconf.CondNumberLess:
		return order < 0
	case httpdconf.CondTextAtMost, httpdconf.CondNumberAtMost:
		return order <= 0
	case httpdconf.CondTextGreater, httpdconf.CondNumberGreater:
		return order > 0
	}
	return order >= 0
}

// compareLengthFirst takes the longer text for the greater one
// (compare_lexicography).
func compareLengthFirst(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// leadingInt reads a number as C's atoi does: as far as there are digits.
func leadingInt(s string) int {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, _ := strconv.ParseInt(s[:end], 10, 32) // out of range: the bound
	return int(n)
}
