// Package server serves a configuration: it listens, answers HTTP through
// fasthttp, and takes connections that become WebSockets out of it. It is the
// only package that knows fasthttp and every other room.
//
//	accept ─▶ netConn ─▶ fasthttp ─▶ serveHTTP ─▶ route ─▶ access ─▶ static file
//	                                                        └─▶ upgrade ─▶ plugin's connect
//	takeover ◀── hijack ◀────────────────────── 101 ◀───────────────┘
//	    └─▶ eventloop.Conn ⇄ conn (protocol, session, outbox)
//
// # Who owns what
//
// A netConn lives from accept to close and counts once, whether it speaks HTTP
// or WebSocket. Everything reached through a fasthttp.RequestCtx is recycled
// when the handler returns: copyRequest copies what a WebSocket needs. Bytes
// handed to OnData and payloads handed to a session are lent until the call
// returns.
//
// # Locks
//
// openSet.mu, outbox.mu and reply.mu are leaves: no callback and no other lock
// is taken while one of them is held, but for closing the socket at the end of
// an outbox, which takes eventloop's and then openSet.mu.
package server
