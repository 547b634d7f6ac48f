package pluginloader

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

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
	payload := append(make([]byte, 0, 256), "report"...) // in front of bytes that are not the plugin's
	s.Message(wsplugin.Text, payload)
	equal(t, "report", c.take(), []string{
		"0 type 0 size 6 buffer set zeros 1",
		"0 size 120 version 1 request NULL",
		"0 multi a, b one address",
		"0 empty is empty",
		"0 absent is NULL",
		"0 NULL key is NULL",
		"0 protocols 2 one two NULL",
		"0 abc", "128 ",
		"0 send 3 0 0 0",
		"0 forced 0 max 0 ip 1.2.3.4",
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
	l := New((&recorder{}).log)
	file := compile(t, "foreign.c")
	c := newFakeConn("x-decline")
	if s := load(t, l, file, "foreign_init").Connect(c); s != nil {
		t.Errorf("accepted: %v", s)
	}
	load(t, l, file, "is_harmless_after")
	equal(t, "a declined connection", c.take(), nil) // no disconnect either
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

// TestLinkedAsC: who has compiled C++ by apxs lacks its library, and is told.
func TestLinkedAsC(t *testing.T) {
	source := write(t, "plus.cc", []byte("#include <string>\nextern \"C\" void *plus_init() { return new std::string(\"a\"); }\n"))
	_, err := New((&recorder{}).log).Load(built(t, "plus.so", "cc", "-fPIC", "-shared", source), "plus_init")
	refusal(t, err, sentenceOpen, "no library has", "link it by c++, or with -lstdc++")
}

// TestPluginUsesAnother: a plugin may need what another one exports, which is
// then made visible to all.
func TestPluginUsesAnother(t *testing.T) {
	l := New((&recorder{}).log)
	_, err := l.Load(compile(t, "dependent.c"), "dependent_init")
	refusal(t, err, sentenceOpen, "needs provided: no library has it", "")
	load(t, l, compile(t, "foreign.c"), "foreign_init") // has nothing to do with it
	load(t, l, compile(t, "provider.c"), "provider_init")
	p := load(t, l, compile(t, "dependent.c"), "dependent_init") // a fresh copy
	c := newFakeConn()
	s := p.Connect(c)
	s.Message(wsplugin.Text, nil)
	s.Disconnect()
	equal(t, "sent", c.take(), []string{"0 provided"})
}

func TestLoadFileServesPlugins(t *testing.T) {
	l := New((&recorder{}).log)
	// Another symbol than in TestPluginUsesAnother, as nothing is ever unloaded.
	const other = "-Dprovided=also_provided"
	if err := l.LoadFile(compile(t, "provider.c", other)); err != nil {
		t.Fatal(err)
	}
	load(t, l, compile(t, "dependent.c", other), "dependent_init")
}

// TestPluginsKeepTheirNames: plugins that export the same names, and one of
// ours, call their own functions.
func TestPluginsKeepTheirNames(t *testing.T) {
	l := New((&recorder{}).log)
	for _, who := range []string{"Castor", "Pollux"} {
		p := load(t, l, compile(t, "twin.c", `-DWHO="`+who+`"`), "twin_init")
		c := newFakeConn()
		s := p.Connect(c)
		s.Message(wsplugin.Text, nil)
		s.Disconnect()
		equal(t, who, c.take(), []string{"0 " + who, "0 " + who})
	}
}

func TestDescribe(t *testing.T) {
	file := compile(t, "foreign.c")
	if got := Describe(load(t, New((&recorder{}).log), file, "foreign_init")); got != "C plugin "+file {
		t.Errorf("Describe = %q", got)
	}
	if got := Describe(nil); got != "Go plugin <nil>" {
		t.Errorf("Describe(nil) = %q", got)
	}
}

// TestThreadsOutliveTheirConnection: threads of a plugin go on using a
// connection that is over, while others come and go.
func TestThreadsOutliveTheirConnection(t *testing.T) {
	l := New((&recorder{}).log)
	file := compile(t, "stale.c")
	p := load(t, l, file, "stale_init")
	c := newFakeConn()
	s := p.Connect(c)
	s.Message(wsplugin.Text, []byte("hello"))
	s.Disconnect()
	load(t, l, file, "disconnect_has_returned")
	var others []*fakeConn
	for range 2 * blockSize {
		other := newFakeConn()
		s := p.Connect(other)
		s.Message(wsplugin.Text, []byte("mine"))
		s.Disconnect()
		others = append(others, other)
	}
	if _, err := l.Load(file, "nothing_was_wrong"); err != nil {
		t.Error("a call after the end did something")
	}
	for _, other := range others {
		if len(other.sent) != 1 || other.closed != 0 || len(other.set) != 0 || other.protocol != "" {
			t.Fatalf("another connection heard %+v", other)
		}
	}
	if c.closed != 0 || len(c.set) != 0 || c.protocol != "" {
		t.Errorf("the connection heard %+v after its end", c)
	}
}

// TestCallbacksAreBounded: the surplus waits, and it is logged once.
func TestCallbacksAreBounded(t *testing.T) {
	r := &recorder{}
	l := New(r.log)
	for range MaxCallbacks {
		l.enter()
	}
	if len(r.lines) != 0 {
		t.Errorf("logged %q before the bound", r.lines)
	}
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Go(l.enter)
	}
	for l.waiting.Load() < 2 {
		runtime.Gosched()
	}
	l.leave()
	l.leave()
	waiting.Wait()
	equal(t, "log", r.lines, []string{"4 8192 callbacks of C plugins run at once: others wait"})
	if int(l.running.Load()) != MaxCallbacks {
		t.Errorf("%d callbacks are counted, want %d", l.running.Load(), MaxCallbacks)
	}
}

func TestMissingSymbolsAreListed(t *testing.T) {
	_, err := New((&recorder{}).log).Load(compile(t, "needy.c"), "needy_init")
	e, ok := err.(*Error)
	if !ok || e.Sentence != sentenceOpen || !strings.Contains(e.Cause, "apr_palloc_of_no_release") || !strings.Contains(e.Cause, "nobody_has_this") {
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

func TestSignalsArePutRight(t *testing.T) {
	r := &recorder{}
	l := New(r.log)
	file := compile(t, "foreign.c")
	load(t, l, file, "signals_init")
	if len(r.lines) != 2 || !strings.Contains(r.lines[0], "changed the handling of signal 1") {
		t.Errorf("log %q, want a line each for SIGUSR2 and SIGTERM", r.lines)
	}
	load(t, l, file, "signals_are_right")
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
