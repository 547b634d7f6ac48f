package examples

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// dial connects fasthttp/websocket, a client that is not ours.
func dial(t *testing.T, url string, header http.Header, protocols ...string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: 10 * time.Second}
	c, r, err := d.Dial(url, header)
	if err != nil {
		status := 0
		if r != nil {
			status = r.StatusCode
		}
		t.Fatalf("dial %s: %v, status %d", url, err, status)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// refused makes sure that a handshake is answered with a status.
func refused(t *testing.T, url string, header http.Header, status int, protocols ...string) *http.Response {
	t.Helper()
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: 10 * time.Second}
	c, r, err := d.Dial(url, header)
	if err == nil {
		c.Close()
	}
	if err == nil || r == nil || r.StatusCode != status {
		t.Fatalf("dial %s is answered %v, %v; want %d", url, r, err, status)
	}
	return r
}

// closeCode reads until the connection is closed and returns the code.
func closeCode(t *testing.T, c *websocket.Conn) int {
	t.Helper()
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			e, closed := errors.AsType[*websocket.CloseError](err)
			if !closed {
				t.Fatalf("ended without a close frame: %v", err)
			}
			return e.Code
		}
	}
}

func echo(t *testing.T, c *websocket.Conn, kind int, message []byte) {
	t.Helper()
	if err := c.WriteMessage(kind, message); err != nil {
		t.Fatal(err)
	}
	gotKind, got, err := c.ReadMessage()
	if err != nil || gotKind != kind || !bytes.Equal(got, message) {
		t.Fatalf("%d bytes came back as %d of type %d, %v", len(message), len(got), gotKind, err)
	}
}

func TestFasthttpWebsocketEchoes(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	for _, path := range []string{"/echo", "/echo-c"} {
		c := dial(t, p.url(path), nil)
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			echo(t, c, websocket.TextMessage, bytes.Repeat([]byte("x"), size))
			echo(t, c, websocket.BinaryMessage, bytes.Repeat([]byte{0xfe}, size))
		}
		w, err := c.NextWriter(websocket.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		whole := strings.Repeat("fragment ", 3000) // several frames of the client's write buffer
		if _, err := io.WriteString(w, whole); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.ReadMessage(); err != nil || string(got) != whole {
			t.Fatalf("a fragmented message came back as %d bytes, %v", len(got), err)
		}
	}
}

// TestReadmeConfigurations runs what apache-websocket's README shows, with the
// C plugins that it names and with those in Go in their place.
func TestReadmeConfigurations(t *testing.T) {
	files, err := filepath.Glob("conf/readme-*.conf")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, %v; want 6", len(files), err)
	}
	inGo := strings.NewReplacer("mod_websocket_echo.so", "echo.so", "mod_websocket_dumb_increment.so", "dumb_increment.so")
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(build("wshttpd"), "-t", "-d", root(t), "-f", filepath.Join("conf", name)).CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "Syntax OK\n") {
				t.Fatalf("-t: %v\n%s", err, out)
			}
			conf := readConf(t, name)
			for _, conf := range []string{conf, inGo.Replace(conf)} {
				p := serve(t, conf)
				echo(t, dial(t, p.url("/echo"), nil), websocket.TextMessage, []byte("hello"))
				c := dial(t, p.url("/dumb-increment"), nil, "dumb-increment-protocol")
				if c.Subprotocol() != "dumb-increment-protocol" {
					t.Errorf("subprotocol %q", c.Subprotocol())
				}
				for i := range 3 {
					if _, got, err := c.ReadMessage(); err != nil || string(got) != fmt.Sprint(i) {
						t.Fatalf("number %d is %q, %v", i, got, err)
					}
				}
			}
		})
	}
}

// location is a configuration with one Location.
func location(lines string) string {
	return "Listen 127.0.0.1:8080\nErrorLog /dev/stderr\nLogLevel info\nLoadModule websocket_module x\nLoadModule websocket_draft76_module y\n" +
		"<Location /ws>\nSetHandler websocket-handler\n" + lines + "\n</Location>\n"
}

// dial connects to the server; nothing takes longer than 20 s.
func (p *process) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// rawUpgrade opens a connection of a version by hand and returns what follows
// the 101.
func rawUpgrade(t *testing.T, p *process, path, version string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c := p.dial(t)
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"+
		"Sec-WebSocket-Version: %s\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Origin: http://x\r\n\r\n", path, version)
	r := bufio.NewReader(c)
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	head := make([]byte, len(want))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != want {
		t.Fatalf("the 101 of version %s is %q, %v; want %q", version, head, err, want)
	}
	return c, r
}

