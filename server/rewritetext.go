package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// expansion fills in one text of a rule or a condition (httpd 2.4
// modules/mappers/mod_rewrite.c, do_expand).
type expansion struct {
	w    *rewriting
	rule *httpdconf.RewriteRule // whose flags say how groups are escaped; nil escapes none

	question int // whether the question mark that begins the query was written, or sent by the client
}

// The values of expansion.question; 0 for none.
const (
	questionWritten = iota + 1
	questionSent
)

// expand fills in a text for which no flag of a rule holds.
func (w *rewriting) expand(text httpdconf.RewriteText) string {
	e := expansion{w: w}
	return e.expand(text)
}

func (e *expansion) expand(text httpdconf.RewriteText) string {
	if len(text) == 1 && text[0].Kind == httpdconf.RewriteLiteral {
		e.note(text[0].Text, questionWritten)
		return text[0].Text
	}
	var b strings.Builder
	for i := range text {
		value, origin := e.part(&text[i]), questionSent
		if text[i].Kind == httpdconf.RewriteLiteral {
			origin = questionWritten
		}
		e.note(value, origin)
		b.WriteString(value)
	}
	return b.String()
}

// note looks for the question mark that will begin the query: the first, with
// QSL the last.
func (e *expansion) note(value string, origin int) {
	takesLast := e.rule != nil && e.rule.Has(httpdconf.RuleQueryLast)
	if strings.IndexByte(value, '?') >= 0 && (e.question == 0 || takesLast) {
		e.question = origin
	}
}

// isUnsafe reports whether a client would choose by "%3f" what is the path and
// what the query.
func (e *expansion) isUnsafe() bool {
	return e.question == questionSent && !e.rule.Has(httpdconf.RuleUnsafeQuestion)
}

func (e *expansion) part(p *httpdconf.RewritePart) string {
	switch p.Kind {
	case httpdconf.RewriteGroup:
		return e.escaped(e.w.groups.Group(p.Group))
	case httpdconf.RewriteCondGroup:
		return e.escaped(e.w.found.Group(p.Group))
	case httpdconf.RewriteVariable:
		return e.w.variable(p.Text)
	case httpdconf.RewriteEnv:
		return exprEnv{e.w.ctx, e.w.r}.environment(p.Text)
	case httpdconf.RewriteHeader:
		return e.w.header(p.Text)
	case httpdconf.RewriteSSL:
		if !e.w.s.cfg.HasModule("ssl_module") {
			return ""
		}
		return exprEnv{e.w.ctx, e.w.r}.anyVariable(p.Text)
	case httpdconf.RewriteMapped:
		return e.mapped(p)
	}
	return p.Text
}

// mapped looks a key up in a map; one that is not there has none.
func (e *expansion) mapped(p *httpdconf.RewritePart) string {
	inner := expansion{w: e.w, rule: e.rule}
	h := e.w.r.host.Rewrite
	if h == nil {
		h = e.w.s.cfg.Main.Rewrite // whose sections have brought the rule
	}
	m, known := httpdconf.RewriteMap{}, false
	if h != nil {
		m, known = h.Maps[p.Text]
	}
	if !known {
		return inner.expand(p.Default)
	}
	key := inner.expand(p.Key)
	switch m.Kind {
	case httpdconf.MapToLower:
		return lowerASCII(key)
	case httpdconf.MapToUpper:
		return upperASCII(key)
	case httpdconf.MapEscape:
		return escapePath(key)
	case httpdconf.MapUnescape:
		return unescapeAny(key)
	}
	value, found := e.w.lookUp(m, key)
	if !found {
		return inner.expand(p.Default)
	}
	return value
}

