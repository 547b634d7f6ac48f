package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestRefusals is the table of websocket-behaviour.md, 1.3, at the socket.
func TestRefusals(t *testing.T) {
	l := one(t, &scripted{})
	const (
		up      = "Upgrade: websocket"
		conn    = "Connection: Upgrade"
		version = "Sec-WebSocket-Version: 13"
		key     = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	)
	tests := []struct {
		name   string
		method string
		fields []string
		status int
		list   bool
	}{
		{"good", "GET", []string{up, conn, version, key}, 101, false},
		{"names and values in any case", "GET", []string{"UPGRADE: WebSocket", "connection: keep-alive, uPGRADE", "sec-websocket-version: 13", "SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ=="}, 101, false},
		{"Connection over two lines", "GET", []string{up, "Connection: keep-alive", conn, version, key}, 101, false},
		{"no upgrade: an ordinary request", "GET", []string{conn, version, key}, 404, false},
		{"another protocol", "GET", []string{"Upgrade: h2c", conn, version, key}, 404, false},
		{"a list in Upgrade", "GET", []string{"Upgrade: websocket, h2c", conn, version, key}, 404, false},
		{"no Connection", "GET", []string{up, version, key}, 404, false},
		{"HEAD", "HEAD", []string{up, conn, version, key}, 400, false},
		{"POST", "POST", []string{up, conn, version, key}, 400, false},
		{"PUT", "PUT", []string{up, conn, version, key}, 400, false},
		{"a body", "GET", []string{up, conn, version, key, "Content-Length: 5"}, 400, false},
		{"a chunked body", "GET", []string{up, conn, version, key, "Transfer-Encoding: chunked"}, 400, false},
		{"length 0 is no body", "GET", []string{up, conn, version, key, "Content-Length: 0"}, 101, false},
		{"no version", "GET", []string{up, conn, key}, 400, true},
		{"version 9", "GET", []string{up, conn, "Sec-WebSocket-Version: 9", key}, 400, true},
		{"version 013", "GET", []string{up, conn, "Sec-WebSocket-Version: 013", key}, 400, true},
		{"two versions", "GET", []string{up, conn, version, version, key}, 400, true},
		{"no key", "GET", []string{up, conn, version}, 400, false},
		{"a short key", "GET", []string{up, conn, version, "Sec-WebSocket-Key: abcd"}, 400, false},
		{"two keys", "GET", []string{up, conn, version, key, key}, 400, false},
		{"a bad subprotocol", "GET", []string{up, conn, version, key, "Sec-WebSocket-Protocol: a/b"}, 400, false},
		{"an empty subprotocol list", "GET", []string{up, conn, version, key, "Sec-WebSocket-Protocol: ,"}, 400, false},
		{"HEAD without a version", "HEAD", []string{up, conn, key}, 400, true},
		{"Key1 without Key2", "GET", []string{up, conn, "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5"}, 400, true},
		{"draft-75 while it is not supported", "GET", []string{"Upgrade: WebSocket", conn}, 400, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := l.ask(t, tt.method, "/ws", tt.fields...)
			if r.status != tt.status {
				t.Fatalf("answered\n%s%s\nwant %d", r.head, r.body, tt.status)
			}
			if list := r.header["sec-websocket-version"]; (list == "13, 8, 7") != tt.list || !tt.list && list != "" {
				t.Errorf("Sec-WebSocket-Version is %q", list)
			}
			if tt.status == 400 && (r.header["connection"] != "close" || r.header["date"] == "" || tt.method != "HEAD" && !strings.Contains(r.body, "<p>")) {
				t.Errorf("a refusal reads\n%s%s", r.head, r.body)
			}
			if tt.status != 101 && (r.header["upgrade"] != "" || r.header["sec-websocket-accept"] != "") {
				t.Errorf("a refusal has headers of an upgrade:\n%s", r.head)
			}
		})
	}
}

// TestUpgradeWithABodyIsNotWaitedFor: the refusal comes before the body, and
// nothing that follows is taken for a request.
func TestUpgradeWithABodyIsNotWaitedFor(t *testing.T) {
	l := one(t, &scripted{})
	p := l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "Content-Length: 1000\r\n\r\n")
	if r := p.receive("GET"); r.status != 400 {
		t.Fatalf("answered\n%s", r.head)
	}
	p.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if rest := p.rest(); rest != "" {
		t.Errorf("a second answer: %q", rest)
	}
}

func TestUpgradeInHTTP10(t *testing.T) {
	l := one(t, &scripted{})
	p := l.dial(t).send("GET /ws HTTP/1.0\r\nHost: x\r\n" + upgradeFields + "\r\n")
	if r := p.receive("GET"); r.status != 400 {
		t.Errorf("answered\n%s", r.head)
	}
}

// TestFramesInTheHandshakePacket: none is lost, wherever the packet is cut.
func TestFramesInTheHandshakePacket(t *testing.T) {
	l := one(t, &scripted{})
	whole := "GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n" + strings.Repeat(frame(0x81, "hello"), 30)
	want := accepted + "\r\n" + strings.Repeat("\x81\x05hello", 30)
	for cut := 1; cut < len(whole); cut += 23 {
		p := l.dial(t).send(whole[:cut])
		time.Sleep(time.Millisecond)
		p.send(whole[cut:]).expect(want)
		p.Close()
	}
}

