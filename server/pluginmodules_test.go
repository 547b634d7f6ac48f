package server

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader"
)

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
	both := serveBoth(t, tree(t, "docs/index.html"), argumentsConf)
	for _, host := range []string{"main.example", "virtual.example", "plain.example"} {
		for _, target := range []string{"/ws", "/ws/deep", "/ws/deep/er", "/ws/deep/more", "/ws/ifmodule"} {
			both.agree(t, func(t *testing.T, l *live) string {
				return host + target + " " + l.reflection(t, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n")
			})
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
			agreeOnError(t, "MODULE:arguments\n"+strings.ReplaceAll(lines, "FILE", apxs(t, "arguments"))+"\n")
		})
	}
}

// agreeOnError compares place and sentence of the error that both find in a
// configuration. HOME is a folder.
func agreeOnError(t *testing.T, conf string) {
	t.Helper()
	home := tree(t, "docs/index.html")
	text := withLibraries(t, strings.ReplaceAll(conf, "HOME", home))
	head := "ServerRoot /usr/lib/apache2\nServerName x\nErrorLog HOME/log\nLoadModule mpm_event_module modules/mod_mpm_event.so\n" +
		"LoadModule authz_core_module modules/mod_authz_core.so\nInclude HOME/both.conf\n" // where lines have the same numbers
	for name, text := range map[string]string{"both.conf": text, "theirs.conf": strings.ReplaceAll(head, "HOME", home)} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(apache, "-t", "-f", filepath.Join(home, "theirs.conf"))
	cmd.Env = apacheEnviron()
	out, _ := cmd.CombinedOutput() // the status is 1, as it should be
	loader := pluginloader.New(func(int, string, ...any) {})
	_, ours := loadModules(t, loader, home, head)
	if ours == "" {
		ours = "Syntax OK\n"
	}
	if got, want := errorOf(ours), errorOf(string(out)); want == "" || got != want {
		t.Errorf("here:\n%s\nhttpd:\n%s", ours, out)
	}
}

// errorOf returns the line of the file both.conf, and the sentence behind it; of
// no error that there is none.
func errorOf(text string) string {
	const place = "Syntax error on line "
	file := strings.Index(text, "both.conf:")
	if file < 0 {
		return strings.TrimSpace(text)
	}
	number, _, _ := strings.Cut(text[strings.LastIndex(text[:file], place)+len(place):], " ")
	sentence, _, _ := strings.Cut(strings.TrimSpace(text[file+len("both.conf:"):]), "\n") // of a line that is read alone it follows at once
	return number + ": " + strings.TrimSpace(sentence)
}

// tunnelConf has the tunnel's six directives in two Locations and those below,
// which are merged. PORT is that of an echoServer.
const tunnelConf = `
MODULE:tunnel
ServerName x
DocumentRoot HOME/docs
TypesConfig /dev/null
LogLevel info
<Location /tunnel>
SetHandler websocket-handler
WebSocketHandler PLUGIN:tunnel
Tunnel On
TunnelHost 127.0.0.1
TunnelPort PORT
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
<Location /other>
SetHandler websocket-handler
WebSocketHandler PLUGIN:tunnel
Tunnel On
TunnelHost localhost
TunnelPort PORT
TunnelTimeout 9
TunnelProtocol other
TunnelGreeting HELLO
</Location>
<LocationMatch "^/other/[a-z]+$">
TunnelHost 127.0.0.1
</LocationMatch>
`

// TestParityOfTunnel: a proxy with directives of its own carries data both ways
// under httpd and here, as each Location has it after merging.
func TestParityOfTunnel(t *testing.T) {
	both := serveBoth(t, tree(t, "docs/index.html"), strings.ReplaceAll(tunnelConf, "PORT", fmt.Sprint(echoServer(t))))
	large := strings.Repeat("0123456789abcdef", 20000)
	for path, greeting := range map[string]string{
		"/tunnel": "hello from outside", "/tunnel/inner": `hello from "inside"`, "/other": "HELLO", "/other/deep": "HELLO",
	} {
		both.agree(t, func(t *testing.T, l *live) string {
			c := l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: none\r\n" + handshakeFields + "\r\n")
			answer := c.receive("GET")
			for _, sent := range []string{greeting, "bytes", large} {
				if sent != greeting {
					c.send(frame(0x82, sent))
				}
				if got := c.bytes(len(sent)); got != sent {
					t.Errorf("%s: of %d bytes came back %d: %.40q", path, len(sent), len(got), got)
				}
			}
			_, end := c.send(frame(0x82, "bye")).ending() // at which the other server ends
			return answer.head + end
		})
	}
	for _, path := range []string{"/tunnel/off", "/tunnel/closed"} {
		both.agree(t, func(t *testing.T, l *live) string {
			return fmt.Sprint(path, l.dial(t).send("GET "+path+" HTTP/1.1\r\nHost: x\r\n"+handshakeFields+"\r\n").receive("GET").status)
		})
	}
	got := both.agree(t, func(t *testing.T, l *live) string { return strings.Join(l.records(t, `\[tunnel:`, 2), "\n") })
	for _, want := range []string{"[tunnel:debug] ", "[tunnel:error] (111)Connection refused: [client 127.0.0.1]"} {
		if strings.Count(got, want) != 1 { // else the level of a section holds elsewhere too
			t.Errorf("%q does not stand once in\n%s", want, got)
		}
	}
}

// bytes reads binary messages until they have as many bytes.
func (p *peer) bytes(size int) string {
	p.t.Helper()
	var all []byte
	for len(all) < size {
		first, payload := p.message()
		if first != 0x82 {
			p.t.Fatalf("after %d bytes a frame begins with %#x, want a binary message", len(all), first)
		}
		all = append(all, payload...)
	}
	return string(all)
}

// echoServer sends back what it gets, over TCP, until that is "bye".
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
			go echo(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func echo(c net.Conn) {
	defer c.Close()
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil || string(b[:n]) == "bye" {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return // the other end has enough
		}
	}
}

// TestModulesWithoutTheirLine: a plugin that is a module nobody has loaded gets
// its records all the same.
func TestModulesWithoutTheirLine(t *testing.T) {
	l := serveModules(t, t.TempDir(), "<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler PLUGIN:arguments\n</Location>\n")
	if got := l.reflection(t, "GET /ws HTTP/1.1\r\nHost: x\r\n"); !strings.HasPrefix(got, "[{(null)}] ") {
		t.Errorf("got %q", got)
	}
}
