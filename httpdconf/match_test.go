package httpdconf

import (
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

func section(t *testing.T, kind SectionKind, pattern string) *Section {
	t.Helper()
	s := &Section{Kind: kind, Pattern: pattern}
	switch kind {
	case DirectoryMatchSection, FilesMatchSection, LocationMatchSection:
		re, err := expr.CompileRegexp(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		s.Regexp = re
	}
	return s
}

// TestCovers holds what httpd-conf.md measured on httpd of each kind.
func TestCovers(t *testing.T) {
	tests := []struct {
		kind    SectionKind
		pattern string
		covers  string // paths, separated by blanks
		not     string
	}{
		{LocationSection, "/echo", "/echo /echo/ /echo/x /echo/x/y", "/echoes /Echo /ech / /x/echo /echo;a=b"},
		{LocationSection, "/slash/", "/slash/ /slash/x", "/slash /slashes"},
		{LocationSection, "/", "/ /a /a/b", ""},
		{LocationSection, "", "/ /a", ""},
		{LocationSection, "/wild/*", "/wild/ /wild/a", "/wild /wild/a/b /wilder/a"},
		{LocationSection, "/w?ld", "/wild /wald", "/wld /w/ld /wild/a"},
		{LocationSection, "/[ab]c", "/ac /bc", "/cc /[ab]c /ac/x"},
		{LocationSection, "/[!ab]c", "/cc", "/ac /bc"},
		{LocationSection, "/*/x", "/a/x", "/a/b/x /x"},
		{LocationSection, "/enc%20oded", "/enc%20oded", "/enc@oded"},
		{LocationSection, "/dbl//slash", "", "/dbl/slash"},
		{LocationSection, "echo", "", "/echo"},
		{LocationMatchSection, "^/e(cho)?$", "/e /echo", "/ech /echo/x"},
		{LocationMatchSection, "echo", "/echo /x/echoes", "/ECHO"},
		{LocationMatchSection, "(?i)echo", "/ECHO", "/ech"},
		{LocationMatchSection, "^/((?!private).*)$", "/a /public/private", "/private /private/x"},
		{LocationMatchSection, `^/(\w+)/\1$`, "/a/a /xy/xy", "/a/b"},
		{LocationMatchSection, `^/nl$`, "/nl", "/nl¶"},
		{LocationMatchSection, `^/[^a-z]{2}$`, "/é", "/éé /e"},
		{LocationMatchSection, `^/\w+$`, "/a_1", "/é"},
		{LocationMatchSection, `(?i)^/É$`, "/É", "/é"},
		{LocationMatchSection, `^/a++b$`, "/aab", "/b"},
		{LocationMatchSection, `^/(?P<x>a|b)\k<x>$`, "/aa /bb", "/ab"},
		{DirectorySection, "/srv/www", "/srv/www /srv/www/a", "/srv /srv/wwwx /srv/www2"},
		{DirectorySection, "", "/ /srv /srv/www", ""},
		{DirectorySection, "/srv/*/x", "/srv/a/x /srv/a/x/deep", "/srv/x /srv/a/b/x /srv/a/xx"},
		{DirectorySection, "/srv/w*", "/srv/www /srv/w /srv/www/a", "/srv /srv/x /srv/x/www"},
		{DirectorySection, "/srv/f.txt", "/srv/f.txt", "/srv /srv/f.txt.bak /srv/x/f.txt"},
		{DirectorySection, "/srv/*", "/srv/f.txt /srv/a /srv/a/f.txt", "/srv"},
		{DirectoryMatchSection, "^/srv/[^/]+/$", "/srv/a/", "/srv/a /srv/ /srv/a/b/ /srv/a/f.txt"},
		{DirectoryMatchSection, "^/srv/[^/]+$", "/srv/a /srv/missing /srv/f.txt", "/srv/a/ /srv/a/f.txt"},
		{DirectoryMatchSection, `/\.git`, "/srv/.git /srv/.git/config /srv/.gitignore", "/srv/git"},
		{FilesSection, ".htaccess", ".htaccess", "htaccess .htaccess.bak"},
		{FilesSection, "*.txt", "a.txt .txt", "a.txt.gz txt"},
		{FilesMatchSection, `^\.ht`, ".htaccess .ht", "a.ht ht"},
	}
	blanks := strings.NewReplacer("@", " ", "¶", "\n")
	for _, tt := range tests {
		s := section(t, tt.kind, tt.pattern)
		for path := range strings.FieldsSeq(tt.covers) {
			if path = blanks.Replace(path); !s.Covers(path) {
				t.Errorf("section %d %q does not cover %q", tt.kind, tt.pattern, path)
			}
		}
		for path := range strings.FieldsSeq(tt.not) {
			if path = blanks.Replace(path); s.Covers(path) {
				t.Errorf("section %d %q covers %q", tt.kind, tt.pattern, path)
			}
		}
	}
}

// TestSlowExpressionMatchesNothing: a path must not be able to make an
// expression run for long.
func TestSlowExpressionMatchesNothing(t *testing.T) {
	s := section(t, LocationMatchSection, `^/(a+)+$`)
	if s.Covers("/" + strings.Repeat("a", 40) + "!") {
		t.Error("an expression that runs out of time matches")
	}
}

func TestMatchAlias(t *testing.T) {
	tests := []struct {
		alias, covers, not string
	}{
		{"*.wild.example", "a.wild.example a.b.wild.example .wild.example", "wild.example awild.example"},
		{"Host.Example", "host.example", "host.example.com"},
		{"h?st", "host hist", "hst hosts"},
		{"*", "anything", ""},
		{`a[b`, "a[b", "ab"},
	}
	for _, tt := range tests {
		for name := range strings.FieldsSeq(tt.covers) {
			if !MatchAlias(tt.alias, name) {
				t.Errorf("alias %q does not cover %q", tt.alias, name)
			}
		}
		for name := range strings.FieldsSeq(tt.not) {
			if MatchAlias(tt.alias, name) {
				t.Errorf("alias %q covers %q", tt.alias, name)
			}
		}
	}
}
