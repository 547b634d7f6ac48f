package server

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// originPasses decides whether a handshake with these Origin header values,
// one slice for each header that the protocol version looks at, is acceptable
// (RFC 6455, section 10.2). own is the origin of the request itself.
//
// No header passes: it is browsers that send one. Each header that is there
// must have a single line, and that line must pass.
func originPasses(mode httpdconf.OriginCheck, trusted []string, own origin, headers ...[]string) bool {
	if mode == httpdconf.OriginOff {
		return true
	}
	for _, lines := range headers {
		switch {
		case len(lines) == 0:
			continue
		case len(lines) > 1:
			return false
		case mode == httpdconf.OriginTrusted:
			if !slices.Contains(trusted, lines[0]) {
				return false
			}
		default:
			o, ok := parseOrigin(lines[0])
			if !ok || o != own {
				return false
			}
		}
	}
	return true
}

// origin is a scheme, host and port in comparable form: scheme and host in
// lower case, the host without a final dot, IPv6 in brackets, the port filled
// in (RFC 6454, sections 4 and 6.2).
type origin struct {
	scheme, host string
	port         int
}

// parseOrigin reads scheme://host or scheme://host:port and nothing more.
func parseOrigin(s string) (origin, bool) {
	scheme, authority, found := strings.Cut(s, "://")
	if !found {
		return origin{}, false
	}
	return newOrigin(scheme, authority)
}

// newOrigin makes an origin of a scheme and an authority without user info.
func newOrigin(scheme, authority string) (origin, bool) {
	o := origin{scheme: strings.ToLower(scheme)}
	switch o.scheme {
	case "http":
		o.port = 80
	case "https":
		o.port = 443
	default:
		return origin{}, false
	}
	host, port, hasPort := cutPort(authority)
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return origin{}, false
		}
		o.port = int(n)
	}
	host = strings.TrimSuffix(host, ".")
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if host == "" || strings.ContainsAny(host, "/@?#\\ \t,") || !bracketed && strings.Contains(host, ":") {
		return origin{}, false
	}
	o.host = strings.ToLower(host)
	return o, true
}

// cutPort splits an authority at the colon in front of its port, leaving an
// IPv6 address in its brackets.
func cutPort(authority string) (host, port string, found bool) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.IndexByte(authority[i:], ']') >= 0 {
		return authority, "", false
	}
	if host = authority[:i]; strings.IndexByte(host, ':') >= 0 && !strings.HasSuffix(host, "]") {
		return authority, "", false
	}
	return host, authority[i+1:], true
}
