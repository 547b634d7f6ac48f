package pluginloader

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// compileExample builds one of the example plugins in C against the header, as
// strictly as the compiler can be.
func compileExample(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name+".so")
	args := []string{"-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-fPIC", "-shared", "-pthread", "-I.", "-o", out,
		filepath.Join("..", "examples", "c", name+".c")}
	if text, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, text)
	}
	return out
}

// TestHeaderCompilesAnywhere: plugins are written in several languages, and
// twice included is once.
func TestHeaderCompilesAnywhere(t *testing.T) {
	const source = "#include \"websocket_plugin.h\"\n#include \"websocket_plugin.h\"\n" +
		"static WebSocketPlugin plugin = { sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, 0, 0, 0, 0 };\n" +
		"EXPORT WebSocketPlugin *CALLBACK some_init(void);\n" +
		"EXPORT WebSocketPlugin *CALLBACK some_init(void) { return &plugin; }\n"
	for _, standard := range []string{"c99", "c11", "gnu17"} {
		file := write(t, "plugin.c", []byte(source))
		out := filepath.Join(t.TempDir(), "plugin.so")
		args := []string{"-std=" + standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC", "-shared", "-I.", "-o", out, file}
		if text, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", standard, err, text)
		}
	}
}

// TestHeaderHasTheNumbersOfTheInterface: a plugin that was compiled with it
// loads under the original's server, and the other way round.
func TestHeaderHasTheNumbersOfTheInterface(t *testing.T) {
	var source strings.Builder
	source.WriteString("#include \"websocket_plugin.h\"\n")
	for expression, value := range map[string]int{
		"MESSAGE_TYPE_INVALID": -1, "MESSAGE_TYPE_TEXT": 0, "MESSAGE_TYPE_BINARY": 128, "MESSAGE_TYPE_CLOSE": 255,
		"MESSAGE_TYPE_PING": 256, "MESSAGE_TYPE_PONG": 257, "WEBSOCKET_SERVER_VERSION_1": 1, "WEBSOCKET_PLUGIN_VERSION_0": 0,
		"sizeof(WebSocketServer)": 80, "sizeof(WebSocketPlugin)": 40,
		"offsetof(WebSocketServer, size)": 0, "offsetof(WebSocketServer, version)": 4, "offsetof(WebSocketServer, send)": 64,
		"offsetof(WebSocketPlugin, size)": 0, "offsetof(WebSocketPlugin, version)": 4, "offsetof(WebSocketPlugin, on_message)": 24,
	} {
		fmt.Fprintf(&source, "_Static_assert((int)(%s) == %d, \"%s\");\n", expression, value, expression)
	}
	file := write(t, "numbers.c", []byte(source.String()))
	if text, err := exec.Command("cc", "-std=c11", "-c", "-I.", "-o", os.DevNull, file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	for name, want := range map[wsplugin.MessageType]int{wsplugin.Text: 0, wsplugin.Binary: 128, wsplugin.Close: 255, wsplugin.Ping: 256, wsplugin.Pong: 257} {
		if int(name) != want {
			t.Errorf("the Go API has %d where C has %d", name, want)
		}
	}
}

func TestEchoExample(t *testing.T) {
	c := newFakeConn()
	s := load(t, New((&recorder{}).log), compileExample(t, "mod_websocket_echo"), "echo_init").Connect(c)
	s.Message(wsplugin.Text, []byte("hello"))
	s.Message(wsplugin.Binary, []byte{0})
	s.Message(wsplugin.Text, nil)
	equal(t, "echo", c.take(), []string{"0 hello", "128 \x00", "0 "})
	s.Disconnect()
}

// oneProtocol is a connection whose client offers one subprotocol.
type oneProtocol struct {
	*fakeConn
	offer string
}

func (o oneProtocol) Protocols() []string { return []string{o.offer} }

func TestDumbIncrementExample(t *testing.T) {
	p := load(t, New((&recorder{}).log), compileExample(t, "mod_websocket_dumb_increment"), "dumb_increment_init")
	if s := p.Connect(oneProtocol{newFakeConn(), "chat"}); s != nil {
		t.Error("a client without the protocol is accepted")
	}
	c := oneProtocol{newFakeConn(), "dumb-increment-protocol"}
	s := p.Connect(c)
	if s == nil {
		t.Fatal("declined")
	}
	if c.protocol != "dumb-increment-protocol" {
		t.Errorf("protocol %q", c.protocol)
	}
	var got []string
	for until := time.Now().Add(10 * time.Second); len(got) < 3 && time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		got = append(got, c.take()...)
	}
	if len(got) < 3 {
		t.Fatalf("%d numbers in 10 s", len(got))
	}
	equal(t, "numbers", got[:3], []string{"0 0", "0 1", "0 2"})
	s.Message(wsplugin.Text, []byte("closeme\n"))
	if c.closed != 1 {
		t.Errorf("closeme closes %d times", c.closed)
	}
	s.Disconnect() // joins the thread
	c.take()
	time.Sleep(120 * time.Millisecond)
	equal(t, "after the end", c.take(), nil)
}
