package httpdconf

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// HostChain is the virtual hosts of one address, in file order: the first
// answers where no name fits.
type HostChain struct {
	Address HostAddress // for any address "*", however it was written
	Hosts   []*Host
	Names   []string // of the address, as each host's VirtualHost spells it
}

// HostChains returns the chains of exact addresses and then those of any
// address, in the order in which httpd keeps them: the last host is added
// first, and each new address stands in front (httpd 2.4 server/vhost.c,
// ap_fini_vhost_config).
func (c *Config) HostChains() []*HostChain {
	var exact [256][]*HostChain // by httpd's hash
	var any []*HostChain
	for _, h := range slices.Backward(c.Hosts) {
		for _, a := range h.Addresses {
			list := &any
			if a.isAny() {
				a.Host = "*"
			} else {
				list = &exact[addressBucket(netip.MustParseAddr(a.Host))]
			}
			name := a.Name
			a.Name = ""
			i := slices.IndexFunc(*list, func(chain *HostChain) bool { return chain.Address == a })
			if i < 0 {
				*list = slices.Insert(*list, 0, &HostChain{Address: a})
				i = 0
			}
			chain := (*list)[i]
			chain.Hosts, chain.Names = slices.Insert(chain.Hosts, 0, h), slices.Insert(chain.Names, 0, name)
		}
	}
	return append(slices.Concat(exact[:]...), any...)
}

// isAny reports whether an address stands for all: "*", "_default_" or one of
// nothing but zeros, be it of IPv4 or IPv6.
func (a HostAddress) isAny() bool {
	ip, err := netip.ParseAddr(a.Host)
	return err != nil || ip.IsUnspecified()
}

// addressBucket is httpd's hash of an address (httpd 2.4 server/vhost.c,
// hash_addr).
func addressBucket(ip netip.Addr) byte {
	last := ip.AsSlice()
	last = last[len(last)-4:]
	return last[0] ^ last[1] ^ last[2] ^ last[3]
}

// NameHosts gives each host without a ServerName the name that httpd finds for
// it: the main server that of the machine, a host for any address the main
// server's, another that of its first address. Names are looked up, which may
// take seconds; hosts that have one are not touched (httpd 2.4
// server/vhost.c, ap_fini_vhost_config).
func (c *Config) NameHosts() {
	if c.Main.Name == "" {
		c.Main.Name = machineName()
	}
	for _, h := range c.Hosts {
		switch {
		case h.Name != "":
		case slices.ContainsFunc(h.Addresses, HostAddress.isAny):
			h.Name = c.Main.Name
		case len(h.Addresses) == 0:
			h.Name = "bogus_host_without_forward_dns"
		default:
			h.Name = cmp.Or(reverse(h.Addresses[0].Host), "bogus_host_without_reverse_dns")
		}
	}
}

// machineName is httpd 2.4 server/util.c, ap_get_local_host.
func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(ips) == 0 {
		return "127.0.0.1"
	}
	if full := reverse(ips[0].Unmap().String()); strings.Contains(full, ".") {
		return full
	}
	if strings.Contains(name, ".") {
		return name
	}
	return ips[0].Unmap().String()
}

// reverse returns the name of an address, empty where it has none.
func reverse(address string) string {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, address)
	if err != nil || len(names) == 0 {
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}
