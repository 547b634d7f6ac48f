// Gws is an echo server on github.com/lxzan/gws: its own server in the place of
// net/http's, messages handled on the goroutine that reads them, buffers given
// back to its pool. It has no way to gather the answers of several messages.
package main

import (
	"log"
	"net"
	"os"

	"github.com/lxzan/gws"
)

type echo struct{ gws.BuiltinEventHandler }

func (echo) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	s := gws.NewServer(echo{}, &gws.ServerOption{ReadBufferSize: 4096})
	s.OnError = func(net.Conn, error) {}
	log.Fatal(s.RunListener(l))
}
