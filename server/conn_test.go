package server

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestClosing is websocket-behaviour.md, 2.5 to 2.7: what is sent, what comes
// back, and that the connection ends.
func TestClosing(t *testing.T) {
	tests := []struct{ name, send, want string }{
		{"empty close", frame(0x88, ""), "\x88\x02\x03\xe8"},
		{"code is echoed", frame(0x88, "\x03\xe9bye"), "\x88\x02\x03\xe9"},
		{"reserved code", frame(0x88, "\x03\xec"), "\x88\x02\x03\xea"},
		{"code that is never sent", frame(0x88, "\x03\xed"), "\x88\x02\x03\xea"},
		{"reason that is not UTF-8", frame(0x88, "\x03\xe8\xff"), "\x88\x02\x03\xef"},
		{"close with one byte", frame(0x88, "\x03"), "\x88\x02\x03\xea"},
		{"reserved bit", "\xc1", "\x88\x02\x03\xea"},
		{"unknown opcode", "\x83", "\x88\x02\x03\xea"},
		{"fragmented ping", "\x09", "\x88\x02\x03\xea"},
		{"not masked", "\x81\x05", "\x88\x02\x03\xea"},
		{"long ping", "\x89\xfe", "\x88\x02\x03\xea"},
		{"continuation of nothing", "\x80", "\x88\x02\x03\xea"},
		{"bad UTF-8", frame(0x81, "\xc0"), "\x88\x02\x03\xef"},
		{"too large", "\x82\xff\x00\x00\x00\x00\x02\x00\x00\x01", "\x88\x02\x03\xf1"},
		{"what was sent before is echoed", frame(0x81, "a") + frame(0x88, "\x03\xe8") + frame(0x81, "b"), "\x81\x01a\x88\x02\x03\xe8"},
		{"ping in between", frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b") + frame(0x88, ""), "\x8a\x01p\x81\x02ab\x88\x02\x03\xe8"},
		{"pongs are ignored", frame(0x8a, "x") + frame(0x88, ""), "\x88\x02\x03\xe8"},
	}
	p := &scripted{}
	l := one(t, p)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := l.upgrade(t, "/ws").send(tt.send).rest(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	p.waitEnded(t, len(tests))
}

func TestClientThatEndsItsHalf(t *testing.T) {
	p := &scripted{}
	c := one(t, p).upgrade(t, "/ws").send(frame(0x81, "a"))
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := c.rest(); got != "\x81\x01a\x88\x02\x03\xe8" {
		t.Errorf("got %q", got)
	}
	p.waitEnded(t, 1)
}

func TestClientThatResets(t *testing.T) {
	p := &scripted{}
	l := one(t, p)
	for range 20 {
		c := l.upgrade(t, "/ws").send(frame(0x81, "a") + "\x81")
		if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	p.waitEnded(t, 20)
}

// TestPluginCloses: the close frame goes out, nothing follows it, and the
// client's answer ends the connection.
func TestPluginCloses(t *testing.T) {
	type send struct {
		kind    wsplugin.MessageType
		payload string
	}
	tests := []struct {
		name string
		send *send // nil calls Close
		want string
	}{
		{"close function", nil, "\x88\x00"},
		{"close message", &send{wsplugin.Close, "\x03\xe8why"}, "\x88\x05\x03\xe8why"},
		{"close message without code", &send{wsplugin.Close, ""}, "\x88\x00"},
		{"close message of one byte", &send{wsplugin.Close, "x"}, "\x88\x00"},
		{"close message that is too long", &send{wsplugin.Close, "\x03\xe8" + strings.Repeat("x", 200)}, "\x88\x02\x03\xe8"},
		{"unknown type", &send{7, "\x03\xe8"}, "\x88\x02\x03\xe8"},
		{"invalid type", &send{-1, ""}, "\x88\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var late int
			p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) {
				if tt.send == nil {
					c.Close()
					c.Close()
				} else {
					c.Send(tt.send.kind, []byte(tt.send.payload))
				}
				late = c.Send(wsplugin.Text, []byte("late"))
			}}
			c := one(t, p).upgrade(t, "/ws").send(frame(0x81, "go")).expect(tt.want)
			c.send(frame(0x81, "thrown away") + frame(0x89, "ping") + frame(0x88, "\x03\xe8"))
			rest := c.rest()
			p.waitEnded(t, 1)
			if rest != "" || late != 0 {
				t.Errorf("behind the close frame came %q; a late send returned %d", rest, late)
			}
		})
	}
}

