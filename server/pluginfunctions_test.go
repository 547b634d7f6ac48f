package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// functionsConf has what the functions of httpd tell of in its places.
const functionsConf = `
MODULE:functions
ServerName main.example:8081
Define FUN_DEFINED
DocumentRoot HOME/docs
TypesConfig /dev/null
LogLevel info functions:debug
<Location /ws>
SetHandler websocket-handler
WebSocketHandler PLUGIN:functions
FunLower "Mixed CASE"
FunFile conf/x//y/../z
FunFlag On
</Location>
<Location /ws/asks>
AuthType Basic
AuthName "some \"realm\""
Require all granted
LogLevel trace3
</Location>
<Location /ws/canonical>
UseCanonicalName On
LimitRequestBody 12345
</Location>
<VirtualHost *:*>
ServerName virtual.example
DocumentRoot HOME/docs/v
</VirtualHost>
`

// TestParityOfFunctions compares what functions of httpd return to a plugin
// under httpd and here: of texts, and of requests.
func TestParityOfFunctions(t *testing.T) {
	home := tree(t, "docs/index.html", "docs/v/index.html")
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	modules := "LoadModule authn_core_module modules/mod_authn_core.so\nLoadModule auth_basic_module modules/mod_auth_basic.so\nLoadModule authn_file_module modules/mod_authn_file.so\nMODULE:standin\n"
	theirs := &live{addr: startApache(t, home, strings.ReplaceAll(withLibraries(t, modules+functionsConf), "HOME", home))}
	ours := serveModules(t, home, "ServerRoot /usr/lib/apache2\nLoadModule authn_core_module x\nLoadModule auth_basic_module x\nLoadModule authn_file_module x\nLoadModule authz_core_module x\n"+functionsConf)
	compare := func(target, fields string) {
		t.Helper()
		head := "GET " + target + " HTTP/1.1\r\n" + fields
		answer := theirs.exchange(t, "GET", head+"Connection: close\r\n\r\n")
		_, body, _ := strings.Cut(answer, "\n")
		body, _, _ = strings.Cut(body, "\n")
		want := strings.Split(body, `\n`)
		got := strings.Split(ours.reflection(t, head), `\n`)
		if len(got) != len(want) || len(want) < 10 {
			t.Errorf("%s: %d lines, want %d\n%s\n%s", target, len(got), len(want), got, answer)
			return
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: here\n%s\nhttpd:\n%s", target, got[i], want[i])
			}
		}
	}
	for i := range 31 {
		compare(fmt.Sprintf("/ws?sample=%d", i), "Host: x\r\n")
	}
	for _, fields := range []string{
		"Host: main.example\r\n", "Host: main.example:99\r\n", "Host: virtual.example\r\n", "Host: [::1]:80\r\n",
		"Host: x\r\nAuthorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n", "Host: x\r\nAuthorization: Basic   dXNlcg==\r\n", "Host: x\r\nAuthorization: Digest x\r\n",
	} {
		for _, target := range []string{"/ws", "/ws/asks?a=1&b=two%20words&c&&=x&a=2", "/ws/canonical?x=%zz+y"} {
			compare(target, fields)
		}
	}
}
