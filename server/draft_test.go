package server

import (
	"bufio"
	"context"
	"crypto/md5"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// The example of hixie-76, section 1.2.
const (
	draftHead = "Upgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\nOrigin: http://example.com\r\n" +
		"Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"
	draftKey3   = "^n:ds[4U"
	draftAnswer = "8jKS'y:G*Co,Wxa-"
	draftReply  = "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Location: ws://example.com/ws\r\nSec-WebSocket-Origin: http://example.com\r\n"
	draft75Head  = "Upgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\nOrigin: http://example.com\r\n"
	draft75Reply = "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
		"WebSocket-Location: ws://example.com/ws\r\nWebSocket-Origin: http://example.com\r\n"
)

func dialDraft76(l *live, t *testing.T) *peer {
	t.Helper()
	return l.dial(t).send("GET /ws HTTP/1.1\r\n" + draftHead + "\r\n" + draftKey3).expect(draftReply + "\r\n" + draftAnswer)
}

func TestDraft76OwnExample(t *testing.T) {
	p := &scripted{}
	l := one(t, p)
	if got := dialDraft76(l, t).send("\x00hello\xff" + "\xff\x00").rest(); got != "\x00hello\xff\xff\x00" {
		t.Errorf("got %q", got)
	}
	p.waitEnded(t, 1)
}

// TestDraft76Key3InPieces: wherever the bytes are cut, also with frames behind
// them.
func TestDraft76Key3InPieces(t *testing.T) {
	l := one(t, &scripted{})
	whole := "GET /ws HTTP/1.1\r\n" + draftHead + "\r\n" + draftKey3 + "\x00a\xff"
	for cut := len(whole) - 14; cut < len(whole); cut++ {
		c := l.dial(t).send(whole[:cut])
		time.Sleep(5 * time.Millisecond)
		c.send(whole[cut:]).expect(draftReply + "\r\n" + draftAnswer + "\x00a\xff")
		c.Close()
	}
	c := l.dial(t).send("GET /ws HTTP/1.1\r\n" + draftHead + "\r\n")
	for _, b := range []byte(draftKey3) {
		time.Sleep(5 * time.Millisecond)
		c.send(string(b))
	}
	c.expect(draftReply + "\r\n" + draftAnswer)
}

func TestDraft76Key3AsADeclaredBody(t *testing.T) {
	l := one(t, &scripted{})
	l.dial(t).send("GET /ws HTTP/1.1\r\n" + draftHead + "Content-Length: 8\r\n\r\n" + draftKey3 + "\x00a\xff").
		expect(draftReply + "\r\n" + draftAnswer + "\x00a\xff")
}

func TestDraft76ProtocolAndHeaders(t *testing.T) {
	p := &scripted{connect: func(c wsplugin.Conn) bool {
		c.SetHeader("X-Set", "1")
		return len(c.Protocols()) == 2
	}}
	one(t, p).dial(t).send("GET /ws HTTP/1.1\r\n" + draftHead + "Sec-WebSocket-Protocol: one  two\r\n\r\n" + draftKey3).
		expect(draftReply + "Sec-WebSocket-Protocol: one\r\nX-Set: 1\r\n\r\n" + draftAnswer)
}

func TestDraft76Refusals(t *testing.T) {
	p := &scripted{connect: func(c wsplugin.Conn) bool {
		if strings.Contains(c.URI(), "panic") {
			panic("connect has a bug")
		}
		return !strings.Contains(c.URI(), "decline")
	}}
	l := one(t, p, "WebSocketOriginCheck Same")
	head := func(old, new string) string { return strings.Replace(draftHead, old, new, 1) }
	tests := []struct {
		name, path, head string
		status           int
	}{
		{"no space in a key", "/ws", head("12998 5 Y3 1  .P00", "12998"), 400},
		{"a remainder", "/ws", head("46546xW%0l 1 5", "46546xW%0l 1 6"), 400},
		{"a number above 32 bits", "/ws", head("46546xW%0l 1 5", "46546xW%0l 1 9999999"), 400},
		{"two lines of a key", "/ws", draftHead + "Sec-WebSocket-Key1: 1 1\r\n", 400},
		{"a body that is no key", "/ws", draftHead + "Content-Length: 9\r\n", 400},
		{"a bad byte in the protocol", "/ws", draftHead + "Sec-WebSocket-Protocol: \xe4\r\n", 400},
		{"a wrong origin", "/ws", head("http://example.com", "http://example.org"), 403},
		{"a plugin that declines", "/ws/decline", draftHead, 403},
		{"a plugin that panics", "/ws/panic", draftHead, 500},
		{"a list in Connection", "/ws", head("Connection: Upgrade", "Connection: keep-alive, Upgrade"), 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := l.dial(t).send("GET " + tt.path + " HTTP/1.1\r\n" + tt.head + "\r\n" + draftKey3)
			r := c.receive("GET")
			if r.status != tt.status || r.header["connection"] != "close" || r.header["date"] == "" || r.header["server"] == "" {
				t.Errorf("answered\n%s%s\nwant %d", r.head, r.body, tt.status)
			}
			if rest := c.rest(); rest != "" {
				t.Errorf("behind it came %q", rest)
			}
		})
	}
	p.waitEnded(t, 0)
}

