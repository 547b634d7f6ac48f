package httpdconf

import (
	"strings"
	"testing"
)

func TestFnmatch(t *testing.T) {
	tests := []struct {
		name, pattern, s string
		flags            fnmatchFlags
		want             bool
	}{
		{"star takes nothing", "a*", "a", 0, true},
		{"star takes all", "*", "a/b", 0, true},
		{"star stops at a slash", "*", "a/b", fnmPathname, false},
		{"question mark stops at a slash", "a?b", "a/b", fnmPathname, false},
		{"a set stops at a slash", "a[/]b", "a/b", fnmPathname, false},
		{"several stars", "*a*b*", "xaybz", 0, true},
		{"stars that have to step back", "*ab", "aab", 0, true},
		{"leading dot", "*", ".a", fnmPeriod, false},
		{"leading dot written out", ".*", ".a", fnmPeriod, true},
		{"range", "[a-c]x", "bx", 0, true},
		{"range, outside", "[a-c]x", "dx", 0, false},
		{"negated", "[!a-c]x", "dx", 0, true},
		{"bracket at the start of a set", "[]]", "]", 0, true},
		{"a set that is not closed is text", "[ab", "[ab", 0, true},
		{"escaped star", `\*`, "*", 0, true},
		{"escaped star is no wildcard", `\*`, "a", 0, false},
		{"rest of the pattern", "ab", "a", 0, false},
		{"rest of the text", "a", "ab", 0, false},
		{"empty", "", "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fnmatch(tt.pattern, tt.s, tt.flags); got != tt.want {
				t.Errorf("fnmatch(%q, %q, %d) = %v, want %v", tt.pattern, tt.s, tt.flags, got, tt.want)
			}
		})
	}
}

// naiveMatch is fnmatch by plain recursion, for patterns of stars, question
// marks and text.
func naiveMatch(pattern, s string, pathname bool) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '*':
		for i := 0; i <= len(s); i++ {
			if naiveMatch(pattern[1:], s[i:], pathname) {
				return true
			}
			if i < len(s) && s[i] == '/' && pathname {
				return false
			}
		}
		return false
	case '?':
		return s != "" && !(pathname && s[0] == '/') && naiveMatch(pattern[1:], s[1:], pathname)
	}
	return s != "" && s[0] == pattern[0] && naiveMatch(pattern[1:], s[1:], pathname)
}

func FuzzFnmatch(f *testing.F) {
	f.Add("*a?/b*", "xa1/bc", true)
	f.Add("**", "a/b", false)
	f.Fuzz(func(t *testing.T, pattern, s string, pathname bool) {
		if len(pattern) > 12 || len(s) > 20 || strings.ContainsAny(pattern, `[\`) {
			return
		}
		flags := fnmatchFlags(0)
		if pathname {
			flags = fnmPathname
		}
		if got, want := fnmatch(pattern, s, flags), naiveMatch(pattern, s, pathname); got != want {
			t.Fatalf("fnmatch(%q, %q, %v) = %v, want %v", pattern, s, pathname, got, want)
		}
	})
}
