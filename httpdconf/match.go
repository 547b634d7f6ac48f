package httpdconf

import "strings"

// Covers reports whether the section covers a path: for Location the decoded
// path of a request; for Directory a folder without a slash at its end, or a
// file that exists; for DirectoryMatch a file's whole name, as far as it exists
// and one element more, with the slash that the request has behind a folder;
// for Files the last element of that name.
func (s *Section) Covers(path string) bool {
	if s.Regexp != nil {
		return s.Regexp.Match(path)
	}
	switch s.Kind {
	case LocationSection:
		return s.coversLocation(path)
	case DirectorySection:
		return s.coversDirectory(path)
	}
	if isWildcard(s.Pattern) {
		return fnmatch(s.Pattern, path, fnmPathname)
	}
	return s.Pattern == path
}

// coversLocation: plain text covers itself and, by whole segments, what is
// below; a wildcard the whole path only (httpd 2.4 server/request.c,
// ap_location_walk).
func (s *Section) coversLocation(path string) bool {
	if isWildcard(s.Pattern) {
		return fnmatch(s.Pattern, path, fnmPathname)
	}
	rest, is := strings.CutPrefix(path, s.Pattern)
	return is && (rest == "" || rest[0] == '/' || strings.HasSuffix(s.Pattern, "/") || s.Pattern == "")
}

// coversDirectory: a folder covers itself and what is below it; a wildcard as
// many segments as it has, and what is below those (httpd 2.4
// server/request.c, ap_directory_walk).
func (s *Section) coversDirectory(path string) bool {
	if !isWildcard(s.Pattern) {
		rest, is := strings.CutPrefix(path, s.Pattern)
		return is && (rest == "" || rest[0] == '/')
	}
	depth := strings.Count(s.Pattern, "/")
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if strings.Count(path[:i], "/") == depth {
				return fnmatch(s.Pattern, path[:i], fnmPathname)
			}
		}
	}
	return false
}

// MatchAlias reports whether a ServerAlias covers a host name in lower case:
// in it "*" and "?" are wildcards (httpd 2.4 server/util.c,
// ap_strcasecmp_match).
func MatchAlias(alias, name string) bool {
	alias = strings.ToLower(alias)
	if !strings.ContainsAny(alias, "*?") {
		return alias == name
	}
	return fnmatch(strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(alias), name, 0)
}
