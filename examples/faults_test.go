package examples

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// The faults of plugins.md and the tests that show them. Those without a package
// stand here.
//
//	5.2, while loading
//	file missing, directory, text; truncated,     TestPluginsThatCannotBeUsed, pluginloader TestFilesAreJudgedBeforeTheyAreOpened,
//	wrong machine; symbols; INIT missing, its     TestTruncatedAnywhere, TestMissingSymbolsAreListed, TestWithoutAPR, TestRefusedStructures
//	answers
//	number of arguments                           httpdconf testdata/golden/continued.want
//	dlopen or INIT crashes, exits, hangs          TestFaultsOfLoading, TestFaultsOfLoadingAtARestart, TestLoadingThatHangsIsGivenUp,
//	                                              TestTermEndsInTimeWhereInitIsStuck
//	Go: toolchain, flags, packages, symbol type   pluginloader TestGoPluginsOfOtherToolchains, TestGoPluginsOfOtherPackages, TestDifferentBuildsAreNamed
//	Go: panic in init or INIT; a copy             pluginloader TestGoPluginWhosePackagePanics, TestGoPluginServes; server/apxs TestTwoGenerationsInOneProcess
//
//	5.3, while serving
//	Go panic or Goexit in a callback              TestPanicInAPluginCostsOneConnection, server TestFaultsOfAPluginCostOneConnection
//	what ends the worker, in Go and C             TestFaultsThatEndASingleProcess, TestFaultsThatEndAWorker, TestTheLogNamesTheCallThatEndedAWorker
//	callback slow or blocked for ever             TestFaultsThatCostNobodyElse, TestTermEndsInTimeWhateverIsStuck, server TestCallbacksThatSleepHoldUpNobodyElse
//	client slow or silent                         server TestClientThatDoesNotRead
//	send after the end, from a kept pointer       server TestStormOfConnections, pluginloader TestThreadsOutliveTheirConnection
//	close twice, unknown type, NULL, headers,     TestFaultsThatCostNobodyElse; close that is not answered: server
//	subprotocols, overrun                         TestPluginClosesAndTheClientIsSilent; buffers: pluginloader TestForeignPluginSeesTheInterface
//	many threads send, client resets              TestFaultsThatCostNobodyElse, server TestStormOfConnections
//	signal handlers, chdir                        TestFaultsThatCostNobodyElse, TestPluginThatGoesElsewhere, pluginloader TestSignalsArePutRight
//	file replaced, then graceful                  server/apxs TestRebuiltPluginIsTakenByAGracefulRestart

// faulty is a configuration with the plugin of testdata/faults.
func faulty(t *testing.T) string {
	t.Helper()
	buildFaulty(t)
	return location("WebSocketHandler modules/faults.so fault_init")
}

// fault is a request header that asks for a fault while on_connect runs.
func fault(what string) http.Header { return http.Header{"X-Fault": {what}} }

// TestFaultsThatCostNobodyElse: in each of them another connection goes on.
func TestFaultsThatCostNobodyElse(t *testing.T) {
	p := serve(t, faulty(t))
	bystander := dial(t, p.url("/ws"), fault("signals")) // it takes TERM, which serve sends in the end
	p.logged(t, "changed the handling of signal 15")
	still := func(t *testing.T) {
		t.Helper()
		echo(t, bystander, websocket.TextMessage, []byte("still here"))
	}
	t.Run("headers that are none", func(t *testing.T) {
		d := websocket.Dialer{Subprotocols: []string{"one"}}
		c, r, err := d.Dial(p.url("/ws"), fault("headers")) // which checks Upgrade and Sec-WebSocket-Accept
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, want := range map[string]string{"X-Good": "1", "X-Split": "", "X-Evil": "", "X-Blank": "", "X Blank": "", "X-Null": "", "Sec-Websocket-Protocol": "one"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		for _, name := range []string{`"X-Split"`, `"X Blank"`, `""`, `"Upgrade"`, `"Sec-WebSocket-Accept"`} {
			p.logged(t, "plugin sets response header "+name)
		}
		if strings.Contains(p.log.String(), "\nX-Evil") {
			t.Error("the log holds a line of the plugin's making")
		}
		still(t)
	})
	for _, tt := range []struct{ what, want string }{{"token", ""}, {"unoffered", "unoffered"}} {
		t.Run("a subprotocol that is "+tt.what, func(t *testing.T) {
			_, r, err := (&websocket.Dialer{Subprotocols: []string{"one"}}).Dial(p.url("/ws"), fault(tt.what))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Header.Get("Sec-Websocket-Protocol"); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			if tt.want == "" {
				p.logged(t, "no token")
			}
			still(t)
		})
	}
	t.Run("close twice, and a send after it", func(t *testing.T) {
		c := dial(t, p.url("/ws"), nil)
		say(t, c, "close twice")
		if code := closeCode(t, c); code != 1005 {
			t.Errorf("closed with %d, want 1005", code)
		}
		if n, err := c.NetConn().Read(make([]byte, 1)); n != 0 {
			t.Errorf("something follows the close frame: %v", err)
		}
		still(t)
	})
	t.Run("a message of no known type closes", func(t *testing.T) {
		c := dial(t, p.url("/ws"), nil)
		say(t, c, "unknown type")
		if code := closeCode(t, c); code != 1000 {
			t.Errorf("closed with %d, want 1000", code)
		}
		still(t)
	})
	t.Run("a message that is NULL is empty", func(t *testing.T) {
		c := dial(t, p.url("/ws"), nil)
		say(t, c, "null")
		hear(t, c, "")
		hear(t, c, "0")
		still(t)
	})
	t.Run("a buffer is overrun", func(t *testing.T) {
		c := dial(t, p.url("/ws"), nil)
		say(t, c, "overrun")
		hear(t, c, "overrun")
		still(t)
		say(t, c, "and again")
		hear(t, c, "and again")
	})
	t.Run("threads send, and the client is gone", func(t *testing.T) {
		before := descriptors(t, p)
		for range 5 {
			c := dial(t, p.url("/ws"), nil)
			say(t, c, "flood")
			hear(t, c, "flood")
			_ = c.NetConn().(*net.TCPConn).SetLinger(0) // a reset, not an end
			c.Close()
			still(t)
		}
		for until := time.Now().Add(10 * time.Second); descriptors(t, p) > before; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d descriptors, before %d", descriptors(t, p), before)
			}
		}
	})
	t.Run("a callback that never returns", func(t *testing.T) {
		c := dial(t, p.url("/ws"), nil)
		say(t, c, "block")
		refusedLater := make(chan error, 1)
		go func() {
			_, _, err := (&websocket.Dialer{HandshakeTimeout: 20 * time.Second}).Dial(p.url("/ws"), fault("block"))
			refusedLater <- err
		}()
		for range 20 {
			still(t)
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case err := <-refusedLater:
			t.Errorf("a handshake whose on_connect does not return: %v", err)
		default:
		}
	}) // and the server ends in time: serve waits 6 s
}

