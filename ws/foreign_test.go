package ws

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// serveEcho is a server made of this package and nothing else. It returns the
// code of the client's close frame.
func serveEcho(c net.Conn) (code CloseCode, err error) {
	defer c.Close()
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return 0, err
	}
	h, refusal := CheckRequest(&Request{
		Method:   r.Method,
		HTTP11:   r.ProtoAtLeast(1, 1),
		Version:  r.Header["Sec-Websocket-Version"],
		Key:      r.Header["Sec-Websocket-Key"],
		Protocol: r.Header["Sec-Websocket-Protocol"],
	})
	if refusal != nil || !IsUpgrade(r.Header["Upgrade"], r.Header["Connection"]) {
		_, err := c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		return 0, err
	}
	if _, err := c.Write(AppendResponse(nil, h.Key, h.Protocols[0], []Field{{"X-From", "ws"}})); err != nil {
		return 0, err
	}
	d := Decoder{Version: h.Version}
	read := make([]byte, 1000)
	for {
		n, err := in.Read(read)
		if err != nil {
			return 0, err
		}
		for p := read[:n]; len(p) > 0; {
			m, n, err := d.Next(p)
			if err != nil {
				return 0, err
			}
			p = p[n:]
			var out []byte
			switch m.Opcode {
			case Continuation:
				continue
			case Text, Binary:
				out = AppendFrame(nil, m.Opcode, m.Payload)
			case Ping:
				out = AppendFrame(nil, Pong, m.Payload)
			case Close:
				code = CloseAnswer(m.Payload, false)
				_, err := c.Write(AppendClose(nil, code))
				return code, err
			}
			if _, err := c.Write(out); err != nil {
				return 0, err
			}
		}
	}
}

func TestForeignClient(t *testing.T) {
	near, far := net.Pipe()
	type end struct {
		code CloseCode
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		code, err := serveEcho(far)
		ended <- end{code, err}
	}()
	dialer := websocket.Dialer{
		NetDial:        func(string, string) (net.Conn, error) { return near, nil },
		ReadBufferSize: 512, WriteBufferSize: 512,
	}
	client, response, err := dialer.Dial("ws://example.com/echo", http.Header{"Sec-WebSocket-Protocol": {"chat, other"}})
	if err != nil {
		t.Fatalf("handshake: %v", err)
	}
	defer client.Close()
	if got := client.Subprotocol(); got != "chat" || response.Header.Get("X-From") != "ws" {
		t.Errorf("subprotocol %q, headers %v", got, response.Header)
	}
	pongs := 0
	client.SetPongHandler(func(data string) error {
		if pongs++; data != "are you there" {
			t.Errorf("pong %q", data)
		}
		return nil
	})
	var messages []string
	for _, size := range []int{0, 1, 125, 126, 511, 512, 5000, 65535, 65536, 300000} {
		messages = append(messages, strings.Repeat("é", size/2)+strings.Repeat("x", size%2))
	}
	wrote := make(chan error, 1)
	go func() {
		err := sendAll(client, messages)
		if err != nil {
			client.Close() // else the other side waits for the rest
		}
		wrote <- err
	}()
	for _, want := range messages {
		kind, got, err := client.ReadMessage()
		if kind != websocket.TextMessage || string(got) != want || err != nil {
			t.Fatalf("message of %d bytes came back as %d bytes of kind %d, %v", len(want), len(got), kind, err)
		}
	}
	_, _, err = client.ReadMessage()
	if e, isClose := err.(*websocket.CloseError); !isClose || e.Code != 4321 || e.Text != "" {
		t.Errorf("close answered by %v, want 4321 without a reason", err)
	}
	if pongs != len(messages) {
		t.Errorf("%d pongs, want %d", pongs, len(messages))
	}
	if err := <-wrote; err != nil {
		t.Errorf("client: %v", err)
	}
	if e := <-ended; e.code != 4321 || e.err != nil {
		t.Errorf("the server ended with %v, %v, want 4321", e.code, e.err)
	}
}

// sendAll sends each message in two parts with a ping between them, then
// closes. The client makes fragments of what is longer than its buffer.
func sendAll(client *websocket.Conn, messages []string) error {
	for _, message := range messages {
		w, err := client.NextWriter(websocket.TextMessage)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(message[:len(message)/3])); err != nil {
			return err
		}
		if err := client.WriteControl(websocket.PingMessage, []byte("are you there"), time.Time{}); err != nil {
			return err
		}
		if _, err := w.Write([]byte(message[len(message)/3:])); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return client.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4321, "enough"))
}
