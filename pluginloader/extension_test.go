package pluginloader

import (
	"fmt"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// queuedConn is a connection that tells of its queue, and may be full.
type queuedConn struct {
	*fakeConn
	pending int
}

func (c *queuedConn) Pending() int { return c.pending }

func (c *queuedConn) TrySend(t wsplugin.MessageType, payload []byte) bool {
	return c.pending == 0 && (c.Send(t, payload) > 0 || len(payload) == 0)
}

// await returns the next n messages that a connection is sent.
func (c *fakeConn) await(t *testing.T, n int) (sent []string) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); len(sent) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%q was sent, and no more", sent)
		}
		sent = append(sent, c.take()...)
	}
	return sent
}

func TestBroadcastAndPending(t *testing.T) {
	l := New((&recorder{}).log)
	file := compile(t, "extended.c")
	p, other := load(t, l, file, "extended_init"), load(t, l, file, "extended_init")
	var conns []*queuedConn
	var sessions []wsplugin.Session
	for i, plugin := range []wsplugin.Plugin{p, p, p, other} {
		conns = append(conns, &queuedConn{fakeConn: newFakeConn()})
		sessions = append(sessions, plugin.Connect(conns[i]))
	}
	took := func(i int, want ...string) {
		t.Helper()
		equal(t, fmt.Sprintf("connection %d", i), conns[i].take(), want)
	}
	sessions[0].Message(wsplugin.Text, []byte("hello"))
	took(0, "0 hello", "128 3 took it")
	took(1, "0 hello")
	took(2, "0 hello")
	took(3) // of another section

	conns[1].pending = 5 // a client that takes nothing
	sessions[1].Message(wsplugin.Binary, []byte("pending"))
	took(1, "128 5 wait")
	sessions[0].Message(wsplugin.Text, []byte("again"))
	took(0, "0 again", "128 2 took it")
	took(1)
	took(2, "0 again")
	sessions[0].Message(wsplugin.Binary, []byte("close"))
	took(0, "128 0 closed")
	took(2)

	conns[1].pending = 0
	sessions[2].Disconnect()
	took(0, "0 gone")
	took(1, "0 gone")
	conns[2].take()
	sessions[0].Message(wsplugin.Text, nil)
	took(0, "0 ", "128 2 took it")
	took(1, "0 ")
	took(2)
	for _, i := range []int{0, 1, 3} {
		sessions[i].Disconnect()
	}
}

// TestBroadcastSendsInOrder: what the callback has sent before is in front.
func TestBroadcastSendsInOrder(t *testing.T) {
	c := &gatheringQueue{gatheringConn{fakeConn: newFakeConn()}}
	s := load(t, New((&recorder{}).log), compile(t, "extended.c"), "extended_init").Connect(c)
	s.(*cSession).MessageBatch([]Message{{wsplugin.Text, []byte("1")}, {wsplugin.Text, []byte("2")}})
	s.Disconnect()
	if got, want := c.list(), "1 now,1 took it,2 now,1 took it,gone now"; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
}

type gatheringQueue struct{ gatheringConn }

func (c *gatheringQueue) Pending() int { return 0 }

func (c *gatheringQueue) TrySend(t wsplugin.MessageType, payload []byte) bool {
	c.note(string(payload) + " now")
	return true
}

func TestTimers(t *testing.T) {
	l := New((&recorder{}).log)
	p := load(t, l, compile(t, "extended.c"), "extended_init")
	t.Run("a timer is called, and may set the next", func(t *testing.T) {
		c := newFakeConn()
		s := p.Connect(c)
		s.Message(wsplugin.Binary, []byte("again"))
		equal(t, "sent", c.await(t, 3), []string{"128 1 0", "0 again", "0 last"})
		s.Disconnect()
	})
	t.Run("one that on_connect sets is called once that has accepted", func(t *testing.T) {
		c := newFakeConn()
		c.headers["x-name"] = "early"
		s := p.Connect(c)
		equal(t, "sent", c.await(t, 1), []string{"0 early"})
		s.Disconnect()
	})
	t.Run("and is not where it declines", func(t *testing.T) {
		c := newFakeConn()
		c.headers["x-name"] = "declined"
		if s := p.Connect(c); s != nil {
			t.Fatal("accepted")
		}
		time.Sleep(20 * time.Millisecond)
		equal(t, "sent", c.take(), nil)
	})
	t.Run("on_disconnect waits for one that runs, and none comes later", func(t *testing.T) {
		c, watcher := newFakeConn(), newFakeConn()
		s, w := p.Connect(c), p.Connect(watcher)
		w.Message(wsplugin.Binary, []byte("hold"))
		s.Message(wsplugin.Binary, []byte("slow"))
		c.await(t, 2) // the answer, and what the timer sends
		done := make(chan bool)
		go func() {
			s.Disconnect()
			close(done)
		}()
		select {
		case <-done:
			t.Error("on_disconnect did not wait")
		case <-time.After(50 * time.Millisecond):
		}
		w.Message(wsplugin.Binary, []byte("let go"))
		<-done
		watcher.take()
		w.Message(wsplugin.Binary, []byte("let go"))
		equal(t, "plugin", watcher.take(), []string{"128 0 faults"})
		w.Disconnect()
		c.take()
		time.Sleep(20 * time.Millisecond)
		equal(t, "after the end", c.take(), nil)
	})
}
