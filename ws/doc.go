// Package ws is the server side of the WebSocket protocol: RFC 6455, which is
// version 13, and its drafts hybi-10 (version 8) and hybi-07 (version 7), whose
// frames are the same. Bytes go in, messages come out, and the other way
// round; the package knows no socket, no clock, no goroutine and no plugin.
//
// A frame (RFC 6455, section 5.2):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-------+-+-------------+-------------------------------+
//	|F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//	|I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//	|N|V|V|V|       |S|             |   (if payload len==126/127)   |
//	| |1|2|3|       |K|             |                               |
//	+-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//	|     Extended payload length continued, if payload len == 127  |
//	+ - - - - - - - - - - - - - - - +-------------------------------+
//	|                               |Masking-key, if MASK set to 1  |
//	+-------------------------------+-------------------------------+
//	| Masking-key (continued)       |          Payload Data         |
//	+-------------------------------- - - - - - - - - - - - - - - - +
//
// # Memory
//
// Decoder.Next unmasks in place, in the caller's bytes. A payload that lies
// whole in them is returned as a slice of them; otherwise it is collected in
// the decoder's own buffer, which grows by what has arrived and never by what
// a header announces. Either way it is lent until the next call of Next.
//
// The Append functions append to the slice they are given, and keep nothing.
//
// What this package does not do: extensions, which are never negotiated, the
// client's side, and the decisions above a request's own headers: access,
// origin, plugin.
package ws
