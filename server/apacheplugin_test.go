package server

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// apxs compiles a plugin of testdata against httpd's own headers, with httpd's
// own tool, and returns the library.
func apxs(t testing.TB, name string) string {
	t.Helper()
	compiled.mu.Lock()
	defer compiled.mu.Unlock()
	if compiled.libraries[name] != "" {
		return compiled.libraries[name]
	}
	dir, err := os.MkdirTemp("", "apxs") // shared by the tests of this process
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // httpd reads it as another user
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join("testdata/plugins", name+".c"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".c")
	if err := os.WriteFile(file, source, 0o644); err != nil {
		t.Fatal(err)
	}
	header, err := filepath.Abs("../pluginloader")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("apxs", "-c", "-Wc,-Wall -Wextra -Werror", "-I"+header, file)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (apt-get install apache2-dev, if it is not there)\n%s", err, out)
	}
	if compiled.libraries == nil {
		compiled.libraries = make(map[string]string)
	}
	compiled.libraries[name] = filepath.Join(dir, ".libs", name+".so")
	return compiled.libraries[name]
}

// compiled holds what apxs has made, so that each is made once.
var compiled struct {
	mu        sync.Mutex
	libraries map[string]string // guarded by mu
}

// serveLibraries serves plugins of testdata: in conf, PLUGIN:name stands for
// the library and the init function of that name.
func serveLibraries(t testing.TB, root, conf string) *live {
	t.Helper()
	loader := pluginloader.New(func(level int, format string, args ...any) { t.Logf("%d: "+format, append([]any{level}, args...)...) })
	plugins := make(map[string]wsplugin.Plugin)
	conf = pluginName.ReplaceAllStringFunc(conf, func(s string) string {
		name, init := strings.TrimPrefix(s, "PLUGIN:"), strings.TrimPrefix(s, "PLUGIN:")+"_init"
		if plugins[init] == nil {
			p, err := loader.Load(apxs(t, name), init)
			if err != nil {
				t.Fatal(err)
			}
			plugins[init] = p
		}
		return apxs(t, name) + " " + init
	})
	return serveIn(t, root, conf, plugins)
}

var pluginName = regexp.MustCompile(`PLUGIN:\w+`)

// location is a Location with a plugin of testdata.
func location(path, plugin string) string {
	return "<Location " + path + ">\nSetHandler websocket-handler\nWebSocketHandler PLUGIN:" + plugin + "\n</Location>\n"
}

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
// and here: every field and table entry is the same, but for the fields of the
// handshake, which httpd's stand-in is not sent.
func TestParityOfRequestRec(t *testing.T) {
	home := tree(t, "docs/index.html", "docs/wsfolder/deep/")
	users := "user:" + apacheHash(t, "pass") + "\n"
	if err := os.WriteFile(filepath.Join(home, "users"), []byte(users), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	standin := "LoadModule standin_module " + apxs(t, "standin") + "\n"
	conf := strings.ReplaceAll(reflectConf, "PLUGIN:reflect", apxs(t, "reflect")+" reflect_init")
	theirs := &live{addr: startApache(t, home, standin+conf)}
	ours := serveLibraries(t, home, strings.ReplaceAll(reflectConf, "HOME", home))
	for _, r := range reflectRequests {
		t.Run(r.target, func(t *testing.T) {
			head := "GET " + r.target + " HTTP/1.1\r\nHost: Main.Example\r\n" + r.fields
			answer := theirs.exchange(t, "GET", head+"Connection: close\r\n\r\n")
			_, want, _ := strings.Cut(answer, "the_request")
			want, _, _ = strings.Cut(want, "\n\n")
			got := ours.reflection(t, head)
			if want, got := reflected("the_request"+want), reflected(got); got != want {
				t.Errorf("here:\n%s\nhttpd:\n%s", got, want)
			}
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
	var head [4]byte
	if _, err := io.ReadFull(p.r, head[:2]); err != nil {
		p.t.Fatal(err)
	}
	if head[0] != 0x81 {
		p.t.Fatalf("a frame begins with %#x, want a text message", head[0])
	}
	size := int(head[1])
	if size == 126 {
		if _, err := io.ReadFull(p.r, head[2:]); err != nil {
			p.t.Fatal(err)
		}
		size = int(head[2])<<8 | int(head[3])
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(p.r, payload); err != nil {
		p.t.Fatal(err)
	}
	return string(payload)
}

// reflected leaves out what differs by the handshake, and where a table's order
// says nothing.
func reflected(text string) string {
	handshake := regexp.MustCompile(`(?m)^  (Upgrade|Connection|Sec-WebSocket-\w+)=.*\n`)
	lines := strings.Split(strings.TrimSpace(handshake.ReplaceAllString(text+"\n", "")), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "headers_in=") })
	if at >= 0 {
		lines[at] = "headers_in"
	}
	env := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "subprocess_env=") })
	if env >= 0 {
		slices.Sort(lines[env:])
	}
	return strings.Join(lines, "\n")
}

