package pluginloader

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// compile builds a shared object of C sources in testdata.
func compile(t testing.TB, source string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(source, ".c")+".so")
	args := append([]string{"-O1", "-fPIC", "-shared", "-pthread", "-o", out, filepath.Join("testdata", source)}, flags...)
	if text, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, text)
	}
	return out
}

// fakeConn is the server's side of a connection that exists in a test only.
type fakeConn struct {
	mu       sync.Mutex
	sent     []string
	count    int // of "t"
	set      []string
	protocol string
	closed   int
	headers  map[string]string // by lower-cased name
}

func newFakeConn(headers ...string) *fakeConn {
	c := &fakeConn{headers: map[string]string{"x-multi": "a, b", "x-empty": ""}}
	for _, h := range headers {
		c.headers[h] = "1"
	}
	return c
}

func (c *fakeConn) LookupHeader(name string) (string, bool) {
	v, ok := c.headers[strings.ToLower(name)]
	return v, ok
}
func (c *fakeConn) Header(name string) string    { return c.headers[strings.ToLower(name)] }
func (c *fakeConn) SetHeader(name, value string) { c.set = append(c.set, name+"="+value) }
func (c *fakeConn) Protocols() []string          { return []string{"one", "two"} }
func (c *fakeConn) SetProtocol(name string)      { c.protocol = name }
func (c *fakeConn) URI() string                  { return "/" }
func (c *fakeConn) RemoteAddr() string           { return "1.2.3.4:5" }
func (c *fakeConn) Close()                       { c.closed++ }
func (c *fakeConn) Send(t wsplugin.MessageType, payload []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if string(payload) == "t" {
		c.count++
	} else {
		c.sent = append(c.sent, fmt.Sprintf("%d %s", t, payload))
	}
	return len(payload)
}

func (c *fakeConn) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.sent
	c.sent = nil
	return list
}

// recorder is a log.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) log(level int, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf("%d ", level)+fmt.Sprintf(format, args...))
}

