package server

import (
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/server/eventloop"
)

// listening is a listening socket: Go's, or a bare descriptor for the loops.
// One that stayed with Go would wake it up for every connection as well.
type listening struct {
	addr net.Addr
	tcp  *net.TCPListener // nil where loops accept
	fd   int

	isTLS bool

	local  netip.AddrPort // what connections come in at; the zero value where addr does not tell
	server *Server
}

// newListening takes a listener over.
func newListening(s *Server, tcp *net.TCPListener, isTLS bool) (*listening, error) {
	if err := setBacklog(tcp, s.cfg.Sockets.Backlog); err != nil {
		return nil, err
	}
	l := &listening{addr: tcp.Addr(), tcp: tcp, fd: -1, server: s, isTLS: isTLS}
	if !eventloop.Loops || isTLS {
		return l, nil
	}
	if local := l.addr.(*net.TCPAddr).AddrPort(); !local.Addr().IsUnspecified() {
		l.local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	}
	defer tcp.Close()
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	controlErr := raw.Control(func(fd uintptr) { l.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3) })
	if controlErr != nil {
		return nil, controlErr
	}
	if err != nil {
		return nil, err
	}
	l.tcp = nil
	return l, nil
}

func (l *listening) close() {
	if l.tcp != nil {
		_ = l.tcp.Close() // it is closed whatever it says
		return
	}
	_ = unix.Close(l.fd)
}

// shed accepts one client, if one waits, and closes it.
func (l *listening) shed() {
	if l.tcp == nil {
		if fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC); err == nil {
			_ = unix.Close(fd)
		}
		return
	}
	_ = l.tcp.SetDeadline(time.Now().Add(acceptPauseMin))
	if c, err := l.tcp.AcceptTCP(); err == nil {
		_ = c.Close()
	}
	_ = l.tcp.SetDeadline(time.Time{})
}

// Accepted begins a connection of a loop's (eventloop.Acceptor).
func (l *listening) Accepted(on *eventloop.Loop, fd int, remote netip.AddrPort, at time.Time) {
	s := l.server
	s.pauses.Store(0)
	f := newFront(s, l.local, remote, at)
	if !s.open.add(f, s.maxConns) {
		go l.refuse(fd, remote)
		return
	}
	f.start(on, fd)
}

// AcceptFailed says how long to wait (eventloop.Acceptor).
func (l *listening) AcceptFailed(err error) time.Duration { return l.server.acceptFailed(err, l) }

// refuse is refuseFull for a socket from a loop.
func (l *listening) refuse(fd int, remote netip.AddrPort) {
	s := l.server
	socket := newFileSocket(fd, l.local, remote)
	s.refuseFull(newNetConn(socket, s.open, s.cfg.Main))
}
