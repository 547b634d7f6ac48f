package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// state is how far a connection has come.
type state uint8

const (
	unused state = iota
	connecting
	upgrading
	open
	closing
)

// Classes of connections.
const (
	others = iota
	sleepers
)

// conn is one connection.
type conn struct {
	index     int // in loop.conns
	fd        int
	state     state
	wantsOut  bool // EPOLLOUT is armed
	class     int  // others or sleepers
	handshake *handshake
	head      []byte // what has come of the answer
	headless  bool   // HTTP: the answer's head has come whole
	began     int64  // ns of the loop's clock: when the batch, or the handshake, began

	stream    *stream
	batch     int // the one under way
	sendPos   int
	sendLeft  int
	replyPos  int
	replyLeft int
	messages  int // replies since the measurement began
}

// loop drives all connections. Nothing in it may be used by two goroutines.
type loop struct {
	o          Options
	server     unix.SockaddrInet4
	ep         int
	events     []unix.EpollEvent
	buf        []byte
	conns      []conn
	handshakes []handshake
	begin      time.Time
	now        int64 // ns since begin, as of the last look
	until      int64 // deadline of the current phase

	started int // connections that were begun, of all
	opening int
	opened  int
	busy    [2]int // connections with something under way: others, sleepers

	// Whether what came back is followed by the next: others, sleepers.
	sending   [2]bool
	latencies *hdrhistogram.Histogram // ns
	done      int                     // Connect: handshakes since then
	err       error
}

func newLoop(o Options) (*loop, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddrPort(o.Addr)
	if err != nil || !addr.Addr().Is4() {
		return nil, fmt.Errorf("address %q: want an IPv4 address and a port", o.Addr)
	}
	l := &loop{o: o, begin: time.Now(), events: make([]unix.EpollEvent, 1024), buf: make([]byte, 512<<10)}
	l.server = unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	l.latencies = hdrhistogram.New(int64(time.Microsecond), int64(time.Minute), 3)
	l.handshakes = newHandshakes(&o, 64)
	l.conns = make([]conn, o.Conns+o.Sleepers)
	for i := range l.conns {
		l.conns[i].index = i
	}
	if l.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	return l, nil
}

// close resets every connection: nothing stays in TIME_WAIT.
func (l *loop) close() {
	l.resetAll()
	unix.Close(l.ep)
}

func (l *loop) resetAll() {
	for i := range l.conns {
		if c := &l.conns[i]; c.state != unused {
			l.reset(c)
		}
	}
	l.opening, l.opened = 0, 0
}

func (l *loop) look() { l.now = int64(time.Since(l.begin)) }

// step handles the events there are, and waits for some first if there are
// none, but not beyond l.until.
func (l *loop) step() {
	n, errno := epollNow(l.ep, l.events)
	if n == 0 && errno == 0 {
		ms := (l.until - l.now + 999_999) / 1_000_000
		n, errno = epollWait(l.ep, l.events, int(max(ms, 0)))
	}
	l.look()
	if errno == unix.EINTR {
		return
	}
	if errno != 0 {
		l.fail(fmt.Errorf("epoll_pwait: %w", errno))
		return
	}
	for i := range n {
		l.handle(&l.conns[l.events[i].Fd], l.events[i].Events)
		if l.err != nil {
			return
		}
	}
}

// pass runs until the time is over, done says so, or something failed.
func (l *loop) pass(d time.Duration, done func() bool) error {
	l.look()
	l.until = l.now + int64(d)
	for l.err == nil && l.now < l.until && (done == nil || !done()) {
		l.step()
	}
	return l.err
}

// rest stops what others send and waits until it has come back.
func (l *loop) rest() error {
	l.sending[others] = false
	return l.pass(l.o.Patience, func() bool { return l.busy[others] == 0 })
}

func (l *loop) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *loop) failConn(c *conn, what string, err error) {
	l.fail(fmt.Errorf("connection %d, message %d: %s: %w", c.index, c.messages, what, err))
}

func (l *loop) handle(c *conn, events uint32) {
	switch c.state {
	case connecting:
		l.connected(c)
	case upgrading:
		if l.o.Protocol == HTTP {
			l.readToEnd(c)
		} else {
			l.readHead(c)
		}
	case open:
		if events&unix.EPOLLOUT != 0 {
			l.flush(c)
		}
		if events&^uint32(unix.EPOLLOUT) != 0 {
			l.readReply(c)
		}
	case closing:
		l.readClose(c)
	}
}

// dial begins a connection.
func (l *loop) dial(c *conn) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.fail(fmt.Errorf("socket: %w", err))
		return
	}
	c.fd, c.state, c.head, c.began = fd, connecting, c.head[:0], l.now
	c.handshake = &l.handshakes[l.started%len(l.handshakes)]
	l.started++
	l.opening++
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		l.fail(fmt.Errorf("TCP_NODELAY: %w", err))
		return
	}
	if err := unix.Connect(fd, &l.server); err != nil && err != unix.EINPROGRESS {
		l.fail(fmt.Errorf("connect to %s: %w", l.o.Addr, err))
		return
	}
	l.register(c, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
}

