package eventloop

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	eventsAtOnce  = 512
	acceptsAtOnce = 64
	tableChunk    = 4096 // descriptors of one piece of the table
	tableChunks   = 4096 // so many pieces at most: 16 million descriptors
)

// Acceptor takes the connections of a listening socket.
type Acceptor interface {
	// Accepted takes a connected, non-blocking socket. It hands it to
	// Loop.New or closes it. Those that are accepted in a row share a time.
	Accepted(l *Loop, fd int, peer netip.AddrPort, at time.Time)

	// AcceptFailed tells of an error. The loop accepts on after a pause.
	AcceptFailed(err error) (pause time.Duration)
}

// Loop moves the bytes of many connections from one thread: that of the worker
// which runs it at the time (worker.go).
type Loop struct {
	k     kernel
	group *Group
	epfd  int
	slow  bool // takes in who burns the processor
	baton *baton

	crowd  atomic.Bool // so many threads have callbacks that block that no call is made in the loop
	asleep atomic.Bool // in a wait that only an event ends
	wakeFd int         // eventfd
	table  [tableChunks]atomic.Pointer[[tableChunk]atomic.Pointer[Conn]]

	accepting sync.Mutex // held in accept: a listening socket must not be closed there

	mu        sync.Mutex
	queue     []*Conn // with something pending, guarded by mu like all that follows
	due       deadlines
	listeners []*listener
	runner    *worker
	spares    int     // workers that wait
	workers   int     // all of them
	overdue   []*Conn // whose deadline is over
	stopping  bool
	crowded   bool // that was logged

}

// listener is a listening socket in a loop.
type listener struct {
	fd       int
	acceptor Acceptor
	until    int64 // when it is accepted on again, in nanoseconds of now; 0 while it is
}

// newLoop makes a loop without workers.
func newLoop(g *Group, k kernel, slow bool) (*Loop, error) {
	l := &Loop{k: k, group: g, slow: slow, epfd: -1, wakeFd: -1}
	var err error
	if l.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.wakeFd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		l.closeFds()
		return nil, err
	}
	if errno := l.k.control(l.epfd, unix.EPOLL_CTL_ADD, l.wakeFd, unix.EPOLLIN, uint64(l.wakeFd)); errno != 0 {
		l.closeFds()
		return nil, errno
	}
	return l, nil
}

func (l *Loop) closeFds() {
	for _, fd := range []int{l.epfd, l.wakeFd} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// New makes a Conn of a connected, non-blocking socket for the loop, which owns
// it from now on. Nothing happens to it before Start.
func (l *Loop) New(fd int, h Handler) *Conn {
	c := &Conn{handler: h, fd: int32(fd), gen: nextGen(), index: -1}
	c.loop.Store(l)
	return c
}

// Start has the loop drive the connection, which it reads from first: often
// something is there already. After an error it is closed, and the handler is
// told nothing.
func (c *Conn) Start() error { return c.StartWithin(0) }

// StartWithin is Start and SetDeadline, the latter only once the first read has
// not closed the connection nor set a deadline of its own.
func (c *Conn) StartWithin(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.within = d
	l := c.loop.Load()
	err := l.adopt(c)
	if err != nil {
		c.closed, c.ended = true, true
		l.k.close(int(c.fd))
		return err
	}
	c.post(toRead)
	return nil
}

// adopt puts c into the table; watch tells epoll of it. c's mu is held.
func (l *Loop) adopt(c *Conn) error {
	slot := l.slot(int(c.fd))
	if slot == nil {
		return syscall.EMFILE
	}
	c.loop.Store(l)
	c.known, c.watched = false, 0
	slot.Store(c)
	return nil
}

// data is what epoll says of c: its descriptor and which use of it. No
// generation is 0, which stands for the loop's own descriptors.
func (c *Conn) data() uint64 { return uint64(uint32(c.fd)) | uint64(c.gen)<<32 }

var generations atomic.Uint32 // counts the uses of descriptors

func nextGen() uint32 {
	for {
		if g := generations.Add(1); g != 0 {
			return g
		}
	}
}

// slot returns where the table has a descriptor, nil beyond its end.
func (l *Loop) slot(fd int) *atomic.Pointer[Conn] {
	if fd < 0 || fd >= tableChunk*tableChunks {
		return nil
	}
	chunk := &l.table[fd/tableChunk]
	if chunk.Load() == nil {
		chunk.CompareAndSwap(nil, new([tableChunk]atomic.Pointer[Conn]))
	}
	return &chunk.Load()[fd%tableChunk]
}

// find returns the connection that an event is for, nil if it has gone.
func (l *Loop) find(fd int, gen uint32) *Conn {
	c := l.slot(fd).Load()
	if c == nil || c.gen != gen {
		return nil
	}
	return c
}

// forget takes c out and closes its descriptor. c's mu is held.
func (l *Loop) forget(c *Conn) {
	l.slot(int(c.fd)).Store(nil) // first: the number may come back at once
	l.k.close(int(c.fd))
	l.deadline(c, 0)
}

// Leave takes the connection out of its loop and returns its descriptor, which
// is the caller's then: the handler, which calls it from OnData or OnClose, is
// told nothing more. Without ok it was closed already.
func (c *Conn) Leave() (fd int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return -1, false
	}
	l := c.loop.Load()
	c.closed, c.ended = true, true
	c.unknown()
	l.deadline(c, 0)
	return int(c.fd), true
}

