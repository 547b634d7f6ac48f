package examples

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// TestMessageOverTheLimit: the code depends on the version, and it comes
// before the payload has been sent.
func TestMessageOverTheLimit(t *testing.T) {
	const own = "WebSocketHandler modules/mod_websocket_echo.so echo_init\n"
	readme := readConf(t, "readme-max-message-size.conf")
	tests := []struct {
		name, version, conf, path string
		length                    []byte // as in the frame's header, one over the limit
		code                      []byte
	}{
		{"1000 bytes, version 13", "13", location(own + "MaxMessageSize 1000"), "/ws", []byte{0xfe, 0x03, 0xe9}, []byte{0x03, 0xf1}},
		{"1000 bytes, version 8", "8", location(own + "MaxMessageSize 1000"), "/ws", []byte{0xfe, 0x03, 0xe9}, []byte{0x03, 0xec}},
		{"1000 bytes, version 7", "7", location(own + "WebSocketMaxMessageSize 1000"), "/ws", []byte{0xfe, 0x03, 0xe9}, []byte{0x03, 0xec}},
		{"32 MiB by default", "13", location(own), "/ws", []byte{0xff, 0, 0, 0, 0, 0x02, 0, 0, 1}, []byte{0x03, 0xf1}},
		{"64 MiB in the README", "13", readme, "/echo", []byte{0xff, 0, 0, 0, 0, 0x04, 0, 0, 1}, []byte{0x03, 0xf1}},
		{"64 MiB in the README, version 8", "8", readme, "/echo", []byte{0xff, 0, 0, 0, 0, 0x04, 0, 0, 1}, []byte{0x03, 0xec}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, tt.conf)
			c, r := rawUpgrade(t, p, tt.path, tt.version)
			if _, err := c.Write(append([]byte{0x82}, tt.length...)); err != nil { // no masking key, no payload
				t.Fatal(err)
			}
			rest, err := io.ReadAll(r)
			if want := append([]byte{0x88, 0x02}, tt.code...); err != nil || !bytes.Equal(rest, want) {
				t.Errorf("answer % x, %v; want % x", rest, err, want)
			}
		})
	}
}

// TestMessageAtTheLimit: a message of exactly the limit comes back.
func TestMessageAtTheLimit(t *testing.T) {
	tests := []struct {
		name, conf, path string
		size             int
	}{
		{"1000 bytes", location("WebSocketHandler modules/mod_websocket_echo.so echo_init\nMaxMessageSize 1000"), "/ws", 1000},
		{"32 MiB by default", readConf(t, "httpd.conf"), "/echo", 32 << 20},
		{"64 MiB in the README", readConf(t, "readme-max-message-size.conf"), "/echo", 64 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, serve(t, tt.conf).url(tt.path), nil)
			echo(t, c, websocket.BinaryMessage, bytes.Repeat([]byte{0xfe, 0xff}, tt.size/2))
		})
	}
}

// hixie76 is a handshake of draft-76 with the key 3 that belongs behind it:
// the example of hixie-76, section 1.2, on our path.
const hixie76 = "GET /echo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n" +
	"Upgrade: WebSocket\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n^n:ds[4U"

// TestDraft76IsWhatItsModuleServes: without the module's line a client of
// draft-76 is told which versions there are, also where its block still stands.
func TestDraft76IsWhatItsModuleServes(t *testing.T) {
	both := readConf(t, "readme-both.conf")
	const line = "LoadModule websocket_draft76_module   libexec/apache2/mod_websocket_draft76.so\n"
	unloaded := strings.Replace(both, line, "", 1)
	if unloaded == both {
		t.Fatalf("no %q in readme-both.conf", line)
	}
	const versions = "\r\nsec-websocket-version: 13, 8, 7\r\n"
	tests := []struct {
		name, conf, status, contains string // contains in any case
	}{
		{"module loaded", both, "HTTP/1.1 101 ", "\r\n\r\n8jKS'y:G*Co,Wxa-"},
		{"module and block dropped", readConf(t, "readme-no-draft76.conf"), "HTTP/1.1 400 ", versions},
		{"module dropped, block left", unloaded, "HTTP/1.1 400 ", versions},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, tt.conf)
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, hixie76); err != nil {
				t.Fatal(err)
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(c)
			if err != nil || !strings.HasPrefix(string(answer), tt.status) || !strings.Contains(strings.ToLower(string(answer)), strings.ToLower(tt.contains)) {
				t.Errorf("answer %q, %v; want status %q and %q", answer, err, tt.status, tt.contains)
			}
		})
	}
}
