package server

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

const accessLogConf = `
ServerName main.example
DocumentRoot HOME/docs
DirectoryIndex index.html
TypesConfig HOME/mime.types
SetEnvIf Request_URI "^/sub" insub=yes !outside
SetEnvIf Request_URI "^/(a)\.txt" found=$1.x whole=$0
SetEnvIfNoCase X-Probe "^FOO(.*)" probe=$1
SetEnvIf ^X-P probe2 byname
SetEnvIfExpr "req('User-Agent') =~ /Bad(.)/ && %{REQUEST_METHOD} == 'GET'" byexpr=$1 !never
SetEnvIf insub yes again=1
SetEnvIf X-None "^$" NoNe
SetEnvIf Remote_Addr "^127\." near
SetEnvIf Request_Method HEAD headed=1
SetEnvIf Request_Protocol "1\.0" old
BrowserMatch "Bad(\d+)" bad=$1 !near
SetEnv always "a value"
SetEnv gone x
<Location /sub>
UnsetEnv gone
SetEnv here sub
SetEnvIf near 1 !near
</Location>
<Location /bad>
<RequireAll>
Require all granted
Require not env bad
</RequireAll>
</Location>
<Location /near>
Require env NEAR none2
</Location>
<Location /compat>
Order allow,deny
Allow from all
Deny from env=BAD
</Location>
LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "last %r"
TransferLog HOME/logs/transfer
CustomLog HOME/logs/combined combined
CustomLog HOME/logs/late late
LogFormat "%%x%a %{c}a %A %200,304B %{one}C %{two}C %{found}e %{whole}e %f %H %k %m %{X-Probe}i" late
CustomLog HOME/logs/env "%U %{insub}e %{again}e %{probe}e %{probe2}e %{byname}e %{none}e %{near}e %{headed}e %{old}e %{bad}e %{always}e %{gone}e %{here}e %{byexpr}e"
CustomLog HOME/logs/more "%p %{canonical}p %q %200R %s %<s %v %V %X %{Location}o %200{Content-Type}o %!200,304{User-Agent}i %404{Referer}i %200b %{x}n\ttab\\nline %^ti %{Accept}^ti"
CustomLog HOME/logs/bytes "%I %s"
CustomLog HOME/logs/only common env=InSub
CustomLog HOME/logs/not "%U" env=!insub
CustomLog HOME/logs/expr "%U" "expr=%{REQUEST_METHOD} == 'HEAD' || %{REQUEST_URI} =~ m#txt#"
CustomLog HOME/logs/times "%{%Y-%m}t %{begin:%H}t %{%d/%b/%Y:%H}t %T %{s}T"
CustomLog HOME/logs/doc "%U %<U %>U | %m %<m | %q %<q | %f %<f | %s %>s | %r %>r | %R %<R | %{always}e %{REDIRECT_STATUS}e | \"%<r\" %<s %<b \"\" %<s %<B | %<{always}e | %>{Content-Type}o %<{Content-Type}o %X %404U %!404{always}e %H %<H %{Referer}i %k %u %<u %^FB"
CustomLog HOME/logs/folded CoMbInEd
CustomLog HOME/logs/odd "%{x}p %{x}P %{x}T %{begin}t %{begin:}t %{%Y}t %{X}n %{Absent}C \x \\ \"q\" %>{User-Agent}i %200,206,!{Range}i"
GlobalLog HOME/logs/global "%v %U %p %{canonical}p" env=!insub
<Location /documented>
ErrorDocument 404 /sub/other.html
</Location>
<Location /nodocument>
ErrorDocument 404 /missing.too
</Location>
<VirtualHost *:*>
ServerName main.example
</VirtualHost>
<VirtualHost *:*>
ServerName other.example
Alias /al HOME/docs/a.txt
CustomLog HOME/logs/other combined
</VirtualHost>
<VirtualHost *:*>
ServerName third.example
</VirtualHost>
`

var logTime = regexp.MustCompile(`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [-+]\d{4}\]`)

// errorSize is the size of an error's body, whose words are each server's own.
var errorSize = regexp.MustCompile(`(" [345]\d\d) [1-9]\d+`)

