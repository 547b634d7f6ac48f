package server

import (
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		target, path, query string
		status              int
	}{
		{"/echo", "/echo", "", 0},
		{"/%65cho", "/echo", "", 0},
		{"//echo", "/echo", "", 0},
		{"/x/../echo", "/echo", "", 0},
		{"/./echo", "/echo", "", 0},
		{"/echo//x", "/echo/x", "", 0},
		{"http://host/echo", "/echo", "", 0},
		{"http://host", "/", "", 0},
		{"http://host?q", "/", "q", 0},
		{"/a?b?c=/../d", "/a", "b?c=/../d", 0},
		{"/a/..", "/", "", 0},
		{"/a/.", "/a/", "", 0},
		{"/a/b/..", "/a/", "", 0},
		{"/a//../b", "/b", "", 0}, // measured: httpd 2.4.71
		{"/a/b//", "/a/b/", "", 0},
		{"//", "/", "", 0},
		{"/a//..", "/", "", 0},
		{"//..", "", "", 400},
		{"/a/%2e%2e/b", "/b", "", 0},
		{"/a/.%2e/b", "/b", "", 0},
		{"/...", "/...", "", 0},
		{"/.a", "/.a", "", 0},
		{"/a;b=c", "/a;b=c", "", 0},
		{"/%2573ecret", "/%73ecret", "", 0},
		{"/a%20b", "/a b", "", 0},
		{"/a\\..\\b", "/a\\..\\b", "", 0},
		{"/echo%2Fx", "", "", 404},
		{"/echo%2fx", "", "", 404},
		{"/echo%00", "", "", 404},
		{"/echo%zz", "", "", 400},
		{"/echo%2", "", "", 400},
		{"/%2f%zz", "", "", 400},
		{"/../echo", "", "", 400},
		{"/%2e%2e/echo", "", "", 400},
		{"/a/../../echo", "", "", 400},
		{"/echo#frag", "", "", 400},
		{"*", "", "", 400},
		{"echo", "", "", 400},
		{"/echo\x00", "", "", 400},
	}
	for _, tt := range tests {
		path, query, status := parseTarget(tt.target, httpdconf.PathRules{})
		if path != tt.path || query != tt.query || status != tt.status {
			t.Errorf("parseTarget(%q) = %q, %q, %d; want %q, %q, %d", tt.target, path, query, status, tt.path, tt.query, tt.status)
		}
	}
}

// FuzzParseTarget: a path never leads above the root, holds no empty or dot
// segment, and is cleaned once and for all.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"/a/../b", "/%2e./%2e%2e/", "http://h//x", "/a//./..//.../", "/%252e%252e/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		path, _, status := parseTarget(target, httpdconf.PathRules{})
		if status != 0 {
			return
		}
		if !strings.HasPrefix(path, "/") || strings.IndexByte(path, 0) >= 0 {
			t.Fatalf("%q gives %q", target, path)
		}
		segments := strings.Split(path[1:], "/")
		for i, s := range segments {
			if s == "." || s == ".." || s == "" && i < len(segments)-1 {
				t.Fatalf("%q gives %q", target, path)
			}
		}
		if again, above := removeDots(path); above || again != path {
			t.Fatalf("%q gives %q, which is cleaned to %q", target, path, again)
		}
	})
}

// TestCleaningIsLinear: the longest line that is let through.
func TestCleaningIsLinear(t *testing.T) {
	for _, unit := range []string{"/", "/.", "/a/..", "%2e", "/a/../"} {
		target := "/" + strings.Repeat(unit, requestLine/len(unit))
		if n := testing.AllocsPerRun(1, func() { parseTarget(target, httpdconf.PathRules{}) }); n > 10 {
			t.Errorf("%q repeated takes %v allocations", unit, n)
		}
	}
}

func TestIsAuthority(t *testing.T) {
	for _, good := range []string{"a", "a.example", "a.example:80", "A_b-c", "1.2.3.4", "[::1]", "[::1]:8080", "a.", "xn--a"} {
		if !isAuthority(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", ":", "a:", "a:0", "a:99999", "a:b", "a:+80", "a b", "a/b", "a@b", "[::1", "[]", "[::1]x", "[::g]", "a\x00", "a..b", "a,b@", "\xe4", "a,b", "a'b", "*", "a%20b", "~a", ".", "[1.2.3.4]", "[fe80::1%25lo]", "::1"} {
		if isAuthority(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}
