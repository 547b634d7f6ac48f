package expr

import (
	"fmt"
	"strings"
)

// variables are the core's (httpd 2.4 server/util_expr_eval.c, misc_var_names,
// req_header_var_names, request_var_names and conn_var_names).
var variables = set(`
	TIME_YEAR TIME_MON TIME_DAY TIME_HOUR TIME_MIN TIME_SEC TIME_WDAY TIME
	SERVER_SOFTWARE API_VERSION
	HTTP_USER_AGENT HTTP_PROXY_CONNECTION HTTP_REFERER HTTP_COOKIE
	HTTP_FORWARDED HTTP_HOST HTTP_ACCEPT
	REQUEST_METHOD REQUEST_SCHEME REQUEST_URI REQUEST_FILENAME REMOTE_HOST
	REMOTE_IDENT REMOTE_USER SERVER_ADMIN SERVER_NAME SERVER_PORT
	SERVER_PROTOCOL SCRIPT_FILENAME PATH_INFO QUERY_STRING IS_SUBREQ
	DOCUMENT_ROOT AUTH_TYPE THE_REQUEST CONTENT_TYPE HANDLER REQUEST_LOG_ID
	SCRIPT_USER SCRIPT_GROUP DOCUMENT_URI LAST_MODIFIED CONTEXT_PREFIX
	CONTEXT_DOCUMENT_ROOT REQUEST_STATUS REMOTE_ADDR REMOTE_PORT
	HTTPS IPV6 CONN_LOG_ID CONN_REMOTE_ADDR HTTP2`)

// outside are the core's functions that Env answers.
var outside = set("osenv env resp req http note reqenv req_novary file filesize")

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

// pure are the core's functions that only work on their argument.
var pure = map[string]func(string) string{
	"tolower":  toLower,
	"toupper":  toUpper,
	"escape":   escape,
	"unescape": unescape,
	"base64":   base64Encode,
	"unbase64": base64Decode,
	"sha1":     sha1Hex,
	"md5":      md5Hex,
	"ldap":     ldapEscape,
}

// note keeps what is wrong with a name. Parsing goes on, as httpd's does; the
// last note is the one that is told.
func (p *parser) note(format string, args ...any) { p.noted = fmt.Sprintf(format, args...) }

// read notes what Env will be asked for.
func (p *parser) read(kind Kind, name string, argument word) {
	arg, constant := argument.(literal)
	p.reads = append(p.reads, Read{Kind: kind, Name: name, Arg: string(arg), Const: constant})
}

// newVariable knows a name in upper and in lower case.
func (p *parser) newVariable(name string) word {
	canonical := toUpper(name)
	if !variables[canonical] && !(p.options.SSL && strings.HasPrefix(canonical, "SSL_")) {
		p.note("Variable '%s' does not exist", name)
	}
	p.read(ReadVariable, canonical, nil)
	return variable(canonical)
}

// function knows a name in upper and in lower case.
func (p *parser) function(name string, argument word) word {
	canonical := toLower(name)
	f := &function{name: canonical, argument: argument, pure: pure[canonical]}
	switch {
	case f.pure != nil:
	case outside[canonical], p.options.SSL && canonical == "ssl":
		p.read(ReadFunction, canonical, argument)
	default:
		p.note("Function '%s' does not exist", name)
	}
	return f
}

// listFunction: the core has none.
func (p *parser) listFunction(name string, argument word) list {
	canonical := toLower(name)
	if !p.options.SSL || canonical != "peerextlist" {
		p.note("List-returning function '%s' does not exist", name)
	}
	p.read(ReadList, canonical, argument)
	return &listFunction{canonical, argument}
}

// unary makes a test of -X and a word; here upper and lower case are two.
func (p *parser) unary(operator string, operand word) condition {
	switch c := operator[0]; c {
	case 'n', 'z':
		return &emptiness{operand, c == 'z'}
	case 'T':
		return &truth{operand}
	case 'R':
		p.read(ReadRemote, operator, operand)
		return &remoteMatch{p.subnet(operator, operand)}
	case 'd', 'e', 'f', 's', 'L', 'h', 'x', 'F', 'U', 'A':
		p.read(ReadTest, operator, operand)
		return &outsideTest{c, operand}
	}
	p.note("Unary operator '-%s' does not exist", operator)
	return constant(false)
}

// binary makes a test of a word, -name and a word.
func (p *parser) binary(operator string, left, right word) condition {
	switch toLower(operator) {
	case "ipmatch":
		return &addressMatch{left, p.subnet(operator, right)}
	case "fnmatch":
		return &wildcardMatch{left, right, wildcards{pathname: true}}
	case "strmatch":
		return &wildcardMatch{left, right, wildcards{}}
	case "strcmatch":
		return &wildcardMatch{left, right, wildcards{anyCase: true}}
	}
	p.note("Binary operator '-%s' does not exist", operator)
	return constant(false)
}

// subnet reads an operand that has to be a constant text; digits without
// quotes are none.
func (p *parser) subnet(operator string, operand word) subnet {
	text, ok := operand.(literal)
	if !ok {
		p.note("-%s requires subnet/netmask as constant argument", operator)
		return subnet{}
	}
	net, ok := parseSubnet(string(text))
	if !ok {
		p.note("parsing of subnet/netmask failed")
	}
	return net
}
