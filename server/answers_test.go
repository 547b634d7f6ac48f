package server

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

const answersConf = `
ServerName main.example
ServerAdmin admin@main.example
DocumentRoot HOME/docs
DirectoryIndex index.html
TypesConfig HOME/mime.types
SetEnvIf X-Env "(.+)" fromenv=$1
Header set X-All all
Header always set X-Always always
Header onsuccess append X-List one
Header append X-List two
Header merge X-List one
Header add X-Add a
Header add X-Add b
Header setifempty X-All never
Header setifempty X-Empty first
Header set X-Env "%{fromenv}e" env=fromenv
Header set X-NoEnv yes env=!fromenv
Header set X-Expr yes "expr=%{REQUEST_METHOD} == 'HEAD'"
Header set X-Value "expr=%{REQUEST_URI} by %{req:X-Env}"
Header set X-Percent "100%% %{missing}e"
Header edit X-All "a(l+)" "$1-$0-&"
Header edit* X-List "o" "0"
Header echo ^X-Echo
Header unset X-Add env=fromenv
Header always unset X-Always "expr=%{QUERY_STRING} =~ /unset/"
RequestHeader set X-Env2 here
RequestHeader unset X-Gone
RequestHeader edit X-Edit b c
ErrorDocument 404 "plain <text> of %{REQUEST_URI}"
ErrorDocument 403 /sub/other.html
ErrorDocument 410 http://other.example/gone
<Location /sub>
Header unset X-All
Header set X-Sub sub
</Location>
<Location /shut>
Require all denied
</Location>
<Location /default>
ErrorDocument 404 default
ServerSignature On
</Location>
<Location /email>
ErrorDocument 404 default
ServerSignature EMail
</Location>
<Location /nodoc>
ErrorDocument 404 /none/at/all
</Location>
<Location /gone>
Redirect gone
</Location>
<If "%{HTTP_USER_AGENT} == 'blocked'">
Require all denied
</If>
<ElseIf "req('X-Kind') =~ /^(el)se/">
Header set X-If elseif
</ElseIf>
<Else>
Header set X-If else
<If "%{QUERY_STRING} == 'inner'">
Header set X-If inner
</If>
</Else>
<If "-f %{REQUEST_FILENAME} && %{REQUEST_URI} =~ /a.txt/">
Header set X-File yes
</If>
<Location /located>
<If "%{REQUEST_URI} == '/located/x' || -n req('X-Located')">
Redirect 302 http://other.example/located
</If>
</Location>
<Directory HOME/docs/m1>
<If "req('X-Secret') != 'open'">
Require all denied
</If>
<Files x.txt>
<If "req('X-Secret') == 'open'">
Header set X-Files open
</If>
</Files>
</Directory>
`

var serverLine = regexp.MustCompile(`(?:Apache|wshttpd)[^ <]*( \([A-Za-z]+\))? Server at`)

// TestParityOfAnswers asks httpd and this server for what Header, ErrorDocument
// and If make of answers.
func TestParityOfAnswers(t *testing.T) {
	home := parityFiles(t)
	conf := answersConf
	if err := os.WriteFile(filepath.Join(home, "docs/sub/other.html"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	load := ""
	for _, m := range []string{"alias", "headers", "setenvif", "authz_host"} {
		load += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
	}
	ours := serveIn(t, home, load+strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	theirs := &live{addr: startApache(t, home, load+conf)}
	for _, target := range []string{
		"/a.txt", "/", "/sub/other.html", "/sub", "/sub/", "/missing", "/mis<sing>", "/shut", "/default/x", "/email/x", "/nodoc/x", "/gone", "/a.txt?inner", "/a.txt?unset", "/missing?unset",
		"/located/x", "/located/y", "/m1/x.txt", "/m2/x.txt", "/empty/",
	} {
		for _, field := range []string{"", "X-Env: value", "X-Echo-This: a\r\nx-echo: b", "User-Agent: blocked", "X-Kind: else", "X-Located: 1", "X-Secret: open", "If-Modified-Since: Wed, 25 Nov 2099 00:00:00 GMT", "Range: bytes=0-2"} {
			for _, method := range []string{"GET", "HEAD"} {
				request := method + " " + target + " HTTP/1.1\r\nHost: main.example\r\n"
				if field != "" {
					request += field + "\r\n"
				}
				got, want := ours.answered(t, method, request+"\r\n"), theirs.answered(t, method, request+"\r\n")
				if got != want {
					t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
				}
			}
		}
	}
}

// ownWords are those of error pages, which are each server's own.
var ownWords = regexp.MustCompile(`(?s)<!DOCTYPE.*?<h1>.*?</p>\n?`)

// answered returns what an answer says, without what is each server's own.
func (l *live) answered(t *testing.T, method, request string) string {
	t.Helper()
	p := l.dial(t)
	defer p.Close()
	r := p.send(request).receive(method)
	lines := strings.Split(strings.TrimSpace(r.head), "\r\n")
	status, rest := lines[0], lines[1:]
	rest = slices.DeleteFunc(rest, func(line string) bool {
		name, _, _ := strings.Cut(strings.ToLower(line), ":")
		return slices.Contains([]string{"date", "server", "keep-alive", "connection", "content-length", "accept-ranges", "etag", "last-modified"}, name) ||
			name == "content-type" && r.status >= 300
	})
	slices.Sort(rest)
	body := serverLine.ReplaceAllString(ownWords.ReplaceAllString(r.body, "PAGE\n"), "SERVER Server at")
	return status + "\n" + strings.Join(rest, "\n") + "\n" + body
}

// TestChangedHeaderIsOfOneRequest: what RequestHeader has made of a request is
// not seen by the next one, whether that comes on the same connection or behind
// a plugin that has ended the goroutine.
func TestChangedHeaderIsOfOneRequest(t *testing.T) {
	seen := make(chan string, 10)
	l := serve(t, "LoadModule headers_module x\n<Location /exit>\nSetHandler websocket-handler\nWebSocketHandler none.so exit\nRequestHeader set X-Mark first\n</Location>\n"+
		"<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n<Location /marked>\nRequestHeader set X-Mark marked\n</Location>\n",
		map[string]wsplugin.Plugin{
			"exit":   &scripted{connect: func(wsplugin.Conn) bool { runtime.Goexit(); return false }},
			"plugin": &scripted{connect: func(c wsplugin.Conn) bool { seen <- c.Header("X-Mark"); return true }},
		})
	for range 5 {
		if r := l.ask(t, "GET", "/exit", strings.Split(strings.TrimSpace(upgradeFields), "\r\n")...); r.status != 500 {
			t.Fatalf("answered %d", r.status)
		}
		l.upgrade(t, "/ws")
		if got := <-seen; got != "" {
			t.Fatalf("a handshake sees X-Mark: %s, of another's", got)
		}
	}
	p := l.dial(t).send("GET /marked HTTP/1.1\r\nHost: x\r\n\r\n")
	p.receive("GET")
	p.send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n").expect(accepted)
	if got := <-seen; got != "" {
		t.Errorf("behind another request, a handshake sees X-Mark: %s", got)
	}
}
