// Package load loads an echo server as cheaply as one core can: one goroutine
// on one locked thread, epoll and raw system calls, no allocation per message.
//
// What a connection sends and what has to come back are two rings of bytes that
// are made beforehand. A reply is compared as bytes, header and payload, so a
// changed, lost, repeated or reordered message, and one of another connection,
// is an error that ends the load. A server may answer in other legal ways
// (fragments, pings); that is an error too, since no server measured here does.
//
//	send   | head mask payload | head mask payload | ... V messages | the first D again |
//	reply  | head payload      | head payload      | ... V messages | the first D again |
//	         └── a batch of D messages, one send ──┘
//
// A connection sends its next batch when the last one has come back whole.
// Loopback only: no timeouts but that of the whole load, no TLS.
package load
