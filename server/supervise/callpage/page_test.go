package callpage

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

var someClient = netip.MustParseAddrPort("192.0.2.1:5678")

// shared returns a page as a worker has it, and the same as its master sees it.
func shared(t *testing.T) (worker, master *Page) {
	t.Helper()
	master, file, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	worker, err = Map(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { worker.Close(); master.Close() })
	return worker, master
}

func TestWhatIsNotedIsSeenElsewhere(t *testing.T) {
	worker, master := shared(t)
	name := worker.Name("FILE (INIT) at <Location /ws>")
	if again := worker.Name("FILE (INIT) at <Location /ws>"); again != name {
		t.Errorf("the same text has the names %d and %d", name, again)
	}
	if list := master.Calls(); len(list) != 0 {
		t.Errorf("there are calls: %v", list)
	}
	connect := worker.Enter(7, Connect, name, someClient)
	message := worker.Enter(7, Message, name, netip.MustParseAddrPort("[2001:db8::1]:80"))
	unknown := worker.Enter(9, Disconnect, 0, netip.AddrPort{})
	done := worker.Loading("/lib.so with its init")
	worker.MarkLasting(connect)
	want := []string{
		"loading /lib.so with its init",
		"in on_message of FILE (INIT) at <Location /ws> for client [2001:db8::1]:80",
		"in on_disconnect of a plugin",
		"and for long in on_connect of FILE (INIT) at <Location /ws> for client 192.0.2.1:5678",
	}
	if got := Describe(master.Calls()); got != strings.Join(want, ", ") {
		t.Errorf("the calls are\n%s\nwant\n%s", got, strings.Join(want, ", "))
	}
	done()
	worker.Leave(connect)
	worker.Leave(message)
	worker.Leave(unknown)
	if got, none := Describe(master.Calls()), "no callback of a plugin was running"; got != none {
		t.Errorf("after all have returned: %s", got)
	}
	worker.Leave(worker.Enter(7, Message, name, someClient))
	if again := worker.Enter(7, Message, name, someClient); master.At(again).Lasts {
		t.Error("a call has what an earlier one has left")
	}
	if worker.SetConnections(3); master.Connections() != 3 {
		t.Errorf("%d connections are noted, want 3", master.Connections())
	}
	if master.EndedInOrder() {
		t.Error("it has ended in order")
	}
	if worker.EndInOrder(); !master.EndedInOrder() {
		t.Error("it has not ended in order")
	}
}

// TestSerialsTellCallsApart: also those of one callback after the other.
func TestSerialsTellCallsApart(t *testing.T) {
	p, _ := shared(t)
	var seen []uint64
	note := func(at Place) {
		serial, runs := p.Serial(at)
		if !runs || slices.Contains(seen, serial) {
			t.Errorf("serial %d, under way: %v; seen were %v", serial, runs, seen)
		}
		seen = append(seen, serial)
	}
	for range 2 {
		at := p.Enter(3, Message, 0, someClient)
		note(at)
		p.Next(at)
		note(at)
		p.Leave(at)
		if _, runs := p.Serial(at); runs {
			t.Error("a call that has returned is under way")
		}
	}
}

