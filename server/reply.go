package server

import (
	"strings"
	"sync"

	"github.com/wshttpd/wshttpd/ws"
)

// reply gathers what a plugin's connect wants in the answer to the handshake.
// It is open while connect runs and ignores what comes later.
type reply struct {
	mu       sync.Mutex
	closed   bool       // guarded by mu, like all that follows
	protocol string     // what the plugin chose
	chosen   bool       // it has chosen
	fields   []ws.Field // in the order in which names were first set
}

// ownFields are the header fields of the answer that belong to the server
// whatever a plugin says, in lower case.
var ownFields = map[string]bool{
	"upgrade": true, "connection": true, "content-length": true, "transfer-encoding": true,
	"sec-websocket-accept": true, "sec-websocket-extensions": true,
	"sec-websocket-location": true, "sec-websocket-origin": true,
	"websocket-location": true, "websocket-origin": true,
}

// sentReply stands for the reply of a connection whose answer is made.
var sentReply = reply{closed: true}

// openReply returns the reply, which few plugins change and so is not made
// before; nil once the answer is made.
func (c *conn) openReply() *reply {
	for {
		switch r := c.reply.Load(); r {
		case &sentReply:
			return nil
		case nil:
			c.reply.CompareAndSwap(nil, new(reply))
		default:
			return r
		}
	}
}

// set sets a header field in the place of one of that name, and returns why
// not, or "".
func (r *reply) set(name, value string) (refused string) { return r.put(name, value, true) }

// add is set beside those of that name.
func (r *reply) add(name, value string) (refused string) { return r.put(name, value, false) }

func (r *reply) put(name, value string, replaces bool) (refused string) {
	lower := strings.ToLower(name)
	switch {
	case !ws.IsToken(name):
		return "the name is no token"
	case !isFieldValue(value):
		return "the value holds a control byte"
	case ownFields[lower]:
		return "the field belongs to the handshake"
	}
	if lower == "sec-websocket-protocol" || lower == "websocket-protocol" {
		r.choose(value)
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ""
	}
	for i := range r.fields {
		if replaces && strings.EqualFold(r.fields[i].Name, name) {
			r.fields[i].Value = value
			return ""
		}
	}
	r.fields = append(r.fields, ws.Field{Name: strings.Clone(name), Value: strings.Clone(value)})
	return ""
}

// clear forgets the fields.
func (r *reply) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fields = nil
}

// choose sets the subprotocol to answer.
func (r *reply) choose(protocol string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.protocol, r.chosen = strings.Clone(protocol), true
	}
}

// close ends the time in which the answer can be changed and returns it: the
// plugin's choice of a subprotocol, else the first one offered. r is nil where
// nothing was changed.
func (r *reply) close(offered []string) (protocol string, fields []ws.Field) {
	if len(offered) > 0 {
		protocol = offered[0]
	}
	if r == nil {
		return protocol, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.chosen {
		protocol = r.protocol
	}
	return protocol, r.fields
}

// isFieldValue reports whether s may stand as a header field's value: no
// control byte but tab (RFC 9110, section 5.5).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
