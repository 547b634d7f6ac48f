package eventloop

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeKernel is a kernel in memory. It reports what a loop must never do: use a
// descriptor that is not open, read on after the end, or ask for events again
// and again without doing anything about them.
//
// A loop's eventfd is a real one, and so is what ends a wait here (kick).
type fakeKernel struct {
	report func(format string, args ...any)

	mu     sync.Mutex
	socks  map[int]*fakeSock  // by descriptor; guarded by mu like all that follows
	epolls map[int]*fakeEpoll // by descriptor
	waits  int                // calls
	vain   int                // waits that ended since something was last done
	since  time.Time          // when the first of them did
	eintr  int                // so many blocking waits end with EINTR
	atOnce int                // events of one wait, 0 for no limit
	noAdd  bool               // the next EPOLL_CTL_ADD of a socket fails

	// What happens as the next wait begins, one that returns at once and one
	// that does not. It is called without mu.
	atPoll, atSleep []func()
}

// fakeSock is one socket, seen from both ends.
type fakeSock struct {
	id      int    // whose stream it carries
	rx      []byte // sent by the peer, not yet read
	sent    int    // all that the peer has sent
	eof     bool   // the peer has ended its half, behind rx
	reset   bool
	told    bool // the reset was read
	over    bool // EOF or an error was read
	shut    bool // our half is ended
	refused bool // epoll did not take it
	room    int  // so many bytes can be sent
	got     int  // so many have reached the peer

	recvs    []syscall.Errno // answers to the next recvs; 0 is a byte
	sends    []syscall.Errno // to the next sends; 0 is a byte
	spurious bool            // the next wait tells that there is something to read

	listens bool
	accepts []syscall.Errno // answers to the next accepts; 0 is a connection
}

type fakeEpoll struct {
	watches []*fakeWatch
	kick    int  // an eventfd that ends a wait
	asleep  bool // in a wait, with nothing to tell
}

type fakeWatch struct {
	fd     int
	events uint32 // 0 once the one shot was fired
	data   uint64
}

// firstFakeFd is above all real descriptors.
const firstFakeFd = 5000

func newFakeKernel(t *testing.T, report func(string, ...any)) *fakeKernel {
	k := &fakeKernel{report: report, socks: make(map[int]*fakeSock), epolls: make(map[int]*fakeEpoll)}
	t.Cleanup(func() {
		for _, e := range k.epolls {
			unix.Close(e.kick)
		}
	})
	return k
}

// streamByte is the byte at an offset of what the peer of a connection sends.
func streamByte(id, offset int) byte { return byte(id*37 + offset*7 + offset>>8) }

// open returns the lowest free descriptor, with a socket behind it.
func (k *fakeKernel) open(s *fakeSock) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.openLocked(s)
}

func (k *fakeKernel) openLocked(s *fakeSock) int {
	fd := firstFakeFd
	for k.socks[fd] != nil {
		fd++
	}
	k.socks[fd] = s
	return fd
}

// change does something to sockets from outside, as the network does.
func (k *fakeKernel) change(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
	k.done()
}

// peerSends puts n more bytes of a socket's stream into its receive queue.
func (k *fakeKernel) peerSends(s *fakeSock, n int) {
	k.change(func() {
		if s.eof || s.reset {
			return
		}
		for range n {
			s.rx = append(s.rx, streamByte(s.id, s.sent))
			s.sent++
		}
	})
}

// done ends the waits for which there is something now. mu is held.
func (k *fakeKernel) done() {
	k.vain = 0
	for _, e := range k.epolls {
		if e.asleep {
			_, _ = unix.Write(e.kick, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		}
	}
}

// epoll returns the set that a descriptor stands for. mu is held.
func (k *fakeKernel) epoll(epfd int) *fakeEpoll {
	e := k.epolls[epfd]
	if e == nil {
		kick, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			panic(fmt.Sprintf("eventfd: %v", err))
		}
		e = &fakeEpoll{kick: kick}
		k.epolls[epfd] = e
	}
	return e
}

// sock returns the open socket of a descriptor. mu is held.
func (k *fakeKernel) sock(fd int, call string) *fakeSock {
	s := k.socks[fd]
	if s == nil {
		k.report("%s(%d): no such descriptor is open", call, fd)
	}
	return s
}

