package eventloop

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// sparePatience is how long a worker without work stays, but for one.
	sparePatience = 10 * time.Second

	// workersMost bounds the threads of a loop, each but one with a callback
	// that blocks. From a half of it on callbacks are made on goroutines, so that
	// the loop itself is not lost to one, until few are left.
	workersMost = 4096

	// briefly is how long a callback may take without being one that blocks,
	// and callsToTrust how many such have to follow one that did.
	briefly      = time.Millisecond
	callsToTrust = 16

	// queuedAtOnce is how many connections with something pending are attended
	// to before the clock is looked at.
	queuedAtOnce = 16
)

// worker is a thread that runs a loop, or waits to. One at a time runs it.
//
//	spare ── the loop was taken away from another ──▶ runs the loop
//	  ▲                                                    │
//	  └── done with the connection it was stuck in ◀── loses the loop
//
// A connection that is known to block is not called in the loop at all.
type worker struct {
	loop     *Loop
	thread   int64                // ThreadID; 0 where it is not one's own
	seq      uint64               // of the baton, while it runs the loop
	current  atomic.Pointer[Conn] // whose handler is being called
	lost     bool                 // the loop was taken away, or never had: current is ours alone
	released chan struct{}        // who took the loop is done with current
	busy     bool                 // several events came at once last
	events   []unix.EpollEvent
	box      *[]byte // what is read into, from buffers; nil until it is needed
}

// spawn starts a worker: the one that runs the loop, a spare, or one that goes
// on with what first does. mu is held.
func (l *Loop) spawn(first func(w *worker)) {
	l.workers++
	l.crowd.Store(l.crowd.Load() || l.workers >= l.group.workersMost/2)
	if first == nil {
		l.spares++
	}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the worker
		w := &worker{loop: l, thread: ThreadID(), released: make(chan struct{}, 1)}
		ended := false
		defer func() {
			if !ended {
				w.died()
			}
			l.leaveWorker()
		}()
		if first != nil {
			first(w)
		}
		for counted := first == nil; w.wait(counted); counted = false {
		}
		ended = true
	}()
}

// begin makes a worker the one that runs the loop.
func (w *worker) begin() {
	w.loop.mu.Lock()
	w.loop.claim(w)
	w.loop.mu.Unlock()
	w.run()
}

// claim makes w the one that runs the loop. mu is held.
func (l *Loop) claim(w *worker) {
	l.runner = w
	w.lost = false
	w.seq = l.baton.claim(unix.Gettid())
}

// leaveWorker counts a worker out; the last one of a loop that stops closes it.
func (l *Loop) leaveWorker() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.workers--
	if l.workers < l.group.workersMost/4 {
		l.crowd.Store(false)
	}
	if l.workers == 0 && l.stopping {
		l.baton.end()
		l.closeFds()
	}
}

// wait has a worker wait until it is needed, and then work. It reports whether
// to wait again; counted says that it stands among the spares already.
func (w *worker) wait(counted bool) bool {
	l := w.loop
	if !counted {
		l.mu.Lock()
		l.spares++
		l.mu.Unlock()
	}
	w.putBack()
	for !l.baton.await(sparePatience) {
		l.mu.Lock()
		if l.spares > 1 {
			l.spares--
			l.mu.Unlock()
			return false
		}
		l.mu.Unlock()
	}
	l.mu.Lock()
	l.spares--
	if l.stopping {
		l.mu.Unlock()
		l.baton.give(1) // to the next one
		return false
	}
	if l.spares == 0 {
		l.spawnSpare()
	}
	switch {
	case l.baton.isStolen():
		victim := l.runner
		l.claim(w)
		l.mu.Unlock()
		w.takeFrom(victim)
		w.run()
	case l.baton.isBurning():
		c := l.runner.current.Load()
		l.mu.Unlock()
		c.tellWritable()
	default:
		l.mu.Unlock()
	}
	return true
}

// tellDeadline tells the handler that its time is over, unless it has ended.
func (c *Conn) tellDeadline() {
	c.mu.Lock()
	h, ended := c.handler, c.closed
	c.mu.Unlock()
	if !ended {
		h.OnDeadline()
	}
}

// tellWritable has what is held back leave, while a callback of c lasts.
func (c *Conn) tellWritable() {
	c.mu.Lock()
	h := c.handler
	c.mu.Unlock()
	h.OnWritable()
}

// spawnSpare starts one more, up to the bound. mu is held.
func (l *Loop) spawnSpare() {
	if l.workers < l.group.workersMost {
		l.spawn(nil)
		return
	}
	if !l.crowded {
		l.crowded = true
		l.group.note("%d callbacks of plugins block at once: no more threads are made for them", l.group.workersMost)
	}
}