func TestPluginClosesAndTheClientIsSilent(t *testing.T) {
	p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) { c.Close() }}
	c := one(t, p).upgrade(t, "/ws").send(frame(0x81, "go"))
	begin := time.Now()
	if rest := c.rest(); rest != "\x88\x00" {
		t.Errorf("got %q", rest)
	}
	if d := time.Since(begin); d < 3*time.Second || d > 5*time.Second {
		t.Errorf("ended after %v, want at most 5 s, and time for an answer", d)
	}
	p.waitEnded(t, 1)
}

func TestWhatAPluginMaySend(t *testing.T) {
	var returned []int
	p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) {
		for _, s := range []struct {
			t wsplugin.MessageType
			n int
		}{{wsplugin.Ping, 125}, {wsplugin.Ping, 126}, {wsplugin.Pong, 3}, {wsplugin.Pong, 126}, {wsplugin.Binary, 0}, {wsplugin.Text, 126}} {
			returned = append(returned, c.Send(s.t, make([]byte, s.n)))
		}
		c.Close()
	}}
	c := one(t, p).upgrade(t, "/ws").send(frame(0x81, "go"))
	zero := func(n int) string { return strings.Repeat("\x00", n) }
	c.expect("\x89\x7d" + zero(125) + "\x8a\x03" + zero(3) + "\x82\x00" + "\x81\x7e\x00\x7e" + zero(126) + "\x88\x00").send(frame(0x88, ""))
	p.waitEnded(t, 1)
	want := []int{125, 0, 3, 0, 0, 126}
	for i := range want {
		if returned[i] != want[i] {
			t.Errorf("sends returned %v, want %v", returned, want)
			break
		}
	}
}

// TestSendersFromManyGoroutines: frames do not mix, each sender's keep their
// order, nothing is lost, also while the client reads slowly.
func TestSendersFromManyGoroutines(t *testing.T) {
	const senders, each = 8, 300
	p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) {
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					c.Send(wsplugin.Binary, append([]byte{byte(s), byte(i >> 8), byte(i)}, make([]byte, 9997)...))
				}
			})
		}
		wg.Wait()
		c.Close()
	}}
	c := one(t, p).upgrade(t, "/ws").send(frame(0x81, "go"))
	next := make([]int, senders)
	for range senders * each {
		c.expect("\x82\x7e\x27\x10") // 10,000 bytes
		head := make([]byte, 3)
		for i := range head {
			head[i], _ = c.r.ReadByte() // expect reports the end
		}
		if i := int(head[1])<<8 | int(head[2]); int(head[0]) >= senders || next[head[0]] != i {
			t.Fatalf("sender %d: message %d, want %d", head[0], i, next[head[0]])
		}
		next[head[0]]++
		c.expect(strings.Repeat("\x00", 9997))
	}
	c.expect("\x88\x00")
}

// TestClientThatDoesNotRead: senders wait at the bound, and are let go when
// the client is cut after Timeout.
func TestClientThatDoesNotRead(t *testing.T) {
	var sent atomic.Int64
	done := make(chan struct{})
	p := &scripted{message: func(c wsplugin.Conn, _ wsplugin.MessageType, _ []byte) {
		defer close(done)
		for c.Send(wsplugin.Binary, make([]byte, 100_000)) != 0 {
			sent.Add(100_000)
		}
	}}
	l := serve(t, "Timeout 1\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n", map[string]wsplugin.Plugin{"plugin": p})
	c := l.upgrade(t, "/ws")
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	c.send(frame(0x81, "go"))
	begin := time.Now()
	<-done
	if d := time.Since(begin); d < 900*time.Millisecond || d > 4*time.Second {
		t.Errorf("let go after %v, want about 1 s", d)
	}
	if n := sent.Load(); n > 16<<20 {
		t.Errorf("%d bytes were accepted from a plugin whose client reads nothing", n)
	}
	p.waitEnded(t, 1)
	l.logged(t, "client took nothing for 1s, connection cut")
}

func TestPingsOfAClientThatDoesNotRead(t *testing.T) {
	p := &scripted{}
	l := serve(t, "Timeout 1\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n", map[string]wsplugin.Plugin{"plugin": p})
	c := l.upgrade(t, "/ws")
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	ping := strings.Repeat(frame(0x89, strings.Repeat("p", 125)), 1000)
	total := 0
	for { // until the server stops reading, and then ends the connection
		n, err := c.Conn.Write([]byte(ping))
		total += n
		if err != nil {
			break
		}
		if total > 64<<20 {
			t.Fatal("64 MiB of pings were read from a client that reads no pong")
		}
	}
	p.waitEnded(t, 1)
}

