package server

import (
	"strings"
)

// request holds the facts of an upgrade request that outlive fasthttp's
// context: copied once, read-only afterwards, and so free for any goroutine.
type request struct {
	target     string // as in the request line
	remoteAddr string // host:port
	header     string // the header block: lines as received, ended by CR LF
	protocols  []string
	log        *errorLog // of the host, at the levels of the path
}

// lookup returns the values of all lines with this name, in any case, joined
// with ", " (RFC 9110, section 5.3), and whether there is one.
func (r *request) lookup(name string) (value string, present bool) {
	for line := range strings.SplitSeq(r.header, "\n") {
		n, v, isField := strings.Cut(line, ":")
		if !isField || !strings.EqualFold(n, name) {
			continue
		}
		v = strings.Trim(v, " \t\r")
		if present {
			value += ", " + v
			continue
		}
		value, present = v, true
	}
	return value, present
}
