package main

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/wshttpd/wshttpd/httpdconf"
)

var update = flag.Bool("update", false, "write the README's reference anew")

// blocks returns the code blocks of the README in a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	in, indent := false, ""
	for line := range strings.SplitSeq(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case !in && trimmed == "```"+language:
			in, indent = true, line[:len(line)-len(strings.TrimLeft(line, " "))]
			list = append(list, "")
		case in && trimmed == "```":
			in = false
		case in:
			list[len(list)-1] += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return list
}

// TestReadmeReference: what the README says of directives is what the tables
// do.
func TestReadmeReference(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- directives:begin -->\n", "<!-- directives:end -->"
	_, rest, found := strings.Cut(string(text), begin)
	got, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("the markers are missing")
	}
	want := httpdconf.Reference()
	if *update {
		whole := strings.Replace(string(text), begin+got, begin+want, 1)
		if err := os.WriteFile("README.md", []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Error("the reference is out of date: go test -run TestReadmeReference . -update writes it anew")
	}
}

// sh runs commands of the README as a reader would.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+root+"/build:"+os.Getenv("PATH"), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// TestReadmeCommands runs every command of the README. make test is the one
// that runs this.
func TestReadmeCommands(t *testing.T) {
	plugin := t.TempDir()
	for name, text := range map[string]string{"shout.c": blocks(t, "c")[0], "shout/main.go": blocks(t, "go")[0], "site/httpd.conf": shoutConf(t)} {
		file := filepath.Join(plugin, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, block := range blocks(t, "sh") {
		for command := range strings.Lines(block) {
			command = strings.TrimSpace(command)
			t.Run(command, func(t *testing.T) { runCommand(t, command, plugin) })
		}
	}
	t.Run("the plugins shout", func(t *testing.T) { shouts(t, plugin) })
}

func runCommand(t *testing.T, command, plugin string) {
	switch {
	case command == "make test" || command == "make build":
	case command == "make run":
		serving(t, command, func() {
			r, err := http.Get("http://127.0.0.1:8080/")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if page, _ := io.ReadAll(r.Body); !bytes.Contains(page, []byte("wshttpd is serving")) {
				t.Errorf("the page reads %q", page)
			}
			echoes(t, "ws://127.0.0.1:8080/echo-c", "hello", "hello")
		})
	case strings.Contains(command, "wshttpd -X"):
		serving(t, command, func() { echoes(t, "ws://127.0.0.1:8080/echo", "hello", "hello") })
	case strings.HasPrefix(command, "cd bench"):
		serving(t, "build/wshttpd -X -d examples -f conf/httpd.conf", func() {
			if out := sh(t, ".", command); !strings.Contains(out, "{") {
				t.Errorf("bench prints %q", out)
			}
		})
	case strings.Contains(command, "wshttpd explain"):
		want := "answer          403 Forbidden\n"
		switch {
		case strings.Contains(command, "--json"):
			want = `"status": 101,`
		case strings.Contains(command, "index.html"):
			want = "answer          200 OK\n"
		}
		if out := sh(t, ".", command); !strings.Contains(out, want) {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.Contains(command, "--report"):
		want := "this configuration will behave as under httpd"
		if strings.Contains(command, "grep") {
			want = "changes   examples/conf/"
		}
		if out := sh(t, ".", command); !strings.Contains(out, want) {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.Contains(command, "wshttpd -t"):
		if out := sh(t, ".", command); !strings.HasSuffix(out, "Syntax OK\n") {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.HasSuffix(command, "wshttpd -h"):
		if out := sh(t, ".", command+" || test $? = 1"); !strings.HasPrefix(out, "Usage: build/wshttpd") {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.Contains(command, "wshttpd -S"), strings.Contains(command, "wshttpd -M"):
		if out := sh(t, ".", command); !strings.Contains(out, "VirtualHost configuration:\n") && !strings.Contains(out, " websocket_module (shared)\n") {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.Contains(command, "wshttpd -"):
		if out := sh(t, ".", command); !strings.HasPrefix(out, "Server version: Apache/2.4.") {
			t.Errorf("%s prints %q", command, out)
		}
	case strings.Contains(command, "-plugin "):
		if out := sh(t, plugin, command); !strings.Contains(out, "installed site/modules/shout") && !strings.Contains(out, "loads: ShoutInit") {
			t.Errorf("%s prints %q", command, out)
		}
	default:
		t.Errorf("nobody knows what %q does", command)
	}
}

// serving runs a command that serves, waits for it, and ends it by INT as
// Ctrl-C does.
func serving(t *testing.T, command string, then func()) {
	t.Helper()
	cmd := exec.Command("bash", "-c", "exec "+command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := false
	for range 600 {
		if r, err := http.Get("http://127.0.0.1:8080/"); err == nil {
			r.Body.Close()
			ready = true
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if ready {
		then()
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // make says that it was interrupted
	if !ready || !strings.Contains(out.String(), "serving http://127.0.0.1:8080/") {
		t.Errorf("%s:\n%s", command, &out)
	}
}

func echoes(t *testing.T, url, message, want string) {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.ReadMessage(); err != nil || string(got) != want {
		t.Errorf("%s answers %q, %v; want %q", url, got, err, want)
	}
}

// shoutConf is a configuration with the lines of the README, for the plugin in
// Go and, under another path, for the one in C.
func shoutConf(t *testing.T) string {
	conf := "Listen 127.0.0.1:8080\nErrorLog /dev/stderr\nLoadModule websocket_module x\n"
	for _, block := range blocks(t, "apache") {
		if strings.Contains(block, "shout_init") {
			return conf + block + strings.NewReplacer("/shout>", "/shout_c>", "shout.so", "shout_c.so").Replace(block)
		}
	}
	t.Fatal("the README has no lines for shout.so")
	return ""
}

// shouts serves the two plugins that the README has one write.
func shouts(t *testing.T, plugin string) {
	serving(t, "build/wshttpd -X -d "+plugin+"/site -f httpd.conf", func() {
		echoes(t, "ws://127.0.0.1:8080/shout", "hello", "HELLO")
		echoes(t, "ws://127.0.0.1:8080/shout_c", "hello", "HELLO")
	})
}