func (s *fakeSock) ready() uint32 {
	if s.listens {
		if len(s.accepts) > 0 {
			return unix.EPOLLIN
		}
		return 0
	}
	var e uint32
	if s.spurious || len(s.rx) > 0 {
		e |= unix.EPOLLIN
	}
	if s.room > 0 || s.shut {
		e |= unix.EPOLLOUT
	}
	if s.eof {
		e |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if s.eof && s.shut {
		e |= unix.EPOLLHUP
	}
	if s.reset {
		e |= unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLHUP
		if !s.told {
			e |= unix.EPOLLERR
		}
	}
	return e
}

// readable asks about a real descriptor.
func readable(fd int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(p, 0)
	return n > 0
}

// ready returns what there is to tell of a watched descriptor. mu is held.
func (k *fakeKernel) ready(w *fakeWatch) uint32 {
	if w.events == 0 {
		return 0
	}
	if s := k.socks[w.fd]; s != nil {
		return s.ready() & (w.events | unix.EPOLLERR | unix.EPOLLHUP)
	}
	if w.fd < firstFakeFd && readable(w.fd) {
		return unix.EPOLLIN
	}
	return 0
}

// collect tells what is ready. mu is held.
func (k *fakeKernel) collect(e *fakeEpoll, events []unix.EpollEvent) int {
	if k.atOnce > 0 {
		events = events[:min(k.atOnce, len(events))]
	}
	n := 0
	for _, w := range e.watches {
		ready := k.ready(w)
		if ready == 0 || n == len(events) {
			continue
		}
		if w.events&unix.EPOLLONESHOT != 0 {
			w.events = 0
		}
		if s := k.socks[w.fd]; s != nil {
			s.spurious = false
		}
		events[n] = unix.EpollEvent{Events: ready, Fd: int32(w.data), Pad: int32(w.data >> 32)}
		n++
	}
	if n > 0 && n < len(e.watches) { // the next wait begins with another one
		e.watches = append(e.watches[1:], e.watches[0])
	}
	return n
}

func (k *fakeKernel) wait(epfd int, events []unix.EpollEvent, timeout int) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waits++
	if k.vain++; k.vain == 1 {
		k.since = time.Now()
	}
	// Who closes clears the table first, and may lose the processor then.
	if k.vain >= 1000 && time.Since(k.since) > 2*time.Second {
		k.report("%d waits without anything done in between", k.vain)
	}
	e := k.epoll(epfd)
	k.happen(&k.atPoll)
	if timeout == 0 {
		return k.collect(e, events), 0
	}
	k.happen(&k.atSleep)
	if n := k.collect(e, events); n > 0 {
		return n, 0
	}
	if k.eintr > 0 {
		k.eintr--
		return -1, syscall.EINTR
	}
	until := time.Now().Add(time.Duration(timeout) * time.Millisecond)
	polled := []unix.PollFd{{Fd: int32(e.kick), Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN}}
	for _, w := range e.watches {
		if w.fd < firstFakeFd {
			polled[1].Fd = int32(w.fd)
		}
	}
	for len(k.atPoll)+len(k.atSleep) == 0 {
		left := -1
		if timeout > 0 {
			left = int(max(time.Until(until), 0)/time.Millisecond) + 1
		}
		e.asleep = true
		k.mu.Unlock()
		_, _ = unix.Poll(polled, left)
		k.mu.Lock()
		e.asleep = false
		_, _ = unix.Read(e.kick, make([]byte, 8))
		if n := k.collect(e, events); n > 0 || timeout > 0 && !time.Now().Before(until) {
			return n, 0
		}
	}
	return -1, syscall.EINTR
}

// happen does what is to be done at a moment, once. mu is held.
func (k *fakeKernel) happen(at *[]func()) {
	all := *at
	*at = nil
	k.mu.Unlock()
	for _, f := range all {
		f()
	}
	k.mu.Lock()
}

func (k *fakeKernel) control(epfd, op, fd int, events uint32, data uint64) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.done()
	e := k.epoll(epfd)
	if fd >= firstFakeFd && k.sock(fd, "epoll_ctl") == nil {
		return syscall.EBADF
	}
	at := slices.IndexFunc(e.watches, func(w *fakeWatch) bool { return w.fd == fd })
	switch {
	case op == unix.EPOLL_CTL_ADD && k.noAdd && fd >= firstFakeFd:
		k.noAdd = false
		k.socks[fd].refused = true
		return syscall.ENOMEM
	case op == unix.EPOLL_CTL_ADD && at >= 0:
		k.report("epoll_ctl adds %d twice", fd)
		return syscall.EEXIST
	case op == unix.EPOLL_CTL_ADD:
		e.watches = append(e.watches, &fakeWatch{fd: fd, events: events, data: data})
	case at < 0:
		k.report("epoll_ctl changes %d, which is not in the set", fd)
		return syscall.ENOENT
	case op == unix.EPOLL_CTL_DEL:
		e.watches = slices.Delete(e.watches, at, at+1)
	case (e.watches[at].events|events)&unix.EPOLLEXCLUSIVE != 0:
		k.report("epoll_ctl changes %d, which is watched exclusively", fd)
		return syscall.EINVAL
	default:
		e.watches[at].events, e.watches[at].data = events, data
	}
	return 0
}

