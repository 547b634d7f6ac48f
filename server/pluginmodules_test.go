package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
)

// serveModules serves a configuration whose LoadModule lines name libraries of
// testdata: MODULE:name is the line of one, PLUGIN:name file and INIT.
func serveModules(t *testing.T, root, conf string) *live {
	t.Helper()
	loader := pluginloader.New(func(level int, format string, args ...any) { t.Logf("%d: "+format, append([]any{level}, args...)...) })
	cfg, diags := loadModules(t, loader, root, "LoadModule websocket_module x\nLoadModule mime_module x\nErrorLog error.log\n"+conf)
	if diags != "" {
		t.Fatal(diags)
	}
	cfg.Listeners = append(cfg.Listeners, httpdconf.Listener{Host: "127.0.0.1"})
	s, more := New(cfg, loader)
	if more.HasErrors() {
		t.Fatal(more)
	}
	l := begin(t, s)
	l.log = filepath.Join(root, "error.log")
	return l
}

// loadModules loads such a configuration, and returns its errors as they are
// written.
func loadModules(t *testing.T, loader *pluginloader.Loader, root, conf string) (*httpdconf.Config, string) {
	t.Helper()
	file := filepath.Join(root, "ours.conf")
	if err := os.WriteFile(file, []byte(withLibraries(t, strings.ReplaceAll(conf, "HOME", root))), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: root, LoadModule: LoadModule(loader)})
	if !diags.HasErrors() {
		return cfg, ""
	}
	var text bytes.Buffer
	httpdconf.WriteDiagnostics(&text, "wshttpd", cfg, "error", diags)
	return cfg, text.String()
}

// withLibraries puts the libraries of testdata into a configuration.
func withLibraries(t *testing.T, conf string) string {
	t.Helper()
	for _, name := range []string{"arguments", "tunnel", "standin"} {
		if strings.Contains(conf, ":"+name) {
			conf = strings.ReplaceAll(conf, "MODULE:"+name, "LoadModule "+name+"_module "+apxs(t, name))
			conf = strings.ReplaceAll(conf, "PLUGIN:"+name, apxs(t, name)+" "+name+"_init")
		}
	}
	return conf
}

// argumentsConf has each of the module's directives, in places that are merged.
const argumentsConf = `
MODULE:arguments
ServerName main.example
DocumentRoot HOME/docs
TypesConfig /dev/null
ArgOneTwo server
ArgOneTwo server "two words"
ArgThree 1 2 3
ArgIterate base
<Directory HOME/docs>
ArgNone
ArgIntSlot 42
</Directory>
<Location /ws>
SetHandler websocket-handler
WebSocketHandler PLUGIN:arguments
ArgRaw  some "raw  text" \
   goes on
ArgNone
ArgOne "one word"
argtwo a b
ArgThree a b c
ArgTwoThree a b
ArgTwoThree a b c
ArgOneThree a
ArgOneThree a b c
ArgOneTwoThree a
ArgOneTwoThree a b
ArgIterate a b c d
ArgIterate2 a b c d
ArgFlag On
ArgFlag oFF
ArgMany a b c
ArgMany
ArgSlot text
ArgFlagSlot On
</Location>
<Location /ws/deep>
ArgOne deep
<Limit GET>
ArgOne limited
</Limit>
</Location>
<LocationMatch "^/ws/d.*p/m">
ArgOne match
</LocationMatch>
<VirtualHost *:*>
ServerName virtual.example
ArgOneTwo ofvirtual
<Location /ws/deep>
ArgOne virtual
</Location>
</VirtualHost>
<VirtualHost *:*>
ServerName plain.example
</VirtualHost>
<IfModule arguments.c>
<Location /ws/ifmodule>
ArgOne ifmodule
</Location>
</IfModule>
<IfModule arguments_module>
ArgIterate ident
</IfModule>
`

// TestParityOfPluginModules asks a plugin that is a module too for its records,
// under httpd and here: its functions were called with the same arguments, in
// the same order, and the records merged alike.
func TestParityOfPluginModules(t *testing.T) {
	home := tree(t, "docs/index.html")
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	theirs := &live{addr: startApache(t, home, strings.ReplaceAll(withLibraries(t, "MODULE:standin\n"+argumentsConf), "HOME", home))}
	ours := serveModules(t, home, argumentsConf)
	for _, host := range []string{"main.example", "virtual.example", "plain.example"} {
		for _, target := range []string{"/ws", "/ws/deep", "/ws/deep/er", "/ws/deep/more", "/ws/ifmodule"} {
			head := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n"
			answer := theirs.exchange(t, "GET", head+"Connection: close\r\n\r\n")
			_, want, _ := strings.Cut(answer, "[")
			want, _, _ = strings.Cut(want, "\n")
			got := strings.TrimPrefix(ours.reflection(t, head), "[")
			if want == "" || got != want {
				t.Errorf("%s%s here:\n%s\nhttpd:\n%s", host, target, got, want)
			}
		}
	}
}

