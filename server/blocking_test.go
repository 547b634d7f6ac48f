package server

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// held is longer than anybody else may have to wait for a callback.
const held = time.Second

// sleepy obeys its messages: "sleep" sleeps before the echo, "last" sleeps
// behind it, "burn" uses the processor behind it, all else is echoed.
func sleepy() *scripted {
	return &scripted{message: func(c wsplugin.Conn, t wsplugin.MessageType, payload []byte) {
		switch {
		case strings.HasPrefix(string(payload), "sleep"):
			time.Sleep(held)
			c.Send(t, payload)
		case strings.HasPrefix(string(payload), "last"):
			c.Send(t, payload)
			time.Sleep(held)
		case strings.HasPrefix(string(payload), "burn"):
			c.Send(t, payload)
			for begin := time.Now(); time.Since(begin) < held; {
			}
		default:
			c.Send(t, payload)
		}
	}}
}

// text is a short text frame of the server's.
func text(s string) string { return "\x81" + string(rune(len(s))) + s }

// TestCallbacksThatSleepHoldUpNobodyElse: neither those of the same plugin nor
// any message of the sleepers is lost or overtaken.
func TestCallbacksThatSleepHoldUpNobodyElse(t *testing.T) {
	l := one(t, sleepy())
	var sleepers, others sync.WaitGroup
	const many, each = 20, 2
	for i := range many {
		c := l.upgrade(t, "/ws")
		sleepers.Go(func() {
			var sent, want string
			for n := range each {
				m := fmt.Sprintf("sleep %d %d", i, n)
				sent, want = sent+frame(0x81, m)+frame(0x81, m+" echo"), want+text(m)+text(m+" echo")
			}
			c.send(sent).expect(want)
		})
	}
	stop := make(chan struct{})
	var slowest time.Duration
	var mu sync.Mutex
	for i := range 20 {
		c := l.upgrade(t, "/ws")
		others.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				m := fmt.Sprintf("echo %d %d", i, n)
				begin := time.Now()
				c.send(frame(0x81, m)).expect(text(m))
				mu.Lock()
				slowest = max(slowest, time.Since(begin))
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	sleepers.Wait()
	close(stop)
	others.Wait()
	if slowest >= 4*held { // one after the other they would sleep for 80 s
		t.Errorf("an echo took %v while others slept for %v", slowest, held)
	}
}

// TestWhatACallbackHasSentLeavesWhileItLasts: also when other frames of the
// same read wait behind it, and on a connection that is known to block.
func TestWhatACallbackHasSentLeavesWhileItLasts(t *testing.T) {
	for _, how := range []string{"last", "burn"} {
		t.Run(how, func(t *testing.T) {
			l := one(t, sleepy())
			c := l.upgrade(t, "/ws")
			for n := range 2 {
				m := fmt.Sprint(how, n)
				begin := time.Now()
				c.send(frame(0x81, "first") + frame(0x81, m) + frame(0x81, "behind")).expect(text("first") + text(m))
				if d := time.Since(begin); d >= held*3/4 {
					t.Errorf("what was sent before %q arrives after %v", m, d)
				}
				c.expect(text("behind"))
			}
		})
	}
}

// TestConnectAndDisconnectMayBlock: newcomers and the connected notice nothing.
func TestConnectAndDisconnectMayBlock(t *testing.T) {
	p := &scripted{
		connect: func(c wsplugin.Conn) bool {
			if c.URI() == "/ws?slow" {
				time.Sleep(held)
			}
			return true
		},
		disconnect: func(c wsplugin.Conn) {
			if c.URI() == "/ws?slow" {
				time.Sleep(held)
			}
		},
	}
	l := one(t, p)
	c := l.upgrade(t, "/ws")
	echo := func(when string) {
		t.Helper()
		begin := time.Now()
		c.send(frame(0x81, when)).expect(text(when))
		l.upgrade(t, "/ws").send(frame(0x88, "")).expect("\x88")
		if d := time.Since(begin); d >= held*3/4 {
			t.Errorf("%s: an echo and a handshake took %v", when, d)
		}
	}
	for range 2 {
		connected := make(chan *peer)
		go func() { connected <- l.upgrade(t, "/ws?slow") }()
		time.Sleep(held / 8)
		echo("while another connects")
		slow := <-connected
		slow.send(frame(0x88, ""))
		time.Sleep(held / 8)
		echo("while another disconnects")
	}
	p.waitEnded(t, 6)
}

// threads counts those of the process (proc(5)).
func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestClientsThatDoNotReadAreAnsweredLater: in order, and until then they hold
// no thread each and hold up nobody.
func TestClientsThatDoNotReadAreAnsweredLater(t *testing.T) {
	l := one(t, &scripted{})
	const many, size = 30, 60_000
	payload := strings.Repeat("x", size)
	message := []byte(frame(0x82, payload))
	var clients []*peer
	var sent atomic.Int64
	for range many {
		c := l.upgrade(t, "/ws")
		if err := c.SetDeadline(time.Now().Add(3 * time.Minute)); err != nil { // as long as a machine that is busy may take
			t.Fatal(err)
		}
		clients = append(clients, c)
		go func() {
			for range 400 { // more than the buffers of both ends hold
				if _, err := c.Write(message); err != nil {
					return
				}
				sent.Add(1)
			}
		}()
	}
	for before := int64(-1); sent.Load() > before; time.Sleep(200 * time.Millisecond) { // until nobody gets on
		before = sent.Load()
	}
	if n := sent.Load(); n == many*400 {
		t.Fatal("all was read, of clients that do not read")
	}
	if n := threads(t); eventloop.Loops && n > many {
		t.Errorf("%d threads while %d clients do not read", n, many)
	}
	l.upgrade(t, "/ws").send(frame(0x81, "others")).expect(text("others"))
	want := "\x82\x7e\xea\x60" + payload
	for range 400 {
		clients[0].expect(want)
	}
}

// TestGoHasRoomForTheThreadsOfCallbacks: beyond its bound the runtime ends the
// process; both bounds on callbacks stay below.
func TestGoHasRoomForTheThreadsOfCallbacks(t *testing.T) {
	if !eventloop.Loops {
		t.Skip("without loops no thread belongs to one")
	}
	serve(t, "WebSocketEventLoops 3\n", nil)
	bound := debug.SetMaxThreads(1 << 20)
	debug.SetMaxThreads(bound)
	if least := eventloop.MostThreads(3) + pluginloader.MaxCallbacks; bound <= least {
		t.Errorf("the runtime allows %d threads, callbacks %d", bound, least)
	}
}
