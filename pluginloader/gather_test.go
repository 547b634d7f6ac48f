package pluginloader

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// gatheringConn is a connection that lets messages be gathered. It lists what
// it is told, in order.
type gatheringConn struct {
	*fakeConn
	mu     sync.Mutex
	events []string
}

func (c *gatheringConn) Gathers() bool { return true }

func (c *gatheringConn) note(event string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, event)
}

func (c *gatheringConn) Send(t wsplugin.MessageType, payload []byte) int {
	c.note(string(payload[:min(len(payload), 10)]))
	return len(payload)
}

func (c *gatheringConn) SendAll(records Gathered, wait bool) {
	for len(records) > 0 {
		var m Message
		m, records = records.Next()
		if wait {
			c.Send(m.Type, m.Payload)
		} else {
			c.note(string(m.Payload) + " early")
		}
	}
}

func (c *gatheringConn) Close() { c.note("close") }

func (c *gatheringConn) list() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.events, ",")
}

func gathering(t *testing.T) (*gatheringConn, wsplugin.Session) {
	t.Helper()
	c := &gatheringConn{fakeConn: newFakeConn()}
	p := load(t, New((&recorder{}).log), compile(t, "gathers.c"), "gathers_init")
	s := p.Connect(c)
	t.Cleanup(s.Disconnect)
	return c, s
}

func TestGatheredMessagesLeaveInTheOrderInWhichTheyWereSent(t *testing.T) {
	for _, test := range []struct{ steps, want string }{
		{"ab", "a,b"},
		{"", ""},
		{"aPb", "a,P,b"},
		{"aLb", "a,LLLLLLLLLL,b"},
		{"abC", "a,b,close"},
		{"Cab", "close,a,b"},
		{"aFb", "foreign,a,b"}, // of two threads either may be first
	} {
		c, s := gathering(t)
		s.Message(wsplugin.Text, []byte(test.steps))
		if got := c.list(); got != test.want {
			t.Errorf("%q sends %q, want %q", test.steps, got, test.want)
		}
	}
}

func TestGatheringHasABound(t *testing.T) {
	c, s := gathering(t)
	s.Message(wsplugin.Binary, []byte("Mz"))
	got := c.list()
	if n := strings.Count(got, "Mz"); n != 1000 || !strings.HasSuffix(got, "Mz,z") {
		t.Errorf("%d of 1000 messages were sent, and then %q", n, got[max(len(got)-20, 0):])
	}
}

// TestFlushTakesWhatACallbackHasSentSoFar: what it sends later comes behind,
// and nothing comes twice.
func TestFlushTakesWhatACallbackHasSentSoFar(t *testing.T) {
	c, s := gathering(t)
	done := make(chan struct{})
	go func() {
		s.Message(wsplugin.Text, []byte("ab"+strings.Repeat(".", 30)+"cC"))
		close(done)
	}()
	for begin := time.Now(); c.list() == ""; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("nothing was sent")
		}
		s.(interface{ Flush() }).Flush()
	}
	select {
	case <-done:
		t.Error("nothing was sent before the callback returned")
	default:
	}
	<-done
	if got := c.list(); got != "a early,b early,c,close" && got != "a early,b,c,close" {
		t.Errorf("sent %q", got)
	}
	s.(interface{ Flush() }).Flush() // between callbacks there is nothing
	if got := c.list(); strings.Count(got, "c") != 2 {
		t.Errorf("sent %q", got)
	}
}

func TestMessagesThatCameTogether(t *testing.T) {
	for _, test := range []struct {
		messages []string
		want     string
	}{
		{[]string{"a", "", "b", "cd"}, "a,b,c,d"},
		{[]string{"a", "L", "b"}, "a,LLLLLLLLLL,b"},
		{[]string{"a", "Cb", "c"}, "a,close,b"}, // what comes after the plugin has closed is thrown away
	} {
		c, s := gathering(t)
		var batch []Message
		for _, m := range test.messages {
			batch = append(batch, Message{wsplugin.Text, []byte(m)})
		}
		s.(interface{ MessageBatch([]Message) }).MessageBatch(batch)
		if got := c.list(); got != test.want {
			t.Errorf("%q sends %q, want %q", test.messages, got, test.want)
		}
	}
}

// TestMessagesAllocateNothingOnceWarm: neither alone nor together.
func TestMessagesAllocateNothingOnceWarm(t *testing.T) {
	c, s := gathering(t)
	large := make([]byte, 5000, 5000+callbackPadding)
	batch := []Message{{wsplugin.Text, nil}, {wsplugin.Binary, []byte("................")[:0]}}
	once := func() {
		s.Message(wsplugin.Text, large[:0:0])
		s.(interface{ MessageBatch([]Message) }).MessageBatch(batch)
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if c.list() != "" {
		t.Errorf("sent %q", c.list())
	}
}
