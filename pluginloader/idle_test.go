package pluginloader

import (
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestWidePlugin: the callbacks that one fork has beyond the original's are
// called, on_idle between the others and never with them.
func TestWidePlugin(t *testing.T) {
	l := New((&recorder{}).log)
	file := compile(t, "wide.c")
	p, err := l.LoadConfigured(file, "wide_init", "text")
	if err != nil {
		t.Fatal(err)
	}
	c := newFakeConn()
	s := p.Connect(c)
	equal(t, "sent", c.await(t, 1), []string{"0 idle"})
	for range 3 {
		s.Message(wsplugin.Text, []byte("last long"))
	}
	s.Message(wsplugin.Text, []byte("report"))
	const started = "0 init(text) config(text) child(text) good"
	equal(t, "calls", c.take(), []string{started, started, started, started})
	s.Disconnect()
	l.Destroy([]wsplugin.Plugin{p})
	c = newFakeConn()
	s = p.Connect(c)
	s.Message(wsplugin.Text, []byte("report"))
	equal(t, "calls", c.take(), []string{"0 init(text) config(text) child(text) child end() destroy() good"})
	s.Disconnect()
}

// TestNarrowPlugin: a size that is short of the fork's is the original's.
func TestNarrowPlugin(t *testing.T) {
	p := load(t, New((&recorder{}).log), compile(t, "wide.c"), "narrow_init")
	c := newFakeConn()
	s := p.Connect(c)
	time.Sleep(5 * idlePause)
	s.Message(wsplugin.Text, []byte("report"))
	equal(t, "calls", c.take(), []string{"0 good"})
	s.Disconnect()
}
