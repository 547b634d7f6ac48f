package server

import (
	"bytes"
	"io"
	"net"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// takeover takes a connection out of fasthttp, which has handed it over as
// hijacked: what fasthttp had buffered behind the request head comes first,
// then the socket itself. The connection goes on in a goroutine of its own, so
// that everything of fasthttp's is free.
func (s *Server) takeover(nc *netConn, hijacked net.Conn, head []byte) {
	early, err := drain(nc, hijacked)
	s.begin(nc, head, early, err)
}

// begin starts the WebSocket that nc has a session for, unless err says that
// the client was lost.
func (s *Server) begin(nc *netConn, head, early []byte, err error) {
	c, deadlineErr := nc.takeover()
	if err != nil || deadlineErr != nil {
		c.log(httpdconf.LevelInfo, "connection lost during the handshake")
		c.cut()
		c.disconnect()
		return
	}
	if code := s.open.goodbyeCode(); code != 0 {
		c.shutdown(code) // Shutdown may have passed by before it was a WebSocket
	}
	go func() {
		c.begin(head)
		c.sock.Run(early)
	}()
}

// refuseDetached answers on a connection that has left fasthttp, and closes it.
func (s *Server) refuseDetached(nc *netConn, status int, reason string) {
	_, _ = nc.Write(s.refusal(status, reason)) // a client that does not take it is closed all the same
	_ = nc.Close()
}

// refusal returns an answer that fasthttp does not write.
func (s *Server) refusal(status int, reason string) []byte {
	answer := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(answer)
	s.setRefusal(answer, status, reason)
	var b bytes.Buffer
	_, _ = answer.WriteTo(&b) // memory takes everything
	return b.Bytes()
}

// drain reads what fasthttp has buffered, and nothing from the socket.
func drain(nc *netConn, hijacked net.Conn) ([]byte, error) {
	nc.detached = true
	early, err := io.ReadAll(hijacked)
	if err != errDetached {
		return early, err
	}
	return early, nil
}
