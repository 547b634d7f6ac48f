package httpdconf

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// EnvDir holds what sets the environment of a request: mod_env's record, which
// acts behind access, and the rules of mod_setenvif, which act in front of it.
type EnvDir struct {
	Set   map[string]string // SetEnv and PassEnv
	Unset []string          // UnsetEnv: not even from outer sections
	Rules []*EnvRule
}

// EnvRule is one line of SetEnvIf, or of one of its kin.
type EnvRule struct {
	Attribute string       // of the request, lower case: "request_uri"; else a header or a variable
	Header    *expr.Regexp // names of headers, where Attribute is an expression; else nil
	Regexp    *expr.Regexp
	Expr      *expr.Expr // of SetEnvIfExpr, in place of the attribute; else nil
	Vars      []EnvVar
	Range     hcl.Range
}

// EnvVar is what a rule does with one variable.
type EnvVar struct {
	Name, Value string
	Unset       bool
}

// Match returns what the rule makes of a value of its attribute: nil if its
// expression does not match.
func (e *EnvRule) Match(value string) []EnvVar {
	var groups expr.Groups
	if !e.Regexp.Find(value, &groups) {
		return nil
	}
	return e.substituted(&groups)
}

// Holds returns what the rule makes of a request: nil if its expression does not
// hold.
func (e *EnvRule) Holds(env expr.Env) []EnvVar {
	var groups expr.Groups
	if holds, err := e.Expr.BoolGroups(env, &groups); err != nil || !holds {
		return nil
	}
	return e.substituted(&groups)
}

func (e *EnvRule) substituted(groups *expr.Groups) []EnvVar {
	vars := slices.Clone(e.Vars)
	for i := range vars {
		vars[i].Value = substitute(vars[i].Value, groups)
	}
	return vars
}

// envCommands are the rows of mod_env and mod_setenvif.
func envCommands() map[string]command {
	const setenvif = "mod_setenvif.c"
	return map[string]command{
		"SetEnv":             {"mod_env.c", (*walk).setEnv, "a variable for log conditions and formats"},
		"UnsetEnv":           {"mod_env.c", (*walk).unsetEnv, "takes variables away"},
		"PassEnv":            {"mod_env.c", (*walk).passEnv, "takes variables from the server's environment"},
		"SetEnvIf":           {setenvif, (*walk).setEnvIf, "variables by an attribute of the request, for `Require env`, `Allow from env=` and logs"},
		"SetEnvIfNoCase":     {setenvif, (*walk).setEnvIf, "the same, in any case"},
		"SetEnvIfExpr":       {setenvif, (*walk).setEnvIf, "the same by an expression"},
		"BrowserMatch":       {setenvif, (*walk).setEnvIf, "the same by User-Agent"},
		"BrowserMatchNoCase": {setenvif, (*walk).setEnvIf, "the same by User-Agent, in any case"},
	}
}

func (w *walk) env() *EnvDir {
	if w.records.Env == nil {
		w.records.Env = &EnvDir{}
	}
	return w.records.Env
}

func (e *EnvDir) set(name, value string) {
	if e.Set == nil {
		e.Set = make(map[string]string)
	}
	e.Set[name] = value
	e.Unset = slices.DeleteFunc(e.Unset, func(n string) bool { return n == name })
}

func (w *walk) setEnv(_ *syntax.Node, words []syntax.Arg) *problem {
	value := ""
	if len(words) > 1 {
		value = words[1].Text
	}
	w.env().set(words[0].Text, value)
	return nil
}

func (w *walk) passEnv(n *syntax.Node, words []syntax.Arg) *problem {
	for _, word := range words {
		value, isSet := os.LookupEnv(word.Text)
		if !isSet {
			w.warn(n, word.Range, "env", "AH01506: PassEnv variable "+word.Text+" was undefined", "")
			continue
		}
		w.env().set(word.Text, value)
	}
	return nil
}

func (w *walk) unsetEnv(_ *syntax.Node, words []syntax.Arg) *problem {
	for _, word := range words {
		delete(w.env().Set, word.Text)
		w.env().Unset = append(w.env().Unset, word.Text)
	}
	return nil
}

