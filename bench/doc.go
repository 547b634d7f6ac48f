// Command bench loads a WebSocket echo server and prints what came of it.
//
// It is a module of its own, so that nothing of it reaches the server's
// dependency list; its client is a foreign one, fasthttp/websocket. Every
// reply is compared with what was sent.
package main
