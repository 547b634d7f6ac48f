package server

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// endingSocket counts how often the writing half is ended by itself, which is
// how a connection begins to linger.
type endingSocket struct {
	pipeSocket
	halves atomic.Int32
}

func (s *endingSocket) CloseWrite() error {
	s.halves.Add(1)
	return nil
}

// TestWhoIsWaitedForAtTheEnd: everyone, unless they have announced that nothing
// follows the request.
func TestWhoIsWaitedForAtTheEnd(t *testing.T) {
	l, _ := site(t, "KeepAlive Off\n")
	for _, tt := range []struct {
		head  string
		waits bool
	}{
		{"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", true}, // the server alone ends it
		{"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
		{"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
		{"GET /a.txt HTTP/1.0\r\n\r\n", false},
		{"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
		{"POST /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", true}, // a body may follow
		{"POST /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", true},
		{"BAD\r\n\r\n", true},
	} {
		client, served := net.Pipe()
		anywhere := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:80"))
		socket := &endingSocket{pipeSocket: pipeSocket{Conn: served, local: anywhere, remote: anywhere}}
		nc := newNetConn(socket, l.open, l.cfg.Main)
		if !l.open.add(nc, 1<<30) {
			t.Fatal("the server takes no connection")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.serveConn(nc)
		}()
		_ = client.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(client, tt.head); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		if _, err := client.Read(buf); err != nil {
			t.Fatal(err)
		}
		client.Close()
		<-done
		if waits := socket.halves.Load() > 0; waits != tt.waits {
			t.Errorf("%q: the server waits: %v", tt.head, waits)
		}
	}
}
