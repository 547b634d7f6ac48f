package httpdconf

import "strings"

// fnmatchFlags change what wildcards match (APR's apr_fnmatch).
type fnmatchFlags int

const (
	fnmPathname fnmatchFlags = 1 << iota // only a slash matches a slash
	fnmPeriod                            // only a dot matches a dot at the start
	fnmNoEscape                          // a backslash is an ordinary character
)

// isWildcard reports whether s holds a wildcard (httpd 2.4 server/util.c,
// ap_is_matchexp, and APR's apr_fnmatch_test).
func isWildcard(s string) bool { return strings.ContainsAny(s, "*?[") }

// fnmatch matches the whole of s: "*" any number of characters, "?" one,
// "[a-z]" one of a set, "[!a-z]" one outside it.
func fnmatch(pattern, s string, flags fnmatchFlags) bool {
	if flags&fnmPeriod != 0 && strings.HasPrefix(s, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	// Where the last star stands, and what of s was left for it: when the rest
	// does not match, it takes one character more.
	star, left := -1, 0
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, left = p, i
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], s[i], flags); ok {
			p, i = p+n, i+1
			continue
		}
		if star < 0 || flags&fnmPathname != 0 && s[left] == '/' {
			return false
		}
		left++
		p, i = star+1, left
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches the first element of a pattern without "*" against c, and
// returns its size in bytes.
func matchOne(pattern string, c byte, flags fnmatchFlags) (size int, ok bool) {
	if pattern == "" || pattern[0] != '/' && c == '/' && flags&fnmPathname != 0 {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if end := setEnd(pattern); end > 0 {
			return end, inSet(pattern[1:end-1], c)
		}
	case '\\':
		if flags&fnmNoEscape == 0 && len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	}
	return 1, pattern[0] == c
}

// setEnd returns the size of the set that a pattern begins with, 0 if its
// bracket is not closed. A closing bracket at its start belongs to it.
func setEnd(pattern string) int {
	i := 1
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		i++
	}
	if i < len(pattern) && pattern[i] == ']' {
		i++
	}
	if end := strings.IndexByte(pattern[min(i, len(pattern)):], ']'); end >= 0 {
		return i + end + 1
	}
	return 0
}

// inSet reports whether c is in the set between two brackets.
func inSet(set string, c byte) bool {
	not := set != "" && (set[0] == '!' || set[0] == '^')
	if not {
		set = set[1:]
	}
	for set != "" {
		lo, hi, size := set[0], set[0], 1
		if len(set) > 2 && set[1] == '-' {
			hi, size = set[2], 3
		}
		if lo <= c && c <= hi {
			return !not
		}
		set = set[size:]
	}
	return not
}
