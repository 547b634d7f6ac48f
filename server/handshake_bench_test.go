package server

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// BenchmarkHandshake is what a handshake costs beside the system calls: its
// head is read, routed and answered in memory.
func BenchmarkHandshake(b *testing.B) {
	l := one(b, &scripted{connect: func(wsplugin.Conn) bool { return true }}, "LogLevel warn")
	sock := benchSock(b, l)
	head := []byte("GET /ws HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n" + upgradeFields + "Origin: http://127.0.0.1:8080\r\nUser-Agent: x\r\nAccept-Language: en\r\n\r\n")
	local := netip.MustParseAddrPort("127.0.0.1:8080")
	began := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		f := newFront(l.Server, local, netip.MustParseAddrPort("127.0.0.1:12345"), began)
		f.sock = sock
		m := memConns.Get().(*memConn)
		m.front, m.in = f, head
		if !m.asksForUpgrade() {
			b.Fatal("no upgrade")
		}
		m.serve()
		if f.session == nil {
			b.Fatalf("answered %s", m.out)
		}
		f.session.disconnect()
		m.free()
	}
}
