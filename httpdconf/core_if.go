package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// ifCommands are the rows of the core's conditions that hold for a request.
func ifCommands() map[string]command {
	return map[string]command{
		"<If":     {"core.c", (*walk).ifSection, "directives for requests of which an expression holds"},
		"<ElseIf": {"core.c", (*walk).ifSection, "the same, where no If or ElseIf before it held"},
		"<Else":   {"core.c", (*walk).ifSection, "directives for the other requests"},
	}
}

// ifSection is If, ElseIf and Else (httpd 2.4 server/core.c, ifsection and
// server/config.c, ap_add_if_conf): they belong to the record of the section
// in which they stand, and are merged with it.
func (w *walk) ifSection(n *syntax.Node, _ []syntax.Arg) *problem {
	for p := enclosing(n); p != nil; p = enclosing(p) {
		if strings.HasPrefix(strings.ToLower(p.Name), "limit") {
			return &problem{text: fmt.Sprintf("<%s> cannot occur within <Limit> or <LimitExcept> section", n.Name), at: n.NameRange()}
		}
	}
	s := &Section{Kind: IfSection, Range: n.Range(), Else: !strings.EqualFold(n.Name, "If")}
	if p := w.readCondition(n, s); p != nil {
		return p
	}
	if w.section != nil && w.section.Kind == IfSection {
		s.Depth = w.section.Depth + 1
	}
	w.inside(n, s)
	core := w.core()
	if s.Else && (len(core.Ifs) == 0 || core.Ifs[len(core.Ifs)-1].Condition == nil) {
		return &problem{text: "<Else> or <ElseIf> section without previous <If> or <ElseIf> section in same scope", at: n.NameRange()}
	}
	core.Ifs = append(core.Ifs, s)
	w.ifs = append(w.ifs, s)
	return nil
}

// readCondition reads the opener of a condition.
func (w *walk) readCondition(n *syntax.Node, s *Section) *problem {
	if strings.EqualFold(n.Name, "Else") {
		arg := strings.TrimSpace(strings.TrimSuffix(n.Args, ">"))
		if arg != "" {
			return &problem{text: "<Else> does not take an argument", at: n.ArgsRange()}
		}
		return nil
	}
	arg, p := opener(n)
	if p != nil {
		return p
	}
	word, rest := syntax.Word(arg)
	s.Pattern = word
	s.Condition, p = w.condition(word, "Cannot parse condition clause: ")
	switch {
	case p != nil:
		p.at = n.ArgsRange()
		return p
	case rest != "":
		return &problem{text: fmt.Sprintf("Multiple <%s> arguments not supported.", n.Name), at: n.ArgsRange(), hint: "the expression needs quotes"}
	}
	return nil
}

// unservedReads are what expressions may name and this server does not have:
// identifiers of log lines, the owners of a file, subrequests, and extensions
// of certificates. It is constant.
var unservedReads = set("CONN_LOG_ID REQUEST_LOG_ID SCRIPT_USER SCRIPT_GROUP F U A peerextlist")

func set(names string) map[string]bool {
	m := make(map[string]bool)
	for name := range strings.FieldsSeq(names) {
		m[name] = true
	}
	return m
}

// exprOptions say what expressions may name.
func (w *walk) exprOptions() expr.Options { return expr.Options{SSL: w.modules.isLoaded("mod_ssl.c")} }

// condition compiles an expression that is true or false; refused is what
// httpd says in front of what is wrong with it.
func (w *walk) condition(text, refused string) (*expr.Expr, *problem) {
	e, err := w.exprOptions().Parse(text)
	return checkedExpr(e, err, refused)
}

// textExpr is condition for an expression that gives a text.
func (w *walk) textExpr(text, refused string) (*expr.Expr, *problem) {
	e, err := w.exprOptions().ParseString(text)
	return checkedExpr(e, err, refused)
}

// checkedExpr refuses what cannot be parsed, and what cannot be evaluated:
// rather than take it for empty, the server does not start.
func checkedExpr(e *expr.Expr, err error, refused string) (*expr.Expr, *problem) {
	if err != nil {
		text, why, _ := strings.Cut(err.Error(), "\n")
		return nil, &problem{text: refused + text, hint: why}
	}
	for _, read := range e.Reads() {
		if unservedReads[read.Name] {
			return nil, &problem{
				text: fmt.Sprintf("an expression with %s is not obeyed by this version of wshttpd", read.Name),
				hint: "rather than take it for empty, the server does not start",
			}
		}
	}
	return e, nil
}

// isInLocation reports whether a node stands in a Location section, however
// deep.
func isInLocation(n *syntax.Node) *syntax.Node {
	for p := enclosing(n); p != nil; p = enclosing(p) {
		if strings.HasPrefix(strings.ToLower(p.Name), "location") {
			return p
		}
	}
	return nil
}