// takeFrom separates the connection that another worker is stuck in from the
// loop, so that the loop can go on without it.
func (w *worker) takeFrom(victim *worker) {
	c := victim.current.Load()
	c.mu.Lock()
	c.detached = true
	c.blocks = callsToTrust
	c.watch()
	h := c.handler
	c.mu.Unlock()
	victim.released <- struct{}{}
	h.OnWritable()
}

// died goes on after a callback that has ended the goroutine.
func (w *worker) died() {
	l, c := w.loop, w.current.Load()
	if !w.lost {
		w.leaveCall()
	}
	c.Interrupt() // for what it left undone
	if w.lost {
		go l.alone(c, func(w *worker) { w.finish(c) })
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spawn((*worker).begin)
}

// run moves bytes until the loop stops or is taken away.
func (w *worker) run() {
	l := w.loop
	if w.events == nil {
		w.events = make([]unix.EpollEvent, eventsAtOnce)
	}
	for {
		n, ok := w.next()
		if !ok {
			return
		}
		for i := range w.events[:n] {
			e := &w.events[i]
			fd, gen := int(e.Fd), uint32(e.Pad)
			switch {
			case gen != 0:
				c := l.find(fd, gen)
				if c != nil && !w.event(c, e.Events) {
					return
				}
			case fd == l.wakeFd:
				var count [8]byte
				_, _ = unix.Read(l.wakeFd, count[:])
			default:
				l.accept(fd)
			}
		}
	}
}

// next does what is pending and waits for events. It reports false when the
// loop stops or was taken away.
func (w *worker) next() (n int, ok bool) {
	l := w.loop
	for turn := 1; ; turn++ {
		l.mu.Lock()
		if len(l.queue) == 0 || turn%queuedAtOnce == 0 {
			l.timeout()
		}
		if l.stopping {
			l.mu.Unlock()
			return 0, false
		}
		due := l.overdue
		l.overdue = nil
		c := l.dequeue()
		l.mu.Unlock()
		for _, d := range due {
			d.tellDeadline()
		}
		if c != nil {
			if !w.attend(c) {
				return 0, false
			}
			continue
		}
		if w.busy { // else it is likely to wait, and is not asked twice
			n, errno := l.k.wait(l.epfd, w.events, 0)
			if w.busy = n > 1 && errno == 0; n > 0 && errno == 0 {
				return n, true
			}
		}
		l.asleep.Store(true)
		timeout, pending := l.lastLook()
		if pending {
			l.asleep.Store(false)
			continue
		}
		n, errno := l.k.wait(l.epfd, w.events, timeout)
		l.asleep.Store(false)
		if n > 0 && errno == 0 {
			w.busy = n > 1
			return n, true
		}
	}
}

// dequeue takes the next connection with something pending. mu is held.
func (l *Loop) dequeue() *Conn {
	if len(l.queue) == 0 {
		return nil
	}
	c := l.queue[0]
	l.queue[0] = nil
	if l.queue = l.queue[1:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return c
}

// lastLook returns how long a wait may last, and whether there is something to
// do before. Whatever comes after it finds the loop asleep, and wakes it.
func (l *Loop) lastLook() (timeout int, pending bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	timeout = l.timeout()
	return timeout, timeout == 0 || len(l.queue) > 0 || l.stopping
}

// putBack gives the read buffer to others.
func (w *worker) putBack() {
	if w.box != nil {
		buffers.Put(w.box)
		w.box = nil
	}
}

// event does what epoll has reported of c. It reports false when the loop was
// taken away meanwhile.
func (w *worker) event(c *Conn, events uint32) bool {
	if events != unix.EPOLLIN {
		w.writable(c, events)
	}
	c.mu.Lock()
	reads := !c.closed && !c.ended && !c.detached && !c.paused
	isReset := c.shut && events&unix.EPOLLERR != 0
	hands := reads && (c.blocks > 0 || w.loop.crowd.Load()) && !isReset
	if hands {
		c.detached = true
		c.watch()
	}
	c.mu.Unlock()
	switch {
	case hands:
		go w.loop.serveAlone(c)
		return true
	case !reads, events&^unix.EPOLLOUT == 0:
		return true
	}
	w.enter(c)
	if isReset {
		w.end(c, syscall.ECONNRESET)
	} else {
		w.receive(c)
	}
	return w.leave(c)
}

// writable tells the handler that it may write, if it wants to know; a reset
// lets it know as well.
func (w *worker) writable(c *Conn, events uint32) {
	c.mu.Lock()
	if c.watched&unix.EPOLLONESHOT != 0 {
		c.watched = 0 // that was the one shot
	}
	wanted := c.wanted && events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0
	if wanted {
		c.wanted = false
	}
	h := c.handler
	c.mu.Unlock()
	if !wanted {
		return
	}
	h.OnWritable()
	c.mu.Lock()
	c.watch()
	c.mu.Unlock()
}

// receive reads once and has the handler take it.
func (w *worker) receive(c *Conn) {
	p := c.handler.Space()
	if p == nil {
		if w.box == nil {
			w.box = buffers.Get().(*[]byte)
		}
		p = (*w.box)[Headroom:]
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	n, errno := w.loop.k.recv(int(c.fd), p)
	c.mu.Unlock()
	switch {
	case errno == syscall.EAGAIN, errno == syscall.EINTR: // it is reported again
	case errno != 0:
		w.end(c, errno)
	case n == 0:
		w.end(c, io.EOF)
	default:
		c.handler.OnData(p[:n])
	}
}

// end tells the handler, once, that nothing more can be read.
func (w *worker) end(c *Conn, err error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	c.mu.Unlock()
	c.handler.OnClose(err)
	c.mu.Lock()
	c.watch() // unless it was closed, which saves the call
	c.mu.Unlock()
}

// attend does what is pending for c. It reports false when the loop was taken
// away meanwhile.
func (w *worker) attend(c *Conn) bool {
	c.mu.Lock()
	c.queued = false
	if l := c.loop.Load(); l != w.loop {
		c.queued = true
		c.mu.Unlock()
		l.enqueue(c)
		return true
	}
	p := c.pending
	if c.detached || p == 0 {
		c.mu.Unlock()
		return true
	}
	c.pending = 0
	if w.loop.crowd.Load() {
		c.detached = true
		c.watch()
		c.mu.Unlock()
		go w.loop.alone(c, func(w *worker) {
			w.tell(c, p)
			w.putBack()
			w.finish(c)
		})
		return true
	}
	c.mu.Unlock()
	w.enter(c)
	w.tell(c, p)
	if !w.leave(c) {
		return false
	}
	c.mu.Lock()
	c.watch() // a new one is not known to epoll before
	c.mu.Unlock()
	return true
}

// tell tells the handler what was pending.
func (w *worker) tell(c *Conn, p pending) {
	if p&toRelease != 0 {
		c.handler.OnRelease()
	}
	if p&toWrite != 0 {
		c.handler.OnWritable()
	}
	if p&toClose != 0 {
		w.end(c, net.ErrClosed)
		return
	}
	if p&toRead != 0 {
		w.receive(c)
	}
	if p&toInterrupt != 0 && !c.isEnded() {
		c.handler.OnData(nil)
	}
}

func (c *Conn) isEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// enter begins callbacks of c, which may block.
func (w *worker) enter(c *Conn) {
	c.thread = w.thread
	w.current.Store(c)
	w.loop.baton.enter(w.seq)
}

// leave ends them. It reports false when the loop was taken away: the
// connection has then been served to the end of what was pending, and is back
// in the loop.
func (w *worker) leave(c *Conn) bool {
	if w.leaveCall() {
		return true
	}
	w.finish(c)
	w.current.Store(nil)
	return false
}

// leaveCall is leave without the rest: a connection whose loop was taken away
// is w's alone then.
func (w *worker) leaveCall() bool {
	next, burnt, ok := w.loop.baton.leave(w.seq)
	w.seq = next
	if !ok {
		<-w.released
		w.lost = true
	}
	if burnt || w.loop.slow {
		w.loop.sort(w.current.Load(), burnt)
	}
	return ok
}

// serveAlone is receive for a connection that is known to block, or may not in
// the loop: on a goroutine of its own, for which Go has a thread where it needs one.
func (l *Loop) serveAlone(c *Conn) {
	l.alone(c, func(w *worker) {
		begin := now()
		w.receive(c)
		w.putBack()
		c.mu.Lock()
		if now()-begin >= int64(briefly) {
			c.blocks = callsToTrust
		} else if c.blocks > 0 {
			c.blocks--
		}
		c.mu.Unlock()
		w.finish(c)
	})
}

// alone has serve call the handler of a connection that the loop does not have,
// and goes on after a callback that has ended the goroutine.
func (l *Loop) alone(c *Conn, serve func(w *worker)) {
	c.thread = 0
	ended := false
	defer func() {
		if !ended {
			c.Interrupt() // for what it left undone
			go l.alone(c, func(w *worker) { w.finish(c) })
		}
	}()
	serve(&worker{loop: l, lost: true})
	ended = true
}

// finish does what has become pending for a connection that w alone has, and
// gives it back to the loop.
func (w *worker) finish(c *Conn) {
	for {
		c.mu.Lock()
		p := c.pending
		c.pending = 0
		if p == 0 {
			c.detached = false
			c.watched = 0
			c.watch()
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		w.tell(c, p)
	}
}
