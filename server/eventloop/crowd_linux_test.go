package eventloop

import (
	"io"
	"net"
	"testing"
	"time"
)

// blocking is a Handler whose OnData echoes once it may.
type blocking struct {
	echoing
	release <-chan struct{}
}

func (b *blocking) OnData(p []byte) {
	<-b.release
	b.echoing.OnData(p)
}

// TestManyCallbacksThatBlockDoNotStopTheLoop: there are more of them than threads
// for them, and others are served, newcomers too; all are once they return.
func TestManyCallbacksThatBlockDoNotStopTheLoop(t *testing.T) {
	g, err := NewGroup(1, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	const most = 8
	g.workersMost = most
	l := g.loops[0]
	start := func(ours *net.TCPConn, h Handler, set func(*Conn)) {
		t.Helper()
		c := l.New(ownFd(t, ours), h)
		set(c)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	echoed := func(what string, c *net.TCPConn) {
		t.Helper()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	other := func() *net.TCPConn {
		ours, theirs := pair(t)
		e := new(echoing)
		start(ours, e, func(c *Conn) { e.c = c })
		return theirs
	}
	bystander := other()
	release := make(chan struct{})
	var blocked []*net.TCPConn
	for range 5 * most {
		ours, theirs := pair(t)
		b := &blocking{release: release}
		start(ours, b, func(c *Conn) { b.c = c })
		_, _ = theirs.Write([]byte("wait"))
		blocked = append(blocked, theirs)
		_, _ = bystander.Write([]byte("echo"))
		echoed("an echo beside callbacks that block", bystander)
	}
	newcomer := other()
	_, _ = newcomer.Write([]byte("echo"))
	echoed("a newcomer", newcomer)
	close(release)
	for _, c := range blocked {
		echoed("a callback that has blocked", c)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.workers > most {
		t.Errorf("there are %d threads, want %d at most", l.workers, most)
	}
}
