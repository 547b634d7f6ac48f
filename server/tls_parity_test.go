package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tlsHead stands before each of the configurations that are compared.
const tlsHead = `
ServerName main.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
`

// tlsAlso are the modules that the configurations use. It is constant.
var tlsAlso = []string{"ssl", "headers", "authz_host", "authz_user", "authn_core", "authn_file", "auth_basic", "access_compat", "setenvif", "env"}

// pair names a certificate and its key.
func pair(name string) string {
	return "SSLEngine on\nSSLCertificateFile HOME/" + name + ".pem\nSSLCertificateKeyFile HOME/" + name + ".key\n"
}

// host is a VirtualHost with a certificate.
func host(name, certificate string, lines ...string) string {
	return "<VirtualHost *:*>\nServerName " + name + "\n" + pair(certificate) + strings.Join(lines, "\n") + "\n</VirtualHost>\n"
}

// tlsAsk is what a client does.
type tlsAsk struct {
	sni, host, target string
	client            string // the name of its certificate's files, "" for none
	fields            string
	change            func(*tls.Config)
}

// tlsParities are configurations, each with what clients ask of it. It is
// constant.
var tlsParities = []struct {
	name, conf string
	asks       []tlsAsk
}{
	{"SSLVHostSNIPolicy secure", misdirectedHosts, misdirectedAsks()},
	{"SSLVHostSNIPolicy strict", "SSLVHostSNIPolicy strict\n" + misdirectedHosts, misdirectedAsks()},
	// Where the suites or the need of a certificate differ httpd negotiates again, at which clients of today end the connection.
	{"SSLVHostSNIPolicy authonly", "SSLVHostSNIPolicy authonly\n" + misdirectedHosts, notOf(misdirectedAsks(), "cipher.example")},
	{"SSLVHostSNIPolicy insecure", "SSLVHostSNIPolicy insecure\n" + misdirectedHosts, notOf(notOf(notOf(misdirectedAsks(), "cipher.example"), "verify.example"), "require.example")},
	{"SSLStrictSNIVHostCheck", "SSLVHostSNIPolicy insecure\n" + host("first.example", "first.example") + host("second.example", "second.example", "SSLStrictSNIVHostCheck on"), []tlsAsk{
		{sni: "first.example", host: "first.example"}, {host: "first.example"}, {host: "second.example"}, {sni: "first.example", host: "second.example"}, {sni: "unknown.example", host: "second.example"},
	}},
	{"SSLVerifyClient require", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem"), clients()},
	{"SSLVerifyClient optional", host("first.example", "first.example", "SSLVerifyClient optional", "SSLCACertificateFile HOME/ca.pem"), clients()},
	{"SSLVerifyClient optional_no_ca", host("first.example", "first.example", "SSLVerifyClient optional_no_ca", "SSLCACertificateFile HOME/ca.pem"), clients()},
	{"SSLVerifyDepth 2", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLVerifyDepth 2"), clients()},
	{"SSLVerifyDepth 0", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLVerifyDepth 0"), clients()},
	{"an authority that is no root", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/lower.pem", "SSLVerifyDepth 5"), clients()},
	{"an authority below a root", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/both.pem"), clients()},
	{"SSLCACertificatePath", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificatePath HOME/cas", "SSLVerifyDepth 3"), clients()},
	{"SSLCADNRequestFile", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLCADNRequestFile HOME/stranger.pem"), clients()},
	{"SSLCARevocationCheck leaf", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck leaf", "SSLCARevocationFile HOME/crl.pem"), clients()},
	{"SSLCARevocationCheck chain", host("first.example", "first.example", "SSLVerifyClient require", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck chain", "SSLCARevocationFile HOME/crl.pem"), clients()},
	{"no_crl_for_cert_ok", host("first.example", "first.example", "SSLVerifyClient require", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck chain no_crl_for_cert_ok", "SSLCARevocationPath HOME/crls"), clients()},
	{"an authority that is revoked, leaf", host("first.example", "first.example", "SSLVerifyClient require", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck leaf", "SSLCARevocationFile HOME/lower-revoked.pem"), clients()},
	{"an authority that is revoked, chain", host("first.example", "first.example", "SSLVerifyClient require", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck chain", "SSLCARevocationFile HOME/lower-revoked.pem"), clients()},
	{"a list that somebody else has signed", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck leaf", "SSLCARevocationFile HOME/forged-crl.pem"), clients()},
	{"an expired list", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationCheck leaf", "SSLCARevocationFile HOME/old-crl.pem"), clients()},
	{"lists that nobody looks at", host("first.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile HOME/ca.pem", "SSLCARevocationFile HOME/crl.pem"), clients()},
	{"sections", host("first.example", "first.example", "SSLVerifyClient optional", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem",
		"<Location /a.txt>", "SSLVerifyClient none", "</Location>",
		"<Location /closed>", "Require ssl-verify-client", "</Location>", "<Location /shut>", "Require ssl", "</Location>"),
		slices.Concat(clients(), clientsOf("/sub/other.html"), clientsOf("/closed/f.txt"), clientsOf("/shut/f.txt"))},
	{"SSLRequire", host("first.example", "first.example", "SSLVerifyClient optional", "SSLCACertificateFile HOME/ca.pem",
		`<Location /a.txt>`, `SSLRequire %{SSL_CLIENT_S_DN_CN} eq "client" or %{SSL_CLIENT_VERIFY} == "NONE"`, `</Location>`,
		`<Location /sub>`, `SSLRequire %{SSL_CIPHER_USEKEYSIZE} >= 128 and %{SSL_CIPHER} !~ m/^(EXP|NULL)-/ and %{SSL_CLIENT_S_DN_CN} in {"x", "client"}`, `</Location>`,
		`<Location /closed>`, `SSLRequire "9" < "10" and "abc" lt "b" and %{HTTPS} == "on"`, `</Location>`, `<Location /closed/f.txt>`, `SSLRequire %{SSL_PROTOCOL} =~ m/v1\.[23]$/`, `</Location>`),
		slices.Concat(clients(), clientsOf("/sub/other.html"), clientsOf("/closed/f.txt"))},
	{"SSLUserName", host("first.example", "first.example", "SSLVerifyClient optional", "SSLCACertificateFile HOME/ca.pem", "SSLUserName SSL_CLIENT_S_DN_CN",
		"<Location /a.txt>", "Require user client", "</Location>", "Header always set X-User expr=%{REMOTE_USER}"), clients()},
	{"FakeBasicAuth", host("first.example", "first.example", "SSLVerifyClient optional", "SSLCACertificateFile HOME/ca.pem",
		"<Location />", "SSLOptions +FakeBasicAuth", "AuthType Basic", "AuthName x", "AuthUserFile HOME/users", "Require valid-user", "</Location>", "Header always set X-User expr=%{REMOTE_USER}"),
		slices.Concat(clients(), []tlsAsk{
			{sni: "first.example", host: "first.example", fields: "Authorization: Basic L0NOPWNsaWVudDpwYXNzd29yZA==\r\n"}, // /CN=client:password
			{sni: "first.example", host: "first.example", fields: "Authorization: Basic cGxhaW46c2VjcmV0\r\n"},             // plain:secret
		})},
	{"Satisfy Any", host("first.example", "first.example", "<Location />", "SSLRequire false", "AuthType Basic", "AuthName x", "AuthUserFile HOME/users", "Require valid-user", "Satisfy any", "</Location>",
		"<Location /a.txt>", "SSLOptions +StrictRequire", "</Location>"), []tlsAsk{
		{sni: "first.example", host: "first.example"}, {sni: "first.example", host: "first.example", target: "/sub/other.html"},
		{sni: "first.example", host: "first.example", fields: "Authorization: Basic cGxhaW46c2VjcmV0\r\n"},
		{sni: "first.example", host: "first.example", target: "/sub/other.html", fields: "Authorization: Basic cGxhaW46c2VjcmV0\r\n"},
	}},
	{"variables", host("first.example", "first.example", "SSLVerifyClient optional", "SSLVerifyDepth 2", "SSLCACertificateFile HOME/ca.pem", tlsVariables(),
		"<Location /sub>", "SSLOptions +StdEnvVars +ExportCertData", "</Location>", "<Location /closed>", "SSLOptions +LegacyDNStringFormat", "</Location>",
		"<Location /index.html>", "SSLOptions StdEnvVars StrictRequire", "</Location>", "<Location /shut>", `Require expr %{SSL_CLIENT_S_DN_OU} == 'one' && ssl('SSL_TLS_SNI') == 'first.example'`, "</Location>"),
		slices.Concat(clients(), clientsOf("/sub/other.html"), clientsOf("/closed/f.txt"), clientsOf("/index.html"), clientsOf("/shut/f.txt"))},
	{"two kinds of keys", "<VirtualHost *:*>\nServerName first.example\n" + pair("rsa") + pair("first.example") + "Header always set X-Key %{SSL_SERVER_A_KEY}s\n</VirtualHost>", []tlsAsk{
		{sni: "first.example", host: "first.example", change: suites(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)},
		{sni: "first.example", host: "first.example", change: suites(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)},
	}},
	{"a chain in the certificate's file", host("first.example", "deep-chain") + host("second.example", "deep", "SSLCertificateChainFile HOME/lower.pem") + host("third.example", "deep"), []tlsAsk{
		{sni: "first.example", host: "first.example"}, {sni: "second.example", host: "second.example"}, {sni: "third.example", host: "third.example"},
	}},
	{"SSLProtocol", host("first.example", "first.example", "SSLProtocol TLSv1.2") + host("second.example", "first.example", "SSLProtocol -all +TLSv1.3"), []tlsAsk{
		{sni: "first.example", host: "first.example"}, {sni: "second.example", host: "second.example"},
	}},
	{"MinProtocol", host("first.example", "first.example", "SSLOpenSSLConfCmd MinProtocol TLSv1.3"), []tlsAsk{{sni: "first.example", host: "first.example"}}},
	{"MaxProtocol", host("first.example", "first.example", "SSLOpenSSLConfCmd MaxProtocol TLSv1.2"), []tlsAsk{{sni: "first.example", host: "first.example"}}},
	{"Protocol", host("first.example", "first.example", "SSLOpenSSLConfCmd Protocol -TLSv1.3"), []tlsAsk{{sni: "first.example", host: "first.example"}}},
	{"all versions at OpenSSL's level of security", host("first.example", "first.example", "SSLProtocol all"), oldAsks()},
	{"all versions at level 0", host("first.example", "first.example", "SSLProtocol all", "SSLCipherSuite ALL:@SECLEVEL=0"), oldAsks()},
	{"a suite of TLS 1.3 alone", host("first.example", "first.example", "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"), []tlsAsk{{sni: "first.example", host: "first.example"}}},
	{"SSLCipherSuite", "SSLCipherSuite ECDHE+AES256:!SHA1\n" + host("first.example", "first.example") + host("second.example", "first.example", "SSLCipherSuite SSL CHACHA20") +
		host("third.example", "first.example", "SSLOpenSSLConfCmd CipherString AES128", "SSLOpenSSLConfCmd Curves P-256"), slices.Concat(
		suiteAsks("first.example"), suiteAsks("second.example"), suiteAsks("third.example"))},
	{"SSLRequireSSL", "<Location /a.txt>\nSSLRequireSSL\n</Location>\n" + host("first.example", "first.example"), []tlsAsk{{sni: "first.example", host: "first.example"}}},
}

// misdirectedHosts differ from the first each in one thing.
var misdirectedHosts = host("first.example", "first.example", "SSLCACertificateFile HOME/ca.pem") + host("same.example", "first.example", "SSLCACertificateFile HOME/ca.pem") +
	host("verify.example", "first.example", "SSLCACertificateFile HOME/ca.pem", "SSLVerifyClient optional") +
	host("require.example", "first.example", "SSLCACertificateFile HOME/ca.pem", "SSLVerifyClient require") +
	host("depth.example", "first.example", "SSLCACertificateFile HOME/ca.pem", "SSLVerifyDepth 3") +
	host("ca.example", "first.example", "SSLCACertificateFile HOME/both.pem") +
	host("second.example", "second.example", "SSLCACertificateFile HOME/ca.pem") +
	host("cipher.example", "first.example", "SSLCACertificateFile HOME/ca.pem", "SSLCipherSuite HIGH") +
	host("protocol.example", "first.example", "SSLCACertificateFile HOME/ca.pem", "SSLProtocol TLSv1.2 +TLSv1.3") +
	"<VirtualHost *:*>\nServerName off.example\n</VirtualHost>\n"

// oldAsks ask by the versions that nobody should speak, too.
func oldAsks() (list []tlsAsk) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		list = append(list, tlsAsk{sni: "first.example", host: "first.example", change: func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }})
	}
	return list
}

func notOf(list []tlsAsk, host string) []tlsAsk {
	return slices.DeleteFunc(list, func(q tlsAsk) bool { return q.host == host })
}

func misdirectedAsks() (list []tlsAsk) {
	for _, name := range []string{"first", "same", "verify", "require", "depth", "ca", "second", "cipher", "protocol", "off", "unknown"} {
		list = append(list, tlsAsk{sni: "first.example", host: name + ".example"}, tlsAsk{sni: "verify.example", host: name + ".example"}, tlsAsk{host: name + ".example"},
			tlsAsk{sni: "require.example", host: name + ".example", client: "client"})
	}
	return list
}

// clients ask with each certificate there is, and with none.
func clients() []tlsAsk { return clientsOf("/a.txt") }

func clientsOf(target string) (list []tlsAsk) {
	for _, client := range []string{"", "client", "named", "stranger", "expired", "deep", "deep-chain", "lower-only", "revoked"} {
		list = append(list, tlsAsk{sni: "first.example", host: "first.example", target: target, client: client})
	}
	return list
}

func suites(ids ...uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.CipherSuites, c.MaxVersion = ids, tls.VersionTLS12 }
}

func suiteAsks(name string) (list []tlsAsk) {
	for _, id := range []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	} {
		list = append(list, tlsAsk{sni: name, host: name, change: suites(id)})
	}
	return append(list, tlsAsk{sni: name, host: name})
}

// tlsVariables are header lines with what mod_ssl tells.
func tlsVariables() string {
	var b strings.Builder
	for name := range strings.FieldsSeq(`SSL_PROTOCOL SSL_CIPHER SSL_CIPHER_EXPORT SSL_CIPHER_USEKEYSIZE SSL_CIPHER_ALGKEYSIZE SSL_COMPRESS_METHOD SSL_SECURE_RENEG SSL_TLS_SNI SSL_SESSION_RESUMED
		SSL_CLIENT_VERIFY SSL_CLIENT_M_VERSION SSL_CLIENT_M_SERIAL SSL_CLIENT_S_DN SSL_CLIENT_I_DN SSL_CLIENT_V_START SSL_CLIENT_V_END SSL_CLIENT_V_REMAIN SSL_CLIENT_A_SIG SSL_CLIENT_A_KEY
		SSL_CLIENT_CERT SSL_CLIENT_CERT_CHAIN_0 SSL_CLIENT_CERT_CHAIN_1 SSL_CLIENT_S_DN_C SSL_CLIENT_S_DN_OU SSL_CLIENT_S_DN_OU_0 SSL_CLIENT_S_DN_OU_1 SSL_CLIENT_S_DN_CN SSL_CLIENT_S_DN_Email
		SSL_CLIENT_SAN_Email_0 SSL_CLIENT_SAN_DNS_0 SSL_CLIENT_SAN_DNS_1 SSL_CLIENT_I_DN_CN SSL_SERVER_M_SERIAL SSL_SERVER_S_DN SSL_SERVER_S_DN_CN SSL_SERVER_I_DN SSL_SERVER_A_SIG
		SSL_SERVER_A_KEY SSL_SERVER_SAN_DNS_0 HTTPS SSL_NONE`) {
		fmt.Fprintf(&b, "Header always set S-%[1]s %%{%[1]s}s\nHeader always set E-%[1]s %%{%[1]s}e\n", name)
	}
	return b.String()
}

// tlsParityFiles makes the certificates that the configurations and clients
// have.
func tlsParityFiles(t *testing.T) (home string, a *authority) {
	t.Helper()
	home, a = tlsFiles(t)
	a.issueTo("named")
	a.issue("revoked", false)
	a.issueRSA("rsa", "first.example")
	old := certificateOf("expired")
	old.NotAfter = time.Now().Add(-time.Minute)
	a.sign("expired", old, newKey(t))
	lower := a.under("lower")
	lower.issue("deep", false)
	a.join("deep-chain.pem", "deep.pem", "lower.pem")
	a.join("deep-chain.key", "deep.key")
	a.join("both.pem", "ca.pem", "lower.pem")
	a.join("lower-only.pem", "deep.pem", "ca.pem")
	a.join("lower-only.key", "deep.key")
	a.revoke("root-crl.pem", time.Hour, "revoked")
	a.revoke("old-crl.pem", -time.Hour, "revoked")
	lower.revoke("lower-crl.pem", time.Hour)
	a.join("crl.pem", "root-crl.pem", "lower-crl.pem")
	a.revoke("root-lower-crl.pem", time.Hour, "lower")
	a.join("lower-revoked.pem", "root-lower-crl.pem", "lower-crl.pem")
	forger := &authority{t: t, dir: home, cert: a.cert, key: newKey(t)}
	forger.forge("forged-crl.pem")
	a.folder("cas", true, "ca.pem", "lower.pem")
	a.folder("crls", true, "root-crl.pem")
	stranger := &authority{t: t, dir: home}
	stranger.issue("stranger", false)
	users := "/CN=client:xxj31ZMTZzkVA\nplain:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
	if err := os.WriteFile(filepath.Join(home, "users"), []byte(users), 0o644); err != nil {
		t.Fatal(err)
	}
	return home, a
}

// TestParityOfTLSConfigurations has clients ask httpd and this server the same,
// by each version of TLS.
func TestParityOfTLSConfigurations(t *testing.T) {
	home, a := tlsParityFiles(t)
	load := ""
	for _, m := range tlsAlso {
		load += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
	}
	for _, p := range tlsParities {
		t.Run(p.name, func(t *testing.T) {
			conf := load + tlsHead + p.conf
			ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
			theirs := &live{addr: startApache(t, home, conf)}
			for _, q := range p.asks {
				for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
					got, want := ours.askTLS(t, a, q, version), theirs.askTLS(t, a, q, version)
					if got != want {
						t.Errorf("%s to %+v is answered\n%s\nby httpd\n%s", tls.VersionName(version), q, got, want)
					}
				}
			}
		})
	}
}

// askTLS asks by one version of TLS and returns what both servers should agree
// in; a handshake that fails is one line.
func (l *live) askTLS(t *testing.T, a *authority, q tlsAsk, version uint16) string {
	t.Helper()
	config := &tls.Config{RootCAs: a.pool, ServerName: q.sni, MinVersion: version, MaxVersion: version}
	if q.sni == "" {
		config.InsecureSkipVerify = true
	}
	if q.sni == "unknown.example" || !strings.HasPrefix(q.sni, "first") && !strings.HasPrefix(q.sni, "second") {
		config.InsecureSkipVerify = true // its certificate is another host's
	}
	if q.client != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, q.client+".pem"), filepath.Join(a.dir, q.client+".key"))
		if err != nil {
			t.Fatal(err)
		}
		// Whatever names the server tells.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if q.change != nil {
		q.change(config)
	}
	tcp := l.dial(t)
	defer tcp.Close()
	c := tls.Client(tcp.Conn, config)
	if q.target == "" {
		q.target = "/a.txt"
	}
	_, err := io.WriteString(c, "GET "+q.target+" HTTP/1.1\r\nHost: "+q.host+"\r\n"+q.fields+"Connection: close\r\n\r\n")
	if err != nil {
		return "refused"
	}
	said, err := io.ReadAll(bufio.NewReader(c))
	if len(said) == 0 {
		return "refused" // in TLS 1.3 the client learns it late
	}
	if err != nil {
		t.Errorf("%+v ends by %v", q, err)
	}
	return agreed(string(said), c.ConnectionState())
}

// agreed is what of an answer both servers should have.
func agreed(said string, state tls.ConnectionState) string {
	head, body, _ := strings.Cut(said, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	kept := []string{lines[0]}
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "S-") || strings.HasPrefix(line, "E-") || strings.HasPrefix(line, "X-") {
			kept = append(kept, line)
		}
	}
	slices.Sort(kept[1:])
	if strings.Contains(lines[0], " 200 ") {
		kept = append(kept, body)
	}
	names := []string{}
	for _, c := range state.PeerCertificates {
		names = append(names, c.Subject.CommonName+"/"+c.PublicKeyAlgorithm.String())
	}
	return strings.Join(append(kept, "by "+strings.Join(names, " "), tls.VersionName(state.Version)), "\n")
}
