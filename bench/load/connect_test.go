package load

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHandshakesAreCounted(t *testing.T) {
	for name, o := range map[string]Options{
		"version 13": short(serve(t, echoes)),
		"draft-76":   {Addr: serveConns(t, draft76Echo), Protocol: Draft76, Conns: 3, Warm: 5 * time.Millisecond, Time: 25 * time.Millisecond},
	} {
		r, err := Connect(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Messages < 1 || r.PerSecond <= 0 || r.LatencyP50 <= 0 {
			t.Errorf("%s: result %+v", name, r)
		}
	}
}

func TestWrongHandshakeIsAnError(t *testing.T) {
	answers := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, text)
				_, _ = io.Copy(io.Discard, c)
			}
		}
	}
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, test := range []struct {
		name, want string
		protocol   Protocol
		serve      func(net.Conn)
	}{
		{"refused", "403", Version13, answers("HTTP/1.1 403 Forbidden\r\n\r\n")},
		{"no accept", "Sec-WebSocket-Accept", Version13, answers(head + "\r\n")},
		{"accept of another key", "Sec-WebSocket-Accept", Version13, answers(head + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")},
		{"no upgrade", "no Upgrade", Version13, answers("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")},
		{"another digest", "digest", Draft76, answers(head + "\r\n0123456789abcdef")},
		{"endless", "longer than", Version13, answers("HTTP/1.1 101 " + strings.Repeat("x", 5000))},
		{"nothing", "did not end", Version13, answers("")},
		{"closed", "read: ", Version13, func(net.Conn) {}},
		{"close refused", "want ff 00", Draft76, func(c net.Conn) { draft76Echo(flipped{c}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := short(serveConns(t, test.serve))
			o.Protocol = test.protocol
			if r, err := Connect(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("result %+v, error %v, want %q", r, err, test.want)
			}
		})
	}
}

// flipped sends a close frame's first byte wrong.
type flipped struct{ net.Conn }

func (f flipped) Write(p []byte) (int, error) {
	if len(p) == 2 && p[0] == 0xFF {
		return f.Conn.Write([]byte{0xFE, 0})
	}
	return f.Conn.Write(p)
}

func TestRawHasNoHandshake(t *testing.T) {
	if r, err := Connect(Options{Addr: "127.0.0.1:1", Protocol: Raw, Size: 1}); err == nil {
		t.Errorf("result %+v", r)
	}
}

// The digest of the draft's own example (hixie-76, section 1.3) pins the
// reading of keys in draft76Echo, and thereby the keys made here.
func TestDraft76KeysHoldTheirNumber(t *testing.T) {
	addr := serveConns(t, draft76Echo)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"+
		"Upgrade: WebSocket\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n^n:ds[4U")
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	digest := make([]byte, 16)
	if _, err := io.ReadFull(r, digest); err != nil || string(digest) != "8jKS'y:G*Co,Wxa-" {
		t.Errorf("digest %q, %v", digest, err)
	}
}

func TestIdleConnectionsAreStillThere(t *testing.T) {
	o := short(serve(t, echoes))
	o.Conns = 150
	r, err := Idle(o, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if r.RSSEmpty <= 0 || r.RSSHalf <= 0 || r.RSSFull <= 0 || r.Threads < 2 || r.Seconds < o.Time.Seconds() {
		t.Errorf("result %+v", r)
	}
}

func TestIdleConnectionThatDoesNotEchoIsAnError(t *testing.T) {
	o := short(serve(t, func(m message) []message { return []message{} }))
	if r, err := Idle(o, time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not come") {
		t.Errorf("result %+v, error %v", r, err)
	}
}
