package httpdconf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// RemoteIPHost is mod_remoteip's record of a host.
type RemoteIPHost struct {
	Header        string        // names the client; empty where none is trusted
	ProxiesHeader string        // is told which proxies there were; empty for none
	Proxies       []RemoteProxy // who may say it; any if there is none
}

// RemoteProxy is a network of proxies.
type RemoteProxy struct {
	Network  netip.Prefix
	Internal bool // may name private addresses too
}

// remoteIPCommands are the rows of mod_remoteip.
func remoteIPCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_remoteip.c", set, effect}
	}
	return map[string]command{
		"RemoteIPHeader":                  row("the field in which proxies name the client: access, logs and expressions take it for the client", (*walk).setRemoteIPHeader),
		"RemoteIPProxiesHeader":           row("the field in which plugins and expressions see the proxies that were passed", (*walk).setRemoteIPHeader),
		"RemoteIPInternalProxy":           row("addresses, networks and hosts that are believed, private addresses too", (*walk).setRemoteIPProxy),
		"RemoteIPInternalProxyList":       row("a file of them", (*walk).setRemoteIPList),
		"RemoteIPTrustedProxy":            row("addresses, networks and hosts that are believed, but for private addresses", (*walk).setRemoteIPProxy),
		"RemoteIPTrustedProxyList":        row("a file of them", (*walk).setRemoteIPList),
		"RemoteIPProxyProtocol":           row("`Off`, which is the default; `On` refuses the start", (*walk).setRemoteIPProtocol),
		"RemoteIPProxyProtocolExceptions": row(noEffect+" while `RemoteIPProxyProtocol` is off", (*walk).noRemoteIPExceptions),
	}
}

func (w *walk) remoteIP() *RemoteIPHost {
	if w.host.RemoteIP == nil {
		w.host.RemoteIP = &RemoteIPHost{}
	}
	return w.host.RemoteIP
}

func (w *walk) setRemoteIPHeader(n *syntax.Node, words []syntax.Arg) *problem {
	if strings.EqualFold(n.Name, "RemoteIPHeader") {
		w.remoteIP().Header = words[0].Text
	} else {
		w.remoteIP().ProxiesHeader = words[0].Text
	}
	return nil
}

func (w *walk) setRemoteIPProxy(n *syntax.Node, words []syntax.Arg) *problem {
	for _, a := range words {
		if why := w.addProxy(n.Name, a.Text); why != "" {
			return &problem{text: why, at: a.Range}
		}
	}
	return nil
}

// addProxy reads a network or a host (httpd 2.4
// modules/metadata/mod_remoteip.c, proxies_set). It returns what is wrong.
func (w *walk) addProxy(directive, word string) (why string) {
	shown := properName(w.stock, directive)
	internal := strings.HasPrefix(strings.ToLower(directive), "remoteipinternal")
	address, mask, hasMask := strings.Cut(word, "/")
	var networks []netip.Prefix
	switch {
	case looksLikeIP(address):
		network, wrong := parseNetwork(word)
		if wrong != "" {
			return fmt.Sprintf("RemoteIP: Error parsing IP %s (%s error) for %s", word, wrong, shown)
		}
		networks = append(networks, network)
	case hasMask:
		return fmt.Sprintf("RemoteIP: Error parsing IP %s the subnet /%s is invalid for %s", word, mask, shown)
	default:
		found, err := net.LookupIP(word)
		if err != nil {
			return fmt.Sprintf("RemoteIP: Error parsing IP %s (%s error) for %s", word, resolverText(err), shown)
		}
		for _, ip := range found {
			if a, ok := netip.AddrFromSlice(ip); ok {
				networks = append(networks, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			}
		}
	}
	for _, network := range networks {
		w.remoteIP().Proxies = append(w.remoteIP().Proxies, RemoteProxy{network, internal})
	}
	return ""
}

// resolverText is the C library's word for a name that is not found.
func resolverText(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "Name or service not known"
	}
	return "Temporary failure in name resolution"
}

// properName is a directive as its module spells it.
func properName(stock map[string][]*directiveInfo, name string) string {
	if infos := stock[strings.ToLower(name)]; len(infos) > 0 {
		return infos[0].Name
	}
	return name
}

// setRemoteIPList reads a file of networks and hosts, with comments (httpd 2.4
// modules/metadata/mod_remoteip.c, proxylist_read).
func (w *walk) setRemoteIPList(n *syntax.Node, words []syntax.Arg) *problem {
	file := w.rootRelative(words[0].Text)
	text, err := readFile(file)
	if err != nil {
		return &problem{text: fmt.Sprintf("%s: Could not open file %s: %s", properName(w.stock, n.Name), file, errorText(err)), at: words[0].Range}
	}
	for i, line := range strings.Split(string(text), "\n") {
		for _, word := range wordsOf(strings.TrimSpace(line)) {
			if strings.HasPrefix(word, "#") {
				break
			}
			if why := w.addProxy(n.Name, word); why != "" {
				return &problem{text: fmt.Sprintf("%s at line %d of %s", why, i+1, file), at: words[0].Range}
			}
		}
	}
	return nil
}

func (w *walk) setRemoteIPProtocol(n *syntax.Node, words []syntax.Arg) *problem {
	if strings.EqualFold(words[0].Text, "off") {
		return nil
	}
	return w.plainForm(n)
}

func (w *walk) noRemoteIPExceptions(*syntax.Node, []syntax.Arg) *problem { return nil }

// inheritRemoteIP fills a virtual host from the main server (httpd 2.4
// modules/metadata/mod_remoteip.c, merge_remoteip_server_config).
func inheritRemoteIP(h, main *RemoteIPHost) *RemoteIPHost {
	if h == nil || main == nil {
		return replace(main, h)
	}
	m := *h
	if m.Header == "" {
		m.Header = main.Header
	}
	if m.ProxiesHeader == "" {
		m.ProxiesHeader = main.ProxiesHeader
	}
	if m.Proxies == nil {
		m.Proxies = main.Proxies
	}
	return &m
}
