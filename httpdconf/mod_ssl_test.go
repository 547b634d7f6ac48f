package httpdconf

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// loadSSL loads lines under mod_ssl, and returns what is said of them too.
func loadSSL(t *testing.T, lines string) (cfg *Config, diags hcl.Diagnostics, said string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "httpd.conf")
	conf := "LoadModule ssl_module x\nLoadModule authz_core_module x\nLoadModule headers_module x\nLoadModule mime_module x\nErrorLog log\n" + strings.ReplaceAll(lines, "ROOT", dir)
	for _, name := range []string{"httpd.conf", "a.pem", "b.pem", "a.key", "b.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(conf), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags = Load(file, Options{ServerRoot: dir})
	var b bytes.Buffer
	WriteDiagnostics(&b, "httpd", cfg, "info", diags)
	return cfg, diags, strings.ReplaceAll(b.String(), dir, "ROOT")
}

// TestSSLHostsInherit: what a host does not say the main server does.
func TestSSLHostsInherit(t *testing.T) {
	cfg, diags, said := loadSSL(t, `SSLProtocol all -TLSv1 -TLSv1.1
SSLCipherSuite AES128-SHA:@SECLEVEL=0
SSLVerifyClient require
SSLVerifyDepth 0
SSLCACertificateFile a.pem
SSLCARevocationCheck chain no_crl_for_cert_ok
SSLCARevocationFile b.pem
SSLSessionTickets off
SSLOpenSSLConfCmd Curves X25519:P-256
SSLCertificateFile a.pem
SSLCertificateKeyFile a.key
SSLCertificateFile b.pem
<VirtualHost *:1>
SSLEngine on
SSLCertificateFile b.pem
</VirtualHost>
<VirtualHost *:2>
SSLEngine on
SSLProtocol TLSv1.3
SSLCipherSuite HIGH
SSLVerifyClient none
SSLVerifyDepth 4
SSLCACertificateFile b.pem
SSLCARevocationCheck none
SSLSessionTickets on
SSLStrictSNIVHostCheck on
SSLOpenSSLConfCmd Groups P-384
</VirtualHost>
<VirtualHost *:3>
</VirtualHost>
`)
	if diags.HasErrors() {
		t.Fatal(said)
	}
	heir, own := cfg.Hosts[0].SSL, cfg.Hosts[1].SSL
	if heir.MinVersion != tls.VersionTLS12 || heir.MaxVersion != tls.VersionTLS13 || len(heir.Ciphers) != 1 || !heir.Weak || *heir.Tickets || len(heir.Groups) != 2 || heir.StrictSNI != nil {
		t.Errorf("the session of the heir is %+v", heir.SSLSession)
	}
	if c := heir.Clients; c.Verify != SSLVerifyRequire || *c.Depth != 0 || filepath.Base(c.CAFile.Path) != "a.pem" || !c.CRLCheck.Chain || !c.CRLCheck.MayLack || filepath.Base(c.CRLFile.Path) != "b.pem" {
		t.Errorf("the clients of the heir are %+v", c)
	}
	names := func(files []SSLFile) (s string) {
		for _, f := range files {
			s += " " + filepath.Base(f.Path)
		}
		return s
	}
	// Its own certificate goes over the first one, the second stays.
	if got := names(heir.Certificates) + " |" + names(heir.Keys); got != " b.pem b.pem | a.key" {
		t.Errorf("the heir has %s", got)
	}
	if own.MinVersion != tls.VersionTLS13 || len(own.Ciphers) < 5 || own.Weak || !*own.Tickets || len(own.Groups) != 1 || !*own.StrictSNI {
		t.Errorf("the session of its own is %+v", own.SSLSession)
	}
	if c := own.Clients; c.Verify != SSLVerifyNone || *c.Depth != 4 || filepath.Base(c.CAFile.Path) != "b.pem" || c.CRLCheck.Leaf {
		t.Errorf("the clients of its own are %+v", c)
	}
	if cfg.Hosts[2].SpeaksTLS() || cfg.Main.SpeaksTLS() {
		t.Error("SSLEngine is inherited from a host")
	}
}

// TestSSLOfSections: options have signs, and what is required stays.
func TestSSLOfSections(t *testing.T) {
	base := &SSLDir{RequireSSL: true, UserName: "a", Verify: SSLVerifyRequire, Options: SSLOptionSet{Set: SSLStdEnvVars | SSLLegacyDN, Add: SSLStdEnvVars | SSLLegacyDN}}
	for _, tt := range []struct {
		name string
		over SSLDir
		want SSLOptionFlags
	}{
		{"nothing", SSLDir{}, SSLStdEnvVars | SSLLegacyDN},
		{"plus and minus", SSLDir{Options: SSLOptionSet{Add: SSLExportCert, Remove: SSLLegacyDN}}, SSLStdEnvVars | SSLExportCert},
		{"no sign", SSLDir{Options: SSLOptionSet{Set: SSLStrictRequire, Absolute: true}}, SSLStrictRequire},
	} {
		m := mergeSSL(base, &tt.over)
		if m.Options.Set != tt.want || !m.RequireSSL || m.UserName != "a" || m.Verify != SSLVerifyRequire {
			t.Errorf("%s: merged to %+v", tt.name, m)
		}
	}
	cfg, _, said := loadSSL(t, "<Location />\nSSLOptions StdEnvVars +ExportCertData\nSSLOptions -StdEnvVars\n</Location>\n<Location /x>\nSSLOptions StdEnvVars StrictRequire\n</Location>\n")
	for i, want := range []SSLOptionFlags{SSLExportCert, SSLStrictRequire} {
		if got := cfg.Main.Locations[i].Records.SSL.Options.Set; got != want {
			t.Errorf("section %d has options %b, want %b\n%s", i, got, want, said)
		}
	}
}

