package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// reflectConf is served by both. HOME is the folder of the test.
const reflectConf = `
ServerName main.example:8080
LogLevel info
ServerAdmin admin@main.example
DocumentRoot HOME/docs
TypesConfig /dev/null
Timeout 42
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule env_module modules/mod_env.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule authz_user_module modules/mod_authz_user.so
SetEnv FROM_CONF yes
SetEnvIf User-Agent ^Refl AGENT=$0
<Location /ws>
SetHandler websocket-handler
WebSocketHandler PLUGIN:reflect
</Location>
<Location /wsfolder/deep>
SetHandler websocket-handler
WebSocketHandler PLUGIN:reflect
</Location>
<Location /ws/loud>
LogLevel debug
SetEnv Deep 1
</Location>
<Location /ws/secret>
AuthType Basic
AuthName secret
AuthUserFile HOME/users
Require valid-user
</Location>
`

// reflectRequests are the targets and fields by which both are asked.
var reflectRequests = []struct{ target, fields string }{
	{"/ws", ""},
	{"/ws?", ""},
	{"/ws?a=b&c=%20d", "X-Own: 1\r\nx-own:  2 \r\nX-Empty:\r\nUser-Agent: Reflector\r\n"},
	{"/wsfolder/deep/path%20with%2Dmore?x", "User-Agent: other\r\n"},
	{"/ws/loud/../loud/x", "Cookie: a=1; b=2\r\n"},
	{"/ws/secret/", "Authorization: Basic dXNlcjpwYXNz\r\n"},
	{"http://main.example/ws/absolute?q", ""},
	{"http://main.example:81/ws/absolute", ""},
}

// TestParityOfRequestRec asks the same plugin, in the same binary, under httpd
// and here: every field and table entry is the same.
func TestParityOfRequestRec(t *testing.T) {
	home := tree(t, "docs/index.html", "docs/wsfolder/deep/")
	users := "user:" + apacheHash(t, "pass") + "\n"
	if err := os.WriteFile(filepath.Join(home, "users"), []byte(users), 0o644); err != nil {
		t.Fatal(err)
	}
	both := serveBoth(t, home, reflectConf)
	for _, r := range reflectRequests {
		t.Run(r.target, func(t *testing.T) {
			both.agree(t, func(t *testing.T, l *live) string {
				return reflected(l.reflection(t, "GET "+r.target+" HTTP/1.1\r\nHost: Main.Example\r\n"+r.fields))
			})
		})
	}
}

// apacheHash is an entry of a password file.
func apacheHash(t *testing.T, password string) string {
	t.Helper()
	out, err := exec.Command("openssl", "passwd", "-apr1", password).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

const handshakeFields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// reflection upgrades, and returns what the plugin reflect answers.
func (l *live) reflection(t *testing.T, head string) string {
	t.Helper()
	c := l.dial(t).send(head + handshakeFields + "\r\n")
	if answer := c.receive("GET"); answer.status != 101 {
		t.Fatalf("%s: %d %s", head, answer.status, answer.body)
	}
	c.send(frame(0x81, "?"))
	return c.text()
}

// text reads one unmasked text message.
func (p *peer) text() string {
	p.t.Helper()
	first, payload := p.message()
	if first != 0x81 {
		p.t.Fatalf("a frame begins with %#x, want a text message", first)
	}
	return payload
}

// reflected sorts what stands in a table whose order says nothing.
func reflected(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	env := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "subprocess_env=") })
	if env >= 0 {
		slices.Sort(lines[env:])
	}
	return strings.Join(lines, "\n")
}

// TestParityOfLevels: what a plugin logs stands in both error logs with the same
// module, level, origin and text, and is left out at the same levels.
func TestParityOfLevels(t *testing.T) {
	both := serveBoth(t, tree(t, "docs/index.html"), "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\nLogLevel info\n"+location("/ws", "levels")+
		"<Location /ws/all>\nLogLevel trace8\n</Location>\n<Location /ws/few>\nLogLevel crit\n</Location>\n")
	for _, target := range []string{"/ws", "/ws/all", "/ws/few"} {
		both.agree(t, func(t *testing.T, l *live) string {
			return l.reflection(t, "GET "+target+" HTTP/1.1\r\nHost: x\r\nReferer: here\r\n")
		})
	}
	const ofPlugin = ` \[:` // a plugin that is no module has no name
	want, got := both.theirs.records(t, ofPlugin, 20), both.ours.records(t, ofPlugin, 20)
	if !slices.Equal(got, want) {
		t.Errorf("here:\n%s\nhttpd:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRequestCostsNothingUnasked: a plugin in Go keeps no facts, and those of
// one in C are shared.
func TestRequestCostsNothingUnasked(t *testing.T) {
	goPlugin := &scripted{}
	root := t.TempDir()
	loader := pluginloader.New(func(int, string, ...any) {})
	cPlugin, err := loader.Load(apxs(t, "increment"), "increment_init")
	if err != nil {
		t.Fatal(err)
	}
	l := serveIn(t, root, "<Location /go>\nSetHandler websocket-handler\nWebSocketHandler x go\n</Location>\n<Location /c>\nSetHandler websocket-handler\nWebSocketHandler x c\n</Location>\n",
		map[string]wsplugin.Plugin{"go": goPlugin, "c": cPlugin})
	for _, path := range []string{"/go", "/c", "/c"} {
		l.upgrade(t, path)
	}
	facts := make(map[*requestFacts]int)
	for _, open := range l.open.all() {
		switch on := open.(type) {
		case *conn:
			facts[on.request.facts]++
		case *netConn: // of the other driver
			facts[on.taken.Load().request.facts]++
		}
	}
	if len(facts) != 2 || facts[nil] != 1 {
		t.Errorf("facts are kept as %v, want none for Go and one for both of C", facts)
	}
}
