// Package mask undoes the masking of WebSocket payloads (RFC 6455, section
// 5.3) and finds out, on the same way through memory, whether they are plain
// ASCII: text that is needs no other check for UTF-8.
//
// Everything works in the caller's bytes, touches none outside them and keeps
// none. On amd64 with AVX2 it is done in assembly; elsewhere, for short
// payloads, and with the build tag purego, in Go.
//
// What this package does not do: find frames, or check text that is not ASCII.
// A client's side, which would choose masking keys, does not exist.
package mask
