package server

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// minConfigurations is how many configurations are compared at least.
const minConfigurations = 200

// configurationFiles is what DOCS holds in each of them; a file's content is its
// name.
var configurationFiles = []string{
	"docs/index.html", "docs/other.html", "docs/a.txt", "docs/b.txt", "docs/c.html", "docs/ws", "docs/note.own", "docs/page.html.fr", "docs/x.tar.gz", "docs/x.own.txt", "docs/none",
	"docs/sub/index.html", "docs/sub/a.txt", "docs/sub/deep/a.txt", "docs/sub/deep/b.txt", "docs/sub/deep/er/a.txt", "docs/noindex/a.txt", "docs/noindex/welcome.html", "docs/empty/",
	"docs/private/a.txt", "docs/private/index.html", "docs/private/open/a.txt", "docs/chat/a.txt", "docs/chat/room", "docs/err/404.html", "docs/err/403.html", "docs/err/any.txt",
	"docs/link.txt -> a.txt", "docs/links/l.txt -> ../a.txt", "docs/links/d -> ../sub", "docs/links/broken -> nowhere", "docs/owned/l.txt -> ../a.txt", "docs/sp ace.txt", "docs/.hidden",
	"docs/.htsecret", "docs/sub/.htsecret", "second/index.html", "second/a.txt", "second/only.txt", "icons/i.png", "icons/sub/i.png", "icons/index.html",
	"docs/sub/other.html", "docs/m1/x.txt", "docs/m2/x.txt", "docs/m3/x.txt", "docs/named/x.txt", "docs/index403/index.html", "docs/ix/index.html", "docs/ix2/index.html", "docs/ix3/index.html",
	"docs/link -> a.txt", "docs/dangling -> nowhere", "docs/nolink/f.txt", "docs/owner/other.html", "docs/%41.txt",
}

// configurationHead stands in front of each of the files, for both servers.
const configurationHead = `ServerRoot /usr/lib/apache2
PidFile RUN/pid
ErrorLog RUN/error.log
Listen ADDRESS:8080
Listen ADDRESS:8081
ServerName main.example
TraceEnable off
Define HOME FILES
Define DOCS FILES/docs
Define ADDR ADDRESS
Define HERE FOLDER
DocumentRoot ${DOCS}
TypesConfig ${HOME}/mime.types
`

// configurationModules are loaded in front of each of the files.
var configurationModules = []string{
	"mpm_event", "authz_core", "authz_host", "authz_user", "authz_groupfile", "authn_core", "authn_file", "auth_basic", "access_compat", "alias", "dir", "mime", "headers", "env", "setenvif",
	"remoteip", "macro", "rewrite",
}

// question is one line of a file that is asked of both servers:
//
//	#? [:PORT] METHOD TARGET [| FIELD]...
//
// WS in the place of a method is a handshake: whoever is let in gets a WebSocket
// from wshttpd and a file from httpd, which has no mod_websocket here.
type question struct {
	line        string
	method      string
	text        string // the request
	port        string
	isHandshake bool
	departs     string // why the answers differ, from a line "#! REASON" above; empty where they must not
}

// questions takes them out of a configuration.
func questions(t *testing.T, conf string) (list []question) {
	t.Helper()
	departs := ""
	for line := range strings.Lines(conf) {
		line = strings.TrimSpace(line)
		if reason, is := strings.CutPrefix(line, "#! "); is {
			departs = reason
			continue
		}
		text, is := strings.CutPrefix(line, "#? ")
		if !is {
			continue
		}
		fields := strings.Split(text, " | ")
		port, first := "8080", fields[0]
		if rest, other := strings.CutPrefix(first, ":"); other {
			port, first, _ = strings.Cut(rest, " ")
		}
		method, target, ok := strings.Cut(first, " ")
		if !ok {
			t.Fatalf("no question: %s", line)
		}
		q := question{line: text, method: method, port: port, isHandshake: method == "WS", departs: departs}
		q.text = asked(&q, target, fields[1:])
		list, departs = append(list, q), ""
	}
	return list
}

