package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// site is a server with files.
func site(t *testing.T, conf string) (*live, string) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"docs/index.html": "<p>index", "docs/a.txt": "0123456789", "docs/.htaccess": "secret", "docs/.htpasswd": "secret", "docs/.ht": "secret",
		"docs/dir/index.html": "<p>dir", "docs/empty/.keep": "", "docs/sp ace.txt": "blank", "docs/%73ecret.txt": "escaped", "docs/x.cgi": "script",
		"docs/y.cgi.txt": "script", "docs/closed/a.txt": "closed", "outside/secret.txt": "outside", "docs/none": "no type", "docs/big": strings.Repeat("0123456789abcdef", 1<<16),
	}
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"docs/link.txt": "a.txt", "docs/out": "../outside", "docs/dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	l := serveIn(t, root, "LoadModule alias_module x\nDocumentRoot docs\nAddType text/html .html\nAddType text/plain .txt\nAddHandler cgi-script .cgi\n"+conf, nil)
	return l, root
}

func TestFiles(t *testing.T) {
	l, _ := site(t, "<Directory ROOT/docs/closed>\nRequire all denied\n</Directory>\n<Location /status>\nSetHandler server-status\n</Location>\nScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n")
	tests := []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/", 200, "<p>index"},
		{"GET", "/a.txt", 200, "0123456789"},
		{"POST", "/a.txt", 200, "0123456789"},
		{"HEAD", "/a.txt", 200, ""},
		{"GET", "/dir/", 200, "<p>dir"},
		{"GET", "/dir", 301, ""},
		{"GET", "/empty/", 404, ""},
		{"GET", "/sp%20ace.txt", 200, "blank"},
		{"GET", "/none", 200, "no type"},
		{"GET", "/missing", 404, ""},
		{"GET", "/a.txt/", 404, ""},
		{"GET", "/a.txt/more", 404, ""},
		{"GET", "/dangling", 403, ""}, // measured: httpd 2.4.71
		{"GET", "/dangling/x", 403, ""},
		{"GET", "/" + strings.Repeat("a", 300), 403, ""},
		{"FOO", "/a.txt", 501, ""},
		{"GET", "/.htaccess", 403, ""},
		{"GET", "/.htpasswd", 403, ""},
		{"GET", "/.ht", 403, ""},
		{"GET", "/.HTACCESS", 403, ""},
		{"GET", "/%2ehtaccess", 403, ""},
		{"GET", "/dir/../.htaccess", 403, ""},
		{"GET", "/closed/a.txt", 403, ""},
		{"GET", "/dir/../closed/a.txt", 403, ""},
		{"GET", "/%63losed/a.txt", 403, ""},
		{"GET", "/x.cgi", 501, ""},
		{"GET", "/y.cgi.txt", 501, ""},
		{"GET", "/status", 501, ""},
		{"GET", "/cgi-bin/x", 501, ""},
		{"GET", "/%2573ecret.txt", 200, "escaped"}, // decoded once
		{"GET", "/../outside/secret.txt", 400, ""},
		{"GET", "/..%2foutside/secret.txt", 404, ""},
		{"GET", "/%2e%2e/outside/secret.txt", 400, ""},
		{"GET", "/dir/%2e%2e/%2e%2e/outside/secret.txt", 400, ""},
		{"GET", "/..\\outside\\secret.txt", 404, ""},
		{"GET", "/a.txt%00.html", 404, ""},
		{"GET", "/a%zz", 400, ""},
		{"TRACE", "/a.txt", 405, ""},
		{"PUT", "/a.txt", 405, ""},
		{"DELETE", "/missing", 405, ""},
		{"OPTIONS", "/a.txt", 200, ""},
		{"OPTIONS", "*", 200, ""},
		{"GET", "http://other.example/a.txt", 200, "0123456789"},
	}
	for _, tt := range tests {
		r := l.ask(t, tt.method, tt.target)
		if r.status != tt.status || tt.status == 200 && r.body != tt.body {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.target, r.status, r.body, tt.status, tt.body)
		}
		if strings.Contains(r.body, "secret") || strings.Contains(r.body, "script") {
			t.Errorf("%s %s sends %q", tt.method, tt.target, r.body)
		}
		if r.status == 405 && r.header["allow"] == "" {
			t.Errorf("%s %s: 405 without Allow", tt.method, tt.target)
		}
	}
	l.logged(t, "AH01630: client denied by server configuration: ")
}

