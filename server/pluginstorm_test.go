package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStormOfConnections: clients of every protocol come, and go in every way,
// while threads of a plugin in C send, ask and close: before on_connect has
// returned, while the connection is reset, and after on_disconnect. What the
// process has after the second storm is what it had after the first.
//
//	go test ./server -run StormOfConnections -v -storm 30s
func TestStormOfConnections(t *testing.T) {
	l := serveModules(t, t.TempDir(), "LoadModule websocket_draft76_module x\nLogLevel crit\n"+
		strings.Replace(location("/ws", "storm"), "</Location>", "SupportDraft75 On\n</Location>", 1))
	l.storm(t, *storm)
	before := l.holdings(t)
	opened := l.storm(t, *storm)
	after := l.holdings(t)
	t.Logf("%d connections in %v\nbefore %v\nafter  %v", opened, *storm, before, after)
	if after.wrong != 0 {
		t.Errorf("%d calls were answered wrongly", after.wrong)
	}
	if after.sent == before.sent || opened < 20 {
		t.Errorf("no storm: %d connections, %d messages", opened, after.sent-before.sent)
	}
	if after.descriptors > before.descriptors {
		t.Errorf("%d descriptors, before %d", after.descriptors, before.descriptors)
	}
	spare := 16*runtime.GOMAXPROCS(0) + 16 // goroutines that wait for more work, and the loops' threads that do so for 10 s
	if more := after.goroutines - before.goroutines; more > spare {
		t.Errorf("%d goroutines, before %d", after.goroutines, before.goroutines)
	}
	if more := after.tasks - before.tasks; more > spare {
		t.Errorf("%d threads, before %d", after.tasks, before.tasks)
	}
	if more, most := after.heap-before.heap, 192<<10+opened*slotInC; more > most {
		t.Errorf("C's heap has grown by %d bytes for %d connections, want at most %d", more, opened, most)
	}
	if more, most := after.goHeap-before.goHeap, 1<<20+opened*slotInGo; more > most {
		t.Errorf("Go's heap has grown by %d bytes for %d connections, want at most %d", more, opened, most)
	}
}

// TestPoolsOfManyAreGivenBack: the pools of many connections at a time go back to
// the system when these are over, but for 2 MiB that APR keeps for the next.
func TestPoolsOfManyAreGivenBack(t *testing.T) {
	const many, each = 500, 64 << 10 // each: the letter m
	l := serveModules(t, t.TempDir(), "LogLevel crit\n"+location("/ws", "storm"))
	before := l.holdings(t)
	var all []*peer
	for range many {
		all = append(all, l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\nX-Storm: rm?\r\n"+upgradeFields+"\r\n"))
	}
	for _, c := range all {
		if answer := c.receive("GET"); answer.status != 101 {
			t.Fatalf("status %d", answer.status)
		}
	}
	full := resident(t)
	for _, c := range all {
		c.Close()
	}
	after := l.holdings(t)
	t.Logf("resident: %d KiB before, %d with %d connections, %d after", before.resident>>10, full>>10, many, after.resident>>10)
	taken, kept := full-before.resident, after.resident-before.resident
	if taken < many*each {
		t.Errorf("%d pools take %d bytes, want at least %d each", many, taken, each)
	}
	if kept > taken/2 { // a twelfth; the race detector keeps some of its own
		t.Errorf("%d of %d bytes are kept", kept, taken)
	}
}

// What a connection leaves behind on purpose, in bytes: its slot in the table of
// handles, which is used again after a minute or 65,536 others.
const (
	slotInC  = 256
	slotInGo = 512
)

// holdings is what a process has that a connection may leave behind.
type holdings struct {
	wrong, sent                    int // of the plugin, since its start
	descriptors, goroutines, tasks int
	heap, goHeap, resident         int // bytes
}

func (h holdings) String() string {
	return fmt.Sprintf("descriptors %d goroutines %d threads %d C heap %d Go heap %d resident %d KiB", h.descriptors, h.goroutines, h.tasks, h.heap, h.goHeap, h.resident>>10)
}

// holdings waits until the plugin has nothing left of any connection, and tells
// what the process has then.
func (l *live) holdings(t *testing.T) (h holdings) {
	t.Helper()
	c := l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\nX-Storm: ?\r\n" + upgradeFields + "\r\n")
	defer c.Close()
	if answer := c.receive("GET"); answer.status != 101 {
		t.Fatalf("status %d", answer.status)
	}
	var sessions, pools, threads, last int
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
			t.Fatal(err)
		}
		c.send(frame(0x81, "?"))
		counts := c.text()
		if _, err := fmt.Sscanf(counts, "sessions %d pools %d threads %d wrong %d sent %d heap %d",
			&sessions, &pools, &threads, &h.wrong, &h.sent, &h.heap); err != nil {
			t.Fatalf("%q: %v", counts, err)
		}
		h.descriptors = descriptors(t)
		now := runtime.NumGoroutine()
		if sessions+pools+threads == 0 && len(l.open.all()) == 1 && now == last {
			break
		}
		last = now
		if time.Now().After(until) {
			t.Fatalf("the connections are over; what is left: %s, %d of the server's, %d descriptors", counts, len(l.open.all()), h.descriptors)
		}
	}
	runtime.GC()
	debug.FreeOSMemory() // once more, for what the first has put out of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.goroutines, h.tasks, h.goHeap = runtime.NumGoroutine(), entries(t, "/proc/self/task"), int(m.HeapAlloc)
	h.resident = resident(t)
	return h
}

