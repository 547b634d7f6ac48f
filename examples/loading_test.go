package examples

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

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
		endsLoading(t, location("WebSocketHandler "+tt.library+" "+tt.init), want)
	}
}

// endsLoading makes sure that neither -t nor a start survives a configuration,
// and that both say of what they have ended.
func endsLoading(t *testing.T, conf, want string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "httpd.conf")
	conf = listenLine.ReplaceAllString(conf, fmt.Sprintf("Listen 127.0.0.1:%d", freePort(t)))
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
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
