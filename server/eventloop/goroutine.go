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

// Socket is what a goroutine can drive: *net.TCPConn and *net.UnixConn are
// such.
type Socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// ownDriver is what a Conn has that a goroutine of its own drives.
type ownDriver struct {
	socket  Socket
	raw     syscall.RawConn
	resumed sync.Cond // on the Conn's mu
	stream  *stream   // where bytes are not those of the socket, else nil
}

// New makes a Conn of a connected socket for Run to drive. It owns the socket
// from now on: no deadline may be pending on it, and nobody else may read,
// write or close it.
func New(s Socket, h Handler) (*Conn, error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{handler: h, own: &ownDriver{socket: s, raw: raw}}
	c.own.resumed.L = &c.mu
	if err := raw.Control(func(fd uintptr) { c.fd = int32(fd) }); err != nil {
		return nil, err
	}
	return c, nil
}

// buffers holds those of goroutines that are reading: an idle one has none.
var buffers = sync.Pool{New: func() any { b := make([]byte, Headroom+readSize); return &b }}

// Run gives early to the handler, as though it had just been read, and then
// what the socket brings, until EOF, an error or Close. It returns after
// OnClose.
//
// A callback that ends its goroutine (runtime.Goexit) does not end the
// connection: another goroutine goes on in its place, with an interrupt, and
// Run does not return.
func (c *Conn) Run(early []byte) {
	finished := false
	defer func() {
		if !finished {
			c.Interrupt()
			go c.Run(nil)
		}
	}()
	if len(early) > 0 {
		b := make([]byte, Headroom+len(early))
		c.handler.OnData(b[:Headroom+copy(b[Headroom:], early)][Headroom:])
	}
	for {
		c.awaitResume()
		if err := c.readOnce(); err != nil {
			c.handler.OnClose(err)
			finished = true
			return
		}
	}
}

// awaitResume waits while the connection is paused.
func (c *Conn) awaitResume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.paused && !c.closed {
		c.own.resumed.Wait()
	}
}

// readOnce waits for bytes, reads them with one system call and lends them to
// the handler. A buffer is taken only once there is something to read, so that
// an idle connection holds none.
func (c *Conn) readOnce() error {
	if c.own.stream != nil {
		return c.own.stream.readOnce(c.handler)
	}
	var (
		box *[]byte
		p   []byte
		n   int
		err error
	)
	waitErr := c.own.raw.Read(func(fd uintptr) bool {
		if p = c.handler.Space(); p == nil {
			box = buffers.Get().(*[]byte)
			p = (*box)[Headroom:]
		}
		n, err = ignoringEINTR(unix.Read, int(fd), p)
		if err == unix.EAGAIN && box != nil {
			buffers.Put(box)
			box, p = nil, nil
		}
		return err != unix.EAGAIN
	})
	if box != nil {
		defer buffers.Put(box)
	}
	switch {
	case errors.Is(waitErr, os.ErrDeadlineExceeded):
		if err := c.own.socket.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		c.handler.OnData(nil)
		return nil
	case errors.Is(waitErr, net.ErrClosed):
		return net.ErrClosed
	case waitErr != nil:
		return waitErr
	case err != nil:
		return err
	case n <= 0:
		return io.EOF
	}
	c.handler.OnData(p[:n])
	return nil
}

// notifyWritable waits on a goroutine of its own.
func (d *ownDriver) notifyWritable(c *Conn) {
	if d.stream != nil {
		d.stream.notifyWritable()
		return
	}
	go func() {
		waited := false
		_ = d.raw.Write(func(uintptr) bool { // its only error is that the socket was closed
			again := waited || c.takesBytes()
			waited = true
			return again
		})
		c.handler.OnWritable()
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
	fds := []unix.PollFd{{Fd: c.fd, Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// interrupt ends the wait of Run by a deadline that has passed.
func (d *ownDriver) interrupt() {
	s := d.socket
	if d.stream != nil {
		s = d.stream.inner
	}
	_ = s.SetReadDeadline(time.Unix(1, 0)) // fails once closed: Run ends then
}

func ignoringEINTR(f func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := f(fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}