// wish is what epoll has to watch. An empty set would still report a reset,
// again and again: one shot of it is the way to be left alone. Who wants to
// write gets no single shot: events are dropped when the loop is taken away,
// and this one has to come again. mu is held.
func (c *Conn) wish() uint32 {
	reads := !c.ended && !c.detached && !c.paused
	switch {
	case reads && c.wanted:
		return unix.EPOLLIN | unix.EPOLLOUT
	case reads:
		return unix.EPOLLIN
	case c.wanted:
		return unix.EPOLLOUT
	}
	return unix.EPOLLRDHUP | unix.EPOLLONESHOT
}

// watch tells epoll what is wished now, if that has changed. mu is held.
func (c *Conn) watch() {
	w := c.wish()
	if w == c.watched || c.closed {
		return
	}
	op := unix.EPOLL_CTL_MOD
	l := c.loop.Load()
	if !c.known {
		op = unix.EPOLL_CTL_ADD
		if c.within > 0 {
			l.deadline(c, c.within)
			c.within = 0
		}
	}
	if errno := l.k.control(l.epfd, op, int(c.fd), w, c.data()); errno != 0 && !c.known {
		l.group.note("connection lost, epoll does not take it: %v", errno)
		c.closed = true
		l.forget(c)
		if c.wanted {
			c.wanted = false
			c.post(toWrite)
		}
		c.post(toRelease | toClose)
		return
	}
	c.known, c.watched = true, w
}

// unknown has epoll forget a connection that leaves. mu is held.
func (c *Conn) unknown() {
	l := c.loop.Load()
	l.slot(int(c.fd)).Store(nil)
	if c.known {
		l.k.control(l.epfd, unix.EPOLL_CTL_DEL, int(c.fd), 0, 0)
	}
}

func (c *Conn) send(p []byte, last bool) (int, syscall.Errno) {
	if c.own != nil {
		return linux{}.send(int(c.fd), p, last)
	}
	return c.loop.Load().k.send(int(c.fd), p, last)
}

func (c *Conn) send2(p, q []byte) (int, syscall.Errno) {
	if c.own != nil {
		return linux{}.send2(int(c.fd), p, q)
	}
	return c.loop.Load().k.send2(int(c.fd), p, q)
}

func (c *Conn) shutdownWrite() error {
	if c.own != nil {
		return c.own.socket.CloseWrite()
	}
	if errno := c.loop.Load().k.shutdownWrite(int(c.fd)); errno != 0 {
		return errno
	}
	return nil
}

// enqueue has the loop look at c.pending.
func (l *Loop) enqueue(c *Conn) {
	l.mu.Lock()
	l.queue = append(l.queue, c)
	l.mu.Unlock()
	l.wake()
}

