package examples

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// lasts is how long a callback of the busy plugin does.
const lasts = 900 * time.Millisecond

func busy(t *testing.T) *process {
	buildFaulty(t)
	return serve(t, location("WebSocketHandler modules/busy.so busy_init"))
}

// say sends texts in one write each.
func say(t *testing.T, c *websocket.Conn, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if err := c.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
}

func hear(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	if _, got, err := c.ReadMessage(); err != nil || string(got) != want {
		t.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

// TestThreadsOfAPluginSendAtOnce: eight threads storm a connection that echoes
// meanwhile; nothing is lost, and no thread overtakes itself.
func TestThreadsOfAPluginSendAtOnce(t *testing.T) {
	const senders, messages = 8, 3000
	p := busy(t)
	c := dial(t, p.url("/ws"), nil)
	say(t, c, "storm")
	var echoes sync.WaitGroup
	echoes.Go(func() {
		for n := range 100 {
			say(t, c, fmt.Sprint("echo ", n))
		}
	})
	var next [senders]int
	echoed := 0
	for range senders*messages + 100 {
		kind, m, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.TextMessage {
			if want := fmt.Sprint("echo ", echoed); string(m) != want {
				t.Fatalf("heard %q, want %q", m, want)
			}
			echoed++
			continue
		}
		if n := int(m[1])<<8 | int(m[2]); int(m[0]) >= senders || next[m[0]] != n {
			t.Fatalf("message %d of thread %d, want %d", n, m[0], next[m[0]])
		}
		next[m[0]]++
	}
	echoes.Wait()
}

// TestCallbacksInCThatLast: others notice nothing, and what a callback has sent
// leaves meanwhile although C gathers it.
func TestCallbacksInCThatLast(t *testing.T) {
	p := busy(t)
	bystander := dial(t, p.url("/ws"), nil)
	for _, how := range []string{"last", "burn", "last"} {
		c := dial(t, p.url("/ws"), nil)
		for range 2 {
			begin := time.Now()
			say(t, c, "first", how, "behind")
			hear(t, c, "first")
			hear(t, c, how)
			if d := time.Since(begin); d > lasts*3/4 {
				t.Errorf("what was sent before %q arrives after %v", how, d)
			}
			begin = time.Now()
			say(t, bystander, "others")
			hear(t, bystander, "others")
			// One that burns is known as such from its second call on.
			if d := time.Since(begin); d > lasts*3/4 && how == "last" {
				t.Errorf("beside %q an echo takes %v", how, d)
			}
			hear(t, c, "behind")
		}
	}
	var sleepers sync.WaitGroup
	for range 30 {
		c := dial(t, p.url("/ws"), nil)
		sleepers.Go(func() {
			say(t, c, "sleep 1", "sleep 2")
			hear(t, c, "sleep 1")
			hear(t, c, "sleep 2")
		})
	}
	for end := time.Now().Add(2 * lasts); time.Now().Before(end); time.Sleep(time.Millisecond) {
		begin := time.Now()
		say(t, bystander, "others")
		hear(t, bystander, "others")
		if d := time.Since(begin); d > 4*lasts { // one after the other they would sleep for 54 s
			t.Errorf("beside 30 sleepers an echo takes %v", d)
		}
	}
	sleepers.Wait()
}