func TestWhatThePluginSaysInConnect(t *testing.T) {
	var seen []string
	p := &scripted{connect: func(c wsplugin.Conn) bool {
		seen = append(seen, fmt.Sprint(c.Protocols()), c.Header("x-multi"), c.Header("Absent"), c.URI())
		c.SetHeader("X-One", "1")
		c.SetHeader("X-Two", "2")
		c.SetHeader("x-one", "3")
		c.SetHeader("Upgrade", "h2c")
		c.SetHeader("X-Bad", "a\r\nX-Injected: 1")
		c.SetHeader("Bad Name", "1")
		c.SetHeader("Sec-WebSocket-Accept", "forged")
		c.SetProtocol("two")
		return c.Send(wsplugin.Text, []byte("early")) == 5
	}}
	l := one(t, p)
	c := l.dial(t).send("GET /ws/a%20b?q=1 HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "X-Multi: a\r\nx-multi: b\r\nSec-WebSocket-Protocol: one, two\r\n\r\n")
	c.expect(accepted + "Sec-WebSocket-Protocol: two\r\nX-One: 3\r\nX-Two: 2\r\n\r\n\x81\x05early").send(frame(0x88, ""))
	p.waitEnded(t, 1)
	if got, want := strings.Join(seen, "|"), "[one two]|a, b||/ws/a%20b?q=1"; got != want {
		t.Errorf("the plugin saw %q, want %q", got, want)
	}
	l.logged(t, "the field belongs to the handshake")
	l.logged(t, "control byte")
}

func TestSubprotocolWithoutAChoiceIsTheFirst(t *testing.T) {
	c := one(t, &scripted{}).dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "Sec-WebSocket-Protocol: , one,two\r\n\r\n")
	c.expect(accepted + "Sec-WebSocket-Protocol: one\r\n\r\n")
}

func TestSubprotocolThatIsNoToken(t *testing.T) {
	l := one(t, &scripted{connect: func(c wsplugin.Conn) bool { c.SetProtocol("a b"); return true }})
	l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "Sec-WebSocket-Protocol: one\r\n\r\n").expect(accepted + "\r\n")
	l.logged(t, "cannot stand in the header")
}

func TestDeclinedWithoutABody(t *testing.T) {
	p := &scripted{connect: func(c wsplugin.Conn) bool {
		c.SetHeader("X-Dropped", "1")
		c.Send(wsplugin.Text, []byte("dropped"))
		return false
	}}
	l := one(t, p)
	c := l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n")
	r := c.receive("GET")
	if r.status != 403 || r.header["content-length"] != "0" || r.header["x-dropped"] != "" || r.header["connection"] != "close" || r.header["content-type"] != "" {
		t.Errorf("answered\n%s", r.head)
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("behind it came %q", rest)
	}
	p.waitEnded(t, 0)
}

func TestHandlerWithoutPlugin(t *testing.T) {
	l := serve(t, "<Location /ws>\nSetHandler websocket-handler\n</Location>\n", nil)
	r := l.ask(t, "GET", "/ws", strings.Split(strings.TrimSpace(upgradeFields), "\r\n")...)
	if r.status != 500 {
		t.Errorf("answered\n%s", r.head)
	}
	l.logged(t, "no WebSocket plugin is assigned for location /ws (did you forget to define a WebSocketHandler?)")
	if r := l.ask(t, "GET", "/ws"); r.status != 404 {
		t.Errorf("a plain GET is answered\n%s", r.head)
	}
}

func TestOriginAtTheSocket(t *testing.T) {
	l := one(t, &scripted{}, "WebSocketOriginCheck Same")
	ask := func(fields ...string) int {
		return l.ask(t, "GET", "/ws", append(strings.Split(strings.TrimSpace(upgradeFields), "\r\n"), fields...)...).status
	}
	for origin, want := range map[string]int{
		"": 101, "Origin: http://x.example": 101, "Origin: HTTP://X.EXAMPLE:80": 101, "Origin: http://x.example.": 101,
		"Origin: https://x.example": 403, "Origin: http://y.example": 403, "Origin: http://x.example:81": 403, "Origin: null": 403,
		"Origin: http://x.example/": 403, "Origin:": 403, "Sec-WebSocket-Origin: http://y.example": 101,
	} {
		fields := []string{origin}
		if origin == "" {
			fields = nil
		}
		if got := ask(fields...); got != want {
			t.Errorf("%q is answered %d, want %d", origin, got, want)
		}
	}
	if got := ask("Origin: http://x.example", "Origin: http://x.example"); got != 403 {
		t.Errorf("two Origin lines are answered %d", got)
	}
	old := strings.Replace(upgradeFields, "Version: 13", "Version: 8", 1)
	r := l.ask(t, "GET", "/ws", append(strings.Split(strings.TrimSpace(old), "\r\n"), "Sec-WebSocket-Origin: http://y.example")...)
	if r.status != 403 {
		t.Errorf("version 8 with a bad Sec-WebSocket-Origin is answered %d", r.status)
	}
}

func TestRequireOfTheDirectoryCoversWebSockets(t *testing.T) {
	plugins := map[string]wsplugin.Plugin{"plugin": &scripted{}}
	const conf = "<Directory />\nRequire all denied\n</Directory>\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n%s</Location>\n"
	fields := strings.Split(strings.TrimSpace(upgradeFields), "\r\n")
	l := serve(t, fmt.Sprintf(conf, ""), plugins)
	if r := l.ask(t, "GET", "/ws", fields...); r.status != 403 {
		t.Errorf("below a denied folder the handshake is answered %d", r.status)
	}
	l.logged(t, "AH01630: client denied by server configuration: "+l.cfg.Main.DocumentRoot+"/ws")
	l = serve(t, fmt.Sprintf(conf, "Require all granted\n"), plugins)
	if r := l.ask(t, "GET", "/ws", fields...); r.status != 101 {
		t.Errorf("with a Require of its own it is answered %d", r.status)
	}
}
