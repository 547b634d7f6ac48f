package httpdconf_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// debianEnv is what Debian's envvars exports; that a folder is missing must
// not decide the test.
func debianEnv(logs string) func(string) string {
	values := map[string]string{
		"APACHE_RUN_USER": "www-data", "APACHE_RUN_GROUP": "www-data", "APACHE_PID_FILE": filepath.Join(logs, "apache2.pid"),
		"APACHE_RUN_DIR": logs, "APACHE_LOCK_DIR": logs, "APACHE_LOG_DIR": logs,
	}
	return func(name string) string { return values[name] }
}

// loadDebian loads the tree that Debian's package installs, with more lines
// behind it.
func loadDebian(t *testing.T, after ...string) (*httpdconf.Config, string, bool) {
	t.Helper()
	const file = "/etc/apache2/apache2.conf"
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v: %s", err, installHint)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{
		Program: "apache2", ServerRoot: "/etc/apache2", Getenv: debianEnv(t.TempDir()), After: after,
	})
	var b bytes.Buffer
	httpdconf.WriteDiagnostics(&b, "apache2", cfg, "warn", diags)
	return cfg, b.String(), diags.HasErrors()
}

// merged returns what holds for a path: base, Directory, Files, Location.
func merged(h *httpdconf.Host, dir, name, path string) httpdconf.Records {
	r := h.Base
	for _, s := range h.Directories {
		if s.Covers(dir) {
			r = r.Merge(s.Records)
		}
	}
	for _, s := range h.Files {
		if s.Covers(name) {
			r = r.Merge(s.Records)
		}
	}
	for _, s := range h.Locations {
		if s.Covers(path) {
			r = r.Merge(s.Records)
		}
	}
	return r
}

func TestDebianStockTree(t *testing.T) {
	cfg, said, failed := loadDebian(t)
	if failed {
		t.Fatalf("Debian's own tree is refused:\n%s", said)
	}
	if len(cfg.Listeners) != 1 || cfg.Listeners[0].Port != 80 || len(cfg.Hosts) != 1 {
		t.Fatalf("listeners %+v, %d hosts", cfg.Listeners, len(cfg.Hosts))
	}
	h := cfg.Hosts[0]
	if h.DocumentRoot != "/var/www/html" || h.Timeout.Seconds() != 300 {
		t.Errorf("DocumentRoot %s, Timeout %v", h.DocumentRoot, h.Timeout)
	}
	tests := []struct {
		claim, dir, name, path string
		granted                bool
	}{
		{"the whole disk is closed", "/srv", "", "/", false},
		{"/etc is closed", "/etc", "passwd", "/passwd", false},
		{"the document root is open", "/var/www/html", "index.html", "/index.html", true},
		{".htaccess in it is closed", "/var/www/html", ".htaccess", "/.htaccess", false},
		{"a name that only looks like it is open", "/var/www/html", "x.ht", "/x.ht", true},
		{"/usr/share is open", "/usr/share/doc", "x", "/doc/x", true},
	}
	for _, tt := range tests {
		a := merged(h, tt.dir, tt.name, tt.path).Authz
		if a == nil || admits(a, "1.2.3.4") != tt.granted {
			t.Errorf("%s: %+v", tt.claim, a)
		}
	}
	status := merged(h, "/var/www/html", "server-status", "/server-status")
	if status.Core.Handler == nil || *status.Core.Handler != "server-status" || admits(status.Authz, "1.2.3.4") || !admits(status.Authz, "::1") {
		t.Errorf("/server-status: %+v, %+v", status.Core, status.Authz)
	}
	options := merged(h, "/var/www/html", "", "/").Core.Options.Flags()
	if options != httpdconf.OptIndexes|httpdconf.OptFollowSymLinks {
		t.Errorf("Options of the document root: %b", options)
	}
	if unserved := h.Base.Merge(httpdconf.Records{}).Mime; unserved == nil || unserved.Unserved["var"] != "type-map" {
		t.Errorf("files that are type maps would be sent: %+v", unserved)
	}
	if n := strings.Count(said, ":error]"); n != 2 { // server-status and type-map
		t.Errorf("%d errors are logged, want 2:\n%s", n, said)
	}
}

// TestDebianWithMore loads the stock tree and what an administrator adds.
func TestDebianWithMore(t *testing.T) {
	tests := []struct {
		claim   string
		after   []string
		refused string // what has to be said; empty: it starts
	}{
		{"WebSockets", []string{"LoadModule websocket_module x", "<Location /ws>", "SetHandler websocket-handler", "WebSocketHandler x.so init", "</Location>"}, ""},
		{"TLS that nobody configured", []string{"LoadModule ssl_module x", "<IfModule mod_ssl.c>", "SSLSessionCacheTimeout 300", "</IfModule>"}, ""},
		{"rewriting where it is loaded", []string{"LoadModule rewrite_module x", "<IfModule mod_rewrite.c>", "RewriteEngine on", "RewriteRule ^/x - [F]", "</IfModule>"}, ""},
		{"rewriting to a proxy", []string{"LoadModule rewrite_module x", "RewriteRule ^/x http://y/ [P]"}, "flag P needs mod_proxy"},
		{"access of httpd 2.2", []string{"<Location /x>", "Order deny,allow", "Deny from example.com", "</Location>"}, ""},
		{"a password", []string{"LoadModule auth_basic_module x", "<Location /x>", "AuthType Basic", "Require valid-user", "</Location>"}, ""},
		{"a digest", []string{"LoadModule auth_digest_module x", "<Location /x>", "AuthType Digest", "Require valid-user", "</Location>"}, "AuthType Digest is not obeyed"},
		{".htaccess files", []string{"<Directory /var/www/>", "AllowOverride All", "</Directory>"}, "wshttpd does not read .htaccess files"},
		{"CGI", []string{"LoadModule cgi_module x", "<IfModule mod_cgi.c>", "ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/", "</IfModule>"}, ""},
		{"a proxy", []string{"LoadModule proxy_module x", "ProxyPass /app http://127.0.0.1:3000/"}, "ProxyPass needs mod_proxy"},
		{"a client's address from a header", []string{"LoadModule remoteip_module x", "RemoteIPHeader X-Forwarded-For"}, ""},
		{"the protocol of proxies", []string{"LoadModule remoteip_module x", "RemoteIPProxyProtocol On"}, "RemoteIPProxyProtocol is not obeyed"},
		{"a hidden folder", []string{`RedirectMatch 404 /\.git`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			_, said, failed := loadDebian(t, tt.after...)
			if failed != (tt.refused != "") || !strings.Contains(said, tt.refused) {
				t.Errorf("refused: %v, want %q in\n%s", failed, tt.refused, said)
			}
		})
	}
}

// admits reports whether a record lets a client in.
func admits(a *httpdconf.AuthzDir, client string) bool {
	return a.Decide(&httpdconf.AuthzRequest{Client: netip.MustParseAddr(client), Server: netip.MustParseAddr("9.9.9.9"), Method: "GET"}) == httpdconf.AuthzGranted
}
