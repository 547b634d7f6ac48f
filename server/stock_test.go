package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// stockModules are those that httpd's configure enables; those that Debian has
// built in are left out, since httpd refuses to load them once more.
const stockModules = "mpm_event authn_file authn_core authz_host authz_groupfile authz_user authz_core access_compat auth_basic reqtimeout filter mime env headers setenvif status autoindex dir alias"

// stockInclude is an Include line of httpd's httpd.conf that is made to count.
type stockInclude struct {
	name    string // of the file in extra, without httpd- and .conf; empty for the file as it is installed
	modules string // that it needs besides those that are loaded
	refused string // what wshttpd refuses the start for, which httpd does not
	departs map[string]string
}

const (
	noIndexes  = "no folder is listed"
	noStatus   = "there are no pages about the server"
	noPrograms = "scripts are not run, and their source is not sent"
)

var stockIncludes = []stockInclude{
	{name: ""},
	{name: "mpm"},
	{name: "default"},
	{name: "autoindex", departs: map[string]string{"/icons/": noIndexes}},
	{name: "languages", modules: "negotiation"},
	{name: "multilang-errordoc", modules: "negotiation include"},
	{name: "userdir", modules: "userdir", refused: "AllowOverride FileInfo: wshttpd does not read .htaccess files"},
	{name: "info", modules: "info", departs: map[string]string{"/server-status": noStatus, "/server-info": noStatus}},
	{name: "vhosts"},
	{name: "manual", modules: "negotiation", departs: map[string]string{"/manual/": noIndexes}},
	{name: "dav", modules: "dav dav_fs auth_digest", refused: "DAVLockDB needs mod_dav_fs, which wshttpd does not have"},
	{name: "ssl", modules: "ssl socache_shmcb"},
	{name: "proxy-html", modules: "xml2enc proxy proxy_html"},
}

// stockPaths are what both servers are asked for in each case.
var stockPaths = []string{
	"/", "/index.html", "/missing", "/sub", "/sub/a.txt", "/.htaccess", "/cgi-bin/", "/cgi-bin/run.cgi", "/icons/", "/icons/a.gif", "/manual/", "/manual/a.txt", "/manual/de/de/x", "/server-status", "/server-info",
	"/uploads/a.txt", "/~nobody/", "/error/", "/page.html", "/a.tgz",
}

// stockSite is what httpd's installation has, made for one server.
type stockSite struct {
	root, port, tlsPort string
}

// newStockSite writes the configuration as make install does (httpd 2.4
// Makefile.in, install-conf), but that it listens on loopback. Files are those
// of home; with is whether modules that the Include needs are loaded.
func newStockSite(t *testing.T, home string, include *stockInclude, with bool) *stockSite {
	t.Helper()
	s := &stockSite{tree(t, "conf/extra/", "logs/", "modules -> /usr/lib/apache2/modules"), freePort(t), freePort(t)}
	load := loadLines(strings.Fields(stockModules)...)
	if with {
		load += loadLines(strings.Fields(include.modules)...)
	}
	words := strings.NewReplacer(
		"Listen @@Port@@", "Listen 127.0.0.1:"+s.port, "Listen @@SSLPort@@", "Listen 127.0.0.1:"+s.tlsPort,
		"@@ServerRoot@@", s.root, "@@Port@@", s.port, "@@SSLPort@@", s.tlsPort, "@@LoadModule@@\n", load,
		"server.crt", "server.pem", "@exp_cgidir@", home+"/cgi-bin", "@exp_errordir@", home+"/error", "@exp_htdocsdir@", home+"/htdocs", "@exp_iconsdir@", home+"/icons", "@exp_manualdir@", home+"/manual",
		"@exp_logfiledir@", s.root+"/logs", "@exp_runtimedir@", s.root+"/logs", "@exp_sysconfdir@", s.root+"/conf",
		"@rel_logfiledir@", "logs", "@rel_runtimedir@", "logs", "@rel_sysconfdir@", "conf",
		"#Include @rel_sysconfdir@/extra/httpd-"+include.name+".conf", "Include conf/extra/httpd-"+include.name+".conf",
	)
	files, err := filepath.Glob("testdata/stock/extra/*.in")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range append(files, "testdata/stock/httpd.conf.in") {
		name, _ := strings.CutPrefix(strings.TrimSuffix(file, ".in"), "testdata/stock/")
		write(t, s.root, "conf/"+name, words.Replace(readFile(t, file)))
	}
	write(t, s.root, "conf/mime.types", "text/html html\ntext/plain txt\nimage/gif gif\n")
	newAuthority(t, filepath.Join(s.root, "conf")).issue("server", false)
	if err := os.Chmod(filepath.Dir(s.root), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stockSite) conf() string { return filepath.Join(s.root, "conf/httpd.conf") }

// check is -t of both servers: what they say of an error, without paths.
func (s *stockSite) check(t *testing.T) (ours, theirs string, cfg *httpdconf.Config) {
	t.Helper()
	said, _ := exec.Command(apache, "-t", "-f", s.conf()).CombinedOutput() // the words tell how it ended
	cfg, diags := httpdconf.Load(s.conf(), httpdconf.Options{})
	ours = "Syntax OK\n"
	if diags.HasErrors() {
		var b bytes.Buffer
		httpdconf.WriteDiagnostics(&b, "apache2", cfg, "error", diags)
		ours = b.String()
	}
	return firstError(ours), firstError(string(said)), cfg
}

// firstError returns httpd's two lines of an error.
func firstError(said string) string {
	_, said, is := strings.Cut("\n"+said, "\nAH00526: ")
	if !is {
		return "Syntax OK"
	}
	lines := strings.SplitN(said, "\n", 3)
	return strings.Join(lines[:2], "\n")
}

// ask returns what a server says to a client that follows no redirect, without
// the words of its error pages and its ports.
func (s *stockSite) ask(t *testing.T, scheme, path string) string {
	t.Helper()
	port := s.port
	if scheme == "https" {
		port = s.tlsPort
	}
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, DisableCompression: true},
	}
	r, err := client.Get(scheme + "://127.0.0.1:" + port + path)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	said := fmt.Sprintf("%d\n%s", r.StatusCode, errorPage.ReplaceAllString(string(body), "PAGE"))
	for _, name := range []string{"Location", "Content-Type", "Content-Language", "Vary", "Etag", "Last-Modified", "Content-Encoding"} {
		if value := r.Header.Get(name); value != "" && (r.StatusCode < 300 || name == "Location") {
			said += "\n" + name + ": " + value
		}
	}
	return strings.ReplaceAll(said, port, "PORT")
}

