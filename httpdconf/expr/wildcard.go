package expr

// wildcards are the rules of a match (APR's apr_fnmatch): "*" is any number of
// characters, "?" one, "[a-z]" one of a set, "[!a-z]" and "[^a-z]" one outside
// it, and a backslash takes the meaning from the next character.
type wildcards struct {
	pathname bool // only a slash matches a slash
	anyCase  bool
}

// match matches the whole of s. It steps back to the last star only, so its
// time is at most the product of the two lengths.
func (w wildcards) match(pattern, s string) bool {
	star, left := -1, 0
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, left = p, i
			p++
			continue
		}
		if n, ok := w.matchOne(pattern[p:], s[i]); ok {
			p, i = p+n, i+1
			continue
		}
		if star < 0 || w.pathname && s[left] == '/' {
			return false
		}
		left++
		p, i = star+1, left
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches the first element of a pattern, which is no star, with c
// and returns its size.
func (w wildcards) matchOne(pattern string, c byte) (size int, ok bool) {
	if pattern == "" || pattern[0] != '/' && c == '/' && w.pathname {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if size, ok := w.matchSet(pattern, c); size > 0 {
			return size, ok
		}
	case '\\':
		if len(pattern) > 1 {
			return 2, w.between(pattern[1], c, pattern[1])
		}
	}
	return 1, w.between(pattern[0], c, pattern[0])
}

// matchSet matches a set; its size is 0 if it has no end, and then "[" stands
// for itself. A closing bracket at its start belongs to it.
func (w wildcards) matchSet(pattern string, c byte) (size int, in bool) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	for start := i; i < len(pattern); {
		if pattern[i] == ']' && i > start {
			return i + 1, in != not
		}
		low, n := setChar(pattern[i:])
		i += n
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, n = setChar(pattern[i+1:])
			i += 1 + n
		}
		in = in || w.between(low, c, high)
	}
	return 0, false
}

// setChar reads one character of a set.
func setChar(s string) (c byte, size int) {
	if s[0] == '\\' && len(s) > 1 {
		return s[1], 2
	}
	return s[0], 1
}

func (w wildcards) between(low, c, high byte) bool {
	if low <= c && c <= high {
		return true
	}
	return w.anyCase && lower(low) <= lower(c) && lower(c) <= lower(high)
}
