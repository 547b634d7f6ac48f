//go:build !race

// The race detector has pools forget what they hold.

package server

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/server/eventloop"
)

// TestEchoAllocatesNothingOnceWarm: neither alone nor pipelined, nor when the
// message has to be put together from many reads.
func TestEchoAllocatesNothingOnceWarm(t *testing.T) {
	for _, test := range []struct{ size, pipeline, rounds int }{
		{64, 1, 2000},
		{64, 16, 300},
		{8 << 10, 1, 500},
		{64 << 10, 1, 300},
		{1 << 20, 1, 50},
	} {
		for _, first := range []byte{0x82, 0x81} {
			t.Run(fmt.Sprintf("%x of %d bytes, %d at once", first, test.size, test.pipeline), func(t *testing.T) {
				l := one(t, &scripted{})
				c := l.upgrade(t, "/ws")
				request := []byte(strings.Repeat(frame(first, strings.Repeat("x", test.size)), test.pipeline))
				header := len(frame(first, strings.Repeat("x", test.size))) - test.size - 4
				reply := make([]byte, (header+test.size)*test.pipeline)
				written := make(chan error)
				begin := make(chan struct{})
				go func() {
					for range begin {
						_, err := c.Conn.Write(request)
						written <- err
					}
				}()
				defer close(begin)
				once := func() {
					begin <- struct{}{}
					if _, err := io.ReadFull(c.Conn, reply); err != nil {
						t.Fatal(err)
					}
					if err := <-written; err != nil {
						t.Fatal(err)
					}
				}
				for range test.rounds / 5 {
					once()
				}
				if !bytes.HasSuffix(reply, []byte("xx")) || reply[0] != first {
					t.Fatalf("answered %.20x", reply)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range test.rounds {
					once()
				}
				runtime.ReadMemStats(&after)
				// Fifty are for the rest of the process. A goroutine's reads and
				// timers cost some as well: the claim is the loop's.
				n, messages := after.Mallocs-before.Mallocs, uint64(test.rounds*test.pipeline)
				if eventloop.Loops && n > messages/5+50 {
					t.Errorf("%d allocations for %d messages", n, messages)
				}
			})
		}
	}
}

// TestNobodyStarves: of a thousand busy connections the slowest has a share.
func TestNobodyStarves(t *testing.T) {
	const many = 1000
	l := one(t, &scripted{})
	clients := make([]*peer, many)
	for i := range clients {
		clients[i] = l.upgrade(t, "/ws")
	}
	goroutines := runtime.NumGoroutine()
	if eventloop.Loops && goroutines > many/4 {
		t.Errorf("%d goroutines for %d idle connections", goroutines, many)
	}
	counts := make([]int, many)
	done := make(chan struct{}, many)
	end := time.Now().Add(2 * time.Second)
	for i, c := range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			for time.Now().Before(end) {
				c.send(frame(0x81, "x")).expect(text("x"))
				counts[i]++
			}
		}()
	}
	slowest, fastest := 1<<30, 0
	for range clients {
		<-done
	}
	for _, n := range counts {
		slowest, fastest = min(slowest, n), max(fastest, n)
	}
	if slowest*4 < fastest {
		t.Errorf("the slowest connection had %d echoes, the fastest %d", slowest, fastest)
	}
}
