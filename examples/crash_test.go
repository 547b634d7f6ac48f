package examples

import (
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

// crashing is a configuration with the plugin of testdata/crashing.
func crashing(t *testing.T) string {
	t.Helper()
	buildFaulty(t)
	return location("WebSocketHandler modules/crashing.so crash_init")
}

// crash is a request header that asks for an end, and where.
func crash(where, how string) http.Header { return http.Header{"X-Crash": {where + " " + how}} }

// crashes are the ways to end a process and what the log says of each: of a
// signal in a thread that is Go's, the runtime makes an exit status.
var crashes = map[string]string{
	"segfault": "exit status 2", "abort": "exit status 2", "overflow": "exit status 2", "exit": "exit status 0", "_exit": "exit status 3",
}

// aloneCrashes are those of a thread that is not.
var aloneCrashes = map[string]string{
	"segfault": "signal: segmentation fault", "abort": "signal: aborted", "overflow": "signal: segmentation fault",
	"exit": "exit status 0", "_exit": "exit status 3",
}

// startMaster starts a master that has to end in order.
func startMaster(t *testing.T, conf string) *process {
	t.Helper()
	p := startAs(t, conf, "-DFOREGROUND")
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("the master ended with %v\n%s", err, p.log)
		}
	})
	return p
}

// inCall is what the log says of the plugin's call.
func inCall(t *testing.T, callback string) string {
	return fmt.Sprintf(", in %s of %s (crash_init) at <Location /ws>", callback, filepath.Join(root(t), "modules/crashing.so"))
}

// TestTheLogNamesTheCallThatEndedAWorker: plugin, callback, Location and client,
// whichever way it ended (plugins.md, section 5.1), and another worker serves.
func TestTheLogNamesTheCallThatEndedAWorker(t *testing.T) {
	conf := crashing(t)
	for _, where := range []string{"on_connect", "on_message", "on_disconnect", "thread"} {
		for how, status := range crashes {
			t.Run(where+" "+how, func(t *testing.T) {
				t.Parallel()
				p := startMaster(t, conf)
				bystander := dial(t, p.url("/ws"), nil)
				client := crashIn(t, p, where, how)
				_, _, _ = bystander.ReadMessage() // until the worker has ended
				began := time.Now()
				echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("the next one is served after %v", took)
				}
				if where != "on_disconnect" { // whose client may have gone already
					p.logged(t, " with 2 connections: ")
				}
				if where == "thread" {
					p.logged(t, aloneCrashes[how]+", no callback of a plugin was running")
					return
				}
				p.logged(t, status+inCall(t, where)+" for client "+client+"\n")
			})
		}
	}
}

// crashIn has a worker end, and returns the address of the client that it ends
// for.
func crashIn(t *testing.T, p *process, where, how string) string {
	t.Helper()
	if where == "on_connect" {
		c := askUpgrade(t, p, where, how)
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Error("a handshake that ends the worker is answered")
		}
		return c.LocalAddr().String()
	}
	c := dial(t, p.url("/ws"), crash(where, how))
	say(t, c, "go")
	if where != "on_message" {
		hear(t, c, "go")
	}
	if where == "on_disconnect" {
		c.Close()
	}
	return c.LocalAddr().String()
}

// askUpgrade sends a handshake, and reads no answer.
func askUpgrade(t *testing.T, p *process, where, how string) net.Conn {
	t.Helper()
	c := p.dial(t)
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Crash: %s %s\r\n\r\n", where, how)
	return c
}

// TestTheLogNamesADestroyThatEndsAWorker: at the end of the server, which ends
// in order all the same, and at that of an old worker.
func TestTheLogNamesADestroyThatEndsAWorker(t *testing.T) {
	conf := crashing(t)
	for how, status := range crashes {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p := startAs(t, conf, "-DFOREGROUND")
			dial(t, p.url("/ws"), crash("destroy", how)).Close()
			if err := p.stop(); err != nil {
				t.Errorf("the master ended with %v", err)
			}
			p.logged(t, status+inCall(t, "destroy")+"\n")
		})
	}
	t.Run("at a restart", func(t *testing.T) {
		p := startMaster(t, conf)
		c := dial(t, p.url("/ws"), crash("destroy", "segfault"))
		if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		for range 400 {
			if strings.Count(p.log.String(), "resuming normal operations") == 2 {
				break
			}
			time.Sleep(25 * time.Millisecond)
		}
		c.Close()
		p.logged(t, "exit status 2"+inCall(t, "destroy")+"\n")
		echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
	})
}