// resident is how much of the process is in memory, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	var size, pages int
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// descriptors counts those that are not an event loop's: loops that only busy
// connections share begin when there are such.
func descriptors(t *testing.T) (n int) {
	t.Helper()
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		if to, err := os.Readlink(name); err == nil && !strings.HasPrefix(to, "anon_inode:") {
			n++
		}
	}
	return n
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// storm has 16 clients at a time come and go, and returns how many came.
func (l *live) storm(t *testing.T, lasts time.Duration) int {
	t.Helper()
	var opened atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(lasts)
	for n := range 16 {
		dice := rand.New(rand.NewPCG(1, uint64(n)))
		all.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				l.comeAndGo(t, dice)
				opened.Add(1)
			}
		})
	}
	all.Wait()
	return int(opened.Load())
}

// stormHeads are heads of each protocol, but for X-Storm, and what is behind it;
// stormEnds are how their clients ask for the end.
var (
	stormHeads = []string{
		"Host: x\r\n" + upgradeFields, "Host: x\r\n" + upgradeFields, "Host: x\r\n" + strings.Replace(upgradeFields, "13", "8", 1), draftHead, draft75Head,
	}
	stormKeys = []string{"", "", "", draftKey3, ""}
	stormEnds = []string{frame(0x88, "\x03\xe8"), frame(0x88, ""), frame(0x88, "\x03\xe8"), "\xff\x00", "\xff\x00"}
	stormSays = []string{frame(0x81, "hello"), frame(0x82, "hello"), frame(0x81, "hello"), "\x00hello\xff", "\x00hello\xff"}
	stormDoes = []string{"", "j", "r", "rj", "c", "jc", "rc", "rjc", "t", "rjt", "n", "jn", "rn", "rjn"}
)

// comeAndGo is one client.
func (l *live) comeAndGo(t *testing.T, dice *rand.Rand) {
	// Addresses of its own: a storm would use up the ports of one.
	own := net.TCPAddr{IP: net.IPv4(127, byte(1+dice.IntN(250)), byte(dice.IntN(250)), byte(1+dice.IntN(250)))}
	c, err := (&net.Dialer{LocalAddr: &own, Timeout: 15 * time.Second}).Dial("tcp", l.addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond)) // those that are not served in order do not wait
	protocol := dice.IntN(len(stormHeads))
	head := "GET /ws HTTP/1.1\r\nX-Storm: " + stormDoes[dice.IntN(len(stormDoes))] + "\r\n" + stormHeads[protocol] + "\r\n" + stormKeys[protocol]
	_, _ = io.WriteString(c, head) // whatever happens to it here and below is the storm
	reset := func() { _ = c.(*net.TCPConn).SetLinger(0) }
	r := bufio.NewReader(c)
	switch dice.IntN(6) {
	case 0: // before the answer has come
		reset()
	case 1:
		_, _ = r.ReadByte()
		reset()
	case 2: // in the middle
		_, _ = io.WriteString(c, strings.Repeat(stormSays[protocol], 3))
		_, _ = r.Peek(4096)
		reset()
	case 3: // without a word
		_, _ = r.Peek(1 + dice.IntN(1024))
	case 4: // not reading, until the server waits
		time.Sleep(time.Duration(dice.IntN(20)) * time.Millisecond)
		reset()
	case 5: // in order
		_ = c.SetDeadline(time.Now().Add(15 * time.Second))
		_, _ = io.WriteString(c, stormSays[protocol]+stormEnds[protocol])
		_ = c.(*net.TCPConn).CloseWrite() // draft-75 knows no other end
		if n, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: no end, but %d bytes", head, n)
		}
	}
}
