package supervise_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

var binary, plugin string

// TestMain builds the server and a plugin.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "supervise")
	if err != nil {
		panic(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // workers are another user
		panic(err)
	}
	binary, plugin = filepath.Join(dir, "wshttpd"), filepath.Join(dir, "echo.so")
	for _, args := range [][]string{
		{"go", "build", "-trimpath", "-o", binary, "../.."},
		{"cc", "-fPIC", "-shared", "-pthread", "-I../../pluginloader", "-o", plugin, "../../examples/c/mod_websocket_echo.c"},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v: %v\n%s", args, err, out)
			os.Exit(1)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// site is a folder with a configuration, and the server that runs on it.
type site struct {
	t       *testing.T
	dir     string
	address string
}

func newSite(t *testing.T) *site {
	// No client has this address, so none takes the port before the server does.
	l, err := net.Listen("tcp", "127.0.0.66:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &site{t, t.TempDir(), l.Addr().String()}
	for _, d := range []string{"logs", "one", "two"} {
		if err := os.Mkdir(filepath.Join(s.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for dir := s.dir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // workers are another user
			t.Fatal(err)
		}
	}
	s.write("one/a.txt", "one")
	s.write("two/a.txt", "two")
	s.configure("one", "")
	t.Cleanup(func() {
		if pid := s.pid(); pid != 0 {
			s.run("-k", "stop")
			s.await("the end", func() bool { return syscall.Kill(pid, 0) != nil })
		}
		if t.Failed() {
			t.Logf("error log:\n%s", s.log())
		}
	})
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) configure(root, more string) {
	s.t.Helper()
	s.write("httpd.conf", fmt.Sprintf(`LoadModule websocket_module modules/mod_websocket.so
Listen %s
ServerName localhost
DocumentRoot %s
PidFile logs/httpd.pid
LogLevel info
<Location /echo>
WebSocketHandler %s echo_init
SetHandler websocket-handler
</Location>
%s
`, s.address, root, plugin, more))
}

// run runs the command line to its end and returns the exit code and what it
// printed.
func (s *site) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	cmd := exec.Command(binary, append([]string{"-d", s.dir, "-f", "httpd.conf"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // ProcessState says it
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func (s *site) want(args []string, code int, stdout, stderr string) {
	s.t.Helper()
	gotCode, gotOut, gotErr := s.run(args...)
	if gotCode != code || gotOut != stdout || !strings.Contains(gotErr, stderr) {
		s.t.Fatalf("%q: exit code %d, stdout %q, stderr %q, want %d, %q, %q", args, gotCode, gotOut, gotErr, code, stdout, stderr)
	}
}

func (s *site) pid() int {
	text, _ := os.ReadFile(filepath.Join(s.dir, "logs/httpd.pid"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

func (s *site) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "logs/error_log"))
	return string(text)
}

func (s *site) get() string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + s.address + "/a.txt")
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return string(text)
}

func (s *site) dial() *websocket.Conn {
	s.t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws://"+s.address+"/echo", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

func (s *site) echoes(c *websocket.Conn) {
	s.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		s.t.Fatal(err)
	}
	if _, text, err := c.ReadMessage(); err != nil || string(text) != "hello" {
		s.t.Fatalf("echo: %q, %v", text, err)
	}
}

func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	for range 600 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("%s did not come; log:\n%s", what, s.log())
}

// workers returns the children of the process in the pid file.
func (s *site) workers() []string {
	out, _ := exec.Command("ps", "-o", "pid=,uid=", "--ppid", strconv.Itoa(s.pid())).Output() // none is an error
	return strings.Fields(string(out))
}

func closeCode(c *websocket.Conn) int {
	_, _, err := c.ReadMessage()
	if e, ok := errors.AsType[*websocket.CloseError](err); ok {
		return e.Code
	}
	return 0
}

func TestCommandsAgainstPidFile(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "stop"}, 0, "httpd (no pid file) not running\n", "")
	s.want([]string{"-k", "graceful-stop"}, 0, "httpd (no pid file) not running\n", "")
	s.want([]string{"-k", "start"}, 0, "", "")
	if got := s.get(); got != "one" {
		t.Fatalf("right after the start: %q", got)
	}
	pid := s.pid()
	s.want([]string{"-k", "start"}, 0, fmt.Sprintf("httpd (pid %d) already running\n", pid), "")
	s.want(nil, 0, fmt.Sprintf("httpd (pid %d) already running\n", pid), "")
	s.configure("one", "Foo")
	for _, command := range []string{"start", "stop", "restart", "graceful", "graceful-stop"} {
		s.want([]string{"-k", command}, 1, "", "Invalid command 'Foo'")
	}
	if got := s.get(); got != "one" || s.pid() != pid {
		t.Fatalf("after commands with a broken file: %q, pid %d", got, s.pid())
	}
	s.configure("one", "")
	s.want([]string{"-k", "stop"}, 0, "", "")
	s.await("the end", func() bool { return syscall.Kill(pid, 0) != nil })
	if s.pid() != 0 {
		t.Error("the pid file is still there")
	}
	s.write("logs/httpd.pid", "4194304\n")
	s.want([]string{"-k", "stop"}, 0, "httpd (pid 4194304?) not running\n", "")
	s.want([]string{"-k", "graceful"}, 0, "httpd not running, trying to start\n", "")
	if got := s.get(); got != "one" || !strings.Contains(s.log(), "AH00098: pid file ") {
		t.Fatalf("after a stale pid file: %q", got)
	}
	s.want([]string{"-k", "stop"}, 0, "", "")
	s.await("the end", func() bool { return s.pid() == 0 })
	s.write("logs/httpd.pid", "abc")
	s.want([]string{"-k", "start"}, 1, "", "AH00059: Remove it before continuing if it is corrupted.\n")
}

func TestStartThatFailsSaysWhy(t *testing.T) {
	s := newSite(t)
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.want([]string{"-k", "start"}, 1, "", "(98)Address already in use: AH00072: make_sock: could not bind to address "+s.address+"\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n")
	l.Close()
	s.configure("one", "User nosuchuser")
	s.want(nil, 1, "", "AH00543: wshttpd: bad user name nosuchuser\n")
	s.configure("one", "<Location /x>\nWebSocketHandler /nowhere.so x_init\n</Location>")
	s.want([]string{"-k", "start"}, 1, "", "/nowhere.so")
	if s.pid() != 0 {
		t.Error("there is a pid file")
	}
}

// TestGracefulRestart: the WebSocket that is open goes on in the old process,
// others are served by the new configuration, and nobody is refused meanwhile.
func TestGracefulRestart(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "start"}, 0, "", "")
	pid, c := s.pid(), s.dial()
	s.echoes(c)
	s.configure("two", "")
	s.want([]string{"-k", "graceful"}, 0, "", "")
	for got := ""; got != "two"; {
		if got = s.get(); got != "one" && got != "two" {
			t.Fatalf("during a graceful restart: %q", got)
		}
	}
	s.echoes(c)
	s.await("two workers", func() bool { return len(s.workers()) == 4 })
	if s.pid() != pid {
		t.Errorf("pid %d became %d", pid, s.pid())
	}
	c.Close()
	s.await("the old worker's end", func() bool { return len(s.workers()) == 2 })

	c = s.dial()
	s.configure("two", "Foo")
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	s.await("a refusal", func() bool {
		return strings.Contains(s.log(), "the configuration has errors; nothing has changed") && strings.Contains(s.log(), "Invalid command 'Foo'")
	})
	s.configure("one", "")
	if got := s.get(); got != "two" {
		t.Errorf("with a broken file: %q", got)
	}
	s.echoes(c)
	s.want([]string{"-k", "restart"}, 0, "", "")
	if code := closeCode(c); code != 1012 {
		t.Errorf("restart closes with %d, want 1012", code)
	}
	if got := s.get(); got != "one" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestGracefulStopWaitsForWebSockets(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "start"}, 0, "", "")
	pid, c := s.pid(), s.dial()
	s.want([]string{"-k", "graceful-stop"}, 0, "", "")
	s.await("the pid file's end", func() bool { return s.pid() == 0 })
	s.await("closed listeners", func() bool {
		probe, err := net.Dial("tcp", s.address)
		if err == nil {
			probe.Close()
		}
		return err != nil
	})
	s.echoes(c)
	c.Close()
	s.await("the end", func() bool { return syscall.Kill(pid, 0) != nil })
}

