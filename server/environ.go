package server

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// environ is the environment of a request (httpd's subprocess_env), by name in
// lower case: names are looked up in any case, as in all of APR's tables. Its zero
// value is empty.
type environ map[string]variable

// variable is an entry of the environment, its name as it was set.
type variable struct{ name, value string }

// get returns a variable, and whether it is set.
func (e environ) get(name string) (value string, isSet bool) {
	v, isSet := e[strings.ToLower(name)]
	return v.value, isSet
}

func (e environ) unset(name string) { delete(e, strings.ToLower(name)) }

// set sets a variable.
func (e *environ) set(name, value string) {
	if *e == nil {
		*e = make(environ)
	}
	lower := strings.ToLower(name)
	if old, isSet := (*e)[lower]; isSet {
		name = old.name // as apr_table_set keeps it
	}
	(*e)[lower] = variable{name, value}
}

// isSet reports whether a variable is in the environment.
func (r *route) isSet(variable string) bool {
	_, isSet := r.env.get(variable)
	return isSet
}

// setEnvIf runs the rules of mod_setenvif (httpd 2.4
// modules/metadata/mod_setenvif.c, match_headers).
func (r *route) setEnvIf(ctx *fasthttp.RequestCtx, rules []*httpdconf.EnvRule) {
	for _, rule := range rules {
		var vars []httpdconf.EnvVar
		if rule.Expr != nil {
			vars = rule.Holds(exprEnv{ctx, r})
		} else {
			vars = rule.Match(r.attribute(ctx, rule))
		}
		for _, v := range vars {
			r.trace.variable(rule, v)
			if v.Unset {
				r.env.unset(v.Name)
			} else {
				r.env.set(v.Name, v.Value)
			}
		}
	}
}

// attribute returns what a rule looks at, "" where the request has none.
func (r *route) attribute(ctx *fasthttp.RequestCtx, rule *httpdconf.EnvRule) string {
	switch rule.Attribute {
	case "remote_host", "remote_addr":
		return r.client.Addr().String()
	case "server_addr":
		return localAddr(ctx).Addr().Unmap().String()
	case "request_method":
		return string(ctx.Method())
	case "request_protocol":
		return string(ctx.Request.Header.Protocol())
	case "request_uri":
		return r.path
	}
	name := rule.Attribute
	if rule.Header != nil {
		name = ""
		for _, sent := range headOf(ctx).names {
			if rule.Header.Match(sent) {
				name = sent
				break
			}
		}
	}
	if lines := headerLines(ctx, name); len(lines) > 0 {
		return strings.Join(lines, ", ")
	}
	value, _ := r.env.get(name)
	return value
}

// setEnvIfHere runs the rules of the sections that cover the request: those
// that stand outside of sections were run before.
func (r *route) setEnvIfHere(ctx *fasthttp.RequestCtx) {
	if all := r.settings.Env; all != nil {
		before := 0
		if base := r.host.Base.Env; base != nil {
			before = len(base.Rules)
		}
		r.setEnvIf(ctx, all.Rules[before:])
	}
}

// setEnv sets what SetEnv and PassEnv say (httpd 2.4
// modules/metadata/mod_env.c, fixup_env_module).
func (r *route) setEnv() {
	if r.settings.Env == nil {
		return
	}
	for name, value := range r.settings.Env.Set {
		r.env.set(name, value)
	}
}
