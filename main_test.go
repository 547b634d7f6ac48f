package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain builds the server, as make test does.
func TestMain(m *testing.M) {
	if out, err := exec.Command("make", "build").CombinedOutput(); err != nil {
		os.Stderr.Write(out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestExitCodes are httpd's, and its words.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.conf": "Listen 127.0.0.1:8080\nErrorLog error.log\n",
		"bad.conf":  "Listen 127.0.0.1:8080\nErrorLog error.log\nFoo\n",
		"deaf.conf": "ErrorLog error.log\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"-t", "-d", dir, "-f", "good.conf"}, 0, "", "Syntax OK\n"},
		{[]string{"-td" + dir, "-fgood.conf"}, 0, "", "Syntax OK\n"},
		{[]string{"-t", "-d", dir, "-f", "bad.conf"}, 1, "", "AH00526: Syntax error on line 3 of " + dir + "/bad.conf:\nInvalid command 'Foo', perhaps"},
		{[]string{"-t", "-d", dir, "-f", "none.conf"}, 1, "", "wshttpd: Could not open configuration file " + dir + "/none.conf: No such file or directory\n"},
		{[]string{"-t", "-d", dir, "-f", "good.conf", "-c", "Foo"}, 1, "", "AH00526: Syntax error on line 1 of -c/-C directives:\n"},
		{[]string{"-X", "-d", dir, "-f", "deaf.conf"}, 1, "", "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"},
		{[]string{"-v"}, 0, "Server version: Apache/2.4.", ""},
		{[]string{"-V"}, 0, " -D SERVER_CONFIG_FILE=\"conf/httpd.conf\"\n", ""},
		{[]string{"-h"}, 1, "", "Usage: wshttpd"},
		{[]string{"-Z"}, 1, "", "wshttpd: illegal option -- Z\nUsage: wshttpd"},
		{[]string{"-f"}, 1, "", "wshttpd: option requires an argument -- f\nUsage: wshttpd"},
		{[]string{"-k", "dance"}, 1, "", "wshttpd: illegal option -- k\nUsage: wshttpd"},
		{[]string{"-k", "stop", "-d", dir, "-f", "good.conf"}, 0, "httpd (no pid file) not running\n", ""},
		{[]string{"-k", "graceful-stop", "-d", dir, "-f", "good.conf"}, 0, "httpd (no pid file) not running\n", ""},
		{[]string{"-k", "stop", "-d", dir, "-f", "bad.conf"}, 1, "", "AH00526: Syntax error on line 3"},
		{[]string{"-d", dir, "-f", "deaf.conf"}, 1, "", "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"},
		{[]string{"-d", dir, "-f", "bad.conf"}, 1, "", "AH00526: Syntax error on line 3"},
		{[]string{"-l"}, 0, "  mod_so.c\n", ""},
		{[]string{"-L"}, 0, "WebSocketHandler (mod_websocket.c)\n\tShared library", ""},
		{[]string{"-M", "-d", dir, "-f", "good.conf"}, 0, "Loaded Modules:\n core_module (static)\n", ""},
		{[]string{"-S", "-d", dir, "-f", "bad.conf"}, 1, "", "AH00526: Syntax error on line 3"},
		{[]string{"-t", "-D", "DUMP_CONFIG", "-d", dir, "-f", "good.conf"}, 0, "", "Syntax OK\n"},
		{[]string{"operand"}, 1, "", "Usage: wshttpd"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			cmd := exec.Command("build/wshttpd", tt.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run() // ProcessState says it
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit code %d, want %d; stdout\n%s\nstderr\n%s", code, tt.code, &stdout, &stderr)
			}
		})
	}
}

// TestSignalsThatAskForAReload: the file is checked by a process of its own,
// the outcome logged, and nothing changes.
func TestSignalsThatAskForAReload(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	conf, log, pid := filepath.Join(dir, "httpd.conf"), filepath.Join(dir, "error.log"), filepath.Join(dir, "httpd.pid")
	good := "Listen " + address + "\nErrorLog error.log\nPidFile httpd.pid\n"
	write := func(text string) {
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	cmd := exec.Command("build/wshttpd", "-DFOREGROUND", "-d", dir, "-f", "httpd.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "a pid file", func() bool { _, err := os.Stat(pid); return err == nil })
	logged := func(text string) func() bool {
		return func() bool {
			b, _ := os.ReadFile(log) // not there yet
			return strings.Contains(string(b), text)
		}
	}
	signal := func(s syscall.Signal) {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGUSR1)
	await(t, "the outcome of USR1", logged("USR1: the configuration is good"))
	write("Foo\n")
	signal(syscall.SIGHUP)
	await(t, "the outcome of HUP", logged("HUP: the configuration has errors; nothing has changed"))
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("after a broken file nobody listens: %v", err)
	}
	c.Close()
	signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := os.Stat(pid); err == nil {
		t.Error("the pid file is still there")
	}
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 600 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

// TestControl: the server goes to the background once its sockets are bound,
// and -k finds it by its pid file.
func TestControl(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	conf, pid, log := filepath.Join(dir, "httpd.conf"), filepath.Join(dir, "httpd.pid"), filepath.Join(dir, "error.log")
	good := "Listen " + address + "\nErrorLog error.log\nPidFile httpd.pid\n"
	write := func(text string) {
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	control := func(code int, want string, args ...string) {
		t.Helper()
		cmd := exec.Command("build/wshttpd", append([]string{"-d", dir, "-f", "httpd.conf"}, args...)...)
		out, _ := cmd.CombinedOutput() // ProcessState says it
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), want) {
			t.Errorf("%v: exit code %d, %q; want %d, %q", args, got, out, code, want)
		}
	}
	serves := func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	running := func() int {
		text, err := os.ReadFile(pid)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	stopped := func() bool { _, err := os.Stat(pid); return err != nil && !serves() }

	control(0, "", "-k", "start")
	if !serves() {
		t.Fatal("-k start has returned, and nobody listens")
	}
	t.Cleanup(func() {
		if _, err := os.Stat(pid); err == nil {
			_ = syscall.Kill(running(), syscall.SIGKILL) // a test that failed has left it
		}
	})
	first := running()
	control(0, "httpd (pid "+strconv.Itoa(first)+") already running", "-k", "start")
	control(1, "could not bind to address") // without -k it tries
	control(0, "", "-k", "graceful")
	logged := func(text string) func() bool {
		return func() bool { b, _ := os.ReadFile(log); return strings.Contains(string(b), text) }
	}
	await(t, "the outcome of -k graceful", logged("USR1: the configuration is good"))
	write("Foo\n")
	control(1, "AH00526: Syntax error on line 1", "-k", "stop")
	if !serves() || running() != first {
		t.Fatal("a signal was sent although the file has errors")
	}
	write(good)
	control(0, "", "-k", "stop")
	await(t, "the end", stopped)
	if err := os.WriteFile(pid, []byte("999999999\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	control(0, "httpd (pid 999999999?) not running", "-k", "graceful-stop")
	control(0, "httpd not running, trying to start", "-k", "restart")
	if !serves() || running() == 999999999 {
		t.Fatal("-k restart has started nothing")
	}
	control(0, "", "-k", "graceful-stop")
	await(t, "the end", stopped)
}