func TestGracefulStopEndsAfterItsTimeout(t *testing.T) {
	s := newSite(t)
	s.configure("one", "GracefulShutdownTimeout 1\n")
	s.want([]string{"-k", "start"}, 0, "", "")
	c := s.dial()
	begin := time.Now()
	s.want([]string{"-k", "graceful-stop"}, 0, "", "")
	if code := closeCode(c); code != 1001 || time.Since(begin) < 900*time.Millisecond {
		t.Errorf("it closes with %d after %v, want 1001 after 1s", code, time.Since(begin))
	}
}

func TestStopTellsWebSockets(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "start"}, 0, "", "")
	c := s.dial()
	s.want([]string{"-k", "stop"}, 0, "", "")
	if code := closeCode(c); code != 1001 {
		t.Errorf("stop closes with %d, want 1001", code)
	}
}

func TestDeadWorkerIsReplaced(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "start"}, 0, "", "")
	worker, _ := strconv.Atoi(s.workers()[0])
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("another worker", func() bool { w := s.workers(); return len(w) == 2 && w[0] != strconv.Itoa(worker) })
	if got := s.get(); got != "one" {
		t.Errorf("the new worker: %q", got)
	}
	if !strings.Contains(s.log(), "signal: killed") {
		t.Error("the log does not say how the worker ended")
	}
}