func TestVersion7ByHand(t *testing.T) {
	p := serve(t, location("WebSocketHandler modules/echo.so echo_init"))
	c, r := rawUpgrade(t, p, "/ws", "7")
	// "Hello", masked, as in hybi-07, section 4.7.
	if _, err := c.Write([]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 7)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "\x81\x05Hello" {
		t.Fatalf("echo is %q, %v", got, err)
	}
}

// logged waits until the log says text: a record may come behind the frame
// that a client has seen.
func (p *process) logged(t *testing.T, text string) {
	t.Helper()
	for range 200 {
		if strings.Contains(p.log.String(), text) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Errorf("the log does not say %q:\n%s", text, p.log)
}

// buildFaulty builds the plugins with faults into the folder of the others, those
// in C with the CFLAGS of the environment.
func buildFaulty(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{
		{"go", "build", "-trimpath", "-buildmode=plugin", "-o", build("modules/panicking.so"), "./testdata/panicking"},
		{"cc", "-fPIC", "-shared", "-I../pluginloader", "-o", build("modules/faulty.so"), "testdata/faulty/faulty.c"},
		{"cc", "-O1", "-fPIC", "-shared", "-pthread", "-I../pluginloader", "-o", build("modules/busy.so"), "testdata/busy/busy.c"},
		{"cc", "-O1", "-fPIC", "-shared", "-pthread", "-I../pluginloader", "-o", build("modules/faults.so"), "testdata/faults/faults.c"},
		{"cc", "-O1", "-fPIC", "-shared", "-pthread", "-I../pluginloader", "-o", build("modules/crashing.so"), "testdata/crashing/crashing.c"},
	} {
		if args[0] == "cc" {
			args = append(args, strings.Fields(os.Getenv("CFLAGS"))...)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestPanicInAPluginCostsOneConnection(t *testing.T) {
	buildFaulty(t)
	p := serve(t, location("WebSocketHandler modules/panicking.so panicking_init"))
	bystander := dial(t, p.url("/ws"), nil)
	for _, fault := range []string{"panic", "goexit"} {
		c := dial(t, p.url("/ws"), nil)
		if err := c.WriteMessage(websocket.TextMessage, []byte(fault)); err != nil {
			t.Fatal(err)
		}
		if code := closeCode(t, c); code != 1011 {
			t.Errorf("%s in on_message closes with %d, want 1011", fault, code)
		}
		echo(t, bystander, websocket.TextMessage, []byte("still here"))
		refused(t, p.url("/ws?"+fault), nil, 500)
		echo(t, bystander, websocket.TextMessage, []byte("still here"))
	}
	if r := refused(t, p.url("/ws?decline"), nil, 403); r.ContentLength != 0 || r.Header.Get("X-Dropped") != "" {
		t.Errorf("a plugin that declines is answered %v; want no body and no header of the plugin's", r)
	}
	late := dial(t, p.url("/ws?late"), nil)
	if err := late.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, late); code != 1000 {
		t.Errorf("closed with %d, want 1000", code)
	}
	echo(t, bystander, websocket.TextMessage, []byte("still here"))
	for _, want := range []string{"message has a bug", "connect has a bug", "disconnect has a bug", "panicking/main.go"} {
		p.logged(t, want)
	}
}

// TestPluginsThatCannotBeUsed: each is refused with file and line, in the
// original's words, and with the reason.
func TestPluginsThatCannotBeUsed(t *testing.T) {
	buildFaulty(t)
	file := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(build("modules/mod_websocket_echo.so"))
	if err != nil {
		t.Fatal(err)
	}
	const machine, aarch64 = 18, 0xb7 // e_machine
	foreign := slices.Clone(whole)
	foreign[machine] = aarch64
	needy := filepath.Join(t.TempDir(), "needy.so")
	if out, err := exec.Command("cc", "-fPIC", "-shared", "-o", needy, "../pluginloader/testdata/needy.c").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	const (
		open     = "Could not open WebSocket handler module"
		missing  = "Could not find initialization function in module"
		response = "Invalid response from initialization function"
	)
	tests := []struct{ handler, sentence, cause string }{
		{"modules/faulty.so returns_null", response, "returned NULL"},
		{"modules/faulty.so returns_version_one", response, "plugin version 1"},
		{"modules/faulty.so returns_too_small", response, "size 32, need 40"},
		{"modules/faulty.so returns_no_message", response, "on_message is NULL"},
		{"modules/faulty.so godo_init", missing, "it has good_init"},
		{"modules/panicking.so init_panics", response, "init has a bug"},
		{"modules/panicking.so nil_init", response, "returned nil"},
		{"modules/panicking.so wrong_type", response, "func() int"},
		{"modules/panicking.so panikcing_init", missing, "it has PanickingInit"},
		{"modules/echoo.so echo_init", open, "did you mean"},
		{"modules echo_init", open, "it is a directory"},
		{file("text.so", []byte("#!/bin/sh\n")) + " echo_init", open, "it is no shared library"},
		{file("half.so", whole[:len(whole)/2]) + " echo_init", open, "it is truncated"},
		{file("arm.so", foreign) + " echo_init", open, "built for aarch64, this server is x86-64"},
		{needy + " needy_init", open, "needs apr_palloc_of_no_release, nobody_has_this: no library has it"},
		{"modules/mod_websocket.so echo_init", open, "is the module, not a plugin"},
	}
	for _, tt := range tests {
		t.Run(tt.handler, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "httpd.conf")
			if err := os.WriteFile(file, []byte(location("WebSocketHandler "+tt.handler)), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(build("wshttpd"), "-t", "-d", root(t), "-f", file).CombinedOutput()
			exit, failed := errors.AsType[*exec.ExitError](err)
			if !failed || exit.ExitCode() != 1 {
				t.Errorf("exit: %v, want 1", err)
			}
			if want := fmt.Sprintf("AH00526: Syntax error on line 8 of %s:\n%s\n", file, tt.sentence); !strings.Contains(string(out), want) {
				t.Errorf("got\n%s\nwant\n%s", out, want)
			}
			if !strings.Contains(string(out), tt.cause) {
				t.Errorf("got\n%s\nwithout %q", out, tt.cause)
			}
		})
	}
}

// TestSignalsTellEveryWebSocket: clients that end their connections are not
// waited for.
func TestSignalsTellEveryWebSocket(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := start(t, readConf(t, "httpd.conf"))
			conns := []*websocket.Conn{
				dial(t, p.url("/dumb-increment"), nil, "dumb-increment-protocol"),
				dial(t, p.url("/dumb-increment-c"), nil, "dumb-increment-protocol"),
			}
			for range 20 {
				conns = append(conns, dial(t, p.url("/echo"), nil), dial(t, p.url("/echo-c"), nil))
			}
			begin := time.Now()
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, c := range conns {
				wg.Go(func() {
					if code := closeCode(t, c); code != 1001 {
						t.Errorf("closed with %d, want 1001", code)
					}
					c.Close()
				})
			}
			wg.Wait()
			<-p.done
			if d := time.Since(begin); p.cmd.ProcessState.ExitCode() != 0 || d > 3*time.Second {
				t.Errorf("ended with %v after %v, want exit code 0 within 3 s", p.cmd.ProcessState, d)
			}
		})
	}
}

