package server

import (
	"errors"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// The pauses after an accept that failed for want of descriptors or memory.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// acceptor accepts on one listener until it is closed, where there are no
// loops to do that, or TLS is spoken. No error but that ends it: fasthttp's own loop returns at
// the first EMFILE.
type acceptor struct {
	server   *Server
	listener *listening
}

func (a *acceptor) run() {
	for {
		c, err := a.listener.tcp.AcceptTCP()
		switch {
		case err == nil:
			a.server.pauses.Store(0)
			a.server.admit(c, a.listener.isTLS)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if pause := a.server.acceptFailed(err, a.listener); pause > 0 && !a.server.pause(pause) {
				return
			}
		}
	}
}

// acceptFailed logs a failure and returns how long to wait before the next
// try: not at all when it concerns one connection (ECONNABORTED, EPERM from a
// firewall ...), else longer each time.
func (s *Server) acceptFailed(err error, l *listening) time.Duration {
	if !isShortage(err) {
		return 0
	}
	if last := s.acceptLogged.Load(); time.Now().Unix() != last && s.acceptLogged.CompareAndSwap(last, time.Now().Unix()) {
		s.log.printf("core", httpdconf.LevelError, "", "accept on %v: %v", l.addr, err)
	}
	s.reserve.shed(l)
	n := s.pauses.Add(1)
	return min(acceptPauseMin<<min(n-1, 10), acceptPauseMax)
}

func isShortage(err error) bool {
	for _, shortage := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

// reserve is a descriptor kept to be given up when there are none left, so
// that a client which waits in the queue can be accepted and closed.
type reserve struct {
	mu   sync.Mutex
	file *os.File // guarded by mu; nil while it could not be had
}

// take opens the reserve descriptor, if it is not there.
func (r *reserve) take() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		r.file, _ = os.Open(os.DevNull) // nil: tried again after the next shortage
	}
}

// shed gives the reserve up for one client of the queue, who so learns at once
// that there is no room.
func (r *reserve) shed(l *listening) {
	r.mu.Lock()
	if r.file != nil {
		_ = r.file.Close() // it is /dev/null
		r.file = nil
		l.shed()
	}
	r.mu.Unlock()
	r.take()
}

func (r *reserve) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// admit serves an accepted connection on a goroutine of its own, or refuses it
// there: what a refused client does must not hold up the next one.
func (s *Server) admit(c *net.TCPConn, isTLS bool) {
	socket := eventloop.Socket(c)
	if isTLS {
		socket = s.newTLSSocket(c)
	}
	nc := newNetConn(socket, s.open, s.routes.first(addrPortOf(c.LocalAddr())))
	if s.open.add(nc, s.maxConns) {
		s.workers.run(func() bool { return s.serveConn(nc) })
		return
	}
	go s.refuseFull(nc)
}

// serveConn has fasthttp serve c. It returns when the connection has ended or
// has become a WebSocket, and reports whether no plugin was asked on it.
func (s *Server) serveConn(c *netConn) (unchanged bool) {
	returned := false
	defer func() {
		if returned {
			return
		}
		// A plugin ended the goroutine, or something panicked past every
		// other recover: the client is owed an answer.
		if cause := recover(); cause != nil {
			s.log.printf("core", httpdconf.LevelError, c.RemoteAddr().String(), "panic: %v\n%s", cause, debug.Stack())
		}
		_, _ = c.Write([]byte("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		_ = c.Close()
	}()
	_ = s.http.ServeConn(c) // httpd.go logs what fasthttp reports
	returned = true
	return !c.asked.Load()
}

const fullAnswer = "HTTP/1.1 503 Service Unavailable\r\nServer: " + serverToken + "\r\nRetry-After: 1\r\n" +
	"Content-Length: 0\r\nConnection: close\r\n\r\n"

// refuseFull tells a client that the server has all the connections it takes;
// one over TLS it just closes.
func (s *Server) refuseFull(c *netConn) {
	s.log.printf("core", httpdconf.LevelInfo, c.RemoteAddr().String(), "connection refused: %d are open, which is the limit", s.maxConns)
	defer c.close()
	if _, isTLS := c.Socket.(*tlsSocket); isTLS {
		return // to say so would take a handshake
	}
	if c.Socket.SetWriteDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	if _, err := c.Socket.Write([]byte(fullAnswer)); err == nil {
		c.linger()
	}
}
