package eventloop

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Handler takes what happens on one socket.
type Handler interface {
	// Space returns where the next bytes shall be received, or nil for a
	// buffer of the driver's. It is called from the goroutine that calls
	// OnData next, with a prefix of what Space has returned.
	Space() []byte

	// OnData takes bytes that have arrived, or none after Interrupt. p is
	// lent until OnData returns; the handler may change it in place, and the
	// Headroom bytes before it. It may block: nobody else is held up.
	OnData(p []byte)

	// OnWritable tells that the socket takes bytes again, once for each
	// NotifyWritable. It also comes when OnData lasts, so that what is held
	// back meanwhile can leave. It must not block.
	OnWritable()

	// OnClose tells that nothing more can be read: err is io.EOF when the
	// peer has ended its half, net.ErrClosed after Close, else the socket's
	// error. The socket is still to be closed.
	OnClose(err error)

	// OnDeadline tells that the time of SetDeadline is over. It comes from the
	// loop, also while OnData lasts, and must not block.
	OnDeadline()

	// OnRelease tells that the descriptor of a Conn in a loop has been
	// closed, from whichever goroutine did it. It must not block.
	OnRelease()
}

const (
	// readSize is the size in bytes of the buffers that are lent to OnData: a
	// frame with 64 KiB of payload fits in whole.
	readSize = 64<<10 + 64

	// Headroom is how many bytes before those given to OnData are free for
	// the handler: a header can be put in front of what has arrived.
	Headroom = 16
)

// Conn is one socket and the way out of it. It is driven by a loop (Loop.New, Start)
// or by a goroutine (New, Run). All methods but Run, Leave and SetHandler may
// be called from any goroutine and at any time, also after Close.
type Conn struct {
	mu      sync.Mutex // guards the descriptor against reuse: held while it is used
	handler Handler    // guarded by mu; read without it by who drives
	loop    atomic.Pointer[Loop]
	own     *ownDriver // of a Conn that a goroutine drives, else nil
	thread  int64      // of the loop that is calling the handler; belongs to who drives
	fd      int32
	gen     uint32       // tells uses of one descriptor apart
	at      atomic.Int64 // when OnDeadline is due; 0 for never. Set under the loop's mu, and but for its end under ours
	index   int32        // in the loop's deadlines, guarded by the loop's mu

	within   time.Duration // the deadline from when epoll has it on
	watched  uint32        // what epoll watches, guarded by mu like all that follows
	pending  pending       // what is still to be told to the handler
	blocks   uint8         // brief calls until it counts as one that does not block
	calm     uint8         // calls in the slow lane that did not burn; of who drives
	closed   bool
	shut     bool // the writing half has ended
	ended    bool // nothing more can be read; OnClose was or is being called
	known    bool // epoll has it
	detached bool // a thread of its own has it; the loop only writes
	queued   bool // the loop will look at pending
	wanted   bool // OnWritable is wanted
	paused   bool // nothing is read
}

// pending is a set of things to be told.
type pending uint8

const (
	toInterrupt pending = 1 << iota
	toClose
	toWrite
	toRead    // once, before epoll knows the connection
	toRelease // after a close that could not tell it
)

// TryWrite writes what the socket takes without waiting and returns how much
// that was: fewer than len(p) bytes, without an error, when its buffer is full.
func (c *Conn) TryWrite(p []byte) (int, error) { return c.write(p, nil, false) }

// TryWriteLast is TryWrite for bytes behind which CloseWrite or Close comes at
// once: they share a packet with the end.
func (c *Conn) TryWriteLast(p []byte) (int, error) { return c.write(p, nil, true) }

// TryWrite2 is TryWrite for p and, in the same system call, q behind it.
func (c *Conn) TryWrite2(p, q []byte) (int, error) { return c.write(p, q, false) }

func (c *Conn) write(p, q []byte, last bool) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.own != nil && c.own.stream != nil {
		n, err := c.own.stream.tryWrite(p)
		if err != nil || n < len(p) || len(q) == 0 {
			return n, err
		}
		m, err := c.own.stream.tryWrite(q)
		return n + m, err
	}
	for {
		var n int
		var err syscall.Errno
		if len(q) == 0 {
			n, err = c.send(p, last)
		} else {
			n, err = c.send2(p, q)
		}
		switch err {
		case 0:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}

// NotifyWritable has the handler's OnWritable called once the socket takes
// bytes again. It is for use after a short TryWrite. After Close it is called
// as well, so that who waits for it learns of the end.
func (c *Conn) NotifyWritable() {
	if c.own != nil {
		c.own.notifyWritable(c)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.post(toWrite)
		return
	}
	c.wanted = true
	c.watch()
}

// Interrupt has OnData called without bytes, soon and at least once, unless
// OnClose was called.
func (c *Conn) Interrupt() {
	if c.own != nil {
		c.own.interrupt()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post(toInterrupt)
}

// SetDeadline has OnDeadline called when d has passed; a later call takes the
// place of an earlier one, and 0 cancels. It is there for Conns in a loop.
func (c *Conn) SetDeadline(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.within = 0
		c.loop.Load().deadline(c, d)
	}
}

// Pause has nothing read from the socket until Resume: what it brings stays in
// the kernel, and the peer waits.
func (c *Conn) Pause() { c.setPaused(true) }

// Resume ends Pause.
func (c *Conn) Resume() { c.setPaused(false) }

func (c *Conn) setPaused(paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == paused || c.closed {
		return
	}
	c.paused = paused
	if c.own != nil {
		c.own.resumed.Broadcast()
		return
	}
	c.watch()
}

// CloseWrite ends the writing half: the peer reads EOF after what was written.
// If it then resets the connection, what it had sent before may be lost.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.shut = true
	if c.own != nil && c.own.stream != nil {
		c.own.stream.closeWrite()
		return nil
	}
	return c.shutdownWrite()
}

// Close closes the socket. The handler is then told net.ErrClosed, unless it
// is inside a callback: then when that has returned. Only the first call counts.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	if c.own != nil {
		c.own.resumed.Broadcast()
		c.mu.Unlock()
		if c.own.stream != nil {
			c.own.stream.close()
			return nil
		}
		return c.own.socket.Close()
	}
	c.loop.Load().forget(c)
	if c.wanted {
		c.wanted = false
		c.post(toWrite)
	}
	if !c.ended {
		c.post(toClose)
	}
	h := c.handler
	c.mu.Unlock()
	h.OnRelease()
	return nil
}

// InLoop reports whether a loop drives the connection, rather than a goroutine.
func (c *Conn) InLoop() bool { return c.own == nil }

// Thread returns the thread that calls the handler (ThreadID), to be asked in a
// callback; 0 where a goroutine calls it, which may change its thread.
func (c *Conn) Thread() int64 { return c.thread }

// IsWatched reports whether a callback that begins now is watched: OnWritable
// comes when it lasts, and until then it has a thread of its own. It is not
// while a goroutine serves a connection that is known to block.
func (c *Conn) IsWatched() bool {
	if c.own != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.detached
}

// SetHandler puts another handler in the place of the one that calls it.
func (c *Conn) SetHandler(h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

// post has the loop, or who else drives the connection, tell the handler
// something. mu is held.
func (c *Conn) post(p pending) {
	c.pending |= p
	if c.queued || c.detached {
		return // whoever has it looks before it gives it back
	}
	c.queued = true
	c.loop.Load().enqueue(c)
}
