package eventloop

import (
	"fmt"
	"runtime"
	"sync"
)

// Group is the loops of a server: some that serve, and one for connections
// whose callbacks burn the processor, so that these hold up only each other.
type Group struct {
	note  func(format string, args ...any)
	loops []*Loop

	workersMost int // of a loop

	mu   sync.Mutex
	slow *Loop // made when it is needed, guarded by mu
	gone bool  // guarded by mu
}

// DefaultLoops is how many loops serve a machine best: one up to two
// processors, which clients on the same machine share, else all but one.
func DefaultLoops() int { return max(runtime.NumCPU()-1, 1) }

// MostThreads is how many threads of Go's n loops may take.
func MostThreads(n int) int { return (n + 1) * workersMost }

// NewGroup starts n loops. note takes what an operator should know.
func NewGroup(n int, note func(format string, args ...any)) (*Group, error) {
	g := &Group{note: note, workersMost: workersMost}
	atLeastProcs(n + 1)
	for range n {
		l, err := g.start(linux{}, false)
		if err != nil {
			g.Close()
			return nil, fmt.Errorf("event loop: %w", err)
		}
		g.loops = append(g.loops, l)
	}
	return g, nil
}

// atLeastProcs lets so many threads run Go code at once: a loop holds one for
// as long as it is busy, and what else there is must go on.
func atLeastProcs(n int) {
	if runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
}

// start makes a loop, one worker that runs it and one that waits.
func (g *Group) start(k kernel, slow bool) (*Loop, error) {
	l, err := newLoop(g, k, slow)
	if err != nil {
		return nil, err
	}
	if l.baton, err = newBaton(); err != nil {
		l.closeFds()
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spawn((*worker).begin)
	l.spawn(nil)
	return l, nil
}

// Listen has all loops accept on a listening, non-blocking socket, which stays
// the caller's.
func (g *Group) Listen(fd int, a Acceptor) error {
	for _, l := range g.loops {
		if err := l.listen(fd, a); err != nil {
			return err
		}
	}
	return nil
}

// StopListening has them accept no more. The sockets can be closed then.
func (g *Group) StopListening() {
	for _, l := range g.loops {
		l.unlisten()
	}
}

// Close ends the loops. Connections must be closed before; threads that are
// stuck in callbacks end when these return.
func (g *Group) Close() {
	g.mu.Lock()
	g.gone = true
	all := append([]*Loop(nil), g.loops...)
	if g.slow != nil {
		all = append(all, g.slow)
	}
	g.mu.Unlock()
	for _, l := range all {
		l.mu.Lock()
		l.stopping = true
		l.mu.Unlock()
		l.wake()
		l.baton.give(1)
	}
}

// slowLane returns the loop for those who burn the processor.
func (g *Group) slowLane() *Loop {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.slow == nil && !g.gone {
		atLeastProcs(len(g.loops) + 3)
		l, err := g.start(g.loops[0].k, true)
		if err != nil {
			g.note("no slow lane: %v", err)
			return nil
		}
		g.slow = l
	}
	return g.slow
}

// sort puts a connection into the loop where it belongs, after a call that
// burnt or did not.
func (l *Loop) sort(c *Conn, burnt bool) {
	switch {
	case burnt && l.slow:
		c.calm = 0
		return
	case burnt:
		if to := l.group.slowLane(); to != nil {
			c.calm = 0
			c.move(to)
		}
		return
	}
	if c.calm++; c.calm >= callsToTrust {
		loops := l.group.loops
		c.move(loops[int(c.fd)%len(loops)])
	}
}

// move puts a connection into another loop.
func (c *Conn) move(to *Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.loop.Load() == to {
		return
	}
	from := c.loop.Load()
	c.unknown()
	left := from.takeDeadline(c)
	if err := to.adopt(c); err != nil {
		to.group.note("connection lost between two event loops: %v", err)
		go c.Close() // tells the handler; mu is held here
		return
	}
	c.watch()
	to.deadline(c, left)
}
