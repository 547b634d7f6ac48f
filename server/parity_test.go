package server

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// apache is the binary that this server is compared with.
const apache = "/usr/sbin/apache2"

// parityConf is served by both. HOME is the folder of the test.
const parityConf = `
ServerName main.example
DocumentRoot HOME/docs
DirectoryIndex index.html other.html
TypesConfig HOME/mime.types
AddType text/x-own .own
<Files ".ht*">
Require all denied
</Files>
<Files "named">
Require all denied
</Files>
<Directory HOME/docs/nolink>
Options None
</Directory>
<Directory HOME/docs/owner>
Options SymLinksIfOwnerMatch
</Directory>
<Directory HOME/docs/closed>
Require all denied
</Directory>
<Directory HOME/docs/none>
Require all denied
</Directory>
<DirectoryMatch "/docs/m1$">
Require all denied
</DirectoryMatch>
<DirectoryMatch "/docs/m2/$">
Require all denied
</DirectoryMatch>
<DirectoryMatch "/docs/m3/x\.txt$">
Require all denied
</DirectoryMatch>
<Location /shut>
Require all denied
</Location>
<Location /shut/open>
Require all granted
</Location>
<LocationMatch "^/(?i:re)/[0-9]+$">
Require all denied
</LocationMatch>
<LocationMatch "^/nl.*x$">
Require all denied
</LocationMatch>
<Directory HOME/docs/index403>
<Files index.html>
Require all denied
</Files>
</Directory>
`

// startApache serves conf by httpd in a folder and returns its address.
func startApache(t *testing.T, home, conf string) string {
	t.Helper()
	if _, err := os.Stat(apache); err != nil {
		t.Fatalf("%v: apt-get install apache2-bin", err)
	}
	addr := "127.0.0.1:" + freePort(t)
	head := "ServerRoot /usr/lib/apache2\nPidFile HOME/pid\nErrorLog HOME/apache.log\nTraceEnable off\nListen " + addr + "\n"
	for _, module := range []string{"mpm_event", "authz_core", "dir", "mime"} {
		head += "LoadModule " + module + "_module modules/mod_" + module + ".so\n"
	}
	if os.Getuid() == 0 {
		head += "User nobody\nGroup nogroup\n"
	}
	file := filepath.Join(home, "apache.conf")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(head+conf, "HOME", home)), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(apache, "-DFOREGROUND", "-f", file), addr, filepath.Join(home, "apache.log"))
	return addr
}

// run runs a server until the test ends, and returns once it listens.
func run(t *testing.T, cmd *exec.Cmd, addr, logFile string) {
	t.Helper()
	cmd.Stderr = os.Stderr
	cmd.Env = apacheEnviron()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s has ended with %v", cmd.Path, err)
		}
		if log, err := os.ReadFile(logFile); err == nil && t.Failed() {
			t.Logf("the log of %s:\n%s", cmd.Path, log[max(0, len(log)-2000):])
		}
	})
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
	}
	log, _ := os.ReadFile(logFile)
	t.Fatalf("%s does not listen:\n%s", cmd.Path, log)
}

// apacheEnviron is the environment of httpd; nil for our own.
func apacheEnviron() []string {
	preload := os.Getenv("HTTPD_PRELOAD")
	if preload == "" {
		return nil
	}
	return append(os.Environ(), "LD_PRELOAD="+preload, "ASAN_OPTIONS=detect_leaks=0") // what sanitized plugins find in our own process
}

