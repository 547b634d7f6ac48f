package httpdconf

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// addressChain is the hosts of one address, in file order.
type addressChain struct {
	address HostAddress
	hosts   []*Host
}

// addressChains returns the chains of exact addresses in 256 buckets, and
// those of any address, in the order in which httpd finds them: the last host
// is added first, and each new address stands in front (httpd 2.4
// server/vhost.c, ap_fini_vhost_config).
func (c *Config) addressChains() (exact [256][]*addressChain, any []*addressChain) {
	for _, h := range slices.Backward(c.Hosts) {
		for _, a := range h.Addresses {
			list := &any
			if ip, err := netip.ParseAddr(a.Host); err == nil && !ip.IsUnspecified() {
				list = &exact[addressBucket(ip)]
			} else {
				a.Host = "*"
			}
			i := slices.IndexFunc(*list, func(chain *addressChain) bool { return chain.address == a })
			if i < 0 {
				*list = slices.Insert(*list, 0, &addressChain{address: a})
				i = 0
			}
			(*list)[i].hosts = slices.Insert((*list)[i].hosts, 0, h)
		}
	}
	return exact, any
}

// addressBucket is httpd's hash of an address (httpd 2.4 server/vhost.c,
// hash_addr).
func addressBucket(ip netip.Addr) byte {
	last := ip.AsSlice()
	last = last[len(last)-4:]
	return last[0] ^ last[1] ^ last[2] ^ last[3]
}

// dumpHosts is httpd 2.4 server/vhost.c, dump_vhost_config.
func (c *Config) dumpHosts(w io.Writer) {
	fmt.Fprintln(w, "VirtualHost configuration:")
	names := hostNames{config: c, known: make(map[*Host]string)}
	exact, any := c.addressChains()
	for _, bucket := range exact {
		for _, chain := range bucket {
			chain.dump(w, &names)
		}
	}
	for _, chain := range any {
		chain.dump(w, &names)
	}
}

func (a *addressChain) dump(w io.Writer, names *hostNames) {
	host := a.address.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := "*"
	if a.address.Port != 0 {
		port = fmt.Sprint(a.address.Port)
	}
	if len(a.hosts) == 1 {
		fmt.Fprintf(w, "%-22s %s\n", host+":"+port, names.withPlace(a.hosts[0]))
		return
	}
	fmt.Fprintf(w, "%-22s is a NameVirtualHost\n%8s default server %s\n", host+":"+port, "", names.withPlace(a.hosts[0]))
	for _, h := range a.hosts {
		fmt.Fprintf(w, "%8s port %s namevhost %s\n", "", port, names.withPlace(h))
		for _, wild := range []bool{false, true} {
			for _, alias := range h.Aliases {
				if strings.ContainsAny(alias, "*?") == wild {
					fmt.Fprintf(w, "%16s %salias %s\n", "", map[bool]string{true: "wild "}[wild], alias)
				}
			}
		}
	}
}

// hostNames finds what httpd calls a host that has no ServerName.
type hostNames struct {
	config *Config
	known  map[*Host]string
}

func (n *hostNames) withPlace(h *Host) string {
	return fmt.Sprintf("%s (%s:%d)", n.of(h), shownFile(h.Range.Filename), h.Range.End.Line)
}

func (n *hostNames) of(h *Host) string {
	if h.Name != "" {
		return h.Name
	}
	if name, known := n.known[h]; known {
		return name
	}
	n.known[h] = n.find(h)
	return n.known[h]
}

// find names the main server by this machine, a host for any address like the
// main server, another by its first address.
func (n *hostNames) find(h *Host) string {
	if h == n.config.Main {
		return machineName()
	}
	isAny := func(a HostAddress) bool {
		ip, err := netip.ParseAddr(a.Host)
		return err != nil || ip.IsUnspecified()
	}
	if len(h.Addresses) == 0 || slices.ContainsFunc(h.Addresses, isAny) {
		return n.of(n.config.Main)
	}
	return cmp.Or(reverse(h.Addresses[0].Host), "bogus_host_without_forward_dns")
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