// accessLogs reads what was logged, without what differs between two runs.
func accessLogs(t *testing.T, home string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "logs/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	all := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = errorSize.ReplaceAllString(strings.ReplaceAll(logTime.ReplaceAllString(string(text), "[TIME]"), home, "HOME"), "$1 SIZE")
	}
	return all
}

// TestParityOfAccessLogs has httpd and this server log the same requests.
func TestParityOfAccessLogs(t *testing.T) {
	requests := []string{}
	add := func(method, target string, fields ...string) {
		requests = append(requests, method+" "+target+" HTTP/1.1\r\nHost: main.example\r\n"+strings.Join(append(fields, ""), "\r\n")+"\r\n")
	}
	for _, target := range []string{"/", "/a.txt", "/a.txt?x=1&y=%20z", "/sub", "/sub/", "/sub/other.html", "/missing", "/sp%20ace.txt", "/a%22b", "/%c3%a9", "/bad", "/near", "/compat/"} {
		add("GET", target)
		add("HEAD", target, "User-Agent: probe")
		add("GET", target, "User-Agent: xBad42", "Referer: http://x/\"q\"", "Cookie: one=1; two = b", "X-Probe: foobar", "Accept: a/b", "Accept: c")
	}
	add("GET", "/a.txt", "X-Probe: \tprobe2\\ \xe9", "If-Modified-Since: Wed, 25 Nov 2099 00:00:00 GMT")
	add("GET", "/a.txt", "Range: bytes=2-4", "Connection: close")
	add("POST", "/missing")
	for _, method := range []string{"GET", "HEAD", "POST"} {
		add(method, "/documented?x=1", "Referer: r")
		add(method, "/nodocument", "Referer: r")
	}
	add("FOO", "/a.txt")
	requests = append(requests, "GET /a.txt HTTP/1.0\r\n\r\n", "GET /al HTTP/1.1\r\nHost: other.example:8080\r\n\r\n", "GET /a.txt?port HTTP/1.1\r\nHost: main.example:1234\r\n\r\n", "GET /a.txt HTTP/1.1\r\nHost: third.example\r\n\r\n",
		"GET http://other.example/al?q HTTP/1.1\r\nHost: x\r\n\r\n")
	logs := make([]map[string]string, 2)
	for i, start := range []func(t *testing.T, home, load string) *live{
		func(t *testing.T, home, load string) *live {
			return serveIn(t, home, load+strings.ReplaceAll(accessLogConf, "HOME", "ROOT"), nil)
		},
		func(t *testing.T, home, load string) *live {
			return &live{addr: startApache(t, home, load+accessLogConf)}
		},
	} {
		home := parityFiles(t)
		if err := os.Mkdir(filepath.Join(home, "logs"), 0o755); err != nil {
			t.Fatal(err)
		}
		load := ""
		for _, m := range append([]string{"alias"}, authModules...) {
			load += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
		}
		l := start(t, home, load)
		for _, request := range requests {
			method, _, _ := strings.Cut(request, " ")
			p := l.dial(t)
			p.send(request).receive(method)
			p.Close()
		}
		time.Sleep(time.Second) // for the last lines
		logs[i] = accessLogs(t, home)
	}
	for name, text := range logs[1] {
		got, want := strings.Split(logs[0][name], "\n"), strings.Split(text, "\n")
		slices.Sort(got) // httpd's threads log in any order
		slices.Sort(want)
		for i, line := range want {
			if i >= len(got) || got[i] != line {
				t.Errorf("%s, line %d is\n%q, by httpd\n%q", name, i+1, got[min(i, len(got)-1)], line)
			}
		}
	}
}

