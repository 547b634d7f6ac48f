package examples

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain builds what the tests run, as an operator does.
func TestMain(m *testing.M) {
	out, err := exec.Command("make", "-C", "..", "build").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "make build: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build is a file that make build has made, in the folder that make may have
// been given.
func build(file string) string {
	return filepath.Join("..", cmp.Or(os.Getenv("WSHTTPD_BUILD"), "build"), file)
}

// process is a server that a test has started.
type process struct {
	cmd  *exec.Cmd
	conf string // the file of its configuration
	port int
	log  *lockedBuffer // stderr, which is the error log too
	done chan struct{} // closed when it has ended
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (p *process) url(path string) string  { return fmt.Sprintf("ws://127.0.0.1:%d%s", p.port, path) }
func (p *process) http(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path) }

var listenLine = regexp.MustCompile(`(?m)^Listen .*$`)

// serve runs the binary on a configuration, with a free port in its Listen
// line, and stops it with the test.
func serve(t *testing.T, conf string) *process {
	t.Helper()
	p := start(t, conf)
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, p.log)
		}
	})
	return p
}

func start(t *testing.T, conf string) *process {
	t.Helper()
	return startAs(t, conf, "-X")
}

// startAs is start with another option than the one for a single process.
func startAs(t *testing.T, conf, option string) *process {
	t.Helper()
	p := &process{port: freePort(t), log: &lockedBuffer{}, done: make(chan struct{})}
	conf = listenLine.ReplaceAllString(conf, "Listen 127.0.0.1:"+strconv.Itoa(p.port))
	dir := t.TempDir()
	file := filepath.Join(dir, "httpd.conf")
	if option != "-X" {
		conf += "PidFile " + dir + "/httpd.pid\n"
	}
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	p.conf = file
	p.cmd = exec.Command(build("wshttpd"), option, "-d", root(t), "-f", file)
	p.cmd.Stderr = p.log
	p.run(t)
	return p
}

// run starts the command, and waits until it listens.
func (p *process) run(t *testing.T) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // stop looks at ProcessState
		close(p.done)
	}()
	for range 200 {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.port))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-p.done:
			t.Fatalf("the server did not start: %v\n%s", p.cmd.ProcessState, p.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	_ = p.stop()
	t.Fatalf("the server does not listen\n%s", p.log)
}

// stop sends TERM and waits for an orderly end within 5 s.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(6 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("no end within 6 s of TERM")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d", code)
	}
	return nil
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// freePort returns a port on which nothing listens, below those that the kernel
// gives to clients, who could take it before the server does.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := 10000 + rand.IntN(22000)
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// readConf returns one of the example configurations.
func readConf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("conf", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// client runs a foreign client, which says ok as its last line.
func client(t *testing.T, command string, args ...string) {
	t.Helper()
	cmd := exec.Command(command, args...)
	done := time.AfterFunc(120*time.Second, func() { _ = cmd.Process.Kill() })
	defer done.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
}

// python is Debian's own, for which python3-websockets is installed.
const python = "/usr/bin/python3"

func TestForeignClientsEchoAndCount(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	port := strconv.Itoa(p.port)
	for _, path := range []string{"/echo", "/echo-c"} {
		t.Run("python3-websockets"+path, func(t *testing.T) { client(t, python, "testdata/clients/echo.py", p.url(path)) })
		t.Run("node ws"+path, func(t *testing.T) { client(t, "node", "testdata/clients/ws.js", p.url(path)) })
		t.Run("node websocket"+path, func(t *testing.T) { client(t, "node", "testdata/clients/websocket.js", p.url(path)) })
		for _, version := range []string{"8", "13"} {
			t.Run("ruby-websocket version "+version+path, func(t *testing.T) {
				client(t, "ruby", "testdata/clients/ruby_websocket.rb", version, "127.0.0.1", port, path)
			})
		}
		for _, version := range []string{"draft-ietf-hybi-10", "draft-ietf-hybi-17"} {
			t.Run("Protocol::WebSocket "+version+path, func(t *testing.T) {
				client(t, "perl", "testdata/clients/protocol_websocket.pl", version, "127.0.0.1", port, path)
			})
		}
	}
	for _, path := range []string{"/dumb-increment", "/dumb-increment-c"} {
		t.Run("ruby-websocket counts"+path, func(t *testing.T) {
			client(t, "ruby", "testdata/clients/ruby_websocket.rb", "8", "127.0.0.1", port, path, "dumb-increment-protocol")
		})
	}
}

// TestLibwebsocketsTestClient runs the client that dumb-increment-protocol
// comes from.
func TestLibwebsocketsTestClient(t *testing.T) {
	for _, plugin := range []string{"dumb_increment.so", "mod_websocket_dumb_increment.so"} {
		t.Run(plugin, func(t *testing.T) {
			p := serve(t, fmt.Sprintf("Listen 127.0.0.1:8080\nErrorLog /dev/stderr\nLoadModule websocket_module x\n<Location />\n"+
				"SetHandler websocket-handler\nWebSocketHandler modules/%s dumb_increment_init\n</Location>\n", plugin))
			cmd := exec.Command("libwebsockets-test-client", "127.0.0.1", "--port="+strconv.Itoa(p.port), "-d", "1151")
			out := &lockedBuffer{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			counts := regexp.MustCompile(`rx \d+ '(\d+)'`)
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }() // it runs until it is ended
			for range 200 {
				found := counts.FindAllStringSubmatch(out.String(), -1)
				if len(found) >= 10 {
					first, _ := strconv.Atoi(found[0][1])
					for i, f := range found {
						if n, _ := strconv.Atoi(f[1]); n != first+i {
							t.Fatalf("number %d is %d, want %d", i, n, first+i)
						}
					}
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Fatalf("fewer than 10 numbers in 10 s:\n%s", out)
		})
	}
}