func TestDraft76EndsBeforeItsKey(t *testing.T) {
	c := one(t, &scripted{}).dial(t).send("GET /ws HTTP/1.1\r\n" + draftHead + "\r\nabc")
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("answered %q", rest)
	}
}

// TestDraft76Frames is websocket-behaviour.md, 3.6 to 3.8, and the bugs of the
// original that must not be there.
func TestDraft76Frames(t *testing.T) {
	tests := []struct{ name, send, want string }{
		{"text of another type comes back as it", "\x05x\xff\xff\x00", "\x05x\xff\xff\x00"},
		{"binary is read and thrown away", "\x80\x03abc\x00x\xff\xff\x00", "\x00x\xff\xff\x00"},
		{"an empty text", "\x00\xff\xff\x00", "\x00\xff\xff\x00"},
		{"bytes behind the closing frame", "\xff\x00\x00late\xff" + strings.Repeat("\x00", 1000), "\xff\x00"},
		{"a length that overflows", "\x80" + strings.Repeat("\xff", 20), "\xff\x00"},
		{"zeros in front of a length", "\x80" + strings.Repeat("\x80", 100) + "\x01a\x00x\xff\xff\x00", "\x00x\xff\xff\x00"},
		{"a text without end", "\x00" + strings.Repeat("x", 2000), "\xff\x00"},
	}
	p := &scripted{}
	l := one(t, p, "MaxMessageSize 1000")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := dialDraft76(l, t).send(tt.send).rest(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	p.waitEnded(t, len(tests))
}

func TestDraft76Sends(t *testing.T) {
	var returned []int
	p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) {
		for _, s := range []struct {
			t wsplugin.MessageType
			p string
		}{{wsplugin.Text, "abc"}, {wsplugin.Text, "a\xffb"}, {wsplugin.Binary, "bin"}, {200, "x"}, {wsplugin.Ping, "x"}, {wsplugin.Pong, "x"}, {999, "x"}, {-1, "x"}} {
			returned = append(returned, c.Send(s.t, []byte(s.p)))
		}
		c.Send(wsplugin.Close, []byte("\x03\xe8"))
		returned = append(returned, c.Send(wsplugin.Text, []byte("late")))
	}}
	l := one(t, p)
	if got, want := dialDraft76(l, t).send("\x00go\xff").rest(), "\x00abc\xff\x80\x03bin\xc8\x01x\xff\x00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.waitEnded(t, 1)
	for i, want := range []int{3, 0, 3, 1, 0, 0, 0, 0, 0} {
		if returned[i] != want {
			t.Errorf("send %d returned %d, want %d", i, returned[i], want)
		}
	}
}

