// Dumb_increment speaks dumb-increment-protocol, as libwebsockets' test server
// defines it: a number goes out every 50 ms, counting up from 0; the message
// "reset\n" sets it back to 0, "closeme\n" closes the connection.
package main

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

const (
	protocol = "dumb-increment-protocol"
	interval = 50 * time.Millisecond
)

// DumbIncrementInit is what "WebSocketHandler modules/dumb_increment.so
// dumb_increment_init" calls.
func DumbIncrementInit() wsplugin.Plugin { return counters{} }

type counters struct{}

// Connect accepts clients that offer the protocol, and no others.
func (counters) Connect(c wsplugin.Conn) wsplugin.Session {
	if !slices.Contains(c.Protocols(), protocol) {
		return nil
	}
	c.SetProtocol(protocol)
	s := &session{conn: c, done: make(chan struct{})}
	s.counting.Go(s.count)
	return s
}

type session struct {
	conn     wsplugin.Conn
	number   atomic.Int64
	done     chan struct{}
	counting sync.WaitGroup
}

// count sends the numbers. Nothing goes out before Connect has returned: the
// server holds it back until the handshake is answered.
func (s *session) count() {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
			text := strconv.AppendInt(nil, s.number.Add(1)-1, 10)
			s.conn.Send(wsplugin.Text, text)
		}
	}
}

func (s *session) Message(_ wsplugin.MessageType, payload []byte) {
	switch string(payload) {
	case "reset\n":
		s.number.Store(0)
	case "closeme\n":
		s.conn.Close()
	}
}

// Disconnect waits for the goroutine, which a send cannot hold up: from here
// on Send returns at once.
func (s *session) Disconnect() {
	close(s.done)
	s.counting.Wait()
}

func main() {} // never called in a plugin
