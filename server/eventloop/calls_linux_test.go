package eventloop

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// counting is a kernel that counts its calls.
type counting struct {
	kernel
	hold                                sync.Mutex // a wait begins once it is free
	waits, controls, recvs, sends, rest atomic.Int64
}

func (k *counting) wait(epfd int, events []unix.EpollEvent, timeout int) (int, syscall.Errno) {
	k.hold.Lock()
	//lint:ignore SA2001 it only waits
	k.hold.Unlock()
	k.waits.Add(1)
	return k.kernel.wait(epfd, events, timeout)
}

func (k *counting) control(epfd, op, fd int, events uint32, data uint64) syscall.Errno {
	k.controls.Add(1)
	return k.kernel.control(epfd, op, fd, events, data)
}

func (k *counting) recv(fd int, p []byte) (int, syscall.Errno) {
	k.recvs.Add(1)
	return k.kernel.recv(fd, p)
}

func (k *counting) send(fd int, p []byte, more bool) (int, syscall.Errno) {
	k.sends.Add(1)
	return k.kernel.send(fd, p, more)
}

func (k *counting) send2(fd int, p, q []byte) (int, syscall.Errno) {
	k.rest.Add(1)
	return k.kernel.send2(fd, p, q)
}

func (k *counting) accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	k.rest.Add(1)
	return k.kernel.accept(fd)
}

func (k *counting) shutdownWrite(fd int) syscall.Errno {
	k.rest.Add(1)
	return k.kernel.shutdownWrite(fd)
}

// echoing is a Handler that sends back what it gets.
type echoing struct{ c *Conn }

func (e *echoing) OnData(p []byte) {
	_, _ = e.c.TryWrite(p) // the client misses what is not written
}

func (e *echoing) Space() []byte { return nil }
func (e *echoing) OnWritable()   {}
func (e *echoing) OnDeadline()   {}
func (e *echoing) OnClose(error) { _ = e.c.Close() }
func (e *echoing) OnRelease()    {}

// TestSystemCallsOfAnEcho: a message costs one recv and one send, and those
// that are ready together share a wait.
func TestSystemCallsOfAnEcho(t *testing.T) {
	const clients, rounds = 50, 20
	g, k := newCounted(t)
	var ends []*net.TCPConn
	for range clients {
		ours, theirs := pair(t)
		e := new(echoing)
		e.c = g.loops[0].New(ownFd(t, ours), e)
		if err := e.c.Start(); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, theirs)
	}
	echo := func(c *net.TCPConn) {
		t.Helper()
		if _, err := io.ReadFull(c, make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	send := func(c *net.TCPConn) {
		t.Helper()
		if _, err := c.Write(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range ends { // epoll knows them from here on
		send(c)
		echo(c)
	}
	waits, controls, recvs, sends := k.waits.Load(), k.controls.Load(), k.recvs.Load(), k.sends.Load()
	for range rounds {
		k.hold.Lock()
		for _, c := range ends {
			send(c)
		}
		k.hold.Unlock()
		for _, c := range ends {
			echo(c)
		}
	}
	const messages = rounds * clients
	if n := k.recvs.Load() - recvs; n != messages {
		t.Errorf("%d messages took %d recv", messages, n)
	}
	if n := k.sends.Load() - sends; n != messages {
		t.Errorf("%d messages took %d send", messages, n)
	}
	// Of each round: the first that was ready, all others, whether there is more, and a last one.
	if n := k.waits.Load() - waits; n > 4*rounds {
		t.Errorf("%d rounds took %d waits", rounds, n)
	}
	if n := k.controls.Load() - controls + k.rest.Load(); n != 0 {
		t.Errorf("there were %d calls of other kinds", n)
	}
}

// ownFd takes the descriptor out of a socket.
func ownFd(t *testing.T, s *net.TCPConn) int {
	t.Helper()
	raw, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fd := -1
	if cause := raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 3) }); cause != nil {
		err = cause
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	return fd
}

// newCounted starts one loop whose calls are counted.
func newCounted(t *testing.T) (*Group, *counting) {
	t.Helper()
	k := &counting{kernel: linux{}}
	g := &Group{note: t.Logf, workersMost: workersMost}
	l, err := g.start(k, false)
	if err != nil {
		t.Fatal(err)
	}
	g.loops = []*Loop{l}
	t.Cleanup(g.Close)
	return g, k
}
