package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
		{[]string{"-t", "--report", "-d", dir, "-f", "good.conf"}, 0, "\nthis configuration will behave as under httpd.\n", ""},
		{[]string{"--report", "-d", dir, "-f", "bad.conf"}, 1, "refused   " + dir + "/bad.conf:3  Foo\n", ""},
		{[]string{"--report", "--json", "-d", dir, "-f", "bad.conf"}, 1, `"starts": false`, ""},
		{[]string{"explain", "/", "-d", dir, "-f", "good.conf"}, 0, "\nanswer          404 Not Found\n", ""},
		{[]string{"explain", "/", "-d", dir, "-f", "bad.conf"}, 1, "", "Invalid command 'Foo'"},
		{[]string{"explain", "-d", dir}, 1, "", "Usage: build/wshttpd"},
		{[]string{"explain", "/", "-Z"}, 1, "", "wshttpd: illegal option -- Z\nUsage: build/wshttpd"},
		{[]string{"build-plugin"}, 2, "", "Usage: wshttpd build-plugin"},
		{[]string{"check-plugin", dir}, 1, "name the file in it\n", ""},
		{[]string{"query", "TARGET"}, 0, "wshttpd\n", ""},
		{[]string{"-v"}, 0, "Server version: Apache/2.4.", ""},
		{[]string{"-V"}, 0, " -D SERVER_CONFIG_FILE=\"conf/httpd.conf\"\n", ""},
		{[]string{"-h"}, 1, "", "Usage: build/wshttpd"},
		{[]string{"-Z"}, 1, "", "wshttpd: illegal option -- Z\nUsage: build/wshttpd"},
		{[]string{"-f"}, 1, "", "wshttpd: option requires an argument -- f\nUsage: build/wshttpd"},
		{[]string{"-k", "dance"}, 1, "", "wshttpd: illegal option -- k\nUsage: build/wshttpd"},
		{[]string{"operand"}, 1, "", "Usage: build/wshttpd"},
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
	// No client has this address, so none takes the port before the server does.
	l, err := net.Listen("tcp", "127.0.0.68:0")
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
	cmd := exec.Command("build/wshttpd", "-X", "-d", dir, "-f", "httpd.conf")
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
