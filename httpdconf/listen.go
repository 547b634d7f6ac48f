package httpdconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// setListen reads Listen (httpd 2.4 server/listen.c, ap_set_listener).
func (w *walk) setListen(n *syntax.Node, words []syntax.Arg) *problem {
	if len(words) < 1 || len(words) > 2 {
		return &problem{text: "Listen requires 1 or 2 arguments."}
	}
	host, port, err := parseAddrPort(words[0].Text)
	switch {
	case err != nil:
		return &problem{text: "Invalid address or port", at: words[0].Range, hint: err.Error()}
	case port == 0:
		return &problem{text: "Port must be specified", at: words[0].Range}
	}
	if host == "*" {
		host = ""
	}
	l := Listener{Host: host, Port: port, Protocol: "http", Range: n.Range()}
	if len(words) == 2 {
		l.Protocol = strings.ToLower(words[1].Text)
	} else if port == 443 {
		l.Protocol = "https"
	}
	key := net.JoinHostPort(host, strconv.Itoa(port))
	if w.listenSeen[key] {
		return &problem{text: "Cannot define multiple Listeners on the same IP:port", at: words[0].Range}
	}
	w.listenSeen[key] = true
	w.config.Listeners = append(w.config.Listeners, l)
	return nil
}

// Address is what the listener listens on, as package net reads it.
func (l Listener) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// ErrNoListeners is httpd's text for a configuration without Listen, which is
// found at the start and not by a check.
var ErrNoListeners = errors.New("no listening sockets available, shutting down\nAH00015: Unable to open logs")

// parseAddrPort splits an address and a port, each of which may be missing:
// "80", "*:80", "[::1]:80", "host" (APR's apr_parse_addr_port).
func parseAddrPort(s string) (host string, port int, err error) {
	digits := len(s)
	for digits > 0 && s[digits-1] >= '0' && s[digits-1] <= '9' {
		digits--
	}
	host = s
	switch {
	case digits == 0:
		host = ""
		port, err = parsePort(s)
	case digits < len(s) && s[digits-1] == ':' && (strings.Count(s, ":") == 1 || strings.Contains(s, "]")):
		host = s[:digits-1]
		port, err = parsePort(s[digits:])
	}
	if err != nil {
		return "", 0, err
	}
	if strings.HasPrefix(host, "[") {
		inner, closed := strings.CutSuffix(host[1:], "]")
		if !closed {
			return "", 0, errors.New("the bracket around the address is not closed")
		}
		if _, err := netip.ParseAddr(inner); err != nil {
			return "", 0, fmt.Errorf("%q is no IPv6 address", inner)
		}
		host = inner
	}
	return host, port, nil
}

func parsePort(s string) (int, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%q is no port: 1 to 65535", s)
	}
	return int(port), nil
}

// lookupTime bounds the resolution of a VirtualHost's name.
const lookupTime = 5 * time.Second

// openVirtualHost makes the host of a VirtualHost section (httpd 2.4
// server/vhost.c, ap_parse_vhost_addrs).
func (w *walk) openVirtualHost(n *syntax.Node, arg string) (*Host, *problem) {
	h := &Host{Range: n.Range(), LogLevels: LogLevels{Default: -1}}
	for rest := arg; rest != ""; {
		var word string
		if word, rest = syntax.Word(rest); word == "" {
			break
		}
		addresses, p := w.hostAddresses(n, word)
		if p != nil {
			return nil, p
		}
		h.Addresses = append(h.Addresses, addresses...)
	}
	if len(h.Addresses) > 0 {
		h.Port = h.Addresses[0].Port // until a ServerName sets it
	}
	return h, nil
}

func (w *walk) hostAddresses(n *syntax.Node, word string) ([]HostAddress, *problem) {
	address, anyPort := strings.CutSuffix(word, ":*")
	host, port, err := parseAddrPort(address)
	switch {
	case err != nil:
		return nil, &problem{text: "The address or port is invalid", at: n.ArgsRange(), hint: err.Error()}
	case host == "":
		return nil, &problem{text: "Missing address for VirtualHost", at: n.ArgsRange(), hint: fmt.Sprintf("write *:%d", port)}
	}
	switch {
	case anyPort:
		port = 0
	case port == 0 && host != "*":
		port = w.config.Main.Port // httpd 2.4 server/vhost.c, get_addresses
	}
	if host == "*" || strings.EqualFold(host, "_default_") {
		return []HostAddress{{"*", port, host}}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []HostAddress{{ip.Unmap().String(), port, host}}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		w.fail(warning(n, n.ArgsRange(), LevelError, "core", "AH00547", fmt.Sprintf("Could not resolve host name %s -- ignoring!", host), ""))
		return nil, nil
	}
	var list []HostAddress
	for _, ip := range ips {
		list = append(list, HostAddress{ip.Unmap().String(), port, host})
	}
	return list, nil
}
