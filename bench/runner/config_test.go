package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	name, err := writeConfig(dir, "127.0.0.1:4711", []location{{"/echo", "/a/echo.so", "echo_init"}, {"/sleepy-c", "/b c/sleepy.so", "sleepy_init"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := `Listen 127.0.0.1:4711
ServerName localhost
PidFile "DIR/httpd.pid"
ErrorLog "DIR/error.log"
LogLevel warn
DocumentRoot "DIR/docs"
MaxKeepAliveRequests 0
LoadModule websocket_module         modules/mod_websocket.so
LoadModule websocket_draft76_module modules/mod_websocket_draft76.so

<Location /echo>
    SetHandler websocket-handler
    WebSocketHandler "/a/echo.so" echo_init
</Location>

<Location /sleepy-c>
    SetHandler websocket-handler
    WebSocketHandler "/b c/sleepy.so" sleepy_init
</Location>
`
	if want = strings.ReplaceAll(want, "DIR", dir); string(got) != want || filepath.Dir(name) != dir {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}
