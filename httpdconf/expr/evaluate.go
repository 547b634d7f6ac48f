package expr

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
)

// maxNesting is how deep conditions and words may be evaluated within each
// other (httpd 2.4 server/util_expr_eval.c, AP_EXPR_MAX_RECURSION).
const maxNesting = 20

// evaluation is one run of an expression.
type evaluation struct {
	env    Env
	groups *Groups
	depth  int
	err    error // the first; nothing is evaluated after it
}

// enter counts as inc_rec does; it reports whether to go on.
func (ev *evaluation) enter() bool {
	if ev.err == nil && ev.depth == maxNesting {
		//lint:ignore ST1005 httpd's own words
		ev.fail(errors.New("Recursion limit reached"))
	}
	if ev.err != nil {
		return false
	}
	ev.depth++
	return true
}

func (ev *evaluation) fail(err error) {
	if ev.err == nil {
		ev.err = err
	}
}

// condition is a *negation, a *junction or a test.
type condition any

type (
	negation struct{ operand condition }
	junction struct {
		operator    token // tokOr or tokAnd
		left, right condition
	}
)

// test is a condition without others in it.
type test interface {
	holds(ev *evaluation) bool
}

// test evaluates a condition. Negations, and what stands right of && and ||,
// take no level of their own, as in ap_expr_eval.
func (ev *evaluation) test(c condition) bool {
	if !ev.enter() {
		return false
	}
	defer func() { ev.depth-- }()
	negated := false
	for {
		switch n := c.(type) {
		case *negation:
			negated = !negated
			c = n.operand
		case *junction:
			if left := ev.test(n.left); left == (n.operator == tokOr) {
				return left != negated
			}
			c = n.right
		case test:
			return n.holds(ev) != negated
		}
		if ev.err != nil {
			return false
		}
	}
}

// word is something that has a text.
type word interface {
	text(ev *evaluation) string
}

// text evaluates a word.
func (ev *evaluation) text(w word) string {
	if !ev.enter() {
		return ""
	}
	defer func() { ev.depth-- }()
	return w.text(ev)
}

type (
	constant      bool
	literal       string // a text, the only kind of word that is an op_String
	digit         string
	backreference int
	concatenation struct{ left, right word }
	variable      string
	function      struct {
		name     string
		argument word
		pure     func(string) string // nil if Env has it
	}
)

func (c constant) holds(*evaluation) bool { return bool(c) }

func (l literal) text(*evaluation) string { return string(l) }
func (d digit) text(*evaluation) string   { return string(d) }

func (b backreference) text(ev *evaluation) string { return ev.groups.Group(int(b)) }

func (v variable) text(ev *evaluation) string { return ev.env.Variable(string(v)) }

func (f *function) text(ev *evaluation) string {
	argument := ev.text(f.argument)
	switch {
	case ev.err != nil:
		return ""
	case f.pure != nil:
		return f.pure(argument)
	}
	result, err := ev.env.Function(f.name, argument)
	if err != nil {
		ev.fail(err)
	}
	return result
}

// text joins the parts on one level, as ap_expr_eval_word does.
func (c *concatenation) text(ev *evaluation) string {
	var b strings.Builder
	for _, part := range c.parts() {
		b.WriteString(ev.text(part))
	}
	return b.String()
}

// parts follows the side that goes on, the left one if both do.
func (c *concatenation) parts() []word {
	var parts []word
	if _, ok := c.left.(*concatenation); !ok {
		for {
			parts = append(parts, c.left)
			next, ok := c.right.(*concatenation)
			if !ok {
				return append(parts, c.right)
			}
			c = next
		}
	}
	for {
		parts = append(parts, c.right)
		next, ok := c.left.(*concatenation)
		if !ok {
			break
		}
		c = next
	}
	parts = append(parts, c.left)
	slices.Reverse(parts)
	return parts
}

// comparison is one of strings, byte by byte, or of integers.
type comparison struct {
	operator    token
	left, right word
	byLength    bool // the longer string is the greater
}

func (c *comparison) holds(ev *evaluation) bool {
	left, right := ev.text(c.left), ev.text(c.right)
	order := strings.Compare(left, right)
	switch {
	case c.byLength:
		order = cmp.Or(cmp.Compare(len(left), len(right)), order)
	case c.operator <= tokGE:
		order = compareIntegers(left, right)
	}
	switch c.operator {
	case tokEQ, tokStrEQ:
		return order == 0
	case tokNE, tokStrNE:
		return order != 0
	case tokLT, tokStrLT:
		return order < 0
	case tokLE, tokStrLE:
		return order <= 0
	case tokGT, tokStrGT:
		return order > 0
	}
	return order >= 0
}

func compareIntegers(left, right string) int {
	l, r := atoi64(left), atoi64(right)
	switch {
	case l < r:
		return -1
	case l > r:
		return 1
	}
	return 0
}

// atoi64 is C's: blanks, a sign, digits up to what is none; a number that is
// too large is the largest.
func atoi64(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	var n int64 // negative, whose range is the larger
	for _, c := range []byte(s[:span(s, isDigit)]) {
		d := int64(c - '0')
		if n < (math.MinInt64+d)/10 {
			n = math.MinInt64
			break
		}
		n = n*10 - d
	}
	switch {
	case negative:
		return n
	case n == math.MinInt64:
		return math.MaxInt64
	}
	return -n
}

// matching is "=~", and "!~" if it is negated.
type matching struct {
	left    word
	re      *Regexp
	negated bool
}

// holds leaves the groups alone if the expression has no parentheses, and
// empties them if it has and does not match.
func (m *matching) holds(ev *evaluation) bool {
	text := ev.text(m.left)
	if ev.err != nil {
		return false
	}
	groups, ok, err := m.re.match(text)
	if err != nil {
		ev.fail(err)
		return false
	}
	if m.re.groups > 0 {
		*ev.groups = groups
	}
	return ok != m.negated
}

// membership is "in".
type membership struct {
	left word
	list list
}

func (m *membership) holds(ev *evaluation) bool {
	return m.list.contains(ev, ev.text(m.left))
}

type list interface {
	contains(ev *evaluation, s string) bool
}

// words is a list that is written out.
type words []word

// contains begins with the last word: that one's error comes before the
// others' match.
func (l words) contains(ev *evaluation, s string) bool {
	for _, w := range slices.Backward(l) {
		if text := ev.text(w); text == s || ev.err != nil {
			return true
		}
	}
	return false
}

// listFunction is a list that Env has.
type listFunction struct {
	name     string
	argument word
}

func (f *listFunction) contains(ev *evaluation, s string) bool {
	argument := ev.text(f.argument)
	return ev.err == nil && slices.Contains(ev.env.List(f.name, argument), s)
}
