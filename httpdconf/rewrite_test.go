package httpdconf

import (
	"fmt"
	"strings"
	"testing"
)

// shown writes a text out with marks for what is filled in.
func (text RewriteText) shown() string {
	var b strings.Builder
	for _, p := range text {
		switch p.Kind {
		case RewriteLiteral:
			b.WriteString(p.Text)
		case RewriteGroup:
			fmt.Fprintf(&b, "<group %d>", p.Group)
		case RewriteCondGroup:
			fmt.Fprintf(&b, "<cond %d>", p.Group)
		case RewriteVariable:
			fmt.Fprintf(&b, "<var %s>", p.Text)
		case RewriteEnv:
			fmt.Fprintf(&b, "<env %s>", p.Text)
		case RewriteHeader:
			fmt.Fprintf(&b, "<http %s>", p.Text)
		case RewriteSSL:
			fmt.Fprintf(&b, "<ssl %s>", p.Text)
		case RewriteMapped:
			fmt.Fprintf(&b, "<map %s key %s default %s>", p.Text, p.Key.shown(), p.Default.shown())
		}
	}
	return b.String()
}

func TestRewriteText(t *testing.T) {
	tests := []struct{ text, want string }{
		{"/a/b", "/a/b"},
		{"", ""},
		{"/$1/%2$0", "/<group 1>/<cond 2><group 0>"},
		{"$12", "<group 1>2"},
		{`\$1\%2\\\x`, `$1%2\x`},
		{`a\`, `a\`},
		{"$", "$"},
		{"$x%y", "$x%y"},
		{"%{HTTP_HOST}x", "<var HTTP_HOST>x"},
		{"%{request_uri}", "<var REQUEST_URI>"},
		{"%{ENV:a:b}%{http:X-Y}", "<env a:b><http X-Y>"},
		{"%{HTTP_HOST", "%{HTTP_HOST"},
		{"${m:$1}", "<map m key <group 1> default >"},
		{"${m:$1|%{HTTP_HOST}}/", "<map m key <group 1> default <var HTTP_HOST>>/"},
		{"${m:${n:a|b}|c}", "<map m key <map n key a default b> default c>"},
		{"${m}$1", "${m}<group 1>"},
		{"${$1", "${<group 1>"},
		{"%{}", "<var >"},
		{"%{ssl:SSL_PROTOCOL}x", "<ssl SSL_PROTOCOL>x"},
	}
	for _, tt := range tests {
		text, _, p := parseRewriteText(tt.text)
		if p != nil || text.shown() != tt.want {
			t.Errorf("%q is %q, %v; want %q", tt.text, text.shown(), p, tt.want)
		}
	}
	for _, refused := range []string{"%{LA-U:REMOTE_USER}", "x%{la-f:X}", "${m:%{LA-U:X}}", "%{SCRIPT_USER}", "%{API_VERSION}"} {
		if _, _, p := parseRewriteText(refused); p == nil {
			t.Errorf("%q is not refused", refused)
		}
	}
}

func TestRewriteLine(t *testing.T) {
	tests := []struct {
		line string
		want string // the arguments between bars, or nothing for a bad line
	}{
		{"a b", "|a|b|"},
		{"a b [L]", "|a|b|[L]|"},
		{"  a\t b   [L]  ", "|a|b|[L]|"},
		{`"a b" 'c d' "[L, R]" more`, "|a b|c d|[L, R]|"},
		{`a\ b c`, `|a\ b|c|`},
		{`"a" "b"`, "|a|b|"},
		{`"a" b"c d`, `|a|b"c|d|`},
		{`a "b c`, "|a|b c|"},
		{`a ""`, "|a||"},
		{"a", ""},
		{`"a b`, ""},
		{"", ""},
	}
	for _, tt := range tests {
		l, good := splitRewriteLine(tt.line)
		got := ""
		if good {
			got = "|" + l.first + "|" + l.second + "|"
			if l.hasFlags {
				got += l.flags + "|"
			}
		}
		if got != tt.want {
			t.Errorf("%q is %s, want %s", tt.line, got, tt.want)
		}
	}
}

// TestRewriteInherits holds which rules of an outer and an inner record are
// run, and in which order.
func TestRewriteInherits(t *testing.T) {
	rules := func(names string) (list []*RewriteRule) {
		for _, name := range strings.Fields(names) {
			list = append(list, &RewriteRule{Output: name})
		}
		return list
	}
	tests := []struct {
		outer, inner RewriteOptions
		want         string
	}{
		{0, 0, "inner"},
		{RewriteInherit, 0, "inner outer"}, // an inner record without options has those of the outer one
		{0, RewriteInherit, "inner outer"},
		{0, RewriteInheritBefore, "outer inner"},
		{RewriteInheritDown, RewriteMergeBase, "inner outer"},
		{RewriteInheritDownBefore, RewriteMergeBase, "outer inner"},
		{RewriteInheritDown, RewriteIgnoreInherit, "inner"},
		{RewriteInheritDownBefore, RewriteIgnoreInherit, "inner"},
	}
	for _, tt := range tests {
		outer, inner := &RewriteDir{Rules: rules("outer"), Options: &tt.outer}, &RewriteDir{Rules: rules("inner")}
		if tt.inner != 0 {
			inner.Options = &tt.inner
		}
		var got []string
		for _, rule := range mergeRewrite(outer, inner).Rules {
			got = append(got, rule.Output)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("options %b and %b give %v, want %s", tt.outer, tt.inner, got, tt.want)
		}
	}
}

// FuzzRewriteText compares with a reader that goes through the text as
// do_expand of mod_rewrite does, position by position.
func FuzzRewriteText(f *testing.F) {
	for _, s := range []string{"/a/$1?%2", "%{HTTP_HOST}", "${m:$1|%{ENV:x}}", `\$1\\`, "${m:${n:a|b}|c}", "%{", "${", "${x", "${x:", "%{HTTP:}", "%{ENV:a}}", "$${a:b}", `${a\:b}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 || strings.IndexByte(s, 0) >= 0 {
			return
		}
		text, _, p := parseRewriteText(s)
		if p != nil {
			return
		}
		if got, want := text.shown(), plainExpansion(s); got != want {
			t.Fatalf("%q is %q, want %q", s, got, want)
		}
	})
}

func plainExpansion(s string) string {
	out := ""
	for p := 0; p < len(s); {
		c := s[p]
		next := byte(0)
		if p+1 < len(s) {
			next = s[p+1]
		}
		switch {
		case c == '\\' && next != 0:
			out += string(s[p+1 : p+2])
			p += 2
		case (c == '$' || c == '%') && next >= '0' && next <= '9':
			out += fmt.Sprintf("<%s %c>", map[byte]string{'$': "group", '%': "cond"}[c], next)
			p += 2
		case (c == '$' || c == '%') && next == '{':
			depth, end := 1, p+2
			for ; end < len(s); end++ {
				if s[end] == '{' {
					depth++
				} else if s[end] == '}' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			if end == len(s) {
				out += s[p : p+2]
				p += 2
				continue
			}
			if c == '%' {
				out += plainVariable(s[p+2 : end])
				p = end + 1
				continue
			}
			shown, is := plainMap(s[p+2 : end])
			if !is {
				out += s[p : p+2]
				p += 2
				continue
			}
			out += shown
			p = end + 1
		default:
			out += s[p : p+1]
			p++
		}
	}
	return out
}

func plainVariable(name string) string {
	upper := strings.ToUpper(name)
	if strings.HasPrefix(upper, "ENV:") && len(name) > 4 {
		return "<env " + name[4:] + ">"
	}
	if strings.HasPrefix(upper, "HTTP:") && len(name) > 5 {
		return "<http " + name[5:] + ">"
	}
	return "<var " + upper + ">"
}

func plainMap(inner string) (string, bool) {
	at := func(s string, c byte) int {
		depth := 1
		for i := 0; i < len(s); i++ {
			if s[i] == c && depth == 1 {
				return i
			}
			if s[i] == '{' {
				depth++
			}
			if s[i] == '}' {
				depth--
			}
			if depth == 0 {
				break
			}
		}
		return -1
	}
	colon := at(inner, ':')
	if colon < 0 {
		return "", false
	}
	key, fallback := inner[colon+1:], ""
	if bar := at(key, '|'); bar >= 0 {
		key, fallback = key[:bar], key[bar+1:]
	}
	return fmt.Sprintf("<map %s key %s default %s>", inner[:colon], plainExpansion(key), plainExpansion(fallback)), true
}

// FuzzRewriteLine: whatever stands in a line, it is taken or refused in a
// sentence; what is taken has an expression and knows how it is split.
func FuzzRewriteLine(f *testing.F) {
	for _, s := range []string{`^/a /b [R=301,L]`, `"^a b" "c d" [NC]`, `!^x - [F]`, `^(?<a>x)\1 $1 [E=a:b,CO=c:d:e,S=2,N=3,B=x,BNE=/]`, `^a b? [QSD]`, `^[a-z]{2,} ${m:$1|x}`, `%{X} =a [NC,OR]`, `expr "%{X}"`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, args string, isRule bool) {
		if len(args) > 2000 || strings.ContainsAny(args, "\x00\r\n") || strings.HasSuffix(args, `\`) {
			return
		}
		name := "RewriteCond "
		if isRule {
			name = "RewriteRule "
		}
		cfg, diags := Load("/dev/null", Options{ServerRoot: "/", Before: []string{
			"ErrorLog /dev/null", "DocumentRoot /", "LoadModule rewrite_module x", name + args, "RewriteRule ^ -",
		}})
		rules := []*RewriteRule{}
		if cfg.Main.Rewrite != nil {
			rules = cfg.Main.Rewrite.Rules
		}
		if diags.HasErrors() {
			for _, d := range diags {
				if d.Summary == "" {
					t.Fatalf("%q is refused without a word", args)
				}
			}
			return
		}
		want := 1
		if isRule {
			want = 2
		}
		if len(rules) != want {
			t.Fatalf("%q: %d rules, want %d", args, len(rules), want)
		}
		for _, rule := range rules {
			if rule.Regexp == nil || rule.Status < 100 {
				t.Fatalf("%q: %+v", args, rule)
			}
			rule.Regexp.Match("/some/path-" + args[:min(len(args), 20)])
		}
	})
}
