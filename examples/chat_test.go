package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"
)

// told is what the chat tells.
type told struct {
	From, Text, Came, Went string
	Here                   []string
}

func heard(t *testing.T, c *websocket.Conn) (m told) {
	t.Helper()
	_, text, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}

func speak(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestChatPage: what a person writes on the page is heard by others, what they
// answer stands there as it is, and who is here too.
func TestChatPage(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	bob := dial(t, p.url("/chat?name=Bob"), nil)
	if m := heard(t, bob); m.Came != "Bob" {
		t.Fatalf("Bob hears %+v", m)
	}
	done := make(chan told)
	go func() { // answers what Ann says until she has gone
		defer close(done)
		for {
			_, text, err := bob.ReadMessage()
			var m told
			if err != nil || json.Unmarshal(text, &m) != nil {
				return
			}
			if m.From == "Ann" {
				_ = bob.WriteMessage(websocket.TextMessage, []byte("<b>"+m.Text+"</b>")) // the page misses it then
			}
			if m.Went != "" {
				done <- m
				return
			}
		}
	}()
	browse(t, "go "+p.http("/chat.html?name=Ann"), isState("open"), isLabelled,
		text("here")+" === 'Ann, Bob'",
		logged("Ann", "has come", "1"),
		"document.getElementById('text').value = 'is anybody here?'; true",
		click("send"),
		logged("Ann", "is anybody here?", "1"),
		logged("Bob", "<b>is anybody here?</b>", "1"),
		"document.getElementById('text').value === ''",
		click("disconnect"),
		isState("closed")+" && "+text("here")+" === 'nobody' && document.getElementById('send').disabled",
	)
	if m := <-done; m.Went != "Ann" || fmt.Sprint(m.Here) != "[Bob]" {
		t.Errorf("Bob hears %+v", m)
	}
}

// TestChatIsAModuleOfItsOwn: copied to where nothing of this tree is, it is
// built by the server alone, and its files stay as they are.
func TestChatIsAModuleOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "elsewhere"), os.DirFS("chat")); err != nil {
		t.Fatal(err)
	}
	server, err := filepath.Abs(build("wshttpd"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "build-plugin", "-o", "../chat.so", ".")
	cmd.Dir = filepath.Join(dir, "elsewhere")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "WebSocketHandler modules/chat.so chat_init") {
		t.Fatalf("build-plugin: %v\n%s", err, out)
	}
	for _, name := range []string{"go.mod", "main.go"} {
		copied, err := os.ReadFile(filepath.Join(dir, "elsewhere", name))
		if err != nil {
			t.Fatal(err)
		}
		if original, err := os.ReadFile(filepath.Join("chat", name)); err != nil || string(original) != string(copied) {
			t.Errorf("%s has changed, %v", name, err)
		}
	}
	p := serve(t, "Listen 127.0.0.1:8080\nErrorLog /dev/stderr\nLoadModule websocket_module x\n<Location /chat>\nSetHandler websocket-handler\n"+
		"WebSocketHandler "+dir+"/chat.so chat_init\n</Location>\n")
	ann := dial(t, p.url("/chat?name=Ann"), nil)
	heard(t, ann)
	for _, name := range []string{"", "?name=Ann", "?name=%00", "?name=" + strings.Repeat("x", 33)} {
		refused(t, p.url("/chat"+name), nil, 403)
	}
	bob := dial(t, p.url("/chat?name=B%C3%B6b"), nil)
	for _, c := range []*websocket.Conn{ann, bob} {
		if m := heard(t, c); m.Came != "Böb" || fmt.Sprint(m.Here) != "[Ann Böb]" {
			t.Errorf("heard %+v", m)
		}
	}
	speak(t, bob, "hello")
	for _, c := range []*websocket.Conn{ann, bob} {
		if m := heard(t, c); m.From != "Böb" || m.Text != "hello" {
			t.Errorf("heard %+v", m)
		}
	}
	speak(t, bob, strings.Repeat("x", 4097))
	if code := closeCode(t, bob); code != 1009 {
		t.Errorf("a long text is closed with %d, want 1009", code)
	}
	if m := heard(t, ann); m.Went != "Böb" {
		t.Errorf("heard %+v", m)
	}
	if err := ann.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, ann); code != 1003 {
		t.Errorf("a binary message is closed with %d, want 1003", code)
	}
}

// TestMirror: everybody gets what one sends, in the same order, and none who
// stands elsewhere.
func TestMirror(t *testing.T) {
	conf := readConf(t, "httpd.conf") + "<Location /other>\nSetHandler websocket-handler\nWebSocketHandler modules/mod_websocket_mirror.so mirror_init\n</Location>\n"
	p := serve(t, conf)
	var all []*websocket.Conn
	for range 3 {
		all = append(all, dial(t, p.url("/mirror-c"), nil))
	}
	other := dial(t, p.url("/other"), nil)
	for i := range 20 {
		speak(t, all[i%3], fmt.Sprint("message ", i))
		for n, c := range all {
			if _, got, err := c.ReadMessage(); err != nil || string(got) != fmt.Sprint("message ", i) {
				t.Fatalf("client %d gets %q, %v as message %d", n, got, err, i)
			}
		}
	}
	speak(t, other, "alone")
	if _, got, err := other.ReadMessage(); err != nil || string(got) != "alone" {
		t.Errorf("elsewhere %q, %v", got, err)
	}
}
