// Chat is a room in which everybody hears what one says: a plugin in a module
// of its own, with a package beside it, as one outside of wshttpd's tree is.
//
// A client says who it is in the request, /chat?name=Ann, and sends texts. It
// gets a JSON object for each of them and for each who comes or goes:
//
//	{"from":"Ann","text":"Hello"}
//	{"came":"Bob","here":["Ann","Bob"]}
//	{"went":"Bob","here":["Ann"]}
package main

import (
	"net/url"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"

	"example.com/chat/room"
)

// ChatInit is what "WebSocketHandler modules/chat.so chat_init" calls. Each
// line of the configuration gets a room of its own.
func ChatInit() wsplugin.Plugin { return &chat{room: room.New()} }

type chat struct{ room *room.Room }

// longest is the size in bytes of a text that is passed on. Who sends a longer
// one is closed with 1009.
const longest = 4096

// Connect declines who has no name, or that of another who is there: 403.
func (c *chat) Connect(conn wsplugin.Conn) wsplugin.Session {
	u, err := url.ParseRequestURI(conn.URI())
	if err != nil {
		return nil
	}
	name := u.Query().Get("name")
	if !c.room.Enter(name, func(message []byte) { pass(conn, message) }) {
		return nil
	}
	return &session{c.room, conn, name}
}

// trySender is what connections of wshttpd have beyond wsplugin.Conn. Without
// it one client that takes nothing would hold up all others, since Send waits.
type trySender interface {
	TrySend(t wsplugin.MessageType, payload []byte) bool
}

// pass sends a message to one client. Who does not follow loses the connection.
func pass(conn wsplugin.Conn, message []byte) {
	if try, ok := conn.(trySender); !ok {
		conn.Send(wsplugin.Text, message)
	} else if !try.TrySend(wsplugin.Text, message) {
		conn.Close()
	}
}

type session struct {
	room *room.Room
	conn wsplugin.Conn
	name string
}

// Message passes a text on. The payload is lent: room copies it.
func (s *session) Message(t wsplugin.MessageType, payload []byte) {
	switch {
	case t != wsplugin.Text:
		s.conn.Send(wsplugin.Close, []byte("\x03\xebtexts only")) // 1003
	case len(payload) > longest:
		s.conn.Send(wsplugin.Close, []byte("\x03\xf1text too long")) // 1009
	default:
		s.room.Say(s.name, string(payload))
	}
}

func (s *session) Disconnect() { s.room.Leave(s.name) }

func main() {} // never called in a plugin