// asked makes a request of a question. "user:password" in a field that begins
// with "as " stands for Basic authentication.
func asked(q *question, target string, fields []string) string {
	if q.isHandshake {
		q.method = "GET"
		fields = append(fields, strings.Split(strings.TrimSpace(upgradeFields), "\r\n")...)
	}
	version := " HTTP/1.1"
	if strings.Contains(target, " HTTP/") {
		version = ""
	}
	body := ""
	head, hasHost := q.method+" "+target+version+"\r\n", version == ""
	for _, f := range fields {
		if credentials, is := strings.CutPrefix(f, "as "); is {
			f = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
		}
		if length, is := strings.CutPrefix(f, "Content-Length: "); is {
			n, _ := strconv.Atoi(length) // what is no number has no body
			body = strings.Repeat("x", n)
		}
		hasHost = hasHost || strings.HasPrefix(f, "Host:")
		head += f + "\r\n"
	}
	if !hasHost {
		head += "Host: main.example\r\n"
	}
	return head + "\r\n" + body
}

// newAddress returns a loopback address that no other test has until this one
// ends, of whatever process: each configuration has its own, so that ports are
// fixed and the configurations run at once. Who has an address listens at a
// port of it that nobody else uses.
func newAddress(t *testing.T) string {
	t.Helper()
	const claim = ":8079"
	for range 1000 {
		address := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
		if l, err := net.Listen("tcp", address+claim); err == nil {
			t.Cleanup(func() { l.Close() })
			return address
		}
	}
	t.Fatal("no address is free")
	return ""
}

// TestDifferentialOfConfigurations serves each file of testdata/differential by
// httpd and by this server, and asks both what the file's questions say. No
// answer is written down anywhere: httpd gives them.
func TestDifferentialOfConfigurations(t *testing.T) {
	files, err := filepath.Glob("testdata/differential/*.conf")
	if err != nil || len(files) < minConfigurations {
		t.Fatalf("%d files, %v: want %d", len(files), err, minConfigurations)
	}
	home := configurationHome(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".conf"), func(t *testing.T) {
			t.Parallel()
			compareConfiguration(t, home, file)
		})
	}
}

// configurationHome makes the folder that all of them serve.
func configurationHome(t *testing.T) string {
	t.Helper()
	home := tree(t, configurationFiles...)
	password := func(user string) string {
		sum := sha1.Sum([]byte(user + "-secret"))
		return user + ":{SHA}" + base64.StdEncoding.EncodeToString(sum[:]) + "\n"
	}
	write(t, home, "users", password("alice")+password("bob")+password("carol"))
	write(t, home, "others", password("dave"))
	write(t, home, "map", "# a key and a value\n\nalpha\t/a.txt and more\nbeta  /b.txt\nalpha /c.html\n gamma /b.txt\ndelta\n#epsilon /b.txt\nzeta <a>|b\nkey%20 x\n"+"k\xc3\xa9y value\nlast /c.html")
	write(t, home, "alternatives", "one a|a\ntwo b\n")
	write(t, home, "groups", "staff: alice bob\nadmins: carol\n")
	write(t, home, "mime.types", "text/html html htm\ntext/plain txt\nimage/png png\napplication/x-tar tar\napplication/gzip gz tgz\n")
	old := time.Now().Add(-time.Hour) // an ETag of a young file is weak
	for _, name := range configurationFiles {
		if strings.Contains(name, " -> ") {
			continue
		}
		if err := os.Chtimes(filepath.Join(home, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Lchown(filepath.Join(home, "docs/owned/l.txt"), 65534, 65534); err != nil && !errors.Is(err, os.ErrPermission) {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	return home
}

// compareConfiguration asks both servers the questions of one file.
func compareConfiguration(t *testing.T, files, file string) {
	conf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list := questions(t, string(conf))
	if len(list) == 0 {
		t.Fatal("asks nothing")
	}
	theirs := apacheOf(t, files, file)
	ours := wshttpdOf(t, files, file)
	for _, q := range list {
		got, want := ours.answerTo(t, &q), theirs.answerTo(t, &q)
		switch {
		case q.departs != "" && got == want:
			t.Errorf("%s: no longer different: %s", q.line, q.departs)
		case q.departs == "" && got != want:
			t.Errorf("%s\nis answered\n%s\nhttpd answers\n%s", q.line, got, want)
		}
	}
}

// headed writes a configuration that begins with the common head and goes on
// with a file, and returns its name and that of its error log.
func headed(t *testing.T, files, address, file string, more ...string) (conf, log string) {
	t.Helper()
	run := t.TempDir()
	whole, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	head := strings.NewReplacer("RUN", run, "ADDRESS", address, "FILES", files, "FOLDER", filepath.Dir(whole)).Replace(configurationHead)
	write(t, run, "httpd.conf", head+loadLines(append(more, configurationModules...)...)+"Include "+whole+"\n")
	return filepath.Join(run, "httpd.conf"), filepath.Join(run, "error.log")
}

// apacheOf serves a file by httpd, in one process.
func apacheOf(t *testing.T, files, file string) *live {
	t.Helper()
	if _, err := os.Stat(apache); err != nil {
		t.Fatalf("%v: apt-get install apache2-bin", err)
	}
	address := newAddress(t)
	conf, log := headed(t, files, address, file)
	runApache(t, conf, log, address+":8080")
	return &live{addr: address, log: log}
}

// runApache serves a configuration by httpd, in one process, which listens at
// address among others.
func runApache(t *testing.T, conf, log, address string, more ...string) {
	t.Helper()
	args := append([]string{"-X", "-f", conf}, more...)
	if os.Getuid() == 0 {
		args = append(args, "-C", "User nobody", "-C", "Group nogroup")
	}
	cmd := exec.Command(apache, args...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // how it ends says nothing: it is told to
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended; one process, which keeps nothing
		<-ended
		if text, err := os.ReadFile(log); err == nil && t.Failed() {
			t.Logf("httpd's log:\n%s", text[max(0, len(text)-1500):])
		}
	})
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log) // it may not have come as far
			t.Fatalf("httpd does not start:\n%s%s", said.String(), text)
		default:
		}
	}
	t.Fatal("httpd does not listen")
}

