package load

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// message is what a test's server sends; kind is gorilla's.
type message struct {
	kind    int
	payload []byte
}

// echoes answers every message with itself.
func echoes(m message) []message { return []message{m} }

// serve runs a version 13 server that is not ours; answer is called for each
// message of all connections, on several goroutines. Nil closes the connection.
func serve(t *testing.T, answer func(message) []message) string {
	t.Helper()
	var upgrader websocket.Upgrader
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			replies := answer(message{kind, p})
			if replies == nil {
				return
			}
			for _, m := range replies {
				if c.WriteMessage(m.kind, m.payload) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// serveConns runs a server of bare connections.
func serveConns(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// rawEcho sends back the same bytes and allocates nothing for it.
func rawEcho(c net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// draft76Echo answers the challenge; after that client and server send the
// same bytes, for the close too. The key numbers are read as the draft has it.
func draft76Echo(c net.Conn) {
	r := bufio.NewReader(c)
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	key3 := make([]byte, 8)
	if _, err := io.ReadFull(r, key3); err != nil {
		return
	}
	var challenge []byte
	for _, name := range []string{"Sec-WebSocket-Key1", "Sec-WebSocket-Key2"} {
		key := request.Header.Get(name)
		number := uint64(0)
		for _, b := range []byte(key) {
			if b >= '0' && b <= '9' {
				number = number*10 + uint64(b-'0')
			}
		}
		spaces := uint64(strings.Count(key, " "))
		if spaces == 0 || number%spaces != 0 || number > 1<<32-1 {
			return
		}
		challenge = binary.BigEndian.AppendUint32(challenge, uint32(number/spaces))
	}
	sum := md5.Sum(append(challenge, key3...))
	fmt.Fprintf(c, "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n%s", sum[:])
	_, _ = io.Copy(c, r)
}

// changed returns the message with one byte that is another.
func changed(m message, i int) []message {
	p := bytes.Clone(m.payload)
	p[i] ^= 1
	return []message{{m.kind, p}}
}
