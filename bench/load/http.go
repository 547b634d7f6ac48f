package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"

	"golang.org/x/sys/unix"
)

// File is the content of the file that HTTP asks for.
func File(size int) []byte {
	p := make([]byte, size)
	fill(p, size, true, rand.New(rand.NewPCG(uint64(size), 3)))
	return p
}

// request asks for the file; connection is what becomes of the connection.
func request(o *Options, connection string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: %s\r\n\r\n", o.Path, o.Addr, connection)
}

// newRequests makes a stream of one request, again and again. The reply is the
// file alone: heads differ from server to server, and from second to second.
func newRequests(o *Options) *stream {
	s := &stream{batch: 1, batches: 1, send: request(o, "keep-alive"), reply: File(o.Size)}
	s.sendSize, s.replySize = len(s.send), len(s.reply)
	return s
}

// behindHead returns what of the bytes just read is no part of an answer's head.
func (l *loop) behindHead(c *conn, p []byte) []byte {
	before := len(c.head)
	c.head = append(c.head, p...)
	i := bytes.Index(c.head, headEnd)
	if i < 0 {
		if len(c.head) > maxHead {
			l.failConn(c, "answer", errHeadTooLong)
		}
		return nil
	}
	end := i + len(headEnd)
	if err := checkAnswer(c.head[:end], l.o.Size); err != nil {
		l.failConn(c, "answer", err)
	}
	c.headless, c.head = true, c.head[:0]
	return p[end-before:]
}

// checkAnswer looks at the head of an answer.
func checkAnswer(head []byte, size int) error {
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the server answers %q", firstLine(head))
	}
	if length := strconv.Itoa(size); !has(head, "Content-Length", []byte(length), bytes.Equal) {
		return fmt.Errorf("no Content-Length of %s: %q", length, head)
	}
	return nil
}

// firstDifference returns where two texts part, -1 if they do not.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return n
	}
	return -1
}

// readToEnd reads an answer that the end of the connection follows, and begins
// anew.
func (l *loop) readToEnd(c *conn) {
	n, errno := recv(c.fd, l.buf)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		l.failConn(c, "read", errno)
		return
	case n > 0:
		c.head = append(c.head, l.buf[:n]...)
		return
	}
	head, file, found := bytes.Cut(c.head, headEnd)
	if !found {
		l.failConn(c, "answer", fmt.Errorf("it ends in its head: %q", c.head))
		return
	}
	if err := checkAnswer(c.head[:len(head)+len(headEnd)], l.o.Size); err != nil {
		l.failConn(c, "answer", err)
		return
	}
	if i := firstDifference(file, c.handshake.closed); i >= 0 {
		l.failConn(c, "answer", fmt.Errorf("byte %d is not the file's", i))
		return
	}
	l.again(c)
}