// wshttpdOf serves a file by this server.
func wshttpdOf(t *testing.T, files, file string) *live {
	t.Helper()
	address := newAddress(t)
	conf, log := headed(t, files, address, file, "websocket")
	cfg, diags := httpdconf.Load(conf, httpdconf.Options{})
	if diags.HasErrors() {
		t.Fatalf("httpd serves it, wshttpd does not:\n%v", diags)
	}
	l := serveConfig(t, cfg, map[string]wsplugin.Plugin{"plugin": &scripted{}})
	l.addr, l.log = address, log
	return l
}

// errorPage takes an error page apart: its words are each server's own, but for
// those of a second error and the footer.
var errorPage = regexp.MustCompile(`(?s)^<!DOCTYPE.*?<h1>.*?(<p>Additionally.*?</p>\n)?(<hr>.*)?</body></html>\n$`)

// answerTo asks a question, and returns what the servers should agree in. A
// handshake that succeeds is as good as a file.
func (l *live) answerTo(t *testing.T, q *question) string {
	t.Helper()
	r := (&live{addr: l.addr + ":" + q.port}).dial(t).ask(q)
	if q.isHandshake && (r.status == 101 || r.status == 200) {
		return "let in"
	}
	body := errorPage.ReplaceAllString(r.body, "PAGE $1$2")
	status, rest, _ := strings.Cut(strings.TrimSpace(r.head), "\r\n")
	var fields []string
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if name, value = strings.ToLower(name), strings.TrimSpace(value); name == "allow" { // httpd's order changes
			methods := strings.Split(value, ",")
			slices.Sort(methods)
			value = strings.Join(methods, ",")
		}
		if !isOwnField(name, q, &r) {
			fields = append(fields, name+": "+value)
		}
	}
	slices.Sort(fields)
	body = serverLine.ReplaceAllString(body, "SERVER Server at")
	return strings.ReplaceAll(status+"\n"+strings.Join(fields, "\n")+"\n"+body, l.addr, "ADDR")
}

// isOwnField tells the fields of an answer in which the servers need not agree.
func isOwnField(name string, q *question, r *response) bool {
	switch name {
	case "date", "server", "expires", "transfer-encoding":
		return true
	case "content-length": // the body is compared itself
		return r.body != "" || r.status >= 300 && q.method == "HEAD"
	case "content-type": // httpd names the type of a file that it does not send
		return q.method == "OPTIONS"
	case "connection": // what follows a refused handshake may be frames
		return q.isHandshake
	}
	return false
}

// ask sends a question and ends the connection behind its answer.
func (p *peer) ask(q *question) response {
	p.t.Helper()
	defer p.Close()
	return p.send(q.text).receive(q.method)
}
