package server

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

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
	names     map[string]namedHost       // by lower-cased name; the first host of each
	wildcards []wildcardHost             // of ServerAlias, in file order
	addresses map[string]*httpdconf.Host // by the lower-cased address of VirtualHost, where no name fits
	paths     []*httpdconf.Host          // those with a ServerPath
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

func newHostTables(cfg *httpdconf.Config) map[hostAddress]*hostTable {
	tables := make(map[hostAddress]*hostTable)
	for _, chain := range cfg.HostChains() {
		ip, _ := netip.ParseAddr(chain.Address.Host) // "*" stays the zero value
		address := hostAddress{ip, chain.Address.Port}
		tables[address] = newHostTable(address, chain)
	}
	return tables
}

func newHostTable(address hostAddress, chain *httpdconf.HostChain) *hostTable {
	t := &hostTable{address: address, first: chain.Hosts[0], names: make(map[string]namedHost), addresses: make(map[string]*httpdconf.Host)}
	for place, h := range chain.Hosts {
		t.add(namedHost{host: h, place: place})
		if h.Path != "" {
			t.paths = append(t.paths, h)
		}
		if name := strings.ToLower(chain.Names[place]); t.addresses[name] == nil {
			t.addresses[name] = h
		}
	}
	return t
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
// else the first whose VirtualHost names it so, else the first of all; by is
// which of its names that is, empty for none. name is in lower case and not
// empty (httpd 2.4 server/vhost.c, check_hostalias).
func (t *hostTable) named(name string) (h *httpdconf.Host, by string) {
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
	if h = t.addresses[name]; h != nil {
		return h, name
	}
	return t.first, ""
}

// below returns the first host whose ServerPath covers the path of a target,
// else nil (httpd 2.4 server/vhost.c, check_serverpath).
func (t *hostTable) below(path string) *httpdconf.Host {
	for _, h := range t.paths {
		if _, below := belowServerPath(h, path); below {
			return h
		}
	}
	return nil
}

// belowServerPath cuts a host's ServerPath off, by whole segments.
func belowServerPath(h *httpdconf.Host, path string) (rest string, below bool) {
	if h.Path == "" {
		return path, false
	}
	rest, below = strings.CutPrefix(path, h.Path)
	return rest, below && (rest == "" || rest[0] == '/' || strings.HasSuffix(h.Path, "/"))
}

// checkHostStrictly refuses under StrictHostCheck a request whose host has not
// the name that it asks for (httpd 2.4 server/protocol.c, ap_read_request).
func (s *Server) checkHostStrictly(r *route, c hostChoice) (status int) {
	name, h := hostName(r.authority), r.host
	if h.StrictHost == nil || !*h.StrictHost || name == "" || c.name != "" {
		return 0
	}
	code, place := "AH10157", fmt.Sprintf("matching virtual host (default vhost for current connection is %s:%d)", h.Range.Filename, h.Range.Start.Line)
	if h == s.cfg.Main {
		if strings.EqualFold(h.Name, name) {
			return 0
		}
		code, place = "AH10156", "global server configuration"
	}
	s.logOf(r).printf("core", httpdconf.LevelWarn, r.client.String(), "%s: Requested hostname '%s' did not match any ServerName/ServerAlias in the %s", code, name, place)
	return fasthttp.StatusBadRequest
}
