package eventloop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// pair returns the two ends of a TCP connection over loopback.
func pair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, ok := <-accepted
	if !ok {
		t.Fatal("accept ended")
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return server.(*net.TCPConn), client.(*net.TCPConn)
}

// recorder is a Handler that passes on what it is told.
type recorder struct {
	data     chan []byte
	writable chan struct{}
	closed   chan error
	onData   func(p []byte)
	released atomic.Int32
}

func newRecorder() *recorder {
	return &recorder{data: make(chan []byte, 100), writable: make(chan struct{}, 10), closed: make(chan error, 1)}
}

func (r *recorder) OnData(p []byte) {
	r.data <- bytes.Clone(p)
	if r.onData != nil {
		r.onData(p)
	}
	clear(p) // the buffer is ours until we return
}
func (r *recorder) Space() []byte     { return nil }
func (r *recorder) OnWritable()       { r.writable <- struct{}{} }
func (r *recorder) OnClose(err error) { r.closed <- err }
func (r *recorder) OnDeadline()       {}
func (r *recorder) OnRelease()        { r.released.Add(1) }

func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: nothing within 5 s", what)
		panic("unreachable")
	}
}

// driver starts a Conn one of the ways there are.
type driver func(t *testing.T, s *net.TCPConn, r *recorder) *Conn

// onEachDriver runs a test on every driver.
func onEachDriver(t *testing.T, test func(t *testing.T, start driver)) {
	for name, d := range drivers {
		t.Run(name, func(t *testing.T) { test(t, d) })
	}
}

var drivers = map[string]driver{"goroutine": startOwn}

func startOwn(t *testing.T, s *net.TCPConn, r *recorder) *Conn { return startEarly(t, s, r, nil) }

func startEarly(t *testing.T, s *net.TCPConn, r *recorder, early []byte) *Conn {
	t.Helper()
	c, err := New(s, r)
	if err != nil {
		t.Fatal(err)
	}
	go c.Run(early)
	return c
}

func TestRunGivesEarlyBytesBeforeThoseOfTheSocket(t *testing.T) {
	ours, theirs := pair(t)
	if _, err := theirs.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	startEarly(t, ours, r, []byte("early"))
	if got := receive(t, "early", r.data); string(got) != "early" {
		t.Errorf("first data = %q, want %q", got, "early")
	}
	if got := receive(t, "late", r.data); string(got) != "late" {
		t.Errorf("second data = %q, want %q", got, "late")
	}
}

func TestHalfClosedPeerGetsWhatIsWrittenAfterItsEOF(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, theirs := pair(t)
		r := newRecorder()
		c := start(t, ours, r)
		if err := theirs.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "close", r.closed); err != io.EOF {
			t.Fatalf("OnClose(%v), want io.EOF", err)
		}
		if n, err := c.TryWrite([]byte("answer")); n != 6 || err != nil {
			t.Fatalf("TryWrite = %d, %v", n, err)
		}
		c.Close()
		got, err := io.ReadAll(theirs)
		if string(got) != "answer" || err != nil {
			t.Errorf("peer read %q, %v", got, err)
		}
	})
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, _ := pair(t)
		r := newRecorder()
		c := start(t, ours, r)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, "close", r.closed); !errors.Is(err, net.ErrClosed) {
			t.Errorf("OnClose(%v), want net.ErrClosed", err)
		}
		if n, err := c.TryWrite([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("TryWrite after Close = %d, %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("second Close = %v", err)
		}
	})
}

func TestFullSocketTellsWhenItTakesBytesAgain(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, theirs := pair(t)
		r := newRecorder()
		c := start(t, ours, r)
		sent := 0
		block := bytes.Repeat([]byte("x"), 1<<20)
		for {
			n, err := c.TryWrite(block)
			if err != nil {
				t.Fatal(err)
			}
			sent += n
			if n < len(block) {
				break
			}
		}
		c.NotifyWritable()
		select {
		case <-r.writable:
			t.Fatal("OnWritable although the peer has read nothing")
		case <-time.After(20 * time.Millisecond):
		}
		if _, err := io.CopyN(io.Discard, theirs, int64(sent)); err != nil {
			t.Fatal(err)
		}
		receive(t, "writable", r.writable)
	})
}

func TestNotifyWritableEndsWithTheConnection(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, _ := pair(t)
		r := newRecorder()
		c := start(t, ours, r)
		block := bytes.Repeat([]byte("x"), 1<<20)
		for {
			if n, err := c.TryWrite(block); err != nil || n < len(block) {
				break
			}
		}
		c.NotifyWritable()
		c.Close()
		receive(t, "writable", r.writable)
	})
}

func TestCallbackThatEndsItsGoroutineDoesNotEndTheConnection(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, theirs := pair(t)
		r := newRecorder()
		var calls atomic.Int32
		r.onData = func([]byte) {
			if calls.Add(1) == 1 {
				runtime.Goexit()
			}
		}
		start(t, ours, r)
		for _, word := range []string{"one", "two"} {
			if _, err := theirs.Write([]byte(word)); err != nil {
				t.Fatal(err)
			}
			got := receive(t, word, r.data)
			if word == "two" && len(got) == 0 {
				got = receive(t, word, r.data) // the other goroutine begins with an interrupt
			}
			if string(got) != word {
				t.Errorf("data = %q, want %q", got, word)
			}
		}
		theirs.Close()
		receive(t, "close", r.closed)
	})
}

func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		const connections = 100
		before := heapInUse()
		for range connections {
			ours, theirs := pair(t)
			r := newRecorder()
			start(t, ours, r)
			if _, err := theirs.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			receive(t, "data", r.data)
		}
		if grown := heapInUse() - before; grown > connections*readSize/4 {
			t.Errorf("%d idle connections hold %d bytes, with buffers of %d", connections, grown, readSize)
		}
	})
}

// heapInUse returns the bytes that are reachable. Pools are empty after two
// collections.
func heapInUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestInterruptCallsOnDataWithoutBytesAndTheConnectionGoesOn(t *testing.T) {
	onEachDriver(t, func(t *testing.T, start driver) {
		ours, theirs := pair(t)
		h := newRecorder()
		c := start(t, ours, h)
		for range 3 {
			c.Interrupt()
			if p := receive(t, "the interrupt", h.data); len(p) != 0 {
				t.Fatalf("after Interrupt OnData got %q, want nothing", p)
			}
		}
		if _, err := theirs.Write([]byte("later")); err != nil {
			t.Fatal(err)
		}
		for {
			if p := receive(t, "bytes after the interrupt", h.data); len(p) > 0 {
				if string(p) != "later" {
					t.Fatalf("OnData got %q, want %q", p, "later")
				}
				break
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c.Interrupt() // of a closed connection does nothing
		receive(t, "the end", h.closed)
	})
}