// TestParityOfModuleErrors compares what both say of lines that a module's table
// or its functions refuse.
func TestParityOfModuleErrors(t *testing.T) {
	for _, lines := range []string{
		"ArgOne a", "<Location /x>\nArgOneTwo a\n</Location>", "ArgTwo a b",
		"<Location /x>\nArgOne\n</Location>", "<Location /x>\nArgOne a b\n</Location>", "<Location /x>\nArgTwo a\n</Location>",
		"ArgThree a b", "ArgTwoThree a", "ArgOneThree a b", "ArgOneTwoThree", "ArgIterate", "ArgIterate2 a",
		"ArgFlag maybe", "ArgFlag", "ArgOneTwo a b c", "<Location /x>\nArgOne bad\n</Location>", "ArgIterate a bad b", "ArgIntSlot seven",
		"ArgUnknown", "LoadModule argument_module FILE", "LoadModule other_module HOME/none.so",
	} {
		t.Run(lines, func(t *testing.T) {
			home := tree(t, "docs/index.html")
			conf := "ErrorLog HOME/log\nMODULE:arguments\n" + strings.ReplaceAll(lines, "FILE", apxs(t, "arguments")) + "\n"
			head := "ServerRoot /usr/lib/apache2\nServerName x\nLoadModule mpm_event_module modules/mod_mpm_event.so\nLoadModule authz_core_module modules/mod_authz_core.so\n"
			theirs := filepath.Join(home, "theirs.conf")
			if err := os.WriteFile(theirs, []byte(withLibraries(t, strings.ReplaceAll(head+conf, "HOME", home))), 0o644); err != nil {
				t.Fatal(err)
			}
			out, _ := exec.Command(apache, "-t", "-f", theirs).CombinedOutput() // the status is 1, as it should be
			want := errorOf(string(out))
			loader := pluginloader.New(func(int, string, ...any) {})
			_, text := loadModules(t, loader, home, "LoadModule authz_core_module x\n"+conf)
			if got := errorOf(text); want == "" || !strings.HasPrefix(got, want) {
				t.Errorf("here:\n%s\nhttpd:\n%s", text, out)
			}
		})
	}
}

// errorOf returns the sentence behind the line that names the place.
func errorOf(text string) string {
	_, rest, found := strings.Cut(text, "Syntax error on line ")
	if !found {
		return ""
	}
	_, rest, _ = strings.Cut(rest, ".conf:") // of a line that is read alone the sentence follows at once
	sentence, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	return sentence
}

// TestTunnel: a proxy with directives of its own in two Locations, of which one
// inherits from the other.
func TestTunnel(t *testing.T) {
	port := echoServer(t)
	conf := fmt.Sprintf(`
MODULE:tunnel
LogLevel info
<Location /tunnel>
SetHandler websocket-handler
WebSocketHandler PLUGIN:tunnel
Tunnel On
TunnelHost 127.0.0.1
TunnelPort %d
TunnelTimeout 5
TunnelProtocol outer
TunnelGreeting hello from outside
</Location>
<Location /tunnel/inner>
LogLevel tunnel:debug
TunnelProtocol inner
TunnelGreeting hello from "inside"
</Location>
<Location /tunnel/off>
Tunnel Off
</Location>
<Location /tunnel/closed>
TunnelPort 1
</Location>
`, port)
	l := serveModules(t, t.TempDir(), conf)
	for _, tt := range []struct{ path, protocol, greeting string }{
		{"/tunnel", "outer", "hello from outside"},
		{"/tunnel/inner", "inner", `hello from "inside"`},
	} {
		c := l.dial(t).send("GET " + tt.path + " HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: none\r\n" + handshakeFields + "\r\n")
		answer := c.receive("GET")
		if answer.status != 101 || answer.header["sec-websocket-protocol"] != tt.protocol {
			t.Fatalf("%s: %d %q", tt.path, answer.status, answer.head)
		}
		c.expect("\x82" + string(rune(len(tt.greeting))) + tt.greeting)
		c.send(frame(0x82, "bytes")).expect("\x82\x05bytes")
		c.Close()
	}
	l.logged(t, "[tunnel:debug] ")
	l.logged(t, fmt.Sprintf("] tunnel to 127.0.0.1:%d for 127.0.0.1\n", port))
	if log, _ := os.ReadFile(l.log); strings.Count(string(log), "] tunnel to ") != 1 {
		t.Errorf("the level of a section holds elsewhere too:\n%s", log)
	}
	for path, status := range map[string]int{"/tunnel/off": 403, "/tunnel/closed": 403} {
		if got := l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + handshakeFields + "\r\n").receive("GET").status; got != status {
			t.Errorf("%s is answered %d, want %d", path, got, status)
		}
	}
	l.logged(t, "[tunnel:error] ")
	l.logged(t, "(111)Connection refused: [client 127.0.0.1:")
}

// echoServer sends back what it gets, over TCP.
func echoServer(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // until the other end has enough
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// TestModulesWithoutTheirLine: a plugin that is a module nobody has loaded gets
// its records all the same.
func TestModulesWithoutTheirLine(t *testing.T) {
	l := serveModules(t, t.TempDir(), "<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler PLUGIN:arguments\n</Location>\n")
	if got := l.reflection(t, "GET /ws HTTP/1.1\r\nHost: x\r\n"); !strings.HasPrefix(got, "[{(null)}] ") {
		t.Errorf("got %q", got)
	}
}
