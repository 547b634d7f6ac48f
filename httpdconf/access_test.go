package httpdconf

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAdmits(t *testing.T) {
	parse := func(list string) (d AuthzRule) {
		d.Provider = "ip"
		if p := requireIP(&d, list); p != nil {
			t.Fatalf("Require ip %s: %s", list, p.text)
		}
		return d
	}
	tests := []struct {
		name       string
		d          AuthzRule
		in, out    string
		server     string
		methodOnly string
	}{
		{"all granted", AuthzRule{Provider: "all", Granted: true}, "1.2.3.4 ::1", "", "9.9.9.9", ""},
		{"all denied", AuthzRule{Provider: "all"}, "", "127.0.0.1 1.2.3.4 ::1", "9.9.9.9", ""},
		{"the first parts of an address", parse("10 192.168."), "10.1.2.3 192.168.9.9", "11.0.0.1 192.169.0.1", "9.9.9.9", ""},
		{"a prefix length", parse("10.1.0.0/16"), "10.1.255.255", "10.2.0.0", "9.9.9.9", ""},
		{"a netmask", parse("10.1.0.0/255.255.0.0"), "10.1.255.255", "10.2.0.0", "9.9.9.9", ""},
		{"a host", parse("10.1.2.3"), "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4", "9.9.9.9", ""},
		{"version 6", parse("2001:db8::/32"), "2001:db8::1", "2001:db9::1 10.0.0.1", "9.9.9.9", ""},
		{"local is loopback, and the server's own address", AuthzRule{Provider: "local"}, "127.0.0.1 127.8.8.8 ::1 9.9.9.9", "9.9.9.8", "9.9.9.9", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := netip.MustParseAddr(tt.server)
			for ip := range strings.FieldsSeq(tt.in) {
				if !admit(&tt.d, netip.MustParseAddr(ip), server, "GET") {
					t.Errorf("%s is kept out", ip)
				}
			}
			for ip := range strings.FieldsSeq(tt.out) {
				if admit(&tt.d, netip.MustParseAddr(ip), server, "GET") {
					t.Errorf("%s is let in", ip)
				}
			}
		})
	}
	post := AuthzRule{Provider: "method", Methods: []string{"POST"}}
	ip := netip.MustParseAddr("1.1.1.1")
	if admit(&post, ip, ip, "GET") || !admit(&post, ip, ip, "POST") {
		t.Error("Require method POST has to refuse a handshake, which is a GET")
	}
}

func TestBadNetworks(t *testing.T) {
	const badIP, badMask = "The specified IP address is invalid.", "The specified network mask is invalid."
	for network, want := range map[string]string{
		"300.1.1.1": badIP, "1.2.3.4.5": badIP, "x": badIP, "": badIP, "::g": badIP, "fe80::1%eth0": badIP,
		"10.0.0.0/0": badMask, "10.0.0.0/33": badMask, "10.0.0.0/255.0.255.0": badMask, "10.0.0.0/x": badMask, "::/129": badMask,
	} {
		if _, why := parseNetwork(network); why != want {
			t.Errorf("parseNetwork(%q) says %q, want %q", network, why, want)
		}
	}
}

func admit(r *AuthzRule, client, server netip.Addr, method string) bool {
	d := AuthzDir{Root: r}
	return d.Decide(&AuthzRequest{Client: client, Server: server, Method: method}) == AuthzGranted
}