// TestSSLIsRefusedAtItsLine: what cannot be obeyed, with the remedy.
func TestSSLIsRefusedAtItsLine(t *testing.T) {
	const on = "SSLEngine on\n"
	for lines, want := range map[string]string{
		on + "<Location /a>\nSSLVerifyClient require\n</Location>\n":                                                                                "Syntax error on line 8 of ROOT/httpd.conf:\nSSLVerifyClient require in a section is not obeyed",
		on + "<Location /a>\nSSLVerifyClient optional\n</Location>\n":                                                                               "write SSLVerifyClient optional for the main server as well",
		"<Location /a>\nSSLVerifyClient require\n</Location>\n<VirtualHost *:1>\nSSLEngine on\n</VirtualHost>\n":                                    "write SSLVerifyClient optional for <VirtualHost> of ROOT/httpd.conf:9 as well",
		"<VirtualHost *:1>\nSSLEngine on\n<Location /a>\nSSLVerifyClient require\n</Location>\n</VirtualHost>\n":                                    "is not obeyed by this version",
		on + "SSLCACertificateFile a.pem\nSSLVerifyClient optional\n<Location /a>\nSSLVerifyClient require\n</Location>\n":                          "",
		on + "<Location /a>\nSSLVerifyClient none\n</Location>\n":                                                                                   "",
		"<Location /a>\nSSLVerifyClient require\n</Location>\n":                                                                                     "",
		"<VirtualHost *:1>\nSSLEngine on\n</VirtualHost>\n<VirtualHost *:2>\n<Location /a>\nSSLVerifyClient require\n</Location>\n</VirtualHost>\n": "",
		"<Location /a>\nSSLCipherSuite HIGH\n</Location>\n":                                                                                         "SSLCipherSuite in a section is not obeyed",
		"SSLCipherSuite HIGH:FOO\n":                                  "unknown cipher 'FOO'",
		"SSLCipherSuite TLSv1.3 TLS_FOO\n":                           "unknown cipher 'TLS_FOO'",
		"SSLCipherSuite DHE-RSA-AES128-SHA\n":                        "none of these ciphers is to be had",
		"SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256\n":            "leaves suites of TLSv1.3 out",
		"SSLProtocol TLSv1 +TLSv1.3\n":                               "name versions from TLSv1 to TLSv1.3 that follow one another",
		"SSLProtocol TLSv1.2 TLSv1.3\n":                              "AH02532: SSLProtocol: Protocol 'TLSv1.3' overrides already set parameter(s)",
		"SSLOpenSSLConfCmd Options -SessionTicket\n":                 "SSLOpenSSLConfCmd Options is not obeyed",
		"SSLOpenSSLConfCmd Groups X25519:foo\n":                      "the group foo is not obeyed",
		"SSLOpenSSLConfCmd Groups X25519:?foo\n":                     "",
		"SSLOpenSSLConfCmd MinProtocol SSLv3\n":                      `"SSLOpenSSLConfCmd MinProtocol SSLv3" failed`,
		"SSLEngine optional\n":                                       "SSLEngine optional is not obeyed",
		"SSLOCSPEnable on\n":                                         "SSLOCSPEnable on is not obeyed",
		"SSLFIPS on\n":                                               "SSLFIPS on is not obeyed",
		"SSLSRPVerifierFile x\n":                                     "SSLSRPVerifierFile is not obeyed",
		"<If \"'x' in PeerExtList('1.2')\">\n</If>\n":                "an expression with peerextlist is not obeyed",
		on + "SSLVerifyClient require\n":                             "AH01897: Init: Oops, you want to request client authentication",
		on + "SSLCARevocationFile a.pem\n":                           "AH01902: Host ",
		on + "SSLProtocol TLSv1.1\n":                                 "no version of TLS is left",
		on + "SSLProtocol TLSv1.1\nSSLCipherSuite ALL:@SECLEVEL=0\n": "",
	} {
		_, diags, said := loadSSL(t, lines)
		if want == "" {
			if len(diags) > 0 {
				t.Errorf("%s\nis told\n%s", lines, said)
			}
		} else if !strings.Contains(said, want) {
			t.Errorf("%s\nis told\n%s\nwant %s", lines, said, want)
		}
	}
}