// escaped is a group as the flags B, BCTLS, BNP and BNE want it (escape_backref).
func (e *expansion) escaped(group string) string {
	r := e.rule
	if r == nil || !r.Has(httpdconf.RuleEscapes) {
		return group
	}
	var b strings.Builder
	for i := range len(group) {
		switch c := group[i]; {
		case !mustEscape(r, c):
			b.WriteByte(c)
		case c == ' ' && !r.Has(httpdconf.RuleEscapesNoPlus):
			b.WriteByte('+')
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func mustEscape(r *httpdconf.RewriteRule, c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', strings.IndexByte(r.Spares, c) >= 0:
		return false
	case r.Has(httpdconf.RuleEscapesControls) && (c <= ' ' || c == 0x7f):
		return true
	case r.Has(httpdconf.RuleEscapesControls), r.Escapes != "":
		return strings.IndexByte(r.Escapes, c) >= 0
	}
	return true
}

// variable returns a variable (lookup_variable).
func (w *rewriting) variable(name string) string {
	switch name {
	case "REQUEST_FILENAME", "SCRIPT_FILENAME":
		return w.name
	case "QUERY_STRING":
		return w.query
	case "PATH_INFO":
		return w.info
	case "SERVER_ADDR":
		return localAddr(w.ctx).Addr().Unmap().String()
	}
	if header := exprHeaders[name]; header != "" {
		return w.header(header)
	}
	if variable := exprVariables[name]; variable != nil {
		return variable(exprEnv{w.ctx, w.r})
	}
	return ""
}

// header returns a header field, on which the answer then depends.
func (w *rewriting) header(name string) string {
	value := exprEnv{w.ctx, w.r}.header(name)
	if value != "" && !strings.EqualFold(name, "Host") {
		w.vary = append(w.vary, name)
	}
	return value
}

// schemes are the URLs that mod_rewrite tells from paths, and whether they have
// a query. It is constant.
var schemes = []struct {
	prefix   string
	hasQuery bool
}{
	{"ajp://", true}, {"balancer://", true}, {"ftp://", false}, {"fcgi://", true}, {"gopher://", false}, {"http://", true}, {"https://", true},
	{"h2://", true}, {"h2c://", true}, {"ldap://", false}, {"mailto:", true}, {"news:", false}, {"nntp://", false}, {"scgi://", true}, {"ws://", true}, {"wss://", true},
	{"unix:", true},
}

// schemeLength returns the size of the scheme that a URL begins with, 0 for a
// path (httpd 2.4 modules/mappers/mod_rewrite.c, is_absolute_uri).
func schemeLength(s string) int {
	n, _ := scheme(s)
	return n
}

func takesQuery(s string) bool {
	_, hasQuery := scheme(s)
	return hasQuery
}

func scheme(s string) (size int, hasQuery bool) {
	if len(s) <= 5 || s[0] == '/' {
		return 0, false
	}
	for _, known := range schemes {
		if len(s) >= len(known.prefix) && strings.EqualFold(s[:len(known.prefix)], known.prefix) {
			return len(known.prefix), known.hasQuery
		}
	}
	return 0, false
}

// escapeURL escapes what stands behind the authority of a URL, or behind a
// scheme without one (escape_absolute_uri).
func escapeURL(url string) string {
	at := schemeLength(url)
	if url[at-1] == '/' {
		slash := strings.IndexByte(url[at:], '/')
		if slash < 0 {
			return url
		}
		at += slash + 1
	}
	if strings.HasPrefix(strings.ToLower(url), "ldap") {
		parts := strings.SplitN(url[at:], "?", 5)
		for i := range parts {
			parts[i] = escapePath(parts[i])
		}
		return url[:at] + strings.Join(parts, "?")
	}
	return url[:at] + escapePath(url[at:])
}

// cookie is what CO says: name:value:domain, and then as far as they are
// there minutes, path, "secure", "httponly" and SameSite. A semicolon in front
// has semicolons between them. A cookie of one name is set once, and is empty the
// second time (add_cookie).
func (w *rewriting) cookie(text string) string {
	separator := ":"
	if rest, is := strings.CutPrefix(text, ";"); is {
		separator, text = ";", rest
	}
	parts := strings.FieldsFunc(text, func(c rune) bool { return string(c) == separator })
	if len(parts) < 3 || w.r.cookies[parts[0]] {
		return ""
	}
	if w.r.cookies == nil {
		w.r.cookies = make(map[string]bool)
	}
	w.r.cookies[parts[0]] = true
	of := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	cookie := parts[0] + "=" + parts[1] + "; path="
	if cookie += of(4); of(4) == "" {
		cookie += "/"
	}
	cookie += "; domain=" + parts[2]
	if minutes := leadingInt(of(3)); minutes != 0 {
		cookie += "; expires=" + time.Now().UTC().Add(time.Duration(minutes)*time.Minute).Format("Mon, 02-Jan-2006 15:04:05 GMT")
	}
	if secure := strings.ToLower(of(5)); secure == "true" || secure == "1" || secure == "secure" {
		cookie += "; secure"
	}
	if only := strings.ToLower(of(6)); only == "true" || only == "1" || only == "httponly" {
		cookie += "; HttpOnly"
	}
	if same := of(7); same != "" && same != "0" && !strings.EqualFold(same, "false") {
		cookie += "; SameSite=" + same
	}
	return cookie
}

// unescapeAny decodes what escapes there are, and leaves the others; a zero byte
// ends the text (the map "unescape", which looks at no errors: httpd 2.4
// server/util.c, ap_unescape_url).
func unescapeAny(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
		i += 2
	}
	text, _, _ := strings.Cut(b.String(), "\x00")
	return text
}

// lowerASCII is a text with letters of ASCII in lower case, byte by byte.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}
