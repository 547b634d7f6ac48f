package pluginloader

import (
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// newTable makes a table of handles that lasts as long as the process, as the
// server's own does: nothing gives its structures back.
func newTable() *handleTable {
	tables = append(tables, new(handleTable))
	return tables[len(tables)-1]
}

var tables []*handleTable

// TestStaleHandlesMeetNobody uses a structure after its slot was given away.
func TestStaleHandlesMeetNobody(t *testing.T) {
	table := newTable()
	first := newFakeConn()
	h := table.take(first)
	state := h.state()
	if _, conn := table.find(state); conn != wsplugin.Conn(first) {
		t.Fatalf("found %v", conn)
	}
	lent := h.lend(state, "key", "value")
	if again := h.lend(state, "key", "another"); lent == nil || again != lent {
		t.Errorf("lent %p, then %p", lent, again)
	}
	table.release(h)
	if late := h.lend(state, "key", "value"); late != nil || len(h.lent) != 0 {
		t.Errorf("lent %p after the end, and %d strings are left", late, len(h.lent))
	}
	if _, conn := table.find(state); conn != nil {
		t.Fatalf("found %v after the end", conn)
	}
	seen := make(map[*handle]bool)
	for range 1000 {
		next := table.take(newFakeConn())
		if next == h || seen[next] {
			t.Fatal("a slot was given away again at once")
		}
		seen[next] = true
		table.release(next)
	}
	for _, bad := range []uint64{0, 1 << 40, 0xffffffff, state + 1<<32} {
		if _, conn := table.find(bad); conn != nil {
			t.Errorf("state %x finds %v", bad, conn)
		}
	}
}

func TestSlotIsUsedAgainAfterManyOthers(t *testing.T) {
	table := newTable()
	h := table.take(newFakeConn())
	stale := h.state()
	table.release(h)
	for range restingMany + blockSize {
		table.release(table.take(newFakeConn()))
	}
	for range restingMany + 2*blockSize {
		next := table.take(newFakeConn())
		if next == h {
			if _, conn := table.find(stale); conn != nil || h.state() == stale {
				t.Errorf("the old state finds %v, which is another connection", conn)
			}
			return
		}
		table.release(next)
	}
	t.Error("the slot never came back: structures are never freed")
}
