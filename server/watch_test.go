package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/supervise/callpage"
)

// watched is a server of which the test looks at calls, at times of its own.
type watched struct {
	*live
	begun time.Time
}

// watchByHand serves two plugins at /ws and /other.
func watchByHand(t *testing.T, p, other wsplugin.Plugin) *watched {
	t.Helper()
	l := serve(t, "<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler x.so p\n</Location>\n"+
		"<Location /other>\nSetHandler websocket-handler\nWebSocketHandler y.so other\n</Location>\n",
		map[string]wsplugin.Plugin{"p": p, "other": other})
	l.calls.end()
	l.calls.watch.stop = nil
	return &watched{l, time.Now()}
}

// look is a look at the calls some time after the first.
func (w *watched) look(after time.Duration) { w.lookAtCalls(w.begun.Add(after)) }

// await waits until so many calls of a callback run.
func (w *watched) await(t *testing.T, callback callpage.Callback, n int) {
	t.Helper()
	count := 0
	for range 500 {
		count = 0
		for _, c := range w.calls.page.Calls() {
			if c.Callback == callback {
				count++
			}
		}
		if count == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d calls of %v run, want %d", count, callback, n)
}

// counts returns how many connections and sessions there are.
func (w *watched) counts() (conns, sessions int) {
	w.open.mu.Lock()
	defer w.open.mu.Unlock()
	return len(w.open.conns), w.open.sessions
}

// awaitCounts waits until so many are left.
func (w *watched) awaitCounts(t *testing.T, conns, sessions int) {
	t.Helper()
	var c, s int
	for range 500 {
		if c, s = w.counts(); c == conns && s == sessions {
			if n := w.calls.page.Connections(); n != conns {
				t.Errorf("%d connections are noted, there are %d", n, conns)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d connections and %d sessions are left, want %d and %d", c, s, conns, sessions)
}

func (w *watched) logOnce(t *testing.T, text string) {
	t.Helper()
	w.logged(t, text)
	if n := strings.Count(readFile(t, w.live.log), text); n != 1 {
		t.Errorf("the log says %q %d times", text, n)
	}
}

// TestCallsThatDoNotReturnAreLoggedOnce: with plugin, callback, Location and
// client, after 5 s, and how many there are.
func TestCallsThatDoNotReturnAreLoggedOnce(t *testing.T) {
	release := make(chan struct{})
	w := watchByHand(t, &scripted{message: func(c wsplugin.Conn, k wsplugin.MessageType, payload []byte) {
		if string(payload) == "block" {
			<-release
		}
		c.Send(k, payload)
	}}, nil)
	a, b := w.upgrade(t, "/ws"), w.upgrade(t, "/ws")
	a.send(frame(0x81, "block"))
	w.await(t, callpage.Message, 1)
	w.look(0)
	w.look(stuckTime - 1)
	if strings.Contains(readFile(t, w.live.log), "has not returned") {
		t.Error("it is logged too early")
	}
	b.send(frame(0x81, "block"))
	w.await(t, callpage.Message, 2)
	for i := range 4 {
		w.look(stuckTime + time.Duration(i)*watchPause)
	}
	record := "on_message of " + w.cfg.Plugins[0].File + " (p) at <Location /ws> has not returned for 5s; so many such callbacks are there now: 1"
	w.logOnce(t, "[client "+a.LocalAddr().String()+"] "+record)
	w.look(2 * stuckTime)
	w.logOnce(t, "[client "+b.LocalAddr().String()+"] "+strings.TrimSuffix(record, "1")+"2")
	close(release)
	a.expect(text("block"))
	b.expect(text("block"))
	w.await(t, callpage.Message, 0)
	w.look(3 * stuckTime)
	if n := w.calls.watch.stuck; n != 0 {
		t.Errorf("%d callbacks are counted once all have returned", n)
	}
}

// TestManyShortCallsAreNotOneLongCall: also those of one read.
func TestManyShortCallsAreNotOneLongCall(t *testing.T) {
	next, called := make(chan struct{}), make(chan struct{})
	w := watchByHand(t, &scripted{message: func(wsplugin.Conn, wsplugin.MessageType, []byte) {
		called <- struct{}{}
		<-next
	}}, nil)
	w.upgrade(t, "/ws").send(frame(0x81, "one") + frame(0x81, "two") + frame(0x81, "three"))
	for i := range 3 {
		<-called
		w.look(time.Duration(i) * (stuckTime - 1))
		next <- struct{}{}
	}
	if n := w.calls.watch.stuck; n != 0 {
		t.Errorf("%d callbacks are counted", n)
	}
}

// stuckCases are callbacks that do not return, and whether their connection stays
// until the client goes.
var stuckCases = []struct {
	callback callpage.Callback
	stays    bool
}{{callpage.Connect, true}, {callpage.Message, true}, {callpage.Disconnect, false}}

// giveUp has a callback of p not return until release is closed, and its
// connection given up.
func giveUp(t *testing.T, p, other *scripted, callback callpage.Callback, stays bool, release <-chan struct{}) *watched {
	t.Helper()
	switch callback {
	case callpage.Connect:
		p.connect = func(wsplugin.Conn) bool { <-release; return true }
	case callpage.Message:
		p.message = func(wsplugin.Conn, wsplugin.MessageType, []byte) { <-release }
	case callpage.Disconnect:
		p.disconnect = func(wsplugin.Conn) { <-release }
	}
	w := watchByHand(t, p, other)
	var c *peer
	switch callback {
	case callpage.Connect:
		c = w.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n")
	case callpage.Message:
		c = w.upgrade(t, "/ws").send(frame(0x81, "block"))
	case callpage.Disconnect:
		c = w.upgrade(t, "/ws").send(frame(0x88, "")).expect("\x88\x02\x03\xe8")
	}
	w.await(t, callback, 1)
	w.look(0)
	w.look(stuckTime)
	if stays {
		w.look(stuckTime + watchPause)
		if conns, _ := w.counts(); conns != 1 {
			t.Errorf("%d connections, while the client is there", conns)
		}
		c.Close()
		for range 200 { // until the end has come here
			w.look(stuckTime + 2*watchPause)
			if conns, _ := w.counts(); conns == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	w.awaitCounts(t, 0, 0)
	return w
}

// TestTheEndDoesNotWaitForCallsThatWereGivenUp: plugins that have no such
// callback are destroyed.
func TestTheEndDoesNotWaitForCallsThatWereGivenUp(t *testing.T) {
	for _, tt := range stuckCases {
		t.Run(tt.callback.String(), func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			p, other := &scripted{}, &scripted{}
			w := giveUp(t, p, other, tt.callback, tt.stays, release)
			begun := time.Now()
			ended := w.Shutdown(context.Background())
			if took := time.Since(begun); !ended || took > 2*time.Second {
				t.Errorf("the end took %v, in order: %v", took, ended)
			}
			if p.destroyed != 0 || other.destroyed != 1 {
				t.Errorf("destroy was called %d times of the plugin with the callback, %d of the other", p.destroyed, other.destroyed)
			}
		})
	}
}

// TestCallsThatWereGivenUpMayReturn: the session then hears of the end, and no
// connection is counted out twice.
func TestCallsThatWereGivenUpMayReturn(t *testing.T) {
	for _, tt := range stuckCases {
		t.Run(tt.callback.String(), func(t *testing.T) {
			release := make(chan struct{})
			p, other := &scripted{}, &scripted{}
			w := giveUp(t, p, other, tt.callback, tt.stays, release)
			close(release)
			p.waitEnded(t, 1)
			for range 10 {
				w.awaitCounts(t, 0, 0)
				time.Sleep(10 * time.Millisecond)
			}
			if w.Shutdown(context.Background()); p.destroyed != 1 || other.destroyed != 1 {
				t.Errorf("destroy was called %d and %d times", p.destroyed, other.destroyed)
			}
		})
	}
}

// TestAWornServerAsksForAnother: at 64 callbacks that do not return, and again
// while there are so many.
func TestAWornServerAsksForAnother(t *testing.T) {
	release := make(chan struct{})
	w := watchByHand(t, &scripted{message: func(wsplugin.Conn, wsplugin.MessageType, []byte) { <-release }}, nil)
	asked := 0
	w.calls.worn = func() { asked++ }
	for range stuckMost - 1 {
		w.upgrade(t, "/ws").send(frame(0x81, "block"))
	}
	w.await(t, callpage.Message, stuckMost-1)
	w.look(0)
	w.look(stuckTime)
	if asked != 0 || w.calls.watch.stuck != stuckMost-1 {
		t.Errorf("with %d of them it has asked %d times", w.calls.watch.stuck, asked)
	}
	w.upgrade(t, "/ws").send(frame(0x81, "block"))
	w.await(t, callpage.Message, stuckMost)
	w.look(stuckTime)
	for i := range 2 * wornPause {
		w.look(2*stuckTime + time.Duration(i))
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
	w.logOnce(t, "64 callbacks of plugins do not return")
	close(release)
	w.await(t, callpage.Message, 0)
	w.look(3 * stuckTime)
	if asked != 2 || w.calls.watch.worn != 0 {
		t.Errorf("asked %d times, want 2, and worn is %d", asked, w.calls.watch.worn)
	}
}
