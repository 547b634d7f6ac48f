package examples

import (
	"flag"
	"fmt"
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

// constructing builds the plugin of testdata/crashing so that it ends, or never
// comes back, where it is opened.
func constructing(t *testing.T, how string) string {
	t.Helper()
	library := filepath.Join(t.TempDir(), how+".so")
	args := []string{"-O1", "-fPIC", "-shared", "-pthread", "-I../pluginloader", "-DCONSTRUCTOR=\"" + how + "\"", "-o", library, "testdata/crashing/crashing.c"}
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return library
}

// TestFaultsOfLoading: the process that opens a plugin or calls its init function
// ends, not the one that is asked, which says of which plugin it was.
func TestFaultsOfLoading(t *testing.T) {
	buildFaulty(t)
	crashing := filepath.Join(root(t), "modules/crashing.so")
	for _, tt := range []struct{ library, init, status string }{
		{crashing, "segfault_init", "exit status 2"},
		{crashing, "abort_init", "exit status 2"},
		{crashing, "overflow_init", "exit status 2"},
		{crashing, "exit_init", "exit status 0"},
		{crashing, "leave_init", "exit status 3"},
		{constructing(t, "segfault"), "crash_init", "exit status 2"},
		{constructing(t, "abort"), "crash_init", "exit status 2"},
		{constructing(t, "exit"), "crash_init", "exit status 0"},
		{constructing(t, "_exit"), "crash_init", "exit status 3"},
	} {
		want := "loading " + tt.library + " with its " + tt.init + " has ended the process: " + tt.status
		file := filepath.Join(t.TempDir(), "httpd.conf")
		if err := os.WriteFile(file, []byte(location("WebSocketHandler "+tt.library+" "+tt.init)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, option := range []string{"-t", "-DFOREGROUND"} {
			cmd := exec.Command(build("wshttpd"), option, "-d", root(t), "-f", file)
			out, _ := cmd.CombinedOutput() // ProcessState says it
			if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), want) || strings.Contains(string(out), "Syntax OK") {
				t.Errorf("%s: exit status %d\n%s\nwant 1, and %q", option, code, out, want)
			}
		}
	}
}

var hang = flag.Bool("hang", false, "wait for a minute until plugins that never come back from loading are given up")

// TestLoadingThatHangsIsGivenUp: after 60 s the process that loads is ended, and
// who has started it says what it did; at a restart the old worker goes on.
// go test ./examples -run HangsIsGivenUp -hang -parallel 6
func TestLoadingThatHangsIsGivenUp(t *testing.T) {
	if !*hang {
		t.Skip("it takes a minute: -hang; TestTermEndsInTimeWhereInitIsStuck does not wait for it")
	}
	buildFaulty(t)
	crashing := filepath.Join(root(t), "modules/crashing.so")
	for library, init := range map[string]string{crashing: "blocking_init", constructing(t, "block"): "crash_init"} {
		want := "loading " + library + " with its " + init + " does not return within 1m0s"
		for _, option := range []string{"-t", "-DFOREGROUND"} {
			t.Run(init+" "+option, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "httpd.conf")
				conf := listenLine.ReplaceAllString(location("WebSocketHandler "+library+" "+init), fmt.Sprintf("Listen 127.0.0.1:%d", freePort(t)))
				if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(build("wshttpd"), option, "-d", root(t), "-f", file)
				out, _ := cmd.CombinedOutput() // ends with the last process that has the pipe
				if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), want) {
					t.Errorf("exit status %d\n%s\nwant 1, and %q", code, out, want)
				}
			})
		}
		t.Run(init+" at a restart", func(t *testing.T) {
			t.Parallel()
			p := startMaster(t, location("WebSocketHandler "+crashing+" crash_init"))
			c := dial(t, p.url("/ws"), nil)
			restartWith(t, p, crashing+" crash_init", library+" "+init)
			for until := time.Now().Add(90 * time.Second); !strings.Contains(p.log.String(), want); time.Sleep(100 * time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("the log does not say %q:\n%s", want, p.log)
				}
			}
			if err := c.NetConn().SetDeadline(time.Now().Add(20 * time.Second)); err != nil { // dial's is over
				t.Fatal(err)
			}
			echo(t, c, websocket.TextMessage, []byte("still here"))
			echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("new here"))
		})
	}
}

// restartWith changes the configuration, and asks for a graceful restart.
func restartWith(t *testing.T, p *process, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(p.conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.conf, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
}

// TestFaultsOfLoadingAtARestart: the old worker goes on, and the reason is
// logged.
func TestFaultsOfLoadingAtARestart(t *testing.T) {
	p := startMaster(t, crashing(t))
	c := dial(t, p.url("/ws"), nil)
	restartWith(t, p, "crash_init", "segfault_init")
	p.logged(t, "with its segfault_init has ended the process")
	echo(t, c, websocket.TextMessage, []byte("still here"))
	echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("new here"))
}
