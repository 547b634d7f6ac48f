package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// BenchmarkRead is what a read of a WebSocket costs beside its system calls, with
// a plugin that does nothing: frames are decoded, and on_message is called.
func BenchmarkRead(b *testing.B) {
	for _, messages := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d messages", messages), func(b *testing.B) {
			l := serve(b, "<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler x p\n</Location>\n", map[string]wsplugin.Plugin{
				"p": &scripted{message: func(wsplugin.Conn, wsplugin.MessageType, []byte) {}},
			})
			c := benchConn(b, l)
			read := []byte(strings.Repeat(frame(0x82, strings.Repeat("x", 64)), messages))
			p := make([]byte, len(read))
			b.ReportAllocs()
			for b.Loop() {
				copy(p, read) // which is unmasked in place
				c.OnData(p)
			}
			c.disconnect()
		})
	}
}

// benchSock is a socket that nobody reads from.
func benchSock(b *testing.B, l *live) *eventloop.Conn {
	b.Helper()
	socket, err := net.Dial("tcp", l.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = socket.Close() })
	sock, err := eventloop.New(socket.(*net.TCPConn), nil)
	if err != nil {
		b.Fatal(err)
	}
	return sock
}

// benchConn is a WebSocket of which nothing is read but by the benchmark.
func benchConn(b *testing.B, l *live) *conn {
	b.Helper()
	f := newFront(l.Server, netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("127.0.0.1:12345"), time.Now())
	f.sock = benchSock(b, l)
	m := memConns.Get().(*memConn)
	m.front, m.in = f, []byte("GET /ws HTTP/1.1\r\nHost: x\r\n"+upgradeFields+"\r\n")
	if !m.asksForUpgrade() {
		b.Fatal("no upgrade")
	}
	m.serve()
	if f.session == nil {
		b.Fatalf("answered %s", m.out)
	}
	return f.session
}