// TestThereAreMoreCallsThanPlaces: those beyond are not noted, and no two
// callers have the same place.
func TestThereAreMoreCallsThanPlaces(t *testing.T) {
	p, master := shared(t)
	var mu sync.Mutex
	had := make(map[Place]bool)
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range Slots {
				at := p.Enter(int64(i*caller), Message, 0, someClient)
				mu.Lock()
				if at != 0 && had[at] {
					t.Errorf("place %d has two callers", at)
				}
				had[at] = true
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	if n := len(master.Calls()); n != Slots {
		t.Errorf("%d calls are noted, want %d", n, Slots)
	}
	if text := Describe(master.Calls()); !strings.HasSuffix(text, ", and 4080 more") {
		t.Errorf("%d bytes tell of them: %.200s", len(text), text)
	}
	p.Next(0)
	p.Leave(0)
}

// TestNamesEnd: what has no room is called by nobody's name.
func TestNamesEnd(t *testing.T) {
	p, master := shared(t)
	long := strings.Repeat("x", longestName+1)
	if at := p.Enter(0, Message, p.Name(long), someClient); master.At(at).Plugin != long[:longestName] {
		t.Errorf("a long name is cut to %d bytes", len(master.At(at).Plugin))
	}
	fits := 1
	for p.Name(strings.Repeat("y", longestName-4)+string(rune('\u4e00'+fits))) != 0 {
		fits++
	}
	if least := nameRoom/(longestName+8) - 1; fits < least {
		t.Errorf("%d names fit, want %d", fits, least)
	}
	if call := master.At(p.Enter(1, Connect, 0, someClient)); call.String() != "in on_connect of a plugin for client 192.0.2.1:5678" {
		t.Errorf("without a name it is %q", call)
	}
}

// TestNobodyNotes: a page that could not be made.
func TestNobodyNotes(t *testing.T) {
	var p *Page
	p.Leave(p.Enter(1, Message, p.Name("x"), someClient))
	p.Loading("x")()
	p.EndInOrder()
	p.SetConnections(1)
	if p.Connections() != 0 || p.EndedInOrder() || p.Calls() != nil {
		t.Error("nobody has noted something")
	}
	p.Close()
}

// TestNamesThatAreNone: a worker may have written anything.
func TestNamesThatAreNone(t *testing.T) {
	p, master := shared(t)
	names := bytesOf(p)[nameStart:]
	long := []byte{byte((longestName + 1) & 0xff), (longestName + 1) >> 8}
	copy(names[100:], long)
	copy(names[nameRoom-10:], []byte{9, 0}) // ends a byte behind the page
	for _, n := range []Name{101, nameRoom - 9, nameRoom, nameRoom + 1, 1<<32 - 1} {
		if call := master.At(p.Enter(0, Message, n, someClient)); call.Plugin != "" {
			t.Errorf("name %d is %d bytes", n, len(call.Plugin))
		}
	}
}

// bytesOf is the memory of a page.
func bytesOf(p *Page) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p.header)), pageSize)
}

// FuzzCalls: whatever a worker leaves in the page, it can be read, and the text
// is bounded.
func FuzzCalls(f *testing.F) {
	f.Add(uint64(1), uint16(0), []byte{0xff})
	f.Add(uint64(2), uint16(9), []byte("\x03\xff\xff\xff\xff"))
	p, _, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, seed uint64, at uint16, b []byte) {
		memory, r := bytesOf(p), rand.New(rand.NewPCG(seed, 1))
		clear(memory[:nameStart+4*longestName])
		for range seed % 64 { // words of slots, and what is behind them
			copy(memory[headerSize+r.IntN(Slots)*slotSize:], binaryOf(r.Uint64()>>r.IntN(64)))
			copy(memory[r.IntN(pageSize-8):], binaryOf(r.Uint64()))
		}
		copy(memory[at:], b)
		text := Describe(p.Calls())
		if most := (told + 2) * (longestName + 200); len(text) > most {
			t.Errorf("%d bytes of text", len(text))
		}
		p.EndedInOrder()
	})
}

func binaryOf(n uint64) []byte {
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return b[:]
}

func TestNotesTakeNoMemory(t *testing.T) {
	p, _ := shared(t)
	name := p.Name("FILE (INIT)")
	if n := testing.AllocsPerRun(100, func() {
		at := p.Enter(7, Message, name, someClient)
		p.Next(at)
		p.Leave(at)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNote is what a read of a connection costs: a call is noted, and that
// it has returned. BenchmarkNext is each further message of the read.
func BenchmarkNote(b *testing.B) {
	p := Private()
	name := p.Name("FILE (INIT)")
	for b.Loop() {
		p.Leave(p.Enter(1234, Message, name, someClient))
	}
	p.Close()
}

func BenchmarkNext(b *testing.B) {
	p := Private()
	at := p.Enter(1234, Message, 0, someClient)
	for b.Loop() {
		p.Next(at)
	}
	p.Close()
}
