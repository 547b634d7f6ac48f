package eventloop

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// readSize is the size in bytes of the buffers that are lent to OnData.
const readSize = 64 << 10

// Handler takes what happens on one socket.
type Handler interface {
	// OnData takes bytes that have arrived, or none after Interrupt. p is
	// lent until OnData returns; the handler may change it in place.
	OnData(p []byte)

	// OnWritable tells that the socket takes bytes again, once for each
	// NotifyWritable.
	OnWritable()

	// OnClose tells that nothing more can be read: err is io.EOF when the
	// peer has ended its half, net.ErrClosed after Close, else the socket's
	// error. The socket is still to be closed.
	OnClose(err error)
}

// Socket is what a Conn can drive: *net.TCPConn and *net.UnixConn are such.
type Socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// Conn is one socket and the way out of it. Make it with New.
type Conn struct {
	socket Socket
	raw    syscall.RawConn

	mu     sync.Mutex // guards the descriptor against reuse: held while it is written to
	fd     int
	closed bool // guarded by mu
}

// New makes a Conn of a connected socket, which it owns from now on: no
// deadline may be pending on it, and nobody else may read, write or close it.
func New(s Socket) (*Conn, error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{socket: s, raw: raw}
	if err := raw.Control(func(fd uintptr) { c.fd = int(fd) }); err != nil {
		return nil, err
	}
	return c, nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}

// Run gives early to h, as though it had just been read, and then what the
// socket brings, until EOF, an error or Close. It returns after OnClose.
//
// A callback that ends its goroutine (runtime.Goexit) does not end the
// connection: another goroutine goes on in its place, and Run does not return.
func (c *Conn) Run(h Handler, early []byte) {
	finished := false
	defer func() {
		if !finished {
			go c.Run(h, nil)
		}
	}()
	if len(early) > 0 {
		h.OnData(early)
	}
	for {
		err := c.readOnce(h)
		if err != nil {
			h.OnClose(err)
			finished = true
			return
		}
	}
}

// readOnce waits for bytes, reads them with one system call and lends them to
// h. The buffer is taken from the pool only once there is something to read,
// so that an idle connection holds none.
func (c *Conn) readOnce(h Handler) error {
	var (
		buf *[]byte
		n   int
		err error
	)
	waitErr := c.raw.Read(func(fd uintptr) bool {
		b := buffers.Get().(*[]byte)
		n, err = ignoringEINTR(unix.Read, int(fd), *b)
		if err == unix.EAGAIN {
			buffers.Put(b)
			return false
		}
		buf = b
		return true
	})
	switch {
	case errors.Is(waitErr, os.ErrDeadlineExceeded):
		if err := c.socket.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		h.OnData(nil)
		return nil
	case errors.Is(waitErr, net.ErrClosed):
		return net.ErrClosed
	case waitErr != nil:
		return waitErr
	}
	defer buffers.Put(buf)
	if err != nil {
		return err
	}
	if n <= 0 {
		return io.EOF
	}
	h.OnData((*buf)[:n])
	return nil
}

// TryWrite writes what the socket takes without waiting and returns how much
// that was: fewer than len(p) bytes, without an error, when its buffer is full.
func (c *Conn) TryWrite(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	n, err := ignoringEINTR(unix.Write, c.fd, p)
	if err == unix.EAGAIN {
		return 0, nil
	}
	return max(n, 0), err
}

// NotifyWritable has h.OnWritable called once the socket takes bytes again.
// It is for use after a short TryWrite. After Close h.OnWritable is called as
// well, so that who waits for it learns of the end.
func (c *Conn) NotifyWritable(h Handler) {
	go func() {
		waited := false
		_ = c.raw.Write(func(uintptr) bool { // its only error is that the socket was closed
			again := waited || c.takesBytes()
			waited = true
			return again
		})
		h.OnWritable()
	}()
}

// takesBytes asks the kernel whether the socket is writable just now: the
// event may have come between the short write and the wait for it.
func (c *Conn) takesBytes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// Interrupt has Run call OnData without bytes, soon and at least once, if Run
// has begun. It may be called from any goroutine.
func (c *Conn) Interrupt() {
	_ = c.socket.SetReadDeadline(time.Unix(1, 0)) // fails once closed: Run ends then
}

// CloseWrite ends the writing half: the peer reads EOF after what was written.
func (c *Conn) CloseWrite() error { return c.socket.CloseWrite() }

// Close closes the socket. Run then ends with net.ErrClosed, unless it is
// inside a callback: then when that has returned. Only the first call counts.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	return c.socket.Close()
}

func ignoringEINTR(f func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := f(fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}