// descriptors counts those of the server's process.
func descriptors(t *testing.T, p *process) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// fatal are faults that no process survives.
var fatal = []struct{ plugin, init, fault, sign string }{
	{"faults", "fault_init", "segfault", "SIGSEGV: segmentation violation"},
	{"faults", "fault_init", "abort", "SIGABRT: abort"},
	{"faults", "fault_init", "overflow", "SIGSEGV: segmentation violation"},
	{"faults", "fault_init", "exit", ""},
	{"faults", "fault_init", "_exit", ""},
	{"panicking", "panicking_init", "stray", "panic: a goroutine has a bug"},
	{"panicking", "panicking_init", "fatal", "fatal error: sync: unlock of unlocked mutex"},
	{"panicking", "panicking_init", "exit", ""},
}

// TestFaultsThatEndASingleProcess: what has ended it stands in the log, and
// every connection is lost.
func TestFaultsThatEndASingleProcess(t *testing.T) {
	buildFaulty(t)
	for _, tt := range fatal {
		t.Run(tt.plugin+" "+tt.fault, func(t *testing.T) {
			t.Parallel()
			p := start(t, location("WebSocketHandler modules/"+tt.plugin+".so "+tt.init))
			bystander := dial(t, p.url("/ws"), nil)
			say(t, dial(t, p.url("/ws"), nil), tt.fault)
			select {
			case <-p.done:
			case <-time.After(20 * time.Second):
				t.Fatal("the process lives")
			}
			if !strings.Contains(p.log.String(), tt.sign) {
				t.Errorf("the log lacks %q:\n%s", tt.sign, p.log)
			}
			if _, _, err := bystander.ReadMessage(); err == nil {
				t.Error("another connection has got a message")
			}
		})
	}
}

// TestFaultsThatEndAWorker: another takes its place on the same sockets, so
// that nobody is refused, whatever the exit status; the master says which has
// ended and how.
func TestFaultsThatEndAWorker(t *testing.T) {
	buildFaulty(t)
	for _, tt := range fatal {
		t.Run(tt.plugin+" "+tt.fault, func(t *testing.T) {
			t.Parallel()
			p := startAs(t, location("WebSocketHandler modules/"+tt.plugin+".so "+tt.init), "-DFOREGROUND")
			defer func() {
				if err := p.stop(); err != nil {
					t.Errorf("the master ended with %v\n%s", err, p.log)
				}
			}()
			c := dial(t, p.url("/ws"), nil)
			say(t, c, tt.fault)
			for err := error(nil); err == nil; {
				_, _, err = c.ReadMessage()
			}
			began := time.Now()
			echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the next one is served after %v", took)
			}
			p.logged(t, "worker ")
			p.logged(t, tt.sign)
		})
	}
}

// TestPluginThatGoesElsewhere: chdir and umask are the whole worker's. Files that
// the configuration names relative to the folder in which the server was started
// are still found, and the next worker begins where the master is.
func TestPluginThatGoesElsewhere(t *testing.T) {
	buildFaulty(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := strings.Replace(location("WebSocketHandler "+filepath.Join(root(t), "modules/faults.so")+" fault_init"), "Listen 127.0.0.1:8080",
		"Listen 127.0.0.1:PORT\nPidFile pid\nDocumentRoot docs\nLoadModule log_config_module x\nCustomLog access \"%r\"", 1)
	p := &process{port: freePort(t), log: &lockedBuffer{}, done: make(chan struct{})}
	for name, content := range map[string]string{"docs/file": "here", "httpd.conf": strings.Replace(conf, "PORT", fmt.Sprint(p.port), 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server, err := filepath.Abs(build("wshttpd"))
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(server, "-DFOREGROUND", "-d", ".", "-f", "httpd.conf")
	p.cmd.Dir, p.cmd.Stderr = dir, p.log
	p.run(t)
	file := func() {
		t.Helper()
		r, err := http.Get(p.http("/file"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if text, err := io.ReadAll(r.Body); string(text) != "here" {
			t.Errorf("status %d, %q, %v", r.StatusCode, text, err)
		}
	}
	echo(t, dial(t, p.url("/ws"), fault("elsewhere")), websocket.TextMessage, []byte("gone"))
	file()
	access := filepath.Join(dir, "access")
	if err := os.Rename(access, access+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		file()
		if text, err := os.ReadFile(access); err == nil && strings.Contains(string(text), "GET /file") {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("no access log of the next worker\n%s", p.log)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("%v\n%s", err, p.log)
	}
}