// setEnvIf is SetEnvIf and its kin (httpd 2.4 modules/metadata/mod_setenvif.c,
// add_setenvif and add_setenvif_core).
func (w *walk) setEnvIf(n *syntax.Node, _ []syntax.Arg) *problem {
	rule := &EnvRule{Attribute: "User-Agent", Range: n.Range()}
	key, args := tableName(n), n.Args
	if key == "setenvifexpr" {
		return w.setEnvIfExpr(n)
	}
	if strings.HasPrefix(key, "setenvif") {
		rule.Attribute, args = syntax.Word(args)
		if rule.Attribute == "" {
			return &problem{text: "Missing header-field name for " + n.Name}
		}
	}
	pattern, args := syntax.Word(args)
	if pattern == "" {
		return &problem{text: "Missing regular expression for " + n.Name}
	}
	if rule.Vars = envVars(args); len(rule.Vars) == 0 {
		return &problem{text: "Missing envariable expression for " + n.Name}
	}
	var err error
	if rule.Regexp, err = expr.CompileRegexp(pattern, strings.HasSuffix(key, "nocase")); err != nil {
		return &problem{text: n.Name + " regex could not be compiled.", hint: err.Error()}
	}
	if isHeaderRegexp(rule.Attribute) {
		if rule.Header, err = expr.CompileRegexp(rule.Attribute, true); err != nil {
			return &problem{text: n.Name + "Header name regex could not be compiled.", hint: err.Error()}
		}
	} else if lower := strings.ToLower(rule.Attribute); slices.Contains(envAttributes, lower) {
		rule.Attribute = lower
	}
	w.env().Rules = append(w.env().Rules, rule)
	return nil
}

// envVars reads what a rule does with variables.
func envVars(args string) (vars []EnvVar) {
	for args != "" {
		var word string
		word, args = syntax.Word(args)
		v := EnvVar{Value: "1"}
		v.Name, v.Unset = strings.CutPrefix(word, "!")
		if name, value, has := strings.Cut(word, "="); has && !v.Unset {
			v.Name, v.Value = name, value
		}
		vars = append(vars, v)
	}
	return vars
}

// setEnvIfExpr is httpd 2.4 modules/metadata/mod_setenvif.c, add_setenvifexpr.
func (w *walk) setEnvIfExpr(n *syntax.Node) *problem {
	source, args := syntax.Word(n.Args)
	if source == "" {
		return &problem{text: "Missing expression for SetEnvIfExpr"}
	}
	e, err := w.exprOptions().Parse(source)
	e, p := checkedExpr(e, err, fmt.Sprintf("Could not parse expression \"%s\": ", source))
	if p != nil {
		return p
	}
	rule := &EnvRule{Expr: e, Vars: envVars(args), Range: n.Range()}
	if len(rule.Vars) == 0 {
		return &problem{text: "Missing envariable expression for " + n.Name}
	}
	w.env().Rules = append(w.env().Rules, rule)
	return nil
}

// envAttributes are the attributes that are no header. It is constant.
var envAttributes = []string{"remote_host", "remote_addr", "server_addr", "request_method", "request_protocol", "request_uri"}

// isHeaderRegexp reports whether a name has to be taken for an expression
// (httpd 2.4 modules/metadata/mod_setenvif.c, is_header_regex).
func isHeaderRegexp(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return true
		}
	}
	return false
}

// mergeEnv merges names and rules. What over forgets is forgotten once: where the
// result goes over another record, that keeps its own (httpd 2.4
// modules/metadata/mod_env.c, merge_env_dir_configs).
func mergeEnv(base, over *EnvDir) *EnvDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := &EnvDir{Set: maps.Clone(base.Set), Rules: slices.Concat(base.Rules, over.Rules)}
	for _, name := range over.Unset {
		delete(m.Set, name)
	}
	for name, value := range over.Set {
		m.set(name, value)
	}
	return m
}
