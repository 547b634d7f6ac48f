// Gobwas is an echo server on github.com/gobwas/ws, with the library's low-level
// calls: upgrade on the bare connection, one payload buffer for each connection,
// answers gathered until everything that has come is answered.
package main

import (
	"bufio"
	"io"
	"log"
	"net"
	"os"

	"github.com/gobwas/ws"
)

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c)
	}
}

func serve(c net.Conn) {
	defer c.Close()
	if _, err := ws.Upgrade(c); err != nil {
		return
	}
	r, w := bufio.NewReaderSize(c, 4096), bufio.NewWriterSize(c, 4096)
	var payload []byte
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			return
		}
		if int64(cap(payload)) < h.Length {
			payload = make([]byte, h.Length)
		}
		payload = payload[:h.Length]
		if _, err := io.ReadFull(r, payload); err != nil {
			return
		}
		ws.Cipher(payload, h.Mask, 0)
		if h.OpCode == ws.OpPing {
			h.OpCode = ws.OpPong
		}
		h.Masked = false
		if err := write(c, w, h, payload); err != nil {
			return
		}
		if r.Buffered() == 0 || h.OpCode == ws.OpClose {
			if w.Flush() != nil || h.OpCode == ws.OpClose {
				return
			}
		}
	}
}

// write appends a frame to w; one that does not fit goes out by a single writev.
func write(c net.Conn, w *bufio.Writer, h ws.Header, payload []byte) error {
	if len(payload)+ws.MaxHeaderSize <= w.Size() {
		if err := ws.WriteHeader(w, h); err != nil {
			return err
		}
		_, err := w.Write(payload)
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var head head
	if err := ws.WriteHeader(&head, h); err != nil {
		return err
	}
	both := net.Buffers{head.bytes[:head.size], payload}
	_, err := both.WriteTo(c)
	return err
}

type head struct {
	bytes [ws.MaxHeaderSize]byte
	size  int
}

func (h *head) Write(p []byte) (int, error) {
	n := copy(h.bytes[h.size:], p)
	h.size += n
	return n, nil
}
