//go:build !linux

package eventloop

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errNoLoops is what those get who want a loop where there are none.
var errNoLoops = errors.New("no event loops on this system")

// Acceptor takes the connections of a listening socket; see the Linux part.
type Acceptor interface {
	Accepted(l *Loop, fd int, peer netip.AddrPort, at time.Time)
	AcceptFailed(err error) (pause time.Duration)
}

// Loop and Group are there on Linux only.
type Loop struct{}

// Group is there on Linux only.
type Group struct{}

// MostThreads is there on Linux only.
func MostThreads(int) int { return 0 }

// NewGroup fails.
func NewGroup(int, func(string, ...any)) (*Group, error) { return nil, errNoLoops }

// DefaultLoops returns 0.
func DefaultLoops() int { return 0 }

// Listen fails.
func (*Group) Listen(int, Acceptor) error { return errNoLoops }

// StopListening does nothing.
func (*Group) StopListening() {}

// Close does nothing.
func (*Group) Close() {}

// New returns a Conn that does not start.
func (*Loop) New(int, Handler) *Conn { return &Conn{} }

// Start fails.
func (c *Conn) Start() error { return errNoLoops }

// StartWithin reports that there is no loop.
func (c *Conn) StartWithin(time.Duration) error { return errNoLoops }

// Leave reports that there is no loop to leave.
func (c *Conn) Leave() (fd int, ok bool) { return -1, false }

func (*Loop) deadline(*Conn, time.Duration) {}
func (*Loop) forget(*Conn)                  {}
func (*Loop) enqueue(*Conn)                 {}
func (c *Conn) watch()                      {}

func (c *Conn) shutdownWrite() error { return c.own.socket.CloseWrite() }

func (c *Conn) send(p []byte, _ bool) (int, syscall.Errno) {
	n, err := unix.Write(int(c.fd), p)
	errno, _ := err.(syscall.Errno)
	return max(n, 0), errno
}

func (c *Conn) send2(p, q []byte) (int, syscall.Errno) {
	n, errno := c.send(p, false)
	if errno != 0 || n < len(p) {
		return n, errno
	}
	m, errno := c.send(q, false)
	if errno == syscall.EAGAIN {
		errno = 0
	}
	return n + m, errno
}

// LocalAddr reports that there is no loop.
func (c *Conn) LocalAddr() (netip.AddrPort, bool) { return netip.AddrPort{}, false }

// IsPeerGone cannot be told here.
func (c *Conn) IsPeerGone() bool { return false }
