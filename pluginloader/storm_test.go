package pluginloader

import (
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestStormOfHandles: connections that come and go at once, some of them
// declined, and some whose threads send, leave each slot free, and nothing of
// theirs with it.
func TestStormOfHandles(t *testing.T) {
	p := load(t, New((&recorder{}).log), compile(t, "foreign.c"), "foreign_init")
	const clients, each = 8, 500
	live := liveSlots(t)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for n := range each {
				if n%4 == 0 {
					if p.Connect(newFakeConn("x-decline")) != nil {
						t.Error("it was to decline")
					}
					continue
				}
				s := p.Connect(newFakeConn())
				s.Message(wsplugin.Text, []byte("report"))
				if n%100 == 1 {
					s.Message(wsplugin.Text, []byte("threads"))
				}
				s.Disconnect()
			}
		})
	}
	all.Wait()
	if now := liveSlots(t); now != live {
		t.Errorf("%d slots are taken, before %d", now, live)
	}
}

// liveSlots counts the slots that are not free. Those that are hold nothing of a
// connection.
func liveSlots(t *testing.T) int {
	t.Helper()
	handles.mu.Lock()
	defer handles.mu.Unlock()
	free := make(map[*handle]bool)
	for _, h := range handles.free {
		if free[h] {
			t.Errorf("slot %d is free twice", h.number)
		}
		free[h] = true
		if h.memory.server.base.state != nil || h.conn != nil || h.session != nil || h.lent != nil || h.request != nil || len(h.timers.due) > 0 {
			t.Errorf("slot %d is free, and holds: state %t connection %t session %t request %t, %d strings, %d timers", h.number,
				h.memory.server.base.state != nil, h.conn != nil, h.session != nil, h.request != nil, len(h.lent), len(h.timers.due))
		}
	}
	slots := handles.slots.Load()
	if slots == nil {
		return 0
	}
	return len(*slots) - len(free)
}
