package eventloop

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// streamBound is how many bytes wait at most for a stream to take them.
const streamBound = 64 << 10

// streamRead is the size of the buffer in which a stream is read: that of a
// record of TLS.
const streamRead = 16 << 10

// streamClose is how long Close waits for what is still to be written.
const streamClose = 2 * time.Second

// stream is the way out of a Conn whose bytes are not those of its socket, as
// under TLS: writes may wait, and so are done on a goroutine, which is there
// only while there is something to write.
type stream struct {
	conn    *Conn
	inner   Socket
	timeout time.Duration // without progress, for writes

	mu      sync.Mutex
	buf     []byte // guarded by mu, like all that follows
	err     error  // of a write: nothing is written any more
	running bool
	wanted  bool // OnWritable is
	shut    bool // the writing half is to end behind buf
	closed  bool // the socket is to be closed behind buf
}

// NewStream is New for a connection that reads and writes through inner, in
// place of its socket; s is closed. timeout bounds each write.
func NewStream(s, inner Socket, timeout time.Duration, h Handler) *Conn {
	c := &Conn{handler: h, own: &ownDriver{socket: s}, fd: -1}
	c.own.resumed.L = &c.mu
	c.own.stream = &stream{conn: c, inner: inner, timeout: timeout}
	return c
}

// tryWrite takes as many bytes as there is room for.
func (s *stream) tryWrite(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n := min(len(p), streamBound-len(s.buf))
	s.buf = append(s.buf, p[:n]...)
	s.wake()
	return n, nil
}

// wake has a goroutine do what there is to do. mu is held.
func (s *stream) wake() {
	if !s.running {
		s.running = true
		go s.run()
	}
}

// run writes until nothing is left, and does what is to come behind that.
func (s *stream) run() {
	for {
		s.mu.Lock()
		p := s.buf
		s.buf = nil
		wanted := s.wanted && p == nil
		if wanted {
			s.wanted = false
		}
		if p == nil && !wanted {
			s.finish()
			return
		}
		s.mu.Unlock()
		if wanted {
			s.conn.handler.OnWritable()
			continue
		}
		err := s.inner.SetWriteDeadline(time.Now().Add(s.timeout))
		if err == nil {
			_, err = s.inner.Write(p)
		}
		if err != nil {
			s.mu.Lock()
			s.err, s.buf = err, nil
			s.mu.Unlock()
		}
	}
}

// finish ends the goroutine with what was asked for behind the last byte. mu is
// held, and released.
func (s *stream) finish() {
	s.running = false
	shut, closed := s.shut, s.closed
	s.shut = false
	s.mu.Unlock()
	if shut && !closed {
		_ = s.inner.CloseWrite() // it fails where the client has gone already
	}
	if closed {
		_ = s.conn.own.socket.Close()
	}
}

// notifyWritable has OnWritable called once there is room.
func (s *stream) notifyWritable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = true
	s.wake()
}

func (s *stream) closeWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	s.wake()
}

// close closes the socket behind what waits, or once that takes too long.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if len(s.buf) > 0 || s.running {
		time.AfterFunc(streamClose, func() { _ = s.conn.own.socket.Close() }) // again is nothing
	}
	s.wake()
}

// readStream is readOnce for a stream.
func (s *stream) readOnce(h Handler) error {
	p := h.Space()
	if p == nil {
		p = make([]byte, Headroom+streamRead)[Headroom:]
	}
	n, err := s.inner.Read(p)
	switch {
	case n > 0:
		h.OnData(p[:n])
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		if err := s.inner.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		h.OnData(nil)
		return nil
	case err == nil:
		return nil
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	}
	return err
}
