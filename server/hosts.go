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
	first     *httpdconf.Host
	names     map[string]namedHost // by lower-cased name; the first host of each
	wildcards []wildcardHost       // of ServerAlias, in file order
}

// namedHost is a host and its place in the file.
type namedHost struct {
	host  *httpdconf.Host
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
				tables[key] = &hostTable{first: h, names: make(map[string]namedHost)}
			}
			tables[key].add(namedHost{h, place})
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
		name = strings.ToLower(name)
		if _, taken := t.names[name]; !taken && name != "" {
			t.names[name] = n
		}
	}
}

// named returns the first host with this name, as ServerName or as ServerAlias,
// else the first of all. name is in lower case.
func (t *hostTable) named(name string) *httpdconf.Host {
	if name == "" {
		return t.first
	}
	found, exact := t.names[name]
	for _, w := range t.wildcards {
		if exact && w.place >= found.place {
			break
		}
		if httpdconf.MatchAlias(w.pattern, name) {
			return w.host
		}
	}
	if exact {
		return found.host
	}
	return t.first
}