func (l *loop) register(c *conn, op int, events uint32) {
	e := unix.EpollEvent{Events: events, Fd: int32(c.index)}
	if err := unix.EpollCtl(l.ep, op, c.fd, &e); err != nil {
		l.fail(fmt.Errorf("epoll_ctl: %w", err))
	}
	c.wantsOut = events&unix.EPOLLOUT != 0
}

// connected sends the request, or makes a raw connection an open one.
func (l *loop) connected(c *conn) {
	if code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		l.fail(fmt.Errorf("connect to %s: %w", l.o.Addr, errors.Join(err, syscall.Errno(code))))
		return
	}
	l.register(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
	if l.o.Protocol == Raw || l.o.Protocol == HTTP && c.stream != nil {
		l.isOpen(c)
		return
	}
	c.state = upgrading
	if n, errno := send(c.fd, c.handshake.request); errno != 0 || n != len(c.handshake.request) {
		l.failConn(c, "request", fmt.Errorf("%d bytes sent: %w", n, errno))
	}
}

func (l *loop) isOpen(c *conn) {
	c.state = open
	l.opening--
	l.opened++
}

// read reads once; 0 if there is nothing. Closing is an error.
func (l *loop) read(c *conn) int {
	n, errno := recv(c.fd, l.buf)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return 0
	case errno != 0:
		l.failConn(c, "read", errno)
		return 0
	case n == 0:
		l.failConn(c, "read", errors.New("the server closed the connection"))
	}
	return n
}

func (l *loop) readHead(c *conn) {
	n := l.read(c)
	if n == 0 {
		return
	}
	c.head = append(c.head, l.buf[:n]...)
	used, err := c.handshake.check(c.head)
	switch {
	case err != nil:
		l.failConn(c, "handshake", err)
	case used == 0:
	case used < len(c.head):
		l.failConn(c, "handshake", fmt.Errorf("%d bytes behind the answer", len(c.head)-used))
	default:
		l.isOpen(c)
		if c.stream == nil {
			l.sendClose(c)
		} else {
			c.head = nil
		}
	}
}

// next sends the batch after the last one.
func (l *loop) next(c *conn) {
	s := c.stream
	c.batch++
	if c.batch == s.batches {
		c.batch = 0
	}
	c.sendPos, c.sendLeft = c.batch*s.batch*s.sendSize, s.batch*s.sendSize
	c.replyPos, c.replyLeft = c.batch*s.batch*s.replySize, s.batch*s.replySize
	c.began = l.now
	l.flush(c)
}

// flush sends what fits of a batch.
func (l *loop) flush(c *conn) {
	if c.sendLeft > 0 {
		n, errno := send(c.fd, c.stream.send[c.sendPos:c.sendPos+c.sendLeft])
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			l.failConn(c, "write", errno)
			return
		}
		if errno == 0 {
			c.sendPos += n
			c.sendLeft -= n
		}
	}
	if wants := c.sendLeft > 0; wants != c.wantsOut {
		events := uint32(unix.EPOLLIN)
		if wants {
			events |= unix.EPOLLOUT
		}
		l.register(c, unix.EPOLL_CTL_MOD, events)
	}
}

// readReply compares what came with what has to come.
func (l *loop) readReply(c *conn) {
	n := l.read(c)
	if n == 0 {
		return
	}
	got := l.buf[:n]
	if l.o.Protocol == HTTP && !c.headless {
		got = l.behindHead(c, got)
		n = len(got)
	}
	if n > c.replyLeft {
		l.failConn(c, "reply", fmt.Errorf("%d bytes more than were asked for", n-c.replyLeft))
		return
	}
	if want := c.stream.reply[c.replyPos : c.replyPos+n]; !bytes.Equal(got, want) {
		l.failConn(c, "reply", difference(c, got, want))
		return
	}
	c.replyPos += n
	c.replyLeft -= n
	if c.replyLeft > 0 {
		return
	}
	l.look()
	c.headless = false
	c.messages += c.stream.batch
	if c.class == others {
		l.record(l.now - c.began)
	}
	if l.sending[c.class] {
		l.next(c)
	} else {
		l.busy[c.class]--
	}
}

// record keeps a latency; one of more than a minute counts as a minute.
func (l *loop) record(ns int64) {
	_ = l.latencies.RecordValue(min(ns, int64(time.Minute)))
}

// difference says where a reply is not what it has to be.
func difference(c *conn, got, want []byte) error {
	i := 0
	for got[i] == want[i] {
		i++
	}
	size := c.stream.replySize
	at := c.replyPos + i
	return fmt.Errorf("byte %d of %d of the %s reply under way: %#02x, want %#02x",
		at%size, size, ordinal(at/size%c.stream.batch+1), got[i], want[i])
}

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

// reset closes a connection so that nothing of it is left.
func (l *loop) reset(c *conn) {
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(c.fd)
	c.state = unused
}