// TestStockLayout takes the configuration that httpd installs, as it is and with
// each of its Include lines, checks it as httpd does with and without the
// modules that the line needs, and asks both servers the same.
func TestStockLayout(t *testing.T) {
	home := tree(t, "htdocs/index.html", "htdocs/sub/a.txt", "htdocs/page.html", "htdocs/a.tgz", "cgi-bin/run.cgi", "icons/a.gif", "manual/a.txt", "error/a.txt")
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour) // an ETag of a young file is weak
	for _, name := range []string{"htdocs/index.html", "htdocs/sub/a.txt", "htdocs/page.html", "htdocs/a.tgz", "icons/a.gif", "manual/a.txt", "error/a.txt"} {
		if err := os.Chtimes(filepath.Join(home, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	for i := range stockIncludes {
		include := &stockIncludes[i]
		t.Run("with "+include.name, func(t *testing.T) {
			t.Parallel()
			if ours, theirs, _ := newStockSite(t, home, include, false).check(t); ours != theirs {
				t.Errorf("without modules -t says\n%s\nthat of httpd\n%s", ours, theirs)
			}
			compareStock(t, home, include)
		})
	}
}

// compareStock starts both servers with all modules that an Include needs.
func compareStock(t *testing.T, home string, include *stockInclude) {
	here, there := newStockSite(t, home, include, true), newStockSite(t, home, include, true)
	_, theirs, _ := there.check(t)
	ours, _, cfg := here.check(t)
	if theirs != "Syntax OK" {
		t.Fatalf("httpd refuses it: %s", theirs)
	}
	if include.refused != "" {
		if !strings.HasSuffix(ours, include.refused) {
			t.Errorf("-t says %s, want %s", ours, include.refused)
		}
		return
	}
	if ours != theirs {
		t.Fatalf("httpd serves it, wshttpd says %s", ours)
	}
	serveConfig(t, cfg, nil)
	runApache(t, there.conf(), filepath.Join(there.root, "logs/error_log"), "127.0.0.1:"+there.port, "-c", "PidFile logs/pid")
	schemes := []string{"http"}
	if include.name == "ssl" {
		schemes = append(schemes, "https")
	}
	for _, scheme := range schemes {
		for _, path := range stockPaths {
			got, want := here.ask(t, scheme, path), there.ask(t, scheme, path)
			reason := include.departs[path]
			if strings.HasPrefix(path, "/cgi-bin/") {
				reason = noPrograms
			}
			switch {
			case reason == "" && got != want:
				t.Errorf("%s %s is answered\n%.300s\nby httpd\n%.300s", scheme, path, got, want)
			case reason != "" && got == want:
				t.Errorf("%s %s is no longer different: %s", scheme, path, reason)
			}
		}
	}
}
