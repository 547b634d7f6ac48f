package server

import (
	"strings"

	"github.com/valyala/fasthttp"
)

// parseTarget makes of a request target the decoded, normalised path by which
// everything is decided and opened, and the query. Status 0 stands for a good
// one (httpd 2.4 server/util.c, ap_unescape_url and ap_normalize_path).
//
// It is decoded once. "%2f" and "%00" are answered 404, as httpd does while
// AllowEncodedSlashes is Off; a bad escape and a way above the root 400.
func parseTarget(target string) (path, query string, status int) {
	if t := splitTarget(target); t.scheme != "" {
		if !strings.EqualFold(t.scheme, "http") && !strings.EqualFold(t.scheme, "https") {
			return "", "", fasthttp.StatusBadRequest
		}
		if target = t.rest; !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	path, query, _ = strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || strings.IndexByte(target, '#') >= 0 {
		return "", "", fasthttp.StatusBadRequest
	}
	path, status = unescape(path)
	if status != 0 {
		return "", "", status
	}
	path, above := removeDots(path)
	if above {
		return "", "", fasthttp.StatusBadRequest
	}
	return path, query, 0
}

// unescape decodes percent escapes.
func unescape(s string) (string, int) {
	switch {
	case strings.IndexByte(s, 0) >= 0: // fasthttp lets none through
		return "", fasthttp.StatusBadRequest
	case strings.IndexByte(s, '%') < 0:
		return s, 0
	}
	b := make([]byte, 0, len(s))
	refused := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return "", fasthttp.StatusBadRequest
		}
		c := unhex(s[i+1])<<4 | unhex(s[i+2])
		if c == 0 || c == '/' {
			refused = fasthttp.StatusNotFound // but a bad escape behind it wins
		}
		b = append(b, c)
		i += 2
	}
	return string(b), refused
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// removeDots removes empty segments, "." and ".." in one pass, as httpd does
// under MergeSlashes: "//.." takes the segment in front of both slashes. above
// reports whether ".." led above the root.
func removeDots(path string) (clean string, above bool) {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "//") {
		return path, false
	}
	all := strings.Split(path[1:], "/")
	segments := make([]string, 0, len(all))
	for i, segment := range all {
		switch segment {
		case "", ".":
		case "..":
			if len(segments) == 0 {
				return "", true
			}
			segments = segments[:len(segments)-1]
		default:
			segments = append(segments, segment)
			continue
		}
		if i == len(all)-1 && len(segments) > 0 {
			segments = append(segments, "") // a folder keeps its slash
		}
	}
	return "/" + strings.Join(segments, "/"), false
}