// TestDraftClosedByThePluginFromOutside: the session is told at once, although
// the client of that time answers nothing.
func TestDraftClosedByThePluginFromOutside(t *testing.T) {
	conns := make(chan wsplugin.Conn, 1)
	p := &scripted{connect: func(c wsplugin.Conn) bool { conns <- c; return true }}
	l := one(t, p)
	c := dialDraft76(l, t)
	begin := time.Now()
	(<-conns).Close()
	p.waitEnded(t, 1)
	if d := time.Since(begin); d > time.Second {
		t.Errorf("Disconnect came after %v", d)
	}
	if rest := c.rest(); rest != "\xff\x00" {
		t.Errorf("got %q", rest)
	}
}

func TestDraftsAtShutdown(t *testing.T) {
	p := &scripted{}
	l := one(t, p, "SupportDraft75 On")
	a := dialDraft76(l, t)
	b := l.dial(t).send("GET /ws HTTP/1.1\r\n" + draft75Head + "\r\n").expect(draft75Reply + "\r\n")
	go l.Shutdown(context.Background())
	if rest := a.rest(); rest != "\xff\x00" {
		t.Errorf("draft-76 gets %q", rest)
	}
	if rest := b.rest(); rest != "" {
		t.Errorf("draft-75 gets %q, which has no closing handshake", rest)
	}
	p.waitEnded(t, 2)
}

func TestDraft75(t *testing.T) {
	p := &scripted{}
	l := one(t, p, "SupportDraft75 On")
	c := l.dial(t).send("GET /ws HTTP/1.1\r\n" + draft75Head + "WebSocket-Protocol: one two\r\nSec-WebSocket-Protocol: no\r\n\r\n\x00early\xff")
	c.expect(draft75Reply + "WebSocket-Protocol: one\r\n\r\n\x00early\xff")
	c.send("\xff\x00\x00more\xff").expect("\x00more\xff") // an empty frame like any other
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("at the end came %q", rest)
	}
	p.waitEnded(t, 1)
}

func TestDraftLocation(t *testing.T) {
	sum := md5.Sum([]byte("\x31\x6e\x41\x13\x0f\x7e\xd6\x3c" + draftKey3))
	for _, tt := range []struct{ target, host, location string }{
		{"/ws/a%20b?x=1", "Example.COM:80", "ws://Example.COM:80/ws/a%20b?x=1"},
		{"http://other.example/ws?x", "example.com", "ws://other.example/ws?x"},
	} {
		head := strings.Replace(draftHead, "Host: example.com", "Host: "+tt.host, 1)
		one(t, &scripted{}).dial(t).send("GET " + tt.target + " HTTP/1.1\r\n" + head + "\r\n" + draftKey3).
			expect("HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Location: " +
				tt.location + "\r\nSec-WebSocket-Origin: http://example.com\r\n\r\n" + string(sum[:]))
	}
}

// TestWhichModuleAnswers is the table of websocket-behaviour.md, section 4:
// what is loaded, and what SupportDraft75 says in the last of two sections.
func TestWhichModuleAnswers(t *testing.T) {
	const (
		rfc     = "LoadModule websocket_module x\n"
		draft   = "LoadModule websocket_draft76_module y\n"
		both    = rfc + draft
		handler = "SetHandler websocket-handler\nWebSocketHandler none.so plugin\n"
		block   = "<Location /ws>\n" + handler + "</Location>\n"
		with75  = "<Location /ws>\n" + handler + "SupportDraft75 On\n</Location>\n"
		only75  = "<Location /ws>\nSupportDraft75 On\n</Location>\n"
	)
	tests := []struct {
		name, conf    string
		v13, d76, d75 int
	}{
		{"mod_websocket alone", rfc + block, 101, 400, 400},
		{"mod_websocket_draft76 alone", draft + block, 400, 101, 400},
		{"mod_websocket_draft76 alone, SupportDraft75", draft + with75, 400, 101, 101},
		{"both, one block", both + block, 101, 101, 400},
		{"both, in the other order", draft + rfc + with75, 101, 101, 101},
		{"both, SupportDraft75 in the only block", both + with75, 101, 101, 101},
		{"both, SupportDraft75 in the first of two", both + with75 + block, 101, 101, 400},
		{"both, SupportDraft75 in the second of two", both + block + with75, 101, 101, 101},
		{"both, SupportDraft75 in both of two", both + with75 + with75, 101, 101, 101},
		{"both, SupportDraft75 alone in the second", both + block + only75, 101, 500, 500},
		{"both, a limit alone in the second", both + block + "<Location /ws>\nMaxMessageSize 5\n</Location>\n", 500, 101, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := serveAs(t, t.TempDir(), tt.conf, map[string]wsplugin.Plugin{"plugin": &scripted{}})
			status := func(head string) int {
				c := l.dial(t)
				defer c.Close()
				return c.send(head).receive("GET").status
			}
			v13 := status("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n")
			d76 := status("GET /ws HTTP/1.1\r\n" + draftHead + "\r\n" + draftKey3)
			d75 := status("GET /ws HTTP/1.1\r\n" + draft75Head + "\r\n")
			if v13 != tt.v13 || d76 != tt.d76 || d75 != tt.d75 {
				t.Errorf("version 13 %d, draft-76 %d, draft-75 %d; want %d, %d, %d", v13, d76, d75, tt.v13, tt.d76, tt.d75)
			}
		})
	}
}

