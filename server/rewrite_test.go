package server

import (
	"runtime"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// TestRewritingOfHandshakes: rules of mod_rewrite hold for handshakes as for
// any request, before anything is upgraded.
func TestRewritingOfHandshakes(t *testing.T) {
	l := serve(t, `
LoadModule rewrite_module x
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteCond %{HTTP:Origin} !^https?://good\.example$
RewriteRule ^/closed - [F]
RewriteRule ^/old/(.*) /ws/$1 [PT]
RewriteRule ^/file/(.*) /ws/$1
RewriteRule ^/moved http://other.example/ws [R=301]
RewriteRule ^/gone - [G]
<LocationMatch "^/(ws|closed|gone|moved|file|here|odd)">
SetHandler websocket-handler
WebSocketHandler none.so plugin
</LocationMatch>
<Location /ws/secret>
RewriteRule ^ - [F]
</Location>
<Location /here>
RewriteCond %{HTTP:Sec-WebSocket-Protocol} refused
RewriteRule ^ - [F]
RewriteRule here/to/(\w+)$ /ws/$1
RewriteRule here/plain$ /none
RewriteRule here/away$ http://other.example/ [R]
</Location>
`, map[string]wsplugin.Plugin{"plugin": &scripted{connect: func(wsplugin.Conn) bool { return true }}})
	fields := strings.Split(strings.TrimSpace(upgradeFields), "\r\n")
	for _, tt := range []struct {
		target string
		field  string
		status int
	}{
		{"/ws", "", 101}, {"/ws/x", "", 101}, {"/old/x", "", 101}, {"/file/x", "", 101}, {"/closed", "Origin: http://bad.example", 403},
		{"/closed", "Origin: http://good.example", 101}, {"/closed", "", 403}, {"/moved", "", 301}, {"/gone", "", 410}, {"/ws/secret", "", 403},
		{"/old/secret", "", 403}, {"/here", "", 101}, {"/here", "Sec-WebSocket-Protocol: refused", 403}, {"/here/to/x", "", 101},
		{"/here/to/secret", "", 403}, {"/here/plain", "", 404}, {"/here/away", "", 302},
	} {
		all := fields
		if tt.field != "" {
			all = append(all[:len(all):len(all)], tt.field)
		}
		p := l.dial(t)
		r := p.send("GET " + tt.target + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(all, "\r\n") + "\r\n\r\n").receive("GET")
		p.Close()
		if r.status != tt.status {
			t.Errorf("handshake at %s with %q is answered %d, want %d", tt.target, tt.field, r.status, tt.status)
		}
	}
	if r := l.ask(t, "GET", "/closed"); r.status != 404 {
		t.Errorf("what is no handshake is answered %d at /closed, want 404", r.status)
	}
}

// TestRewritingDoesNotOpenPasswords: files named .ht are not sent, whatever the
// path by which a rule leads to them.
func TestRewritingDoesNotOpenPasswords(t *testing.T) {
	home := parityFiles(t)
	l := serveIn(t, home, "LoadModule rewrite_module x\nDocumentRoot ROOT/docs\nRewriteEngine On\nRewriteRule ^/p$ /.htpasswd\nRewriteRule ^/q$ ROOT/docs/.htpasswd\n"+
		"<Directory ROOT/docs>\nRewriteRule ^r$ .htpasswd\n</Directory>\n", nil)
	for _, target := range []string{"/p", "/q", "/r", "/.htpasswd"} {
		if r := l.ask(t, "GET", target); r.status != 403 {
			t.Errorf("%s is answered %d, want 403", target, r.status)
		}
	}
}

// TestRewrittenHandshakesStayInTheLoop: rules are run there, so that no idle
// WebSocket costs a goroutine.
func TestRewrittenHandshakesStayInTheLoop(t *testing.T) {
	if !eventloop.Loops {
		t.Skip("each connection has a goroutine")
	}
	l := serve(t, `
LoadModule rewrite_module x
RewriteEngine On
RewriteCond %{HTTP:Origin} bad
RewriteRule ^ - [F]
RewriteRule ^/old/(.*) /ws/$1 [PT]
<LocationMatch "^/(ws|here)">
SetHandler websocket-handler
WebSocketHandler none.so plugin
</LocationMatch>
<Location /here>
RewriteRule here/(\w+)$ /ws/$1
</Location>
`, map[string]wsplugin.Plugin{"plugin": &scripted{connect: func(wsplugin.Conn) bool { return true }}})
	for _, target := range []string{"/ws", "/old/x", "/here/x"} {
		before := runtime.NumGoroutine()
		for range 40 {
			l.upgrade(t, target)
		}
		if more := runtime.NumGoroutine() - before; more > 20 {
			t.Errorf("40 idle WebSockets at %s take %d goroutines", target, more)
		}
	}
}

// TestLookupsLeaveTheLoop: a condition that asks for access is judged on a
// goroutine, for handshakes too, and then holds as for any request.
func TestLookupsLeaveTheLoop(t *testing.T) {
	l := serve(t, `
LoadModule rewrite_module x
RewriteEngine On
RewriteCond /closed/x !-U
RewriteRule ^/ws/shut - [F]
RewriteCond /open/x !-U
RewriteRule ^/ws/open - [G]
RewriteCond /open/x -U
RewriteRule ^/ws/no - [F]
<Location /ws>
SetHandler websocket-handler
WebSocketHandler none.so plugin
</Location>
<Location /ws/here>
RewriteCond /closed/x !-U
RewriteRule ^ - [F]
</Location>
<Location /ws/ok>
RewriteCond /open/x !-U
RewriteRule ^ - [F]
</Location>
<Location /ws/deny>
RewriteCond /open/x -U
RewriteRule ^ - [F]
</Location>
<Location /closed>
Require all denied
</Location>
`, map[string]wsplugin.Plugin{"plugin": &scripted{connect: func(wsplugin.Conn) bool { return true }}})
	for target, want := range map[string]int{"/ws": 101, "/ws/shut": 403, "/ws/open": 101, "/ws/here": 403, "/ws/ok": 101, "/ws/deny": 403, "/ws/no": 403} {
		p := l.dial(t)
		r := p.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n").receive("GET")
		p.Close()
		if r.status != want {
			t.Errorf("a handshake at %s is answered %d, want %d", target, r.status, want)
		}
	}
}
