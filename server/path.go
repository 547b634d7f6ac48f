package server

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// parseTarget makes of a request target the decoded, normalised path by which
// everything is decided and opened, and the query. Status 0 stands for a good
// one (httpd 2.4 server/util.c, ap_unescape_url and ap_normalize_path).
//
// It is decoded once. "%2f" is answered 404 while AllowEncodedSlashes is Off, and
// "%00" always; a bad escape and a way above the root 400.
func parseTarget(target string, rules httpdconf.PathRules) (path, query string, status int) {
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
	if rules.EncodedSlashes == httpdconf.SlashesDecoded && strings.Contains(strings.ToLower(path), "%2f") {
		return decodeSlashes(path, query, rules)
	}
	path, status = unescape(path, rules.EncodedSlashes)
	if status != 0 {
		return "", "", status
	}
	path, above := normalize(path, rules.KeepSlashes)
	if above {
		return "", "", fasthttp.StatusBadRequest
	}
	return path, query, 0
}

// decodeSlashes is parseTarget's end for a path whose encoded slashes are
// decoded: it is normalised before, when a way above the root is refused, and
// after, when it ends there (httpd 2.4 server/request.c,
// ap_process_request_internal).
func decodeSlashes(path, query string, rules httpdconf.PathRules) (string, string, int) {
	path, above := normalize(unescapePlain(path), rules.KeepSlashes)
	if above {
		return "", "", fasthttp.StatusBadRequest
	}
	path, status := unescape(path, rules.EncodedSlashes)
	if status != 0 {
		return "", "", status
	}
	path, _ = normalize(path, rules.KeepSlashes)
	return path, query, 0
}

// unescapePlain decodes the escapes of what needs none (RFC 3986, section 2.3;
// httpd 2.4 server/util.c, ap_normalize_path with AP_NORMALIZE_DECODE_UNRESERVED).
func unescapePlain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			c := unhex(s[i+1])<<4 | unhex(s[i+2])
			isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
			if isLetter || strings.IndexByte("-._~", c) >= 0 {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unescape decodes percent escapes, that of a slash by the mode of
// AllowEncodedSlashes (httpd 2.4 server/util.c, unescape_url).
func unescape(s string, slashes httpdconf.EncodedSlashes) (string, int) {
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
		switch {
		case c == '/' && slashes == httpdconf.SlashesKept:
			b = append(b, s[i:i+3]...)
			i += 2
			continue
		case c == 0, c == '/' && slashes != httpdconf.SlashesDecoded:
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
	if clean, above = normalize(path, false); above {
		return "", true
	}
	return clean, false
}

// normalize removes "." and "..", and empty segments unless they are to be kept
// (httpd 2.4 server/util.c, ap_normalize_path). Where ".." leads above the root
// clean ends there.
func normalize(path string, keepSlashes bool) (clean string, above bool) {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "//") {
		return path, false
	}
	all := strings.Split(path[1:], "/")
	segments := make([]string, 0, len(all))
	for i, segment := range all {
		isLast := i == len(all)-1
		switch {
		case segment == "" && !(keepSlashes && !isLast), segment == ".":
		case segment == "..":
			above = above || strings.Join(segments, "") == ""
			segments = segments[:max(len(segments)-1, 0)]
		default:
			segments = append(segments, segment)
			continue
		}
		if isLast && len(segments) > 0 {
			segments = append(segments, "") // a folder keeps its slash
		}
	}
	return "/" + strings.Join(segments, "/"), above
}