// wake ends a wait of the loop.
func (l *Loop) wake() {
	if l.asleep.Swap(false) {
		_, _ = unix.Write(l.wakeFd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // full means that it is awake
	}
}

// now is the loops' clock in nanoseconds, which never goes back.
func now() int64 { return int64(time.Since(epoch)) }

var epoch = time.Now().Add(-time.Second)

// deadline sets when c is told that its time is over.
func (l *Loop) deadline(c *Conn, d time.Duration) {
	if d <= 0 && c.at.Load() == 0 { // who sets it holds c's mu, as we do
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	earliest := int64(0)
	if len(l.due) > 0 {
		earliest = l.due[0].at.Load()
	}
	if c.at.Load() != 0 {
		l.due.remove(c)
	}
	if d <= 0 {
		return
	}
	c.at.Store(max(now()+int64(d), 1))
	l.due.add(c)
	if earliest == 0 || c.at.Load() < earliest {
		l.wake()
	}
}

// takeDeadline cancels when c is interrupted and returns how long that was off,
// 0 for never.
func (l *Loop) takeDeadline(c *Conn) (left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at.Load() != 0 {
		left = max(time.Duration(c.at.Load()-now()), 1)
		l.due.remove(c)
	}
	return left
}

// listen has the loop accept on a listening, non-blocking socket. Loops share
// one: then an event wakes one of them.
func (l *Loop) listen(fd int, a Acceptor) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errno := l.k.control(l.epfd, unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, uint64(fd)); errno != 0 {
		return errno
	}
	l.listeners = append(l.listeners, &listener{fd: fd, acceptor: a})
	return nil
}

// unlisten has the loop accept no more, but what waits by now.
func (l *Loop) unlisten() {
	l.accepting.Lock()
	defer l.accepting.Unlock()
	l.mu.Lock()
	listeners := l.listeners
	l.listeners = nil
	for _, ls := range listeners {
		if ls.until == 0 {
			l.k.control(l.epfd, unix.EPOLL_CTL_DEL, ls.fd, 0, 0)
		}
	}
	l.mu.Unlock()
	for _, ls := range listeners {
		l.acceptAll(ls)
	}
}

// accept takes what waits at a listening socket.
func (l *Loop) accept(fd int) {
	l.accepting.Lock()
	defer l.accepting.Unlock()
	l.mu.Lock()
	var ls *listener
	for _, candidate := range l.listeners {
		if candidate.fd == fd {
			ls = candidate
		}
	}
	l.mu.Unlock()
	if ls != nil {
		l.acceptAll(ls)
	}
}

// acceptAll is accept with accepting held.
func (l *Loop) acceptAll(ls *listener) {
	at := time.Now()
	for range acceptsAtOnce {
		conn, peer, errno := l.k.accept(ls.fd)
		switch errno {
		case 0:
			ls.acceptor.Accepted(l, conn, peer, at)
			continue
		case syscall.EAGAIN:
			return
		case syscall.EINTR, syscall.ECONNABORTED:
			continue
		}
		if pause := ls.acceptor.AcceptFailed(errno); pause > 0 {
			l.rest(ls, pause)
			return
		}
	}
}

// rest has a listening socket left alone for a while.
func (l *Loop) rest(ls *listener, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ls.until == 0 && l.k.control(l.epfd, unix.EPOLL_CTL_DEL, ls.fd, 0, 0) == 0 {
		ls.until = now() + int64(d)
	}
}

// timeout returns how long a wait may last, in milliseconds, -1 for as long as
// it takes, and notes whose time is over. mu is held.
func (l *Loop) timeout() int {
	if len(l.due) == 0 && !l.resting() {
		return -1
	}
	t := now()
	next := int64(1) << 62
	for _, ls := range l.listeners {
		switch {
		case ls.until == 0:
		case ls.until <= t:
			if l.k.control(l.epfd, unix.EPOLL_CTL_ADD, ls.fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, uint64(ls.fd)) == 0 {
				ls.until = 0
			}
		default:
			next = min(next, ls.until)
		}
	}
	for len(l.due) > 0 && l.due[0].at.Load() <= t {
		c := l.due[0]
		l.due.remove(c)
		l.overdue = append(l.overdue, c)
	}
	if len(l.due) > 0 {
		next = min(next, l.due[0].at.Load())
	}
	switch {
	case len(l.overdue) > 0:
		return 0
	case next == 1<<62:
		return -1
	}
	return int((next-t)/int64(time.Millisecond)) + 1
}

// resting reports whether a listening socket is left alone. mu is held.
func (l *Loop) resting() bool {
	for _, ls := range l.listeners {
		if ls.until != 0 {
			return true
		}
	}
	return false
}

// LocalAddr returns the address at which the connection came in.
func (c *Conn) LocalAddr() (netip.AddrPort, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return netip.AddrPort{}, false
	}
	var a unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(a))
	_, _, errno := syscall.RawSyscall(syscall.SYS_GETSOCKNAME, uintptr(c.fd), uintptr(unsafe.Pointer(&a)), uintptr(unsafe.Pointer(&size)))
	return addrPort(&a), errno == 0
}
