package server

import (
	"net/netip"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// hostAddress is an address of virtual hosts: the zero IP stands for any, port
// 0 for any.
type hostAddress struct {
	ip   netip.Addr
	port int
}

// hostTable holds the virtual hosts of one address by name.
type hostTable struct {
	address   hostAddress
	first     *httpdconf.Host
	names     map[string]namedHost // by lower-cased name; the first host of each
	wildcards []wildcardHost       // of ServerAlias, in file order
}

// namedHost is a host, one of its names as it stands, and its place in the
// file.
type namedHost struct {
	host  *httpdconf.Host
	name  string
	place int
}

type wildcardHost struct {
	pattern string
	namedHost
}

func newHostTables(hosts []*httpdconf.Host) map[hostAddress]*hostTable {
	tables := make(map[hostAddress]*hostTable)
	for place, h := range hosts {
		for _, a := range h.Addresses {
			ip, _ := netip.ParseAddr(a.Host) // "*" stays the zero value
			key := hostAddress{ip.Unmap(), a.Port}
			if tables[key] == nil {
				tables[key] = &hostTable{address: key, first: h, names: make(map[string]namedHost)}
			}
			tables[key].add(namedHost{host: h, place: place})
		}
	}
	return tables
}

func (t *hostTable) add(n namedHost) {
	for i, name := range append([]string{n.host.Name}, n.host.Aliases...) {
		if i > 0 && strings.ContainsAny(name, "*?") {
			t.wildcards = append(t.wildcards, wildcardHost{name, n})
			continue
		}
		spelt := name
		name = strings.ToLower(name)
		if _, taken := t.names[name]; !taken && name != "" {
			n.name = spelt
			t.names[name] = n
		}
	}
}

// named returns the first host with this name, as ServerName or as ServerAlias,
// and which of its names that is, else the first of all. name is in lower case.
func (t *hostTable) named(name string) (h *httpdconf.Host, by string) {
	if name == "" {
		return t.first, ""
	}
	found, exact := t.names[name]
	for _, w := range t.wildcards {
		if exact && w.place >= found.place {
			break
		}
		if httpdconf.MatchAlias(w.pattern, name) {
			return w.host, w.pattern
		}
	}
	if exact {
		return found.host, found.name
	}
	return t.first, ""
}