// parityFiles is what both serve.
func parityFiles(t *testing.T) string {
	t.Helper()
	home := tree(t, "docs/index.html", "docs/a.txt", "docs/sub/other.html", "docs/empty/", "docs/closed/f.txt", "docs/m1/x.txt", "docs/m2/x.txt",
		"docs/m3/x.txt", "docs/named/x.txt", "docs/.htpasswd", "docs/.hidden", "docs/x.tar.own", "docs/y.own.txt", "docs/z.HTML", "docs/none.ext",
		"docs/sp ace.txt", "docs/%41.txt", "docs/sealed/f.txt", "docs/index403/index.html", "docs/shut/f.txt", "docs/two..dots", "docs/semi;colon",
		"docs/link -> a.txt", "docs/dir -> sub", "docs/dangling -> nowhere", "docs/nolink/l -> ../a.txt", "docs/nolink/d -> ../sub", "docs/nolink/f.txt",
		"docs/owner/l -> ../a.txt", "docs/é")
	old := time.Now().Add(-time.Hour)
	files := map[string]string{"mime.types": "text/html html\ntext/plain txt\napplication/x-tar tar\n", "docs/a.txt": "0123456789"}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(home, "docs/a.txt"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	return home
}

// TestParity asks httpd and this server the same things.
func TestParity(t *testing.T) {
	home := parityFiles(t)
	ours := serveIn(t, home, strings.ReplaceAll(parityConf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, parityConf)}
	for _, request := range parityRequests() {
		t.Run(request, func(t *testing.T) {
			method, _, _ := strings.Cut(request, " ")
			got, want := ours.exchange(t, method, request), theirs.exchange(t, method, request)
			if got != want {
				t.Errorf("answered\n%s\nhttpd answers\n%s", got, want)
			}
		})
	}
}

// exchange sends a request and returns what both servers should agree in: the
// status, these headers, and for a file its content.
func (l *live) exchange(t *testing.T, method, request string) string {
	p := l.dial(t)
	defer p.Close()
	r := p.send(request).receive(method)
	said := fmt.Sprintf("%d\n", r.status)
	names := []string{"location", "allow", "content-range", "last-modified", "etag", "accept-ranges"}
	if r.status < 300 {
		names = append(names, "content-length", "content-type")
		said += r.body + "\n"
	}
	if r.status == 416 { // httpd leaves the size out
		names = names[:2]
	}
	if method == "TRACE" { // httpd leaves Allow out (RFC 9110, section 15.5.6)
		names = nil
	}
	if method == "OPTIONS" { // httpd names the type of a file that it does not send
		names = names[:len(names)-1]
	}
	allowed := strings.Split(r.header["allow"], ",") // httpd's order changes from run to run
	slices.Sort(allowed)
	r.header["allow"] = strings.Join(allowed, ",")
	for _, name := range names {
		if value := r.header[name]; value != "" {
			said += name + ": " + value + "\n"
		}
	}
	if r.header["connection"] == "close" {
		said += "closes\n"
	}
	return said
}

// parityRequests are requests on which the two agree.
func parityRequests() []string {
	var list []string
	add := func(method, target string, fields ...string) {
		head := method + " " + target + " HTTP/1.1\r\nHost: main.example\r\n"
		for _, f := range fields {
			head += f + "\r\n"
		}
		list = append(list, head+"\r\n")
	}
	for _, target := range []string{
		"/", "/index.html", "/a.txt", "/sub/", "/sub", "/sub?q=1&r=%20", "/empty", "/empty/", "/missing", "/missing/", "/a.txt/", "/a.txt/x", "/sub/missing",
		"/closed", "/closed/", "/closed/f.txt", "/closed/missing", "/none", "/none/x", "/none.ext", "/m1", "/m1/", "/m1/x.txt", "/m2", "/m2/", "/m2/x.txt",
		"/m3/", "/m3/x.txt", "/named", "/named/", "/named/x.txt", "/.htpasswd", "/.htmissing", "/sub/.htx/y", "/.hidden", "/x.tar.own", "/y.own.txt", "/z.HTML",
		"/sp%20ace.txt", "/%41.txt", "/%2541.txt", "/link", "/dir", "/dir/", "/dir/other.html", "/dangling", "/dangling/x", "/nolink/l", "/nolink/d",
		"/nolink/d/", "/nolink/d/other.html", "/nolink/f.txt", "/owner/l", "/index403/", "/shut", "/shut/f.txt", "/shut/open", "/shutter", "/Shut", "/re/12",
		"/RE/12", "/re/12x", "/nl%0ax", "/nlx", "/nl%0a", "//shut", "/sub/../shut", "/sub/%2e%2e/shut", "/%73hut", "/sub//../a.txt", "/sub/./../a.txt", "/sub/..", "/sub/.", "/sub/../..",
		"/..", "/../a.txt", "/%2e%2e/a.txt", "/.%2e/a.txt", "/sub/%2e", "/a%2ftxt", "/%00", "/a.txt%00", "/%zz", "/%", "/%4", "/a.txt?%zz", "/a.txt?x=/../y",
		"/two..dots", "/semi;colon", "/semi", "/%0a", "/%7f", "/%c3%a9", "/%5c..%5ca.txt", "/a.txt%20", "/a.txt.", "/a.txt#x", "/?#", "*", "/...",
		"http://main.example/a.txt", "http://other.example/sub", "http://main.example", "http://main.example:80/a.txt", "https://main.example/a.txt",
		"/" + strings.Repeat("a", 255), "/" + strings.Repeat("a", 256), "/" + strings.Repeat("a/", 500),
	} {
		add("GET", target)
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "OPTIONS", "TRACE", "FOO", "get"} {
		for _, target := range []string{"/a.txt", "/missing", "/sub", "/sub/", "/shut"} {
			add(method, target)
		}
	}
	now, past := time.Now().UTC(), time.Now().Add(-2*time.Hour).UTC()
	for _, fields := range [][]string{
		{"If-Modified-Since: " + now.Format(httpTime)}, {"If-Modified-Since: " + past.Format(httpTime)},
		{"If-Modified-Since: " + now.Add(time.Hour).Format(httpTime)}, {"If-Modified-Since: yesterday"}, {"If-None-Match: *"}, {"If-None-Match: \"x\""},
		{"If-Match: *"}, {"If-Unmodified-Since: " + now.Format(httpTime)},
		{"Range: bytes=0-"}, {"Range: bytes=2-4"}, {"Range: bytes=-3"}, {"Range: bytes=4-2"}, {"Range: bytes=0-1,2-3"}, {"Range: bytes=0-5,3-7"},
		{"Range: bytes=10-"}, {"Range: bytes=,"}, {"Range: lines=1"}, {"Range: bytes=0-9,0-9"}, {"Range: bytes=0-4", "If-Range: \"x\""},
		{"Connection: x, close"}, {"Content-Length: x"}, {"Content-Length: 1", "Content-Length: 1"}, {"Transfer-Encoding: gzip"},
		{"Content-Length: 2000000000"}, {"X: a\tb"}, {"X: \x01"}, {"X Y: z"}, {"X : z"}, {"X\xe9: z"}, {": z"}, {"X"}, {"X: \xe9"}, {"Host: main.example"},
	} {
		add("GET", "/a.txt", fields...)
	}
	for _, host := range []string{"", "a:", "a:80", "a:x", "a:99999", "a:0", "a:00080", "a b", "a/b", "[::1]", "[::1]:80", "[::1", "a_b", "a%20", "-", ".", "a..b", "a.", "1.2.3.4",
		"a,b", "u@a", "a'b", "*", "\xe9"} {
		list = append(list, "GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	}
	return append(list, "GET /a.txt HTTP/1.0\r\n\r\n", "GET /sub HTTP/1.0\r\n\r\n", "GET /a.txt HTTP/1.1\r\n\r\n", "GET /a.txt HTTP/1.1\nHost: a\n\n",
		"GET  /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a.txt HTTP/1.1 \r\nHost: a\r\n\r\n", "\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a.txt x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a.txt FTP/1.1\r\nHost: a\r\n\r\n", "GET /a.txt http/1.1\r\nHost: a\r\n\r\n")
}

// TestParityOfHosts: which virtual host answers, by Host and by the target.
func TestParityOfHosts(t *testing.T) {
	home := parityFiles(t)
	conf := "ServerName main.example\nTypesConfig HOME/mime.types\nDocumentRoot HOME/docs\n"
	for i, names := range []string{
		"ServerName first.example", "ServerName second.example:8080\nServerAlias *.wild.example w?ld other.example", "ServerName SECOND.example\nServerAlias third.example",
		"ServerName linked.example\nDocumentRoot HOME/docroot\n<Directory />\nOptions None\n</Directory>",
	} {
		conf += fmt.Sprintf("<VirtualHost *:*>\nAddType host/%d .txt\n%s\n</VirtualHost>\n", i, names)
	}
	if err := os.Symlink("docs", filepath.Join(home, "docroot")); err != nil {
		t.Fatal(err)
	}
	ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, conf)}
	var requests []string
	for _, host := range []string{
		"first.example", "second.example", "SECOND.example.", "second.example:80", "a.wild.example", "a.b.wild.example", "wild.example", ".wild.example", "wald", "wild", "wld",
		"other.example", "third.example", "main.example", "none.example", "127.0.0.1", "linked.example", "second.example..",
	} {
		requests = append(requests, "GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	}
	requests = append(requests, "GET http://third.example/a.txt HTTP/1.1\r\nHost: second.example\r\n\r\n", "GET /a.txt HTTP/1.0\r\n\r\n",
		"GET /a.txt HTTP/1.0\r\nHost: second.example\r\n\r\n", "GET /sub HTTP/1.0\r\nHost: second.example\r\n\r\n")
	for _, request := range requests {
		if got, want := ours.exchange(t, "GET", request), theirs.exchange(t, "GET", request); got != want {
			t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
		}
	}
}
