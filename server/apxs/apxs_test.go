package apxs

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

var update = flag.Bool("update", false, "copy package wsplugin anew")

// binary is the server: what it builds is for itself, so that tests run it.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "apxs")
	if err != nil {
		panic(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // workers are another user
		panic(err)
	}
	binary = filepath.Join(dir, "wshttpd")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, "../..").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// TestTheAPIIsThatOfTheTree: what plugins are built with is what the server was
// built with, position by position.
func TestTheAPIIsThatOfTheTree(t *testing.T) {
	const source = "../../pluginloader/wsplugin"
	entries, err := os.ReadDir(source)
	if err != nil {
		t.Fatal(err)
	}
	copies, err := os.ReadDir("api")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(copies) && !*update {
		t.Errorf("%d files in %s, %d in api", len(entries), source, len(copies))
	}
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join(source, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("api", e.Name()+".txt")
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs, %v: go test ./server/apxs -run TestTheAPI -update", file, err)
		}
	}
}

// put writes files into a folder.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// folder is a temporary one with these files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // workers are another user
			t.Fatal(err)
		}
	}
	put(t, dir, files)
	return dir
}

// result is what a command has printed, and its exit status.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the server's binary in a folder, with variables of the environment.
func run(t *testing.T, dir string, env []string, args ...string) result {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // ProcessState says it
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want runs a command that ends with an exit status and prints a text, to
// either stream.
func want(t *testing.T, dir string, code int, text string, args ...string) result {
	t.Helper()
	r := run(t, dir, nil, args...)
	if r.code != code || !strings.Contains(unwrapped(r.stdout+r.stderr), unwrapped(text)) {
		t.Errorf("%s: exit status %d, want %d and %q; stdout\n%s\nstderr\n%s", strings.Join(args, " "), r.code, code, text, r.stdout, r.stderr)
	}
	return r
}

// unwrapped is a text in one line, wherever it was broken.
func unwrapped(s string) string { return strings.Join(strings.Fields(s), " ") }

// plugin is a source in Go that answers with a prefix.
func plugin(prefix string) string {
	return `package main

import "github.com/wshttpd/wshttpd/pluginloader/wsplugin"

func TellInit() wsplugin.Plugin { return teller{} }

type teller struct{}

func (teller) Connect(c wsplugin.Conn) wsplugin.Session { return session{c} }

type session struct{ wsplugin.Conn }

func (s session) Message(t wsplugin.MessageType, p []byte) { s.Send(t, append([]byte(` + prefix + `), p...)) }
func (session) Disconnect()                                {}

func main() {}
`
}

// cPlugin is the same in C.
func cPlugin(prefix string) string {
	return `#include <stdlib.h>
#include <string.h>
#include "websocket_plugin.h"

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    static const char prefix[] = "` + prefix + `";
    unsigned char *answer = malloc(sizeof prefix + size);
    size_t sent = 0;
    (void)session;
    if (answer != NULL) {
        memcpy(answer, prefix, sizeof prefix - 1);
        memcpy(answer + sizeof prefix - 1, buffer, size);
        sent = server->send(server, type, answer, sizeof prefix - 1 + size);
    }
    free(answer);
    return sent;
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK tell_init(void) { return &plugin; }
`
}

// address is one where nobody listens.
func address(t *testing.T) string {
	t.Helper()
	// No client has this address, so none takes the port before the server does.
	l, err := net.Listen("tcp", "127.0.0.67:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// base is a configuration for plugins; extra lines follow it.
func base(address, extra string) string {
	return "Listen " + address + "\nErrorLog error.log\nPidFile httpd.pid\nLoadModule websocket_module modules/mod_websocket.so\n" + extra
}

// location is a section for a plugin.
func location(path, file string) string {
	return fmt.Sprintf("<Location %s>\nSetHandler websocket-handler\nWebSocketHandler %s tell_init\n</Location>\n", path, file)
}

// serve runs the server on httpd.conf in a folder, as a master with a worker
// or, for -X, as one process.
func serve(t *testing.T, dir, address, option string) *os.Process {
	t.Helper()
	cmd := exec.Command(binary, option, "-d", dir, "-f", "httpd.conf")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, &log)
		}
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return cmd.Process
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the server does not listen")
	return nil
}

// dial opens a WebSocket.
func dial(t *testing.T, address, path string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws://"+address+path, nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// answers makes sure of the answer to "x".
func answers(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	if got := ask(t, c); got != want {
		t.Errorf("the plugin answers %q, want %q", got, want)
	}
}

func ask(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, got, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
