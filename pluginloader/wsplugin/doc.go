// Package wsplugin is what a WebSocket plugin written in Go imports, and all
// that it shares with wshttpd.
//
// A plugin is a package main built with -buildmode=plugin that exports a
// function of type func() Plugin, named in the configuration:
//
//	WebSocketHandler modules/echo.so echo_init
//
// finds EchoInit:
//
//	func EchoInit() wsplugin.Plugin { return echo{} }
//
//	type echo struct{}
//
//	func (echo) Connect(c wsplugin.Conn) wsplugin.Session { return session{c} }
//
//	type session struct{ conn wsplugin.Conn }
//
//	func (s session) Message(t wsplugin.MessageType, p []byte) { s.conn.Send(t, p) }
//	func (s session) Disconnect()                              {}
//
// # Who calls what, and when
//
//	init function   once for each WebSocketHandler line, in file order, before
//	                the server accepts; for -t as well
//	Plugin.Connect  for each handshake that has passed every check, before a
//	                byte of the answer is sent
//	Session.Message for each complete text or binary message, in order
//	Session.Disconnect  exactly once for each session, after its last Message
//	Destroyer.Destroy   when the server ends in order, after the last Disconnect
//
// Calls of one session never overlap, and each sees what the former did. Calls
// of different sessions do overlap: what sessions share needs a lock. No call
// is promised a goroutine or a thread of its own, and each may block as long
// as it likes: it delays its own connection and no other.
//
// # How long memory lives
//
// The payload handed to Message is lent until Message returns; keep it by
// copying it. The payload given to Conn.Send is the plugin's again when Send
// returns. Strings are never reused.
//
// # Faults
//
// A panic in Connect answers the handshake with 500, one in Message closes the
// connection with 1011; both are logged with their stack, and other
// connections notice nothing. A panic in a goroutine that the plugin itself
// started ends the process: recover there.
//
// # Why this package imports nothing
//
// A Go plugin and the server must have been built from identical sources of
// every package they share. This one has no imports, is a module of its own,
// and changes only in tagged releases; additions come as new interfaces, to be
// found by type assertion.
package wsplugin