// TestBrokenRequestsAreNotDraft75: what a newer version would have meant is
// refused, also where draft-75 is spoken.
func TestBrokenRequestsAreNotDraft75(t *testing.T) {
	l := one(t, &scripted{}, "SupportDraft75 On")
	for name, fields := range map[string]string{
		"version 9":            "Sec-WebSocket-Version: 9\r\n",
		"version 13, no key":   "Sec-WebSocket-Version: 13\r\n",
		"a key, no version":    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"Key1 alone":           "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n",
		"a body":               "Content-Length: 3\r\n",
		"Connection of a list": "Connection: keep-alive\r\n",
	} {
		if r := l.dial(t).send("GET /ws HTTP/1.1\r\n" + draft75Head + fields + "\r\n").receive("GET"); r.status != 400 {
			t.Errorf("%s is answered\n%s", name, r.head)
		}
	}
	for _, request := range []string{"HEAD /ws HTTP/1.1\r\n", "POST /ws HTTP/1.1\r\n", "GET /ws HTTP/1.0\r\n"} {
		for _, head := range []string{draft75Head, draftHead} {
			if r := l.dial(t).send(request + head + "\r\n").receive("HEAD"); r.status != 400 {
				t.Errorf("%q is answered\n%s", request, r.head)
			}
		}
	}
}

// TestDraft76AtEOF: a client that just ends gets the closing handshake, and
// nothing else.
func TestDraft76AtEOF(t *testing.T) {
	p := &scripted{}
	l := one(t, p)
	for _, sent := range []string{"", "\x00a\xff", "\x00unfinished", "\x80"} {
		c := dialDraft76(l, t).send(sent)
		if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		want := "\xff\x00"
		if sent == "\x00a\xff" {
			want = sent + want
		}
		if rest := c.rest(); rest != want {
			t.Errorf("after %q and EOF came %q, want %q", sent, rest, want)
		}
	}
	p.waitEnded(t, 4)
}

// TestDraft76Key3ThatDoesNotCome: 408 when the header's time is over.
func TestDraft76Key3ThatDoesNotCome(t *testing.T) {
	p := &scripted{}
	l := one(t, p)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	nc := newNetConn(accepted.(*net.TCPConn), l.open, &httpdconf.Host{Timeout: time.Second, Limits: l.cfg.Main.Limits})
	nc.enter(phaseBody)
	nc.headerEnd = time.Now().Add(50 * time.Millisecond)
	ended := make(chan struct{})
	go func() {
		l.takeoverDraft76(nc, nc, &opening{})
		close(ended)
	}()
	c := &peer{t, client, bufio.NewReader(client)}
	if r := c.send("abc").receive("GET"); r.status != 408 || r.header["connection"] != "close" {
		t.Errorf("answered\n%s", r.head)
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("behind it came %q", rest)
	}
	client.Close()
	<-ended
}
