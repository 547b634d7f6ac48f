// Package draft76 speaks the server's side of the two drafts that came before
// RFC 6455: draft-hixie-thewebsocketprotocol-76 (hixie-76) and -75 (hixie-75).
//
// It takes bytes and gives frames. It knows no socket, no clock, no goroutine
// and no HTTP parser; the caller hands header values in and gets the answer's
// bytes out.
//
// A frame is one of two kinds, told apart by the high bit of its type byte:
//
//	0x00-0x7f  data ... 0xff                  text, up to the byte 0xff
//	0x80-0xff  length (7 bits a byte) data    binary, read and thrown away
//	0xff 0x00                                 hixie-76: the closing handshake
//
// # Memory
//
// A Decoder lends the data of a frame: a slice of what was handed to Next when
// the frame lay whole in it, else of the decoder's own buffer, which grows by
// what has arrived. Either is valid until the next call. AppendX functions
// append to the caller's slice.
package draft76