// TestTermDoesNotWaitForTheSilent: a client that answers nothing is told, and
// cut in time.
func TestTermDoesNotWaitForTheSilent(t *testing.T) {
	p := start(t, location("WebSocketHandler modules/echo.so echo_init"))
	_, r := rawUpgrade(t, p, "/ws", "13")
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r)
	if want := "\x88\x02\x03\xe9"; err != nil || string(rest) != want {
		t.Errorf("the last bytes are % x, %v; want % x", rest, err, want)
	}
	<-p.done
	if d := time.Since(begin); p.cmd.ProcessState.ExitCode() != 0 || d > 5*time.Second {
		t.Errorf("ended with %v after %v, want exit code 0 within 5 s", p.cmd.ProcessState, d)
	}
}

// TestOldDrafts has clients of the drafts talk to the same plugins, under each
// README configuration that lets them.
func TestOldDrafts(t *testing.T) {
	tests := []struct {
		name    string
		draft75 bool
	}{{"readme-both.conf", true}, {"readme-linux.conf", true}, {"readme-windows.conf", true}, {"readme-macos.conf", false}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, readConf(t, tt.name))
			port := fmt.Sprint(p.port)
			rubies, perls := []string{"76"}, []string{"draft-ietf-hybi-00"}
			if tt.draft75 {
				rubies, perls = append(rubies, "75"), append(perls, "draft-hixie-75")
			}
			for _, version := range rubies {
				t.Run("ruby-websocket "+version, func(t *testing.T) {
					client(t, "ruby", "testdata/clients/ruby_websocket.rb", version, "127.0.0.1", port, "/echo")
				})
			}
			for _, version := range perls {
				t.Run("Protocol::WebSocket "+version, func(t *testing.T) {
					client(t, "perl", "testdata/clients/protocol_websocket.pl", version, "127.0.0.1", port, "/echo")
				})
			}
			t.Run("counts over draft-76", func(t *testing.T) {
				client(t, "perl", "testdata/clients/protocol_websocket.pl", "draft-ietf-hybi-00", "127.0.0.1", port, "/dumb-increment", "dumb-increment-protocol")
			})
		})
	}
}
