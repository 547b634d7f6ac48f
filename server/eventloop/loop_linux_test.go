package eventloop

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

func init() { drivers["loop"] = startInLoop }

// newGroup starts one loop, which ends with the test.
func newGroup(t *testing.T) *Group {
	t.Helper()
	g, err := NewGroup(1, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// groups holds the loop of each test that runs.
var groups = make(map[*testing.T]*Group)

// startInLoop has the test's loop drive a copy of the socket.
func startInLoop(t *testing.T, s *net.TCPConn, r *recorder) *Conn {
	t.Helper()
	if groups[t] == nil {
		groups[t] = newGroup(t)
		t.Cleanup(func() { delete(groups, t) })
	}
	return addTo(t, groups[t], s, r)
}

func addTo(t *testing.T, g *Group, s *net.TCPConn, h Handler) *Conn {
	t.Helper()
	c := g.loops[0].New(ownFd(t, s), h)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestResetBehindTheEndIsToldWithoutARead(t *testing.T) {
	ours, theirs := pair(t)
	r := newRecorder()
	g, k := newCounted(t)
	c := addTo(t, g, ours, r)
	if n, err := c.TryWriteLast([]byte("bye")); n != 3 || err != nil {
		t.Fatalf("TryWriteLast: %d, %v", n, err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(theirs); string(got) != "bye" || err != nil {
		t.Fatalf("the peer read %q, %v", got, err)
	}
	if _, err := theirs.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "data", r.data); string(got) != "late" {
		t.Errorf("OnData got %q", got)
	}
	if err := theirs.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	before := k.recvs.Load()
	theirs.Close()
	if err := receive(t, "end", r.closed); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("OnClose got %v, want a reset", err)
	}
	if n := k.recvs.Load() - before; n != 0 {
		t.Errorf("%d reads told of the reset, want none", n)
	}
}
