package server

import (
	"slices"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// The methods in this file are the plugin's side of a connection
// (wsplugin.Conn, which documents them).

// LookupHeader is Header for the C side, where an absent field and an empty
// one differ.
func (c *conn) LookupHeader(name string) (value string, present bool) {
	return c.request.lookup(name)
}

func (c *conn) Header(name string) string {
	value, _ := c.request.lookup(name)
	return value
}

func (c *conn) SetHeader(name, value string) {
	r := c.openReply()
	if r == nil {
		return
	}
	if why := r.set(name, value); why != "" {
		c.logLeftOut(name, why)
	}
}

func (c *conn) logLeftOut(name, why string) {
	c.log(httpdconf.LevelWarn, "plugin sets response header %q: %s, left out", name, why)
}

func (c *conn) Protocols() []string { return slices.Clone(c.request.protocols) }

func (c *conn) SetProtocol(name string) {
	if r := c.openReply(); r != nil {
		r.choose(name)
	}
}

func (c *conn) URI() string { return c.request.target }

func (c *conn) RemoteAddr() string { return c.request.remote.String() }

func (c *conn) Send(t wsplugin.MessageType, payload []byte) int {
	if c.proto.closes(t) {
		if c.sealWith(false, payload) {
			return len(payload)
		}
		return 0
	}
	if len(payload) >= inPlaceLeast && c.out.addInPlace(payload, func() ([]byte, bool) { return c.proto.frameInPlace(t, payload) }) {
		return len(payload)
	}
	switch err := c.out.add(t, payload, c.mayWait()); err {
	case nil:
		return len(payload)
	case errNoFrame:
		c.log(httpdconf.LevelWarn, "plugin sends a message of type %d and %d bytes, for which there is no frame: not sent", t, len(payload))
	}
	return 0
}

// TrySend is Send that does not wait for room: a message for which there is
// none is not sent. It reports whether it was accepted. Types that close are
// not.
func (c *conn) TrySend(t wsplugin.MessageType, payload []byte) bool {
	return !c.proto.closes(t) && c.out.add(t, payload, false) == nil
}

// Pending returns how many bytes wait to be written: frames that the socket has
// not taken.
func (c *conn) Pending() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.pending()
}

func (c *conn) Close() { c.sealWith(false, nil) }

// Gathers reports whether what a callback that begins now sends may stay on its
// side until it returns: a loop has it sent (Flush) when the callback lasts, and
// the protocol has a frame for every message.
func (c *conn) Gathers() bool {
	_, isHybi := c.proto.(*hybi)
	return isHybi && c.sock.IsWatched()
}

// SendAll is Send for what a callback has gathered, under one lock.
func (c *conn) SendAll(messages pluginloader.Gathered, wait bool) {
	c.out.addAll(messages, wait, wait && c.mayWait())
}

// mayWait reports whether a send may wait for room: not so on the thread that
// is inside connect, since nothing is written before connect has returned.
func (c *conn) mayWait() bool {
	thread := c.connectThread.Load()
	return thread == 0 || thread != eventloop.ThreadID()
}
