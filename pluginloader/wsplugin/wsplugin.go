package wsplugin

// MessageType says what a message is. The numbers are those of the C ABI
// (MESSAGE_TYPE_TEXT and so on in websocket_plugin.h).
type MessageType int

// The message types. Message gets Text and Binary from versions 13, 8 and 7;
// from draft-76 and draft-75 clients it gets the frame's type byte, 0 to 127.
// Any number not listed here closes the connection when it is sent.
const (
	Text   MessageType = 0
	Binary MessageType = 128
	Close  MessageType = 255
	Ping   MessageType = 256
	Pong   MessageType = 257
)

// Plugin is what an init function returns. Its methods are called from several
// goroutines at once.
type Plugin interface {
	// Connect accepts a connection by returning its session, or declines it
	// by returning nil: the client then gets 403, response headers set so far
	// are dropped, and Disconnect is not called.
	Connect(c Conn) Session
}

// Session is one connection inside a plugin. Its methods are never called at
// the same time.
type Session interface {
	// Message takes a complete message. The payload is lent: it may be
	// changed in place, but not kept after the call returns.
	Message(t MessageType, payload []byte)

	// Disconnect tells that the connection is over, whoever ended it. Sends
	// return 0 from here on; headers and addresses can still be read.
	Disconnect()
}

// Destroyer is a Plugin that wants to hear of the server's orderly end.
type Destroyer interface {
	// Destroy is called once for each WebSocketHandler line that is in use,
	// in reverse order of the configuration, after the last Disconnect.
	Destroy()
}

// Conn is the server's side of one connection. Every method may be called from
// any goroutine and at any time, also after Disconnect, when Send returns 0.
type Conn interface {
	// Header returns a request header field, its name in any case, the
	// values of several lines joined with ", ". The empty string stands for
	// no such field.
	Header(name string) string

	// SetHeader sets a header field of the 101 answer, replacing an earlier
	// value. It has an effect only while Connect runs. A name that is no
	// token, a value with a control byte other than tab, and the names that
	// belong to the handshake are left out and logged.
	SetHeader(name, value string)

	// Protocols returns the subprotocols that the client offered, in its
	// order. The slice is the caller's.
	Protocols() []string

	// SetProtocol chooses the subprotocol that is answered; without a call it
	// is the first one offered. It has an effect only while Connect runs.
	SetProtocol(name string)

	// URI returns the request target as the client sent it: path and query,
	// percent-encoding kept.
	URI() string

	// RemoteAddr returns the client's address as "host:port".
	RemoteAddr() string

	// Send sends one message and returns the payload's length when all of it
	// was accepted for writing, else 0. An empty message returns 0 in both
	// cases. Messages of one goroutine keep their order. Text is not checked
	// for UTF-8. Ping and Pong carry at most 125 bytes, else nothing is sent.
	// Close sends the payload as the body of a close frame and ends the
	// connection. Send blocks while more than the connection's bound (1 MiB,
	// or one message if that is larger) waits to be written.
	Send(t MessageType, payload []byte) int

	// Close sends a close frame without a code and ends the connection.
	Close()
}
