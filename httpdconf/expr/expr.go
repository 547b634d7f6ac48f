package expr

import (
	"errors"
	"net/netip"
	"strings"
)

// Expr is a compiled expression. It never changes, and may be evaluated by
// several goroutines at once.
type Expr struct {
	source string
	test   condition // nil in a string expression
	value  word      // nil in a condition
	reads  []Read
}

// Options say what an expression may name beyond the core.
type Options struct {
	// SSL stands for a loaded mod_ssl: variables whose name starts with SSL_,
	// the function ssl and the list function PeerExtList (httpd 2.4
	// modules/ssl/ssl_engine_vars.c, ssl_expr_lookup).
	SSL bool
	// SSLRequire stands for mod_ssl's older language: all comparisons are of
	// strings, of which the longer is the greater (httpd 2.4
	// server/util_expr_eval.c, ssl_expr_eval_comp).
	SSLRequire bool
}

// Parse compiles a condition, as of <If>. The error's first line is what httpd
// prints behind "Cannot parse condition clause: "; a second line, if there is
// one, is not httpd's.
func Parse(s string) (*Expr, error) { return Options{}.Parse(s) }

// ParseString compiles text with variables in it, as behind "expr=" in Header
// (httpd's AP_EXPR_FLAG_STRING_RESULT). The error is as that of Parse.
func ParseString(s string) (*Expr, error) { return Options{}.ParseString(s) }

// Parse is the function Parse with more names.
func (o Options) Parse(s string) (*Expr, error) { return o.parse(s, false) }

// ParseString is the function ParseString with more names.
func (o Options) ParseString(s string) (*Expr, error) { return o.parse(s, true) }

func (o Options) parse(s string, asString bool) (*Expr, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, errors.New("zero byte in an expression")
	}
	p := &parser{scanner: newScanner(s, asString), options: o, depth: 2}
	e := &Expr{source: s}
	var err error
	if asString {
		e.value, err = p.text()
	} else {
		e.test, err = p.condition()
	}
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	e.reads = p.reads
	return e, nil
}

// Source returns the text that was compiled.
func (e *Expr) Source() string { return e.source }

// Kind is a kind of what an expression reads.
type Kind int

const (
	ReadVariable Kind = iota + 1 // %{NAME}, by Env.Variable
	ReadFunction                 // name(arg), by Env.Function
	ReadTest                     // -X arg, by Env.Test
	ReadList                     // in name(arg), by Env.List
	ReadRemote                   // -R, by Env.Remote
)

// Read is one thing that an expression asks its Env for.
type Read struct {
	Kind Kind
	// Name is a variable's in upper case, a function's in lower case, the
	// letter of a test.
	Name string
	// Arg is the argument, if it is constant: the header of %{req:Host}.
	Arg   string
	Const bool
}

// Reads returns all that an evaluation may ask for, in the order of the text,
// so that a caller can refuse what it cannot give. The slice is borrowed.
func (e *Expr) Reads() []Read { return e.reads }

// Env is what a request and the system give to an evaluation. It is asked from
// the evaluating goroutine, and only for what Reads has.
type Env interface {
	// Variable returns the value of a variable, whose name is in upper case;
	// it is empty where httpd has none.
	Variable(name string) string
	// Function returns what a function finds under arg: req, http, req_novary,
	// resp, reqenv, note, env, osenv, file, filesize, and ssl. An error ends
	// the evaluation; httpd has one only for file: "Cannot open file NAME".
	Function(name, arg string) (string, error)
	// Test answers the operators that look at a file, 'd', 'e', 'f', 's', 'L',
	// 'h', 'x', and those that make a subrequest, 'F' for a file, 'U' and 'A'
	// for a URL.
	Test(operator byte, arg string) bool
	// List returns what a list function holds.
	List(name, arg string) []string
	// Remote is the client's address, the one REMOTE_ADDR shows.
	Remote() netip.Addr
}

// Groups are what the last match with parentheses that succeeded has left
// behind $0 to $9. The zero value has none. Pass the same Groups to a condition
// and to what is written after it to have $1 in the one mean the other's, as in
// SetEnvIfExpr.
type Groups struct {
	group [10]string
}

// Group returns the text of $n.
func (g *Groups) Group(n int) string { return g.group[n] }

// Bool tells whether a condition is true. On an error httpd logs it and takes
// the condition as not true. A string expression is an error.
func (e *Expr) Bool(env Env) (bool, error) { return e.BoolGroups(env, &Groups{}) }

// BoolGroups is Bool with groups to begin with, which it changes.
func (e *Expr) BoolGroups(env Env, g *Groups) (bool, error) {
	if e.test == nil {
		return false, errors.New("not a condition, but a string expression")
	}
	ev := &evaluation{env: env, groups: g}
	result := ev.test(e.test)
	if ev.err != nil {
		return false, ev.err
	}
	return result, nil
}

// String returns the text of a string expression. On an error httpd logs it
// and does without the value. A condition is an error.
func (e *Expr) String(env Env) (string, error) { return e.StringGroups(env, &Groups{}) }

// StringGroups is String with groups to begin with.
func (e *Expr) StringGroups(env Env, g *Groups) (string, error) {
	if e.value == nil {
		return "", errors.New("not a string expression, but a condition")
	}
	ev := &evaluation{env: env, groups: g}
	result := ev.text(e.value)
	if ev.err != nil {
		return "", ev.err
	}
	return result, nil
}