func TestHeadersOfAFile(t *testing.T) {
	l, root := site(t, "")
	info, err := os.Stat(filepath.Join(root, "docs/a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	r := l.ask(t, "GET", "/a.txt")
	for name, want := range map[string]string{
		"content-type": "text/plain", "content-length": "10", "accept-ranges": "bytes", "server": "wshttpd",
		"last-modified": info.ModTime().UTC().Format(httpTime), "etag": fmt.Sprintf(`"a-%x"`, info.ModTime().UnixMicro()),
	} {
		if r.header[name] != want {
			t.Errorf("%s is %q, want %q", name, r.header[name], want)
		}
	}
	if r := l.ask(t, "HEAD", "/a.txt"); r.header["content-length"] != "10" {
		t.Errorf("HEAD:\n%s", r.head)
	}
	if r := l.ask(t, "GET", "/none"); r.header["content-type"] != "" {
		t.Errorf("a file without a type has %q", r.header["content-type"])
	}
	if r := l.ask(t, "GET", "/dir?q=1"); r.header["location"] != "http://x.example/dir/?q=1" {
		t.Errorf("redirected to %q", r.header["location"])
	}
}

func TestConditions(t *testing.T) {
	l, root := site(t, "")
	info, err := os.Stat(filepath.Join(root, "docs/a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	etag, modified := (&route{}).etagOf(&openedFile{size: info.Size(), modified: info.ModTime()}), info.ModTime().UTC().Format(httpTime)
	before := info.ModTime().Add(-time.Hour).UTC().Format(httpTime)
	tests := []struct {
		fields []string
		status int
		body   string
	}{
		{[]string{"If-None-Match: " + etag}, 304, ""},
		{[]string{"If-None-Match: \"x\", W/" + etag}, 304, ""},
		{[]string{"If-None-Match: *"}, 304, ""},
		{[]string{"If-None-Match: \"x\""}, 200, "0123456789"},
		{[]string{"If-Modified-Since: " + modified}, 304, ""},
		{[]string{"If-Modified-Since: " + before}, 200, "0123456789"},
		{[]string{"If-Modified-Since: yesterday"}, 200, "0123456789"},
		{[]string{"If-None-Match: \"x\"", "If-Modified-Since: " + modified}, 200, "0123456789"},
		{[]string{"If-Match: " + etag}, 200, "0123456789"},
		{[]string{"If-Match: \"x\""}, 412, ""},
		{[]string{"If-Unmodified-Since: " + before}, 412, ""},
		{[]string{"If-Unmodified-Since: " + modified}, 200, "0123456789"},
		{[]string{"Range: bytes=2-4"}, 206, "234"},
		{[]string{"Range: bytes=7-"}, 206, "789"},
		{[]string{"Range: bytes=-3"}, 206, "789"},
		{[]string{"Range: bytes=0-99"}, 206, "0123456789"},
		{[]string{"Range: bytes=10-"}, 416, ""},
		{[]string{"Range: bytes=-0"}, 416, ""},
		{[]string{"Range: bytes=4-2"}, 200, "0123456789"},
		{[]string{"Range: bytes=,"}, 200, "0123456789"},
		{[]string{"Range: bytes=0-1,2-4"}, 206, "01234"},
		{[]string{"Range: bytes=5-6,3-5"}, 206, "3456"},
		{[]string{"Range: bytes=0-4,8-9,0-7"}, 200, "0123456789"}, // together more than the file
		{[]string{"Range: bytes=x"}, 200, "0123456789"},
		{[]string{"Range: lines=1-2"}, 200, "0123456789"},
		{[]string{"Range: bytes=0-0," + strings.Repeat("1-2,", 300)}, 200, "0123456789"},
		{[]string{"Range: bytes=2-4", "If-Range: " + etag}, 206, "234"},
		{[]string{"Range: bytes=2-4", "If-Range: " + modified}, 206, "234"},
		{[]string{"Range: bytes=2-4", "If-Range: \"x\""}, 200, "0123456789"},
	}
	for _, tt := range tests {
		r := l.ask(t, "GET", "/a.txt", tt.fields...)
		if r.status != tt.status || tt.body != "" && r.body != tt.body {
			t.Errorf("%q: %d %q, want %d %q", tt.fields, r.status, r.body, tt.status, tt.body)
		}
	}
	r := l.ask(t, "GET", "/a.txt", "Range: bytes=1-2, -1")
	if r.status != 206 || !strings.Contains(r.body, "Content-range: bytes 1-2/10\r\n\r\n12\r\n") || !strings.Contains(r.body, "Content-range: bytes 9-9/10\r\n\r\n9\r\n") {
		t.Errorf("two ranges:\n%s%s", r.head, r.body)
	}
	if r := l.ask(t, "GET", "/a.txt", "Range: bytes=20-"); r.header["content-range"] != "bytes */10" {
		t.Errorf("416 without the size:\n%s", r.head)
	}
}

func TestLinks(t *testing.T) {
	for options, want := range map[string]int{"FollowSymLinks": 200, "None": 403, "SymLinksIfOwnerMatch": 200, "Indexes": 403} {
		l, _ := site(t, "<Directory ROOT/docs>\nOptions "+options+"\n</Directory>\n")
		for _, target := range []string{"/link.txt", "/out/secret.txt"} {
			if r := l.ask(t, "GET", target); r.status != want {
				t.Errorf("Options %s: %s is answered %d, want %d", options, target, r.status, want)
			}
		}
		if r := l.ask(t, "GET", "/a.txt"); r.status != 200 {
			t.Errorf("Options %s: a plain file is answered %d", options, r.status)
		}
	}
}

func TestLargeFile(t *testing.T) {
	l, _ := site(t, "")
	if r := l.ask(t, "GET", "/big"); len(r.body) != 1<<20 || !strings.HasSuffix(r.body, "0123456789abcdef") {
		t.Errorf("%d bytes", len(r.body))
	}
	if r := l.ask(t, "GET", "/big", "Range: bytes=1000000-1048575"); len(r.body) != 48576 {
		t.Errorf("a range of %d bytes", len(r.body))
	}
}

// TestFileThatGrows: a body is as long as its head says (reliability.md, hazard
// 30). The client reads nothing until the file has grown.
func TestFileThatGrows(t *testing.T) {
	l, root := site(t, "")
	name := filepath.Join(root, "docs/large")
	const size = 32 << 20 // more than the sockets take
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	c := l.dial(t).send("GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := c.r.Peek(1); err != nil { // the answer has begun
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Repeat("grown", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if r := c.receive("GET"); len(r.body) != size || strings.Contains(r.body, "grown") {
		t.Errorf("%d bytes", len(r.body))
	}
	if r := c.receive("GET"); r.status != 200 || r.body != "0123456789" {
		t.Errorf("behind it: %d %q", r.status, r.body)
	}
}

// TestFileThatShrinks: a body that cannot be completed ends the connection.
func TestFileThatShrinks(t *testing.T) {
	l, root := site(t, "")
	name := filepath.Join(root, "docs/large")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 32<<20); err != nil {
		t.Fatal(err)
	}
	c := l.dial(t).send("GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := c.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 1000); err != nil {
		t.Fatal(err)
	}
	if rest := c.rest(); len(rest) >= 32<<20 || strings.Contains(rest, "0123456789") {
		t.Errorf("%d bytes came", len(rest))
	}
}