func load(t *testing.T, l *Loader, file, init string) wsplugin.Plugin {
	t.Helper()
	p, err := l.Load(file, init)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestForeignPluginSeesTheInterface drives a plugin that was written against
// the numbers of the interface alone.
func TestForeignPluginSeesTheInterface(t *testing.T) {
	file := compile(t, "foreign.c")
	l := New((&recorder{}).log)
	p := load(t, l, file, "foreign_init")
	load(t, l, file, "got_empty_argument")
	c := newFakeConn()
	s := p.Connect(c)
	if s == nil {
		t.Fatal("declined")
	}
	equal(t, "headers set", c.set, []string{"X-Set=value"})
	if c.protocol != "chosen" {
		t.Errorf("protocol %q", c.protocol)
	}
	payload := []byte("report")
	s.Message(wsplugin.Text, payload)
	equal(t, "report", c.take(), []string{
		"0 type 0 size 6 buffer set zeros 1",
		"0 size 96 version 1 request NULL",
		"0 multi a, b same",
		"0 one address",
		"0 empty is empty",
		"0 absent is NULL",
		"0 NULL key is NULL",
		"0 protocols 2 one two NULL",
		"0 abc", "128 ",
		"0 send 3 0 0",
		"0 forced 0 max 0 ip NULL",
	})
	if string(payload) != "report" {
		t.Errorf("the plugin has changed the caller's bytes to %q", payload)
	}
	s.Message(wsplugin.Binary, nil)
	equal(t, "empty message", c.take(), []string{"0 type 128 size 0 buffer set zeros 1"})
	s.Message(wsplugin.Binary, make([]byte, 100_000))
	equal(t, "large message", c.take(), []string{"0 type 128 size 100000 buffer set zeros 1"})
	s.Message(wsplugin.Text, []byte("close"))
	if c.closed != 1 {
		t.Errorf("close was called %d times", c.closed)
	}
	c.take()
	s.Message(wsplugin.Text, []byte("threads"))
	if c.count != 8000 {
		t.Errorf("%d messages from 8 threads, want 8000", c.count)
	}
	c.take()
	s.Disconnect()
	equal(t, "disconnect", c.take(), []string{"0 disconnect"})
	load(t, l, file, "is_harmless_after")
	if got := c.take(); len(got) != 0 || c.closed != 1 {
		t.Errorf("the connection heard %q after its end", got)
	}
}

func TestDeclinedConnection(t *testing.T) {
	p := load(t, New((&recorder{}).log), compile(t, "foreign.c"), "foreign_init")
	if s := p.Connect(newFakeConn("x-decline")); s != nil {
		t.Errorf("accepted: %v", s)
	}
}

func TestPluginWithoutCallbacksButOne(t *testing.T) {
	p := load(t, New((&recorder{}).log), compile(t, "foreign.c"), "bare_init")
	c := newFakeConn()
	s := p.Connect(c)
	if s == nil {
		t.Fatal("declined without on_connect")
	}
	s.Message(wsplugin.Text, []byte("x"))
	equal(t, "message", c.take(), []string{"0 wrong session", "0 type 0 size 1 buffer set zeros 1"}) // NULL is not 7
	s.Disconnect()
	p.(wsplugin.Destroyer).Destroy()
}

func TestRefusedStructures(t *testing.T) {
	file := compile(t, "foreign.c")
	l := New((&recorder{}).log)
	tests := []struct{ init, sentence, cause, remedy string }{
		{"null_init", sentenceResponse, "returned NULL", ""},
		{"newer_init", sentenceResponse, "plugin version 1", ""},
		{"small_init", sentenceResponse, "size 39, need 40", ""},
		{"deaf_init", sentenceResponse, "on_message is NULL", ""},
		{"foriegn_init", sentenceInit, "no symbol foriegn_init", "it has foreign_init"},
		{"_nope@0", sentenceInit, "no symbol _nope@0 or nope", ""},
	}
	for _, tt := range tests {
		p, err := l.Load(file, tt.init)
		e, ok := err.(*Error)
		if p != nil || !ok || e.Sentence != tt.sentence || !strings.Contains(e.Cause, tt.cause) || !strings.Contains(e.Remedy, tt.remedy) {
			t.Errorf("%s: %v, %+v; want %q, %q, %q", tt.init, p, err, tt.sentence, tt.cause, tt.remedy)
		}
	}
	for _, decorated := range []string{"foreign_init", "_foreign_init@0", "_foreign_init"} {
		if _, err := l.Load(file, decorated); err != nil {
			t.Errorf("%s: %v", decorated, err)
		}
	}
}

func TestMissingSymbolsAreListed(t *testing.T) {
	_, err := New((&recorder{}).log).Load(compile(t, "needy.c"), "needy_init")
	e, ok := err.(*Error)
	if !ok || e.Sentence != sentenceOpen || !strings.Contains(e.Cause, "apr_palloc") || !strings.Contains(e.Cause, "nobody_has_this") {
		t.Fatalf("%+v", err)
	}
}

func TestOneLibraryUnderSeveralNames(t *testing.T) {
	file := compile(t, "foreign.c")
	link := filepath.Join(t.TempDir(), "other.so")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	l := New((&recorder{}).log)
	a, b := load(t, l, file, "foreign_init").(*cPlugin), load(t, l, link, "foreign_init").(*cPlugin)
	if a.structure != b.structure {
		t.Error("the library was loaded twice")
	}
	l.Destroy([]wsplugin.Plugin{a, b, panicky{}, a})
	load(t, l, file, "was_destroyed_thrice") // once for each section
}

type panicky struct{ wsplugin.Plugin }

func (panicky) Destroy() { panic("destroy has a bug") }

// TestStaleHandlesMeetNobody uses a structure after its slot was given away.
func TestStaleHandlesMeetNobody(t *testing.T) {
	var table handleTable
	first := newFakeConn()
	h := table.take(first)
	state := uint64(h.generation)<<32 | uint64(h.slot) + 1
	if _, conn := table.find(state); conn != wsplugin.Conn(first) {
		t.Fatalf("found %v", conn)
	}
	table.release(h)
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
	var table handleTable
	h := table.take(newFakeConn())
	generation := h.generation
	table.release(h)
	for range restingMany + blockSize {
		table.release(table.take(newFakeConn()))
	}
	for range restingMany + 2*blockSize {
		next := table.take(newFakeConn())
		if next == h {
			if next.generation == generation {
				t.Error("the generation did not change")
			}
			return
		}
		table.release(next)
	}
	t.Error("the slot never came back: structures are never freed")
}

func TestSignalsArePutRight(t *testing.T) {
	r := &recorder{}
	l := New(r.log)
	load(t, l, compile(t, "foreign.c"), "signals_init")
	if len(r.lines) != 2 || !strings.Contains(r.lines[0], "changed the handling of signal 1") {
		t.Errorf("log %q, want a line each for SIGUSR2 and SIGTERM", r.lines)
	}
	r.lines = nil
	l.mendSignals("again")
	if len(r.lines) != 0 {
		t.Errorf("found again what was put right: %q", r.lines)
	}
}

func TestConcurrentSessions(t *testing.T) {
	p := load(t, New((&recorder{}).log), compile(t, "foreign.c"), "foreign_init")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 20 {
				c := newFakeConn()
				s := p.Connect(c)
				s.Message(wsplugin.Text, []byte("hello"))
				s.Disconnect()
				if got := c.take(); len(got) != 2 || got[0] != "0 type 0 size 5 buffer set zeros 1" {
					t.Errorf("session heard %q", got)
				}
			}
		})
	}
	wg.Wait()
}

// TestOnlyOurSymbolsAreExported: a function of ours would win over a plugin's
// own of the same name.
func TestOnlyOurSymbolsAreExported(t *testing.T) {
	source, err := os.ReadFile("cplugin.h")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(source), "\n") {
		name, _, isFunction := strings.Cut(line, "(")
		if !isFunction || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "/*") || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(name)
		if last := strings.TrimLeft(fields[len(fields)-1], "*"); !strings.HasPrefix(last, "wshttpd_") {
			t.Errorf("%s does not begin with wshttpd_", last)
		}
	}
}