// TestWebSocketIsLoggedAtItsEnd: with the status of the handshake, and all
// bytes of both directions.
func TestWebSocketIsLoggedAtItsEnd(t *testing.T) {
	home := t.TempDir()
	l := serveIn(t, home, "CustomLog ROOT/access \"%r %s %b %I %O %S %X %k %{Sec-WebSocket-Version}i %{Upgrade}o %{connection}o %{Sec-WebSocket-Accept}o %{Content-Length}o\"\n"+
		"<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n", map[string]wsplugin.Plugin{"plugin": &scripted{}})
	p := l.upgrade(t, "/ws")
	read := func() string {
		text, err := os.ReadFile(filepath.Join(home, "access"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := read(); text != "" {
		t.Errorf("logged at its begin: %q", text)
	}
	p.send(frame(0x81, "hello")).send(frame(0x88, "\x03\xe8"))
	p.expect("\x81\x05hello\x88\x02\x03\xe8")
	p.Close()
	for begin := time.Now(); read() == "" && time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
	}
	in := len("GET /ws HTTP/1.1\r\nHost: x\r\n"+upgradeFields+"\r\n") + len(frame(0x81, "hello")) + len(frame(0x88, "\x03\xe8"))
	out := len(accepted+"\r\n") + 7 + 4
	want := fmt.Sprintf("GET /ws HTTP/1.1 101 - %d %d %d X 0 13 websocket Upgrade s3pPLMBiTxaQ9kYGzzhZRbK+xOo= -\n", in, out, in+out)
	if got := read(); got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
	if r := l.ask(t, "GET", "/ws", "Upgrade: websocket", "Connection: Upgrade"); r.status != 400 {
		t.Fatalf("answered %d", r.status)
	}
	for begin := time.Now(); strings.Count(read(), "\n") < 2 && time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
	}
	if got := read(); !strings.Contains(got, "\nGET /ws HTTP/1.1 400 ") {
		t.Errorf("a refusal is logged as %q", got)
	}
}

// TestWebSocketIsLoggedAtItsUpgradeToo, where the host says so.
func TestWebSocketIsLoggedAtItsUpgradeToo(t *testing.T) {
	for name, module := range map[string]string{"13": "", "draft-76": "LoadModule websocket_draft76_module y\n"} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			l := serveIn(t, home, module+"WebSocketLogUpgrade On\nCustomLog ROOT/access \"%U %>s %I %O\"\n"+
				"<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n", map[string]wsplugin.Plugin{"plugin": &scripted{}})
			asks, answer, closing := "GET /ws HTTP/1.1\r\nHost: x\r\n"+upgradeFields+"\r\n", accepted+"\r\n", frame(0x88, "\x03\xe8")
			if module != "" {
				asks, answer, closing = "GET /ws HTTP/1.1\r\n"+draftHead+"\r\n"+draftKey3, draftReply+"\r\n"+draftAnswer, "\xff\x00"
			}
			p := l.dial(t).send(asks).expect(answer)
			lines := func(n int) (text []byte) {
				for begin := time.Now(); bytes.Count(text, []byte("\n")) < n && time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
					text, _ = os.ReadFile(filepath.Join(home, "access")) // not there yet
				}
				return text
			}
			first := fmt.Sprintf("/ws 101 %d %d\n", len(asks), len(answer))
			if got := lines(1); string(got) != first {
				t.Fatalf("logged %q, want %q", got, first)
			}
			p.send(closing)
			end := p.rest()
			p.Close()
			want := first + fmt.Sprintf("/ws 101 %d %d\n", len(asks+closing), len(answer+end))
			if got := lines(2); string(got) != want {
				t.Errorf("logged %q, want %q", got, want)
			}
		})
	}
}

// TestRefusedDraftIsLogged: what comes of a handshake of draft-76 is settled
// after its request is gone.
func TestRefusedDraftIsLogged(t *testing.T) {
	home := t.TempDir()
	l := serveIn(t, home, "LoadModule websocket_draft76_module y\nCustomLog ROOT/access \"%U %>s %403{Host}i %I %O\"\n"+
		"<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n",
		map[string]wsplugin.Plugin{"plugin": &scripted{connect: func(wsplugin.Conn) bool { return false }}})
	head := "GET /ws HTTP/1.1\r\n" + draftHead + "\r\n"
	p := l.dial(t).send(head).send(draftKey3)
	answer := p.receive("GET")
	p.Close()
	var text []byte
	for begin := time.Now(); len(text) == 0 && time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
		text, _ = os.ReadFile(filepath.Join(home, "access"))
	}
	want := fmt.Sprintf("/ws 403 example.com %d %d\n", len(head+draftKey3), len(answer.head)+len(answer.body))
	if string(text) != want {
		t.Errorf("logged %q, want %q", text, want)
	}
}
