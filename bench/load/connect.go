package load

import (
	"bytes"
	"fmt"
	"runtime"
)

// Connect opens connections, upgrades and closes them, Conns at once, as fast
// as it goes; or has each of them ask for the file. The client's close frame
// comes first and its reset last, so that neither end keeps a port in
// TIME_WAIT.
func Connect(o Options) (*Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if o.Protocol == Raw {
		return nil, fmt.Errorf("a raw connection has no handshake")
	}
	l, err := newLoop(o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	l.dialAll()
	if err := l.pass(l.o.Warm, nil); err != nil {
		return nil, err
	}
	if err := l.settleHandshakes(); err != nil {
		return nil, err
	}
	l.latencies.Reset()
	l.done = 0
	before, err := l.usage()
	if err != nil {
		return nil, err
	}
	l.dialAll()
	if err := l.pass(l.o.Time, nil); err != nil {
		return nil, err
	}
	if err := l.settleHandshakes(); err != nil {
		return nil, err
	}
	after, err := l.usage()
	if err != nil {
		return nil, err
	}
	r := &Result{Connections: l.o.Conns}
	r.account(before, after, l.done)
	r.latency(l)
	return r, nil
}

func (l *loop) dialAll() {
	l.sending[others] = true
	l.look()
	for i := range l.conns {
		l.busy[others]++
		l.dial(&l.conns[i])
	}
}

// settleHandshakes waits until every connection has been closed.
func (l *loop) settleHandshakes() error {
	if err := l.rest(); err != nil {
		return err
	}
	if n := l.busy[others]; n > 0 {
		return fmt.Errorf("%d handshakes or closes did not end within %v", n, l.o.Patience)
	}
	return nil
}

func (l *loop) sendClose(c *conn) {
	c.state = closing
	c.head = c.head[:0]
	if n, errno := send(c.fd, c.handshake.close); errno != 0 || n != len(c.handshake.close) {
		l.failConn(c, "close", fmt.Errorf("%d bytes sent: %w", n, errno))
	}
}

// readClose waits for the server's close frame and begins anew.
func (l *loop) readClose(c *conn) {
	n := l.read(c)
	if n == 0 {
		return
	}
	c.head = append(c.head, l.buf[:n]...)
	want := c.handshake.closed
	if len(c.head) < len(want) && bytes.HasPrefix(want, c.head) {
		return
	}
	if !bytes.Equal(c.head, want) {
		l.failConn(c, "close", fmt.Errorf("the server answers % x, want % x", c.head, want))
		return
	}
	l.again(c)
}

// again counts what a connection was for, resets it and begins the next.
func (l *loop) again(c *conn) {
	l.look()
	l.done++
	l.record(l.now - c.began)
	l.reset(c)
	if l.sending[others] {
		l.dial(c)
	} else {
		l.busy[others]--
	}
}