func TestFaultsOfAPluginCostOneConnection(t *testing.T) {
	p := &scripted{
		connect: func(c wsplugin.Conn) bool {
			switch c.URI() {
			case "/ws/panic":
				panic("connect has a bug")
			case "/ws/goexit":
				runtime.Goexit()
			}
			return true
		},
		message: func(c wsplugin.Conn, k wsplugin.MessageType, payload []byte) {
			switch string(payload) {
			case "panic":
				panic("message has a bug")
			case "goexit":
				runtime.Goexit()
			}
			c.Send(k, payload)
		},
	}
	l := one(t, p)
	bystander := l.upgrade(t, "/ws")
	for _, fault := range []string{"panic", "goexit"} {
		if got := l.upgrade(t, "/ws").send(frame(0x81, fault) + frame(0x81, "after")).rest(); got != "\x88\x02\x03\xf3" {
			t.Errorf("%s in Message: %q", fault, got)
		}
		r := l.dial(t).send("GET /ws/" + fault + " HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n").receive("GET")
		if r.status != 500 {
			t.Errorf("%s in Connect is answered\n%s", fault, r.head)
		}
		bystander.send(frame(0x81, "here")).expect("\x81\x04here")
	}
	p.waitEnded(t, 2)
	l.logged(t, "message has a bug")
	l.logged(t, "connect has a bug")
	l.logged(t, "ended its goroutine")
}

// TestPayloadIsLent: what a plugin does to it, and keeps of it, is its own
// affair.
func TestPayloadIsLent(t *testing.T) {
	var kept []byte
	p := &scripted{message: func(c wsplugin.Conn, k wsplugin.MessageType, payload []byte) {
		c.Send(k, payload)
		if kept == nil {
			kept = payload
		}
		clear(payload)
		_ = append(payload, "overrun"...)
	}}
	l := one(t, p)
	l.upgrade(t, "/ws").send(frame(0x81, "first") + frame(0x81, "second") + frame(0x88, "")).expect("\x81\x05first\x81\x06second")
	p.waitEnded(t, 1)
	if cap(kept) != len(kept) {
		t.Errorf("the payload has room for %d bytes, want %d", cap(kept), len(kept))
	}
}

func TestShutdown(t *testing.T) {
	p := &scripted{}
	l := one(t, p)
	var peers []*peer
	for range 10 {
		peers = append(peers, l.upgrade(t, "/ws"))
	}
	old := l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + strings.Replace(upgradeFields, "13", "7", 1) + "\r\n").expect(accepted + "\r\n")
	idle := l.dial(t)
	kept := l.dial(t).send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
	kept.receive("GET")
	silent := peers[9]
	ended := make(chan bool)
	begin := time.Now()
	go func() { ended <- l.Shutdown(context.Background()) }()
	for _, c := range append(peers[:9:9], old) {
		c.expect("\x88\x02\x03\xe9").send(frame(0x88, "\x03\xe9"))
		if rest := c.rest(); rest != "" {
			t.Errorf("behind the close frame came %q", rest)
		}
	}
	for _, c := range []*peer{idle, kept} {
		if rest := c.rest(); rest != "" {
			t.Errorf("an idle connection gets %q", rest)
		}
	}
	silent.expect("\x88\x02\x03\xe9")
	if !<-ended {
		t.Error("Shutdown reports that something is still open")
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("Shutdown took %v", d)
	}
	p.waitEnded(t, 11)
	if p.destroyed != 1 {
		t.Errorf("Destroy was called %d times", p.destroyed)
	}
	if c, err := net.Dial("tcp", l.addr); err == nil {
		c.Close()
		t.Error("connections are still accepted")
	}
}

func TestDrainLeavesWebSocketsAlone(t *testing.T) {
	l := one(t, &scripted{})
	c := l.upgrade(t, "/ws")
	idle, late := l.dial(t), l.dial(t)
	for range 100 { // both are accepted
		if len(l.open.all()) == 3 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	drained := make(chan struct{})
	go func() { l.Drain(context.Background()); close(drained) }()
	for !l.open.isStopping() {
		time.Sleep(time.Millisecond)
	}
	late.send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n").expect(accepted + "\r\n")
	late.send(frame(0x88, "")).expect("\x88\x02\x03\xe8")
	late.Close()
	if rest := idle.rest(); rest != "" {
		t.Errorf("an idle connection gets %q", rest)
	}
	c.send(frame(0x81, "still")).expect("\x81\x05still")
	select {
	case <-drained:
		t.Error("Drain returned while a WebSocket is open")
	default:
	}
	c.send(frame(0x88, "")).expect("\x88\x02\x03\xe8")
	c.Close()
	<-drained
}
