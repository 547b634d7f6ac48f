package load

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/wshttpd/wshttpd/bench/proc"
)

// Echo keeps a batch under way on each connection for as long as o says. Every
// message that was sent must have come back in the end.
func Echo(o Options) (*Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l, err := newLoop(o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	l.assign()
	if err := l.openAll(); err != nil {
		return nil, err
	}
	// What is measured begins and ends with nothing under way, so that the
	// server's CPU time belongs to just the messages that are counted.
	l.startAll(sleepers)
	l.startAll(others)
	if err := l.pass(l.o.Warm, nil); err != nil {
		return nil, err
	}
	if err := l.settle(); err != nil {
		return nil, err
	}
	r, err := l.measure()
	if err != nil {
		return nil, err
	}
	return r, l.drain()
}

// settle waits until what others sent has come back, and forgets it.
func (l *loop) settle() error {
	if err := l.rest(); err != nil {
		return err
	}
	if l.busy[others] > 0 {
		return l.missing()
	}
	l.latencies.Reset()
	for i := range l.conns {
		l.conns[i].messages = 0
	}
	return nil
}

// assign gives each connection its messages. Connections begin at different
// places, so that a reply of another one shows.
func (l *loop) assign() {
	normal := newStream(&l.o, l.o.Pipeline, false)
	var sleepy *stream
	if l.o.Sleepers > 0 {
		sleepy = newStream(&l.o, l.o.SleeperPipeline, true)
	}
	for i := range l.conns {
		c := &l.conns[i]
		c.stream, c.class = normal, others
		if i >= l.o.Conns {
			c.stream, c.class = sleepy, sleepers
		}
		c.batch = i % c.stream.batches
	}
}

// openAll connects and upgrades every connection.
func (l *loop) openAll() error { return l.openTo(len(l.conns)) }

// openTo does so until n connections are open, the first ones.
func (l *loop) openTo(n int) error {
	next := l.opened
	dial := func() bool {
		for next < n && l.opening < parallel && l.err == nil {
			l.dial(&l.conns[next])
			next++
		}
		return l.opened == n
	}
	// A server that takes in fewer than 200 a second is broken.
	limit := l.o.Patience + time.Duration(n)*5*time.Millisecond
	if err := l.pass(limit, dial); err != nil {
		return err
	}
	if l.opened < n {
		return fmt.Errorf("%d of %d connections are open after %v", l.opened, n, limit)
	}
	return nil
}

// startAll has each connection of a class send, again and again.
func (l *loop) startAll(class int) {
	l.sending[class] = true
	for i := range l.conns {
		if c := &l.conns[i]; c.class == class {
			l.start(c)
		}
	}
}

func (l *loop) start(c *conn) {
	l.busy[c.class]++
	l.look()
	l.next(c)
}

func (l *loop) measure() (*Result, error) {
	before, err := l.usage()
	if err != nil {
		return nil, err
	}
	l.startAll(others)
	if err := l.pass(l.o.Time, nil); err != nil {
		return nil, err
	}
	if err := l.rest(); err != nil {
		return nil, err
	}
	after, err := l.usage()
	if err != nil {
		return nil, err
	}
	if l.busy[others] > 0 {
		return nil, l.missing()
	}
	status, err := proc.ReadStatus(l.o.PID)
	if err != nil {
		return nil, err
	}
	r := &Result{Connections: l.o.Conns, Size: l.o.Size, Pipeline: l.o.Pipeline, Sleepers: l.o.Sleepers, Threads: status.Threads}
	messages := 0
	r.Slowest = math.MaxInt
	for i := range l.conns {
		c := &l.conns[i]
		if c.class == sleepers {
			r.SleeperMessages += c.messages
			continue
		}
		messages += c.messages
		r.Slowest, r.Fastest = min(r.Slowest, c.messages), max(r.Fastest, c.messages)
	}
	r.SlowestToFastest = float64(r.Slowest) / float64(r.Fastest)
	r.account(before, after, messages)
	r.latency(l)
	return r, nil
}

// drain waits for everything that is under way. A sleeper may have slept for
// one message and have another batch to sleep for.
func (l *loop) drain() error {
	l.sending = [2]bool{}
	limit := l.o.Patience + time.Duration(l.o.Sleepers)*l.o.Sleep
	if err := l.pass(limit, func() bool { return l.busy == [2]int{} }); err != nil {
		return err
	}
	return l.missing()
}

// missing names a connection whose replies did not come.
func (l *loop) missing() error {
	for i := range l.conns {
		if c := &l.conns[i]; c.state == open && c.replyLeft > 0 {
			return fmt.Errorf("connection %d: %d bytes of the replies to a batch of %d did not come within %v; connections that wait: %d",
				i, c.replyLeft, c.stream.batch, l.o.Patience, l.busy[others]+l.busy[sleepers])
		}
	}
	return nil
}