// TestPluginsOfAPR runs plugins with threads and pools of APR's.
func TestPluginsOfAPR(t *testing.T) {
	l := serveLibraries(t, t.TempDir(), location("/count", "increment")+location("/ten", "tenthreads")+location("/reflect", "reflect"))
	t.Run("a thread counts, and starts anew", func(t *testing.T) {
		c := l.upgrade(t, "/count")
		for n := range 20 {
			if got := c.text(); got != fmt.Sprint(n) {
				t.Fatalf("got %q, want %d", got, n)
			}
		}
		c.send(frame(0x81, "reset"))
		for c.text() != "0" {
		}
		if got := c.text(); got != "1" {
			t.Errorf("after the reset came %q, want 1", got)
		}
	})
	t.Run("a thread closes", func(t *testing.T) {
		c := l.upgrade(t, "/count").send(frame(0x81, "close"))
		rest := c.rest()
		if !strings.HasSuffix(rest, "\x88\x00") {
			t.Errorf("the last bytes are %q, want a close frame", rest[max(0, len(rest)-8):])
		}
	})
	t.Run("ten threads send a thousand each", func(t *testing.T) {
		c := l.upgrade(t, "/ten")
		var next [10]int
		for range 10 * 1000 {
			var thread, n int
			if _, err := fmt.Sscan(c.text(), &thread, &n); err != nil || n != next[thread] {
				t.Fatalf("thread %d sent %d, want %d (%v)", thread, n, next[thread], err)
			}
			next[thread]++
		}
		c.send(frame(0x81, "echo"))
		if got := c.text(); got != "echo" {
			t.Errorf("the echo is %q", got)
		}
	})
	t.Run("the answer is made of headers_out", func(t *testing.T) {
		c := l.dial(t).send("GET /reflect?headers HTTP/1.1\r\nHost: x\r\nUser-Agent: agent\r\nSec-WebSocket-Protocol: one, two\r\n" + handshakeFields + "\r\n")
		answer := c.receive("GET")
		for _, want := range []string{"X-Early: table\r\n", "X-Twice: one\r\n", "X-Twice: two\r\n", "X-Agent: agent\r\n", "Sec-WebSocket-Protocol: two\r\n"} {
			if !strings.Contains(answer.head+"\r\n", want) {
				t.Errorf("%q is not in\n%s", want, answer.head)
			}
		}
	})
	t.Run("refusal", func(t *testing.T) {
		answer := l.dial(t).send("GET /reflect?refuse HTTP/1.1\r\nHost: x\r\n" + handshakeFields + "\r\n").receive("GET")
		if answer.status != 403 {
			t.Errorf("status %d, want 403", answer.status)
		}
		l.logged(t, "[:error] ")
		l.logged(t, "(2)No such file or directory: [client 127.0.0.1:")
		l.logged(t, "] refused: refuse\n")
	})
}

// TestParityOfLevels: what a plugin logs stands in both error logs with the same
// module, level, origin and text, and is left out at the same levels.
func TestParityOfLevels(t *testing.T) {
	home := tree(t, "docs/index.html")
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	conf := "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\nLogLevel info\n" + location("/ws", "levels") + "<Location /ws/all>\nLogLevel trace8\n</Location>\n<Location /ws/few>\nLogLevel crit\n</Location>\n"
	theirs := &live{addr: startApache(t, home, "LoadModule standin_module "+apxs(t, "standin")+"\n"+
		strings.ReplaceAll(conf, "PLUGIN:levels", apxs(t, "levels")+" levels_init"))}
	ours := serveLibraries(t, home, strings.ReplaceAll(conf, "HOME", home))
	for _, target := range []string{"/ws", "/ws/all", "/ws/few"} {
		head := "GET " + target + " HTTP/1.1\r\nHost: x\r\nReferer: here\r\n"
		theirs.exchange(t, "GET", head+"Connection: close\r\n\r\n")
		ours.reflection(t, head)
	}
	want := levelRecords(t, filepath.Join(home, "apache.log"))
	got := levelRecords(t, ours.log)
	if len(want) < 20 || !slices.Equal(got, want) {
		t.Errorf("here:\n%s\nhttpd:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// levelRecords returns what the plugin has logged, without what differs by
// process and time.
func levelRecords(t *testing.T, file string) (list []string) {
	t.Helper()
	time.Sleep(50 * time.Millisecond) // the last record is written before the answer, the thread's own
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	differs := regexp.MustCompile(`^\[[^]]*\] |\[pid [^]]*\] |:\d+(\b)`)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "[:") {
			list = append(list, strings.TrimSpace(differs.ReplaceAllString(line, "$1")))
		}
	}
	return list
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