// take removes the next answer from a script; without one it is 0.
func take(script *[]syscall.Errno) (answer syscall.Errno, ok bool) {
	if len(*script) == 0 {
		return 0, false
	}
	answer = (*script)[0]
	*script = (*script)[1:]
	return answer, true
}

func (k *fakeKernel) recv(fd int, p []byte) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.vain = 0
	s := k.sock(fd, "recv")
	if s == nil {
		return -1, syscall.EBADF
	}
	if s.over {
		k.report("recv(%d) after the end", fd)
	}
	answer, scripted := take(&s.recvs)
	if answer != 0 {
		return -1, answer
	}
	switch {
	case len(s.rx) > 0:
		if scripted {
			p = p[:1]
		}
		n := copy(p, s.rx)
		s.rx = s.rx[n:]
		return n, 0
	case s.reset && !s.told:
		s.told, s.over = true, true
		return -1, syscall.ECONNRESET
	case s.reset, s.eof:
		s.over = true
		return 0, 0
	}
	return -1, syscall.EAGAIN
}

func (k *fakeKernel) send(fd int, p []byte, _ bool) (int, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.vain = 0
	s := k.sock(fd, "send")
	if s == nil {
		return -1, syscall.EBADF
	}
	answer, scripted := take(&s.sends)
	switch {
	case answer != 0:
		return -1, answer
	case s.reset && !s.told:
		s.told = true
		return -1, syscall.ECONNRESET
	case s.reset, s.shut:
		return -1, syscall.EPIPE
	case s.room == 0 && len(p) > 0:
		return -1, syscall.EAGAIN
	}
	n := min(len(p), s.room)
	if scripted {
		n = min(n, 1)
	}
	for i, b := range p[:n] {
		if want := streamByte(s.id, s.got+i); b != want {
			k.report("connection %d: byte %d of what came back = %#x, want %#x", s.id, s.got+i, b, want)
			break
		}
	}
	s.room -= n
	if s.got += n; s.got > s.sent {
		k.report("connection %d: %d bytes came back of %d", s.id, s.got, s.sent)
	}
	return n, 0
}

func (k *fakeKernel) send2(fd int, p, q []byte) (int, syscall.Errno) {
	return k.send(fd, slices.Concat(p, q), false)
}

func (k *fakeKernel) accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.vain = 0
	s := k.sock(fd, "accept")
	if s == nil {
		return -1, netip.AddrPort{}, syscall.EBADF
	}
	answer, ok := take(&s.accepts)
	switch {
	case !ok:
		return -1, netip.AddrPort{}, syscall.EAGAIN
	case answer == syscall.EMFILE:
		// The connection waits on: it is accepted once there are descriptors.
		s.accepts = append([]syscall.Errno{0}, s.accepts...)
		return -1, netip.AddrPort{}, answer
	case answer != 0:
		return -1, netip.AddrPort{}, answer
	}
	return k.openLocked(&fakeSock{id: -1}), netip.AddrPort{}, 0
}

func (k *fakeKernel) shutdownWrite(fd int) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.done()
	if s := k.sock(fd, "shutdown"); s != nil {
		s.shut = true
	}
	return 0
}

func (k *fakeKernel) close(fd int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.done()
	if k.sock(fd, "close") == nil {
		return
	}
	delete(k.socks, fd)
	for _, e := range k.epolls {
		e.watches = slices.DeleteFunc(e.watches, func(w *fakeWatch) bool { return w.fd == fd })
	}
}

// idle reports whether all loops are in a wait that nothing is going to end,
// and how many waits there were.
func (k *fakeKernel) idle() (waits int, idle bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.atPoll)+len(k.atSleep) > 0 {
		return k.waits, false
	}
	for _, e := range k.epolls {
		if !e.asleep {
			return k.waits, false
		}
		for _, w := range e.watches {
			if k.ready(w) != 0 {
				return k.waits, false
			}
		}
	}
	return k.waits, true
}
