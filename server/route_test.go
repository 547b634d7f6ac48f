package server

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// config loads a configuration from text.
func config(t *testing.T, root, text string) *httpdconf.Config {
	t.Helper()
	file := filepath.Join(root, "httpd.conf")
	if err := os.WriteFile(file, []byte("ErrorLog error.log\nLoadModule authz_core_module x\nLoadModule dir_module x\nLoadModule mime_module x\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: root})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

// TestFindHost is httpd-conf.md, section 14: the address first, then the name.
func TestFindHost(t *testing.T) {
	cfg := config(t, t.TempDir(), `
ServerName main
<VirtualHost *:80>
ServerName any-a
ServerAlias alias *.wild.example
</VirtualHost>
<VirtualHost *:80>
ServerName any-b
</VirtualHost>
<VirtualHost 10.0.0.1:80>
ServerName exact-a
</VirtualHost>
<VirtualHost 10.0.0.1:80>
ServerName exact-b
</VirtualHost>
<VirtualHost *:*>
ServerName any-port
</VirtualHost>
<VirtualHost 10.0.0.2:*>
ServerName address-any-port
</VirtualHost>
<VirtualHost [::1]:80>
ServerName six
</VirtualHost>
`)
	routes := newRoutes(cfg)
	tests := []struct{ local, authority, want string }{
		{"10.0.0.9:80", "any-a", "any-a"},
		{"10.0.0.9:80", "any-b:80", "any-b"},
		{"10.0.0.9:80", "ANY-B.", "any-b"},
		{"10.0.0.9:80", "alias", "any-a"},
		{"10.0.0.9:80", "x.wild.example", "any-a"},
		{"10.0.0.9:80", "wild.example", "any-a"}, // the first of the set
		{"10.0.0.9:80", "", "any-a"},
		{"10.0.0.1:80", "exact-b", "exact-b"},
		{"10.0.0.1:80", "any-b", "exact-a"}, // an exact address has hosts: the others do not compete
		{"10.0.0.1:81", "exact-b", "any-port"},
		{"10.0.0.2:80", "any-b", "address-any-port"},
		{"[::1]:80", "x", "six"},
		{"[::ffff:10.0.0.1]:80", "exact-b", "exact-b"},
	}
	for _, tt := range tests {
		if got := routes.find(netip.MustParseAddrPort(tt.local), tt.authority); got.Name != tt.want {
			t.Errorf("at %s, %q finds %s, want %s", tt.local, tt.authority, got.Name, tt.want)
		}
	}
	alone := newRoutes(config(t, t.TempDir(), "ServerName main\n<VirtualHost *:80>\nServerName other\n</VirtualHost>\n"))
	if got := alone.find(netip.MustParseAddrPort("1.2.3.4:8080"), "other"); got.Name != "main" {
		t.Errorf("without a host for the port it is %s, want main", got.Name)
	}
}

// TestWalk: sections apply in httpd's order, later over earlier.
func TestWalk(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"docs/a/b"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"docs/ws", "docs/a/f.txt"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	docs := filepath.Join(root, "docs")
	tests := []struct{ name, conf, path, want string }{
		{"nothing", "", "/x", ""},
		{"base", "SetHandler base", "/x", "base"},
		{"a folder covers what is below", "<Directory DOCS>\nSetHandler dir\n</Directory>", "/x", "dir"},
		{"the longer folder wins, wherever it stands", "<Directory DOCS/a>\nSetHandler long\n</Directory>\n<Directory DOCS>\nSetHandler short\n</Directory>", "/a/x", "long"},
		{"a folder that does not exist covers nothing", "<Directory DOCS/none>\nSetHandler dir\n</Directory>", "/none/x", ""},
		{"an expression beats a folder", "<DirectoryMatch docs/a>\nSetHandler match\n</DirectoryMatch>\n<Directory DOCS/a/b>\nSetHandler dir\n</Directory>", "/a/b/x", "match"},
		{"Files beats Directory", "<Files f.txt>\nSetHandler file\n</Files>\n<Directory DOCS/a>\nSetHandler dir\n</Directory>", "/a/f.txt", "file"},
		{"Files inside Directory", "<Directory DOCS/a>\n<Files *.txt>\nSetHandler inner\n</Files>\n</Directory>", "/a/f.txt", "inner"},
		{"Files inside Directory, elsewhere", "<Directory DOCS/a/b>\n<Files *.txt>\nSetHandler inner\n</Files>\n</Directory>", "/a/f.txt", ""},
		{"Files compares a name that is missing", "<Files none>\nSetHandler file\n</Files>", "/a/none", "file"},
		{"but the first missing element", "<Files none>\nSetHandler file\n</Files>", "/missing/none", ""},
		{"Location beats both", "<Location /a>\nSetHandler loc\n</Location>\n<Files f.txt>\nSetHandler file\n</Files>", "/a/f.txt", "loc"},
		{"Locations in file order, not by depth", "<Location /h/none>\nSetHandler none\n</Location>\n<Location /h>\nSetHandler ws\n</Location>", "/h/none", "ws"},
		{"the other way round", "<Location /h>\nSetHandler ws\n</Location>\n<Location /h/none>\nSetHandler none\n</Location>", "/h/none", ""},
		{"LocationMatch in the same sequence", "<LocationMatch ^/h>\nSetHandler match\n</LocationMatch>\n<Location /h>\nSetHandler loc\n</Location>", "/h", "loc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t, root, "DocumentRoot "+docs+"\n"+strings.ReplaceAll(tt.conf, "DOCS", docs)+"\n")
			r := &route{host: cfg.Main, path: tt.path}
			r.walk()
			if got := r.handler(); got != tt.want {
				t.Errorf("handler %q, want %q", got, tt.want)
			}
			if r.filename != docs+tt.path {
				t.Errorf("filename %q", r.filename)
			}
		})
	}
}

func TestHostSectionsComeBehindThoseOfTheMainServer(t *testing.T) {
	cfg := config(t, t.TempDir(), "<Location /ws>\nSetHandler main\n</Location>\n<VirtualHost *:80>\n<Location /ws>\nSetHandler None\n</Location>\n</VirtualHost>\n<Location /later>\nSetHandler later\n</Location>\n")
	r := &route{host: cfg.Hosts[0], path: "/ws"}
	if r.walk(); r.handler() != "" {
		t.Errorf("handler %q, want none", r.handler())
	}
	r = &route{host: cfg.Hosts[0], path: "/later"}
	if r.walk(); r.handler() != "later" {
		t.Errorf("handler %q, want later", r.handler())
	}
}

func TestOriginParts(t *testing.T) {
	own, ok := newOrigin("http", "Example.COM.:80")
	if !ok {
		t.Fatal("own origin is unusable")
	}
	for header, want := range map[string]bool{
		"http://example.com": true, "http://example.com:80": true, "HTTP://EXAMPLE.com.": true,
		"https://example.com": false, "http://example.com:8080": false, "http://example.com/": false, "http://example.com.evil": false,
		"http://evil.example.com": false, "http://user@example.com": false, "example.com": false, "null": false, "": false,
		"http://example.com http://example.com": false, "http://example.com,": false, "ftp://example.com": false,
	} {
		if got := originPasses(httpdconf.OriginSame, nil, own, []string{header}); got != want {
			t.Errorf("Same, %q: %v, want %v", header, got, want)
		}
	}
	trusted := []string{"http://a", "null"}
	for header, want := range map[string]bool{"http://a": true, "null": true, "http://A": false, "http://a:80": false, "http://example.com": false} {
		if got := originPasses(httpdconf.OriginTrusted, trusted, own, []string{header}); got != want {
			t.Errorf("Trusted, %q: %v, want %v", header, got, want)
		}
	}
	if !originPasses(httpdconf.OriginSame, nil, own) || !originPasses(httpdconf.OriginOff, nil, own, []string{"x", "y"}) {
		t.Error("no header has to pass, and Off has to let all pass")
	}
}