// TestWorkersEndWithTheirMaster: a new server can bind.
func TestWorkersEndWithTheirMaster(t *testing.T) {
	s := newSite(t)
	s.want([]string{"-k", "start"}, 0, "", "")
	pid := s.pid()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("the master's end", func() bool { return syscall.Kill(pid, 0) != nil })
	s.await("a new server", func() bool { code, _, _ := s.run("-k", "start"); return code == 0 })
	if got := s.get(); got != "one" {
		t.Errorf("the new server: %q", got)
	}
}

// TestWorkersGiveRootUp: logs and pid file are root's, what serves is not.
func TestWorkersGiveRootUp(t *testing.T) {
	s := newSite(t)
	s.configure("one", "User nobody\nGroup nogroup")
	s.want([]string{"-k", "start"}, 0, "", "")
	want := strconv.Itoa(os.Getuid())
	if want == "0" {
		want = "65534"
	}
	if w := s.workers(); len(w) != 2 || w[1] != want {
		t.Errorf("workers %q, want uid %s", w, want)
	}
	s.echoes(s.dial())
	if err := os.Rename(filepath.Join(s.dir, "logs/error_log"), filepath.Join(s.dir, "logs/old")); err != nil {
		t.Fatal(err)
	}
	s.want([]string{"-k", "graceful"}, 0, "", "")
	s.await("a new log", func() bool { return strings.Contains(s.log(), "AH00489") })
}

// TestForegroundTellsSystemd is Type=notify: the states, in order.
func TestForegroundTellsSystemd(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(s.dir, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	cmd := exec.Command(binary, "-DFOREGROUND", "-d", s.dir, "-f", "httpd.conf")
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	next := func(want string) {
		t.Helper()
		b := make([]byte, 500)
		if err := socket.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := socket.Read(b)
		if err != nil || !strings.HasPrefix(string(b[:n]), want) {
			t.Errorf("systemd is told %q, %v, want %s", b[:n], err, want)
		}
	}
	next(fmt.Sprintf("READY=1\nMAINPID=%d\n", cmd.Process.Pid))
	if s.pid() != cmd.Process.Pid {
		t.Errorf("pid file: %d, want %d", s.pid(), cmd.Process.Pid)
	}
	s.want([]string{"-k", "graceful"}, 0, "", "")
	next("RELOADING=1\nMONOTONIC_USEC=")
	next("READY=1\n")
	if err := cmd.Process.Signal(syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	next("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestApachectl drives Debian's script, which finds the server by APACHE_HTTPD.
func TestApachectl(t *testing.T) {
	s := newSite(t)
	s.write("envvars", "export APACHE_RUN_DIR="+s.dir+"/logs APACHE_LOCK_DIR="+s.dir+"/logs APACHE_RUN_USER=$(id -un)\n")
	if err := os.Mkdir(filepath.Join(s.dir, "logs/socks"), 0o755); err != nil {
		t.Fatal(err)
	}
	control := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("/usr/sbin/apachectl", args...)
		cmd.Env = append(os.Environ(), "APACHE_CONFDIR="+s.dir, "APACHE_HTTPD="+binary+" -f httpd.conf", "APACHE_STARTED_BY_SYSTEMD=1", "APACHE_ULIMIT_MAX_FILES=true")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("apachectl %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"configtest"}, "Syntax OK\n"},
		{[]string{"-V"}, "  threaded:     yes ("},
		{[]string{"-M"}, " websocket_module (shared)\n"},
		{[]string{"-S"}, "PidFile: \"" + s.dir + "/logs/httpd.pid\"\n"},
		{[]string{"-l"}, "  mod_so.c\n"},
		{[]string{"-v"}, "Server version: Apache/2.4."},
		{[]string{"-t", "-D", "DUMP_INCLUDES"}, "  (*) " + s.dir + "/httpd.conf\n"},
		{[]string{"start"}, ""},
		{[]string{"graceful"}, ""},
		{[]string{"restart"}, ""},
	} {
		if out := control(step.args...); !strings.Contains(out, step.want) {
			t.Errorf("apachectl %q prints %q, want %q", step.args, out, step.want)
		}
	}
	// The command does not wait for the restart's end, and that closes what the process before has accepted.
	s.await("an answer after the restart", func() bool { return s.get() == "one" })
	control("stop")
	s.await("the end", func() bool { return s.pid() == 0 })
}
