package httpdconf

import (
	"fmt"
	"strings"
)

// RewriteText is text of a rule or a condition, in which groups, variables and
// maps are filled in for each request.
type RewriteText []RewritePart

// RewritePart is a piece of a RewriteText.
type RewritePart struct {
	Kind    RewritePartKind
	Text    string      // the text, or the name of a variable, a header or a map
	Group   int         // 0 to 9
	Key     RewriteText // of a map
	Default RewriteText // of a map, where it gives nothing
}

// RewritePartKind says what a piece stands for.
type RewritePartKind int

// The kinds of pieces.
const (
	RewriteLiteral   RewritePartKind = iota
	RewriteGroup                     // $N, of the rule
	RewriteCondGroup                 // %N, of the last condition that matched
	RewriteVariable                  // %{NAME}, in upper case
	RewriteEnv                       // %{ENV:NAME}
	RewriteHeader                    // %{HTTP:NAME}
	RewriteSSL                       // %{SSL:NAME}
	RewriteMapped                    // ${NAME:KEY|DEFAULT}
)

// rewriteVariables are the variables that mod_rewrite knows and that are there
// without mod_ssl and mod_ident. Any other name stands for nothing. It is
// constant.
var rewriteVariables = set(`
	TIME TIME_YEAR TIME_MON TIME_DAY TIME_HOUR TIME_MIN TIME_SEC TIME_WDAY
	HTTP_HOST HTTP_USER_AGENT HTTP_REFERER HTTP_COOKIE HTTP_FORWARDED HTTP_ACCEPT HTTP_PROXY_CONNECTION
	IPV6 HTTPS IS_SUBREQ PATH_INFO AUTH_TYPE SERVER_NAME SERVER_ADDR SERVER_PORT SERVER_ADMIN SERVER_PROTOCOL SERVER_SOFTWARE
	REMOTE_ADDR REMOTE_HOST REMOTE_PORT REMOTE_USER REMOTE_IDENT CONN_REMOTE_ADDR THE_REQUEST
	REQUEST_URI REQUEST_METHOD REQUEST_SCHEME REQUEST_FILENAME SCRIPT_FILENAME QUERY_STRING
	DOCUMENT_ROOT CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT`)

// unservedVariables are those that httpd has and this server has not. It is
// constant.
var unservedVariables = set("API_VERSION SCRIPT_USER SCRIPT_GROUP")

// parseRewriteText takes a text apart (httpd 2.4 modules/mappers/mod_rewrite.c,
// do_expand). unknown are names of variables that stand for nothing.
func parseRewriteText(s string) (text RewriteText, unknown []string, p *problem) {
	t := &rewriteTextParser{}
	text = t.parse(s)
	return text, t.unknown, t.problem
}

type rewriteTextParser struct {
	unknown []string
	problem *problem // the first
}

func (t *rewriteTextParser) parse(s string) (text RewriteText) {
	literal := ""
	flush := func() {
		if literal != "" {
			text = append(text, RewritePart{Text: literal})
			literal = ""
		}
	}
	for s != "" {
		special := strings.IndexAny(s, `\$%`)
		if special < 0 {
			special = len(s)
		}
		literal += s[:special]
		if s = s[special:]; s == "" {
			break
		}
		part, size := t.special(s)
		if size == 0 {
			part.Text, size = t.plain(s)
			literal += part.Text
		} else {
			flush()
			text = append(text, part)
		}
		s = s[size:]
	}
	flush()
	return text
}

// plain returns what the special character at the start of s stands for where
// it has no meaning, or the one that a backslash hides.
func (t *rewriteTextParser) plain(s string) (literal string, size int) {
	switch {
	case len(s) == 1:
		return s, 1
	case s[0] == '\\':
		return s[1:2], 2
	case s[1] == '{':
		return s[:2], 2
	}
	return s[:1], 1
}

// special reads a group, a variable or a map at the start of s; the size is 0
// where there is none.
func (t *rewriteTextParser) special(s string) (part RewritePart, size int) {
	if len(s) == 1 || s[0] == '\\' {
		return part, 0
	}
	if s[1] >= '0' && s[1] <= '9' {
		part.Kind, part.Group = RewriteGroup, int(s[1]-'0')
		if s[0] == '%' {
			part.Kind = RewriteCondGroup
		}
		return part, 2
	}
	end := -1
	if s[1] == '{' {
		end = inCurlies(s[2:], '}')
	}
	switch {
	case end < 0:
		return part, 0
	case s[0] == '%':
		return t.variable(s[2 : 2+end]), 2 + end + 1
	}
	inner := s[2 : 2+end]
	colon := inCurlies(inner, ':')
	if colon < 0 {
		return part, 0
	}
	part.Kind, part.Text = RewriteMapped, inner[:colon]
	key, fallback := inner[colon+1:], ""
	if bar := inCurlies(key, '|'); bar >= 0 {
		key, fallback = key[:bar], key[bar+1:]
	}
	part.Key, part.Default = t.parse(key), t.parse(fallback)
	return part, 2 + end + 1
}

// inCurlies finds c in s outside of inner curly brackets, in front of the
// bracket that closes; -1 if it is not there (httpd 2.4
// modules/mappers/mod_rewrite.c, find_closing_curly and find_char_in_curlies).
func inCurlies(s string, c byte) int {
	depth := 1
	for i := range len(s) {
		switch {
		case s[i] == c && depth == 1:
			return i
		case s[i] == '}':
			if depth--; depth == 0 {
				return -1
			}
		case s[i] == '{':
			depth++
		}
	}
	return -1
}

// variable reads what stands in "%{}" (lookup_variable).
func (t *rewriteTextParser) variable(name string) RewritePart {
	prefix, arg, _ := strings.Cut(name, ":")
	upper := strings.ToUpper(name)
	switch strings.ToUpper(prefix) {
	case "ENV":
		if arg != "" {
			return RewritePart{Kind: RewriteEnv, Text: arg}
		}
	case "HTTP":
		if arg != "" {
			return RewritePart{Kind: RewriteHeader, Text: arg}
		}
	case "SSL":
		if arg != "" {
			return RewritePart{Kind: RewriteSSL, Text: arg}
		}
	case "LA-U", "LA-F":
		t.refuse(prefix + ":...")
		return RewritePart{}
	}
	switch {
	case unservedVariables[upper]:
		t.refuse(upper)
	case !rewriteVariables[upper]:
		t.unknown = append(t.unknown, name)
	}
	return RewritePart{Kind: RewriteVariable, Text: upper}
}

func (t *rewriteTextParser) refuse(name string) {
	if t.problem == nil {
		t.problem = &problem{
			text: fmt.Sprintf("%%{%s} in mod_rewrite%s", name, notObeyed),
			hint: "rather than take it for empty, the server does not start; write the condition without it",
		}
	}
}
