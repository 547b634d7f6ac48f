package server

import (
	"crypto/tls"
	"strings"
	"testing"
)

// TestSectionsCountTheCertificateOfTheHandshake: where httpd would negotiate
// again, or ask within TLS 1.3, what the client has shown before counts.
func TestSectionsCountTheCertificateOfTheHandshake(t *testing.T) {
	home, a := tlsParityFiles(t)
	conf := "LoadModule ssl_module x\nSSLVHostSNIPolicy insecure\n" + tlsHead + host("first.example", "first.example", "SSLVerifyClient optional_no_ca", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem",
		"<Location /a.txt>", "SSLVerifyClient require", "</Location>", "<Location /sub>", "SSLVerifyDepth 1", "</Location>") +
		host("second.example", "second.example") + host("require.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem")
	l := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	for _, tt := range []struct {
		tlsAsk
		want string
	}{
		{tlsAsk{sni: "first.example", host: "first.example", target: "/a.txt"}, " 403 "},
		{tlsAsk{sni: "first.example", host: "first.example", target: "/a.txt", client: "client"}, " 200 "},
		{tlsAsk{sni: "first.example", host: "first.example", target: "/a.txt", client: "stranger"}, " 403 "},
		{tlsAsk{sni: "first.example", host: "first.example", target: "/sub/other.html"}, " 200 "},
		{tlsAsk{sni: "first.example", host: "first.example", target: "/sub/other.html", client: "client"}, " 200 "},
		{tlsAsk{sni: "first.example", host: "first.example", target: "/sub/other.html", client: "deep-chain"}, " 403 "},
		{tlsAsk{sni: "second.example", host: "require.example", target: "/a.txt"}, " 403 "},
		{tlsAsk{sni: "first.example", host: "require.example", target: "/a.txt"}, " 403 "},
		{tlsAsk{sni: "first.example", host: "require.example", target: "/a.txt", client: "stranger"}, " 403 "},
		{tlsAsk{sni: "first.example", host: "require.example", target: "/a.txt", client: "client"}, " 200 "},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if got := l.askTLS(t, a, tt.tlsAsk, version); !strings.Contains(got, tt.want) {
				t.Errorf("%s to %+v is answered\n%s\nwant%s", tls.VersionName(version), tt.tlsAsk, got, tt.want)
			}
		}
	}
}