// TestTheLogIsSilentOfWorkersThatEndInOrder: there is nothing to say.
func TestTheLogIsSilentOfWorkersThatEndInOrder(t *testing.T) {
	p := startAs(t, crashing(t), "-DFOREGROUND")
	echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if strings.Contains(p.log.String(), "ended after") {
		t.Errorf("the log says:\n%s", p.log)
	}
}

// TestTheLogNamesGoCallsToo: a Go plugin ends its process from a callback, and
// from a goroutine of its own.
func TestTheLogNamesGoCallsToo(t *testing.T) {
	buildFaulty(t)
	conf := location("WebSocketHandler modules/panicking.so panicking_init")
	call := fmt.Sprintf("in on_message of %s (panicking_init) at <Location /ws> for client ", filepath.Join(root(t), "modules/panicking.so"))
	for fault, want := range map[string]string{
		"exit":        "exit status 0, " + call,
		"stray":       "exit status 2, " + call, // which waits meanwhile
		"exit later":  "exit status 0, no callback of a plugin was running",
		"stray later": "exit status 2, no callback of a plugin was running",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := startMaster(t, conf)
			c := dial(t, p.url("/ws"), nil)
			say(t, c, fault)
			for err := error(nil); err == nil; {
				_, _, err = c.ReadMessage()
			}
			p.logged(t, want)
			echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
		})
	}
}

// TestEveryCallIsNamed: those of threads that were in a callback for long come
// behind the one that has ended the process.
func TestEveryCallIsNamed(t *testing.T) {
	p := startMaster(t, crashing(t))
	var blocked []string
	for range 2 {
		c := dial(t, p.url("/ws"), crash("on_message", "block"))
		say(t, c, "go")
		blocked = append(blocked, c.LocalAddr().String())
	}
	time.Sleep(3 * time.Second) // of the 5 to 7 that it takes
	for _, client := range blocked {
		p.logged(t, "on_message of "+filepath.Join(root(t), "modules/crashing.so")+" (crash_init) at <Location /ws> has not returned for 5s")
		p.logged(t, client)
	}
	client := crashIn(t, p, "on_message", "segfault")
	p.logged(t, "exit status 2"+inCall(t, "on_message")+" for client "+client+", and for long in on_message of ")
	log := p.log.String()
	for _, client := range blocked {
		if !strings.Contains(log[strings.Index(log, "and for long in"):], client) {
			t.Errorf("client %s is not named:\n%s", client, log)
		}
	}
}

// TestTermEndsInTimeWhateverIsStuck: and the others are told.
func TestTermEndsInTimeWhateverIsStuck(t *testing.T) {
	conf := crashing(t)
	plugin := filepath.Join(root(t), "modules/crashing.so")
	for _, tt := range []struct{ where, option, want string }{
		{"on_connect", "-DFOREGROUND", "a callback of plugin " + plugin + " has not returned: its destroy is not called"},
		{"on_message", "-DFOREGROUND", "a callback of plugin " + plugin + " has not returned: its destroy is not called"},
		{"on_disconnect", "-DFOREGROUND", "a callback of plugin " + plugin + " has not returned: its destroy is not called"},
		{"destroy", "-DFOREGROUND", "destroy of " + plugin + " (crash_init) at <Location /ws> has not returned"},
		{"destructor", "-DFOREGROUND", "shutting down"},
		{"destroy", "-X", "destroy of " + plugin + " (crash_init) at <Location /ws> has not returned"},
	} {
		t.Run(tt.where+" "+tt.option, func(t *testing.T) {
			t.Parallel()
			p := startAs(t, conf, tt.option)
			bystander := dial(t, p.url("/ws"), nil)
			stick(t, p, tt.where)
			echo(t, bystander, websocket.TextMessage, []byte("hello"))
			if err := p.stop(); err != nil { // within 6 s
				t.Errorf("%v\n%s", err, p.log)
			}
			if _, _, err := bystander.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
				t.Errorf("a bystander is told %v", err)
			}
			p.logged(t, tt.want)
		})
	}
}

// begun is what blocking_init says.
const begun = "blocking_init has begun"

// startStuck starts a master whose worker is in an init function that does not
// return.
func startStuck(t *testing.T, conf string) *process {
	t.Helper()
	conf = listenLine.ReplaceAllString(strings.Replace(conf, "crash_init", "blocking_init", 1), fmt.Sprintf("Listen 127.0.0.1:%d", freePort(t)))
	file := filepath.Join(t.TempDir(), "httpd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &process{log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd = exec.Command(build("wshttpd"), "-DFOREGROUND", "-d", root(t), "-f", file)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // stop looks at ProcessState
		close(p.done)
	}()
	p.logged(t, begun)
	return p
}

