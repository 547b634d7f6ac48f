// Package server serves a configuration: it listens, answers HTTP through
// fasthttp, and drives connections that become WebSockets. It is the only
// package that knows fasthttp and every other room.
//
//	event loop ─▶ front ─ an upgrade ─▶ fasthttp, in memory ─▶ serveHTTP ─▶ upgrade ─▶ plugin's connect
//	               │                                                                  └─ 101 ─▶ conn
//	               └─ all else ─▶ netConn ─▶ fasthttp, on a goroutine ─▶ serveHTTP ─▶ route ─▶ access ─▶ file
//	conn (protocol, session, outbox) ⇄ eventloop.Conn
//
// An upgrade on a connection that a goroutine has, and all of them where there
// are no loops, leave fasthttp by being hijacked (takeover.go).
//
// # Who owns what
//
// A connection counts once from accept to close, as a front, a netConn or a
// conn. Everything reached through a fasthttp.RequestCtx is recycled when the
// handler returns: copyRequest copies what a WebSocket needs. Bytes handed to
// OnData and payloads handed to a session are lent until the call returns.
//
// # Locks
//
// openSet.mu, outbox.mu and reply.mu are leaves: no callback and no other lock
// is taken while one of them is held, but for eventloop's, which outbox.mu
// comes before: writing, watching and closing the socket, at whose end
// openSet.mu is taken.
package server
