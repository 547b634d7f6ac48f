package httpdconf

import (
	"fmt"
	"io"
	"strings"
)

// dumpHosts is httpd 2.4 server/vhost.c, dump_vhost_config.
func (c *Config) dumpHosts(w io.Writer) {
	fmt.Fprintln(w, "VirtualHost configuration:")
	c.NameHosts()
	for _, chain := range c.HostChains() {
		chain.dump(w)
	}
}

func (a *HostChain) dump(w io.Writer) {
	host := a.Address.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := "*"
	if a.Address.Port != 0 {
		port = fmt.Sprint(a.Address.Port)
	}
	if len(a.Hosts) == 1 {
		fmt.Fprintf(w, "%-22s %s\n", host+":"+port, a.Hosts[0].withPlace())
		return
	}
	fmt.Fprintf(w, "%-22s is a NameVirtualHost\n%8s default server %s\n", host+":"+port, "", a.Hosts[0].withPlace())
	for _, h := range a.Hosts {
		fmt.Fprintf(w, "%8s port %s namevhost %s\n", "", port, h.withPlace())
		for _, wild := range []bool{false, true} {
			for _, alias := range h.Aliases {
				if strings.ContainsAny(alias, "*?") == wild {
					fmt.Fprintf(w, "%16s %salias %s\n", "", map[bool]string{true: "wild "}[wild], alias)
				}
			}
		}
	}
}

func (h *Host) withPlace() string {
	return fmt.Sprintf("%s (%s:%d)", h.Name, shownFile(h.Range.Filename), h.Range.End.Line)
}