// TestTermEndsInTimeWhereInitIsStuck: at the start, and at a restart.
func TestTermEndsInTimeWhereInitIsStuck(t *testing.T) {
	conf := crashing(t)
	t.Run("at a restart", func(t *testing.T) {
		t.Parallel()
		p := startMaster(t, conf)
		c := dial(t, p.url("/ws"), nil)
		restartWith(t, p, "crash_init", "blocking_init")
		p.logged(t, begun)
		echo(t, c, websocket.TextMessage, []byte("still here"))
	}) // startMaster stops it, within 6 s
	t.Run("at the start", func(t *testing.T) {
		t.Parallel()
		p := startStuck(t, conf)
		if err := p.stop(); err == nil || err.Error() != "exit code 1" {
			t.Errorf("a server that has never served: %v\n%s", err, p.log)
		}
		p.logged(t, "the server was told to end before the new process served")
	})
}

// TestAWornWorkerIsReplaced: 64 callbacks do not return. Another accepts, the old
// one goes on with what it has, and ends when its clients have gone although no
// callback has returned; the programs of logs stay.
func TestAWornWorkerIsReplaced(t *testing.T) {
	access := filepath.Join(t.TempDir(), "access")
	p := startMaster(t, crashing(t)+"LoadModule log_config_module z\nCustomLog \"|$exec /bin/cat >> "+access+"\" \"%h %q\"\n")
	bystander := dial(t, p.url("/ws"), nil)
	var stuck []*websocket.Conn
	for range 64 {
		c := dial(t, p.url("/ws"), crash("on_message", "block"))
		say(t, c, "go")
		stuck = append(stuck, c)
	}
	time.Sleep(5 * time.Second) // at the least
	p.logged(t, "64 callbacks of plugins do not return")
	p.logged(t, "another takes its place")
	for range 400 {
		if strings.Count(p.log.String(), "serving http") == 2 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	echo(t, bystander, websocket.TextMessage, []byte("still here"))
	fresh := dial(t, p.url("/ws?fresh"), nil)
	echo(t, fresh, websocket.TextMessage, []byte("new here"))
	for _, c := range append(stuck, bystander) {
		c.Close()
	}
	var old int
	_, text, _ := strings.Cut(p.log.String(), "] worker ")
	if _, err := fmt.Sscan(text, &old); err != nil {
		t.Fatalf("no worker in %q: %v", text, err)
	}
	ends(t, old)
	p.logged(t, "its destroy is not called")
	time.Sleep(200 * time.Millisecond) // in which a program would end, were it the old worker's
	echo(t, fresh, websocket.TextMessage, []byte("still here"))
	fresh.Close()
	for range 400 {
		if text, _ := os.ReadFile(access); strings.Contains(string(text), "?fresh") {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Error("the access log does not hold the new worker's connection")
}

// ends waits until a process has ended.
func ends(t *testing.T, pid int) {
	t.Helper()
	for range 400 {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("process %d lives", pid)
}

// TestAWorkerInInitEndsWithItsMaster: although it takes no signal and looks at
// nothing.
func TestAWorkerInInitEndsWithItsMaster(t *testing.T) {
	p := startStuck(t, crashing(t))
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []byte
	for _, file := range lists {
		list, _ := os.ReadFile(file) // of a thread that may have ended
		children = append(children, list...)
	}
	var worker int
	if _, err := fmt.Sscan(string(children), &worker); err != nil {
		t.Fatalf("no worker in %q: %v", children, err)
	}
	_ = p.cmd.Process.Kill()
	ends(t, worker)
}

// stick has a callback of its plugin not return.
func stick(t *testing.T, p *process, where string) {
	t.Helper()
	switch where {
	case "on_connect":
		askUpgrade(t, p, where, "block")
	case "destructor": // which comes when all time has gone
		dial(t, p.url("/ws"), crash(where, "block")).Close()
		stick(t, p, "on_message")
	case "destroy":
		dial(t, p.url("/ws"), crash(where, "block")).Close()
	default:
		c := dial(t, p.url("/ws"), crash(where, "block"))
		say(t, c, "go")
		if where == "on_disconnect" {
			hear(t, c, "go")
			c.Close()
		}
	}
}
