package server

import (
	"fmt"
	"strings"
	"testing"
)

// functionsConf has what the functions of httpd tell of in its places.
const functionsConf = `
ServerRoot /usr/lib/apache2
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule authn_file_module modules/mod_authn_file.so
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
ServerSignature On
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
	both := serveBoth(t, tree(t, "docs/index.html", "docs/v/index.html"), functionsConf)
	asks := func(target, fields string) {
		t.Helper()
		lines := strings.Split(both.theirs.reflection(t, "GET "+target+" HTTP/1.1\r\n"+fields), `\n`)
		got := strings.Split(both.ours.reflection(t, "GET "+target+" HTTP/1.1\r\n"+fields), `\n`)
		if len(got) != len(lines) || len(lines) < 10 {
			t.Errorf("%s: %d lines, want %d\n%s\n%s", target, len(got), len(lines), got, lines)
			return
		}
		for i := range lines {
			if got[i] != lines[i] {
				t.Errorf("%s: here\n%s\nhttpd:\n%s", target, got[i], lines[i])
			}
		}
	}
	for i := range 31 {
		asks(fmt.Sprintf("/ws?sample=%d", i), "Host: x\r\n")
	}
	for _, fields := range []string{
		"Host: main.example\r\n", "Host: main.example:99\r\n", "Host: virtual.example\r\n", "Host: [::1]:80\r\n",
		"Host: x\r\nAuthorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n", "Host: x\r\nAuthorization: Basic   dXNlcg==\r\n", "Host: x\r\nAuthorization: Digest x\r\n",
		"Host: x\r\nCookie: a=1; b=2;c=x=y, d\r\n", "Host: x\r\nCookie: a=1\r\nCookie: a=2; b=3\r\n", "Host: x\r\nCookie: a=1; a=1; A=; =e\r\n",
	} {
		for _, target := range []string{"/ws", "/ws/asks?a=1&b=two%20words&c&&=x&a=2", "/ws/canonical?x=%zz+y"} {
			asks(target, fields)
		}
	}
}
