package server

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// limitRules are sections' contents: rules for some methods, names of hosts,
// what is set in the environment, and users.
var limitRules = []string{
	"<Limit GET>\nRequire all denied\n</Limit>", "<Limit POST>\nRequire all denied\n</Limit>", "<Limit HEAD>\nRequire all denied\n</Limit>",
	"<LimitExcept GET>\nRequire all denied\n</LimitExcept>", "<LimitExcept GET POST>\nRequire all denied\n</LimitExcept>", "<Limit FOO>\nRequire all denied\n</Limit>",
	"<Limit foo>\nRequire all denied\n</Limit>", "<Limit GET>\nRequire all denied\n</Limit>\nRequire all granted", "<Limit GET>\nRequire all denied\n</Limit>\n<Limit POST>\nRequire all granted\n</Limit>",
	"<Limit GET POST>\n<LimitExcept GET>\nRequire all denied\n</LimitExcept>\n</Limit>", "<LimitExcept GET>\n<LimitExcept POST>\nRequire all denied\n</LimitExcept>\n</LimitExcept>",
	"<RequireAll>\nRequire all granted\n<Limit GET>\nRequire all denied\n</Limit>\n</RequireAll>", "<Limit POST>\n<RequireAll>\nRequire all denied\n</RequireAll>\n</Limit>",
	"<RequireAny>\n<Limit GET>\nRequire all granted\n</Limit>\n</RequireAny>", "<RequireAny>\n<Limit GET>\nRequire all granted\n</Limit>\nRequire all denied\n</RequireAny>",
	"<RequireAll>\nRequire local\n<Limit GET>\nRequire not ip 127.0.0.1\n</Limit>\n</RequireAll>", "<RequireAll>\nRequire local\n<RequireNone>\n<Limit GET>\nRequire local\n</Limit>\n</RequireNone>\n</RequireAll>",
	"<Limit GET>\nOrder allow,deny\n</Limit>", "<Limit GET>\nOrder allow,deny\nAllow from all\n</Limit>", "Order allow,deny\n<Limit GET>\nAllow from all\n</Limit>", "<Limit GET>\nDeny from all\n</Limit>",
	"<LimitExcept GET>\nDeny from all\n</LimitExcept>", "Deny from all\n<Limit POST>\nOrder deny,allow\nAllow from 127.0.0.1\n</Limit>", "<Limit GET>\nOrder deny,allow\n</Limit>\nOrder allow,deny",
	"AuthMerging And\n<Limit GET>\nRequire all denied\n</Limit>", "AuthMerging Or\n<Limit GET>\nRequire all granted\n</Limit>", "<Limit GET>\nAuthMerging And\n</Limit>\nRequire method GET",
	"<Limit GET>\nRequire method POST\n</Limit>", "<LimitExcept OPTIONS>\nRequire local\n</LimitExcept>",
	"Require host localhost", "Require host local", "Require host ocalhost", "Require host nowhere.example localhost", "Require host", "<RequireAll>\nRequire all granted\nRequire not host localhost\n</RequireAll>",
	"Require forward-dns localhost", "Require forward-dns nowhere.invalid", "Require forward-dns", "Require forward-dns nowhere.invalid localhost", "Require host %{tolower:LOCALHOST}",
	"Order allow,deny\nAllow from localhost", "Order allow,deny\nAllow from host", "Deny from localhost", "Deny from .localhost", "Deny from nowhere.example", "Order allow,deny\nAllow from LOCALHOST",
	"Order allow,deny\nAllow from env=PROBE", "Order allow,deny\nAllow from env=!PROBE", "Order allow,deny\nAllow from env=probe", "Deny from env=PROBE", "Deny from env=!", "Require env PROBE", "Require env probe", "Require env OTHER",
	"Require env", "Order allow,deny\nAllow from 127.0", "Order allow,deny\nAllow from 127.0.0.0/255.0.0.0", "Order allow,deny\nAllow from 10.x", "Order allow,deny\nAllow from *",
	"AuthType Basic\nAuthName x\n<Limit POST>\nRequire valid-user\n</Limit>", "AuthType Basic\nAuthName x\n<LimitExcept POST>\nRequire valid-user\n</LimitExcept>", "AuthType Basic\nAuthName \"%{REQUEST_METHOD} \\\"only\\\"\"\nRequire valid-user",
	"AuthType Basic\nAuthName x\nRequire user %{tolower:SHA}", "AuthType Basic\nAuthName x\nRequire user \"sha\" apr1", "AuthType Basic\nAuthName x\nRequire user %{HTTP_USER_AGENT}", "AuthType Basic\nAuthName x\nRequire user",
	"AuthType Basic\nAuthName x\nRequire group STAFF", "AuthType Basic\nAuthName x\nRequire group", "AuthType Basic\nAuthName x\nRequire group %{tolower:STAFF}", "AuthType Basic\nAuthName x\nAuthBasicAuthoritative Off\nRequire valid-user",
	"AuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthBasicFake off\nAuthBasicUseDigestAlgorithm Off\nRequire valid-user", "AuthType Basic\nAuthName x\n<RequireAll>\nRequire all granted\nRequire not user sha\n</RequireAll>",
	"AuthType Basic\nAuthName x\n<RequireAny>\nRequire ip 10\n<RequireAll>\nRequire user sha\nRequire method GET\n</RequireAll>\n</RequireAny>", "AuthType Basic\nAuthName x\nRequire expr %{REMOTE_USER} == 'sha'", "AuthType Basic\nAuthName x\nRequire expr %{REMOTE_USER} == ''",
	"AuthType Basic\nAuthName x\nAuthzSendForbiddenOnFailure On\nRequire expr %{REMOTE_USER} == 'nobody'", "AuthType Basic\nAuthName x\nRequire valid-user\n<Limit GET>\nSatisfy Any\n</Limit>", "AuthType Basic\nAuthName x\nRequire valid-user\nDeny from all\n<Limit GET>\nAllow from 127.0.0.1\nSatisfy Any\n</Limit>",
	"AuthType Basic\nAuthName x\nRequire valid-user\nSatisfy Any\n<LimitExcept POST>\nSatisfy All\n</LimitExcept>", "AuthType Basic\nAuthName x\nDeny from all\nSatisfy Any", "AuthType Basic\nAuthName x\nSatisfy Any\nOrder allow,deny\nRequire user nobody",
	"AuthType Basic\nAuthName x\n<RequireAll>\nRequire valid-user\n<RequireNone>\nRequire user apr1\nRequire group admins\n</RequireNone>\n</RequireAll>", "AuthType Basic\nAuthName \"a\\\\\\\\b\"\nRequire valid-user", "AuthType Basic\nAuthName \"%\"\nRequire valid-user",
	"AuthType None\nRequire valid-user", "AuthType Basic\nAuthName x", "AuthType Basic\nAuthName x\nSatisfy Any", "AuthType Basic\nAuthMerging And", "AuthType None\nDeny from all\nSatisfy Any", "AuthType Basic\nAuthName x\nAuthMerging And\nRequire valid-user", "AuthType Basic\nAuthName x\nAuthMerging Or\nRequire user nobody",
}

// protected makes a folder with a file f.txt below each number, users and
// groups.
func protected(t *testing.T, n int) (home string) {
	t.Helper()
	home = tree(t, "docs/")
	for i := range n {
		dir := filepath.Join(home, "docs", fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "f.txt"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"users": hashed(t), "groups": "staff: x apr1\nadmins:bcrypt sha\n", "mime.types": ""} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	return home
}

func loadLines(modules ...string) string {
	load := ""
	for _, m := range modules {
		load += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
	}
	return load
}

// TestParityOfMethodsAndUsers asks httpd and this server for a file under each of the
// rules, by several methods and users.
func TestParityOfMethodsAndUsers(t *testing.T) {
	home := protected(t, len(limitRules))
	conf := loadLines(authModules...) + "ServerName main.example\nDocumentRoot HOME/docs\nTypesConfig HOME/mime.types\nSetEnvIf X-Probe . PROBE=1\n" +
		"<Directory />\nAuthUserFile HOME/users\nAuthGroupFile HOME/groups\n</Directory>\n"
	for i, rules := range limitRules {
		conf += fmt.Sprintf("<Location /%d>\n%s\n</Location>\n", i, rules)
	}
	ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, conf)}
	for i, rules := range limitRules {
		fields := []string{"X-None: 1", "X-Probe: 1"}
		if strings.Contains(rules, "AuthType") {
			fields = []string{"X-None: 1", basic("sha", "secret-sha"), basic("apr1", "secret-apr1"), basic("sha", "wrong"), basic("who", "x")}
		}
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "FOO", "foo"} {
			for _, field := range fields {
				request := fmt.Sprintf("%s /%d/f.txt HTTP/1.1\r\nHost: main.example\r\nUser-Agent: sha\r\nContent-Length: 0\r\n%s\r\n\r\n", method, i, field)
				got, want := ours.challengedBy(t, method, request), theirs.challengedBy(t, method, request)
				if got != want {
					t.Errorf("%s with %s is answered %q, by httpd %q, under\n%s", method, field, got, want, rules)
				}
			}
		}
	}
}

// TestHandshakeUnderRules: the same rules for a WebSocket, on a connection in a
// loop and on one that has left it.
func TestHandshakeUnderRules(t *testing.T) {
	home := protected(t, 0)
	tests := []struct {
		rules, field string
		status       int
	}{
		{"<Limit GET>\nRequire all denied\n</Limit>", "X: y", 403},
		{"<Limit POST>\nRequire all denied\n</Limit>", "X: y", 101},
		{"<LimitExcept POST>\nRequire all denied\n</LimitExcept>", "X: y", 403},
		{"Require host localhost", "X: y", 101},
		{"Require host nowhere.example", "X: y", 403},
		{"Require forward-dns localhost", "X: y", 101},
		{"Order allow,deny\nAllow from localhost", "X: y", 101},
		{"Deny from localhost", "X: y", 403},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\n<Limit GET>\nRequire valid-user\n</Limit>", "X: y", 401},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\n<Limit GET>\nRequire valid-user\n</Limit>", basic("sha", "secret-sha"), 101},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\n<Limit POST>\nRequire valid-user\n</Limit>", "X: y", 101},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\nAuthzSendForbiddenOnFailure On\nRequire user apr1", basic("sha", "secret-sha"), 403},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\nRequire user apr1", basic("sha", "secret-sha"), 401},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/missing\nRequire valid-user", basic("sha", "secret-sha"), 500},
		{"AuthType Basic\nAuthName x\nAuthUserFile ROOT/users\nRequire valid-user\nOrder allow,deny\nAllow from 127.0.0.1\nSatisfy Any", "X: y", 101},
		{"Require ip 9.9.9.9", "X-Forwarded-For: 9.9.9.9", 101},
		{"Require ip 9.9.9.9", "X-Forwarded-For: 10.9.9.9", 403},
		{"Require ip 9.9.9.9", "X-Forwarded-For: 9.9.9.9, 8.8.8.8", 403},
		{"Require local", "X-Forwarded-For: 9.9.9.9", 403},
	}
	conf := loadLines(append(authModules, "remoteip")...) + "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.1\n"
	for i, tt := range tests {
		conf += fmt.Sprintf("<Location /%d>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n%s\n</Location>\n", i, tt.rules)
	}
	seen := make(chan string, 1)
	l := serveIn(t, home, conf, map[string]wsplugin.Plugin{"plugin": &scripted{connect: func(c wsplugin.Conn) bool {
		header := c.Header("X-Forwarded-For")
		authorization := c.Header("Authorization")
		client, _, _ := net.SplitHostPort(c.RemoteAddr())
		seen <- header + authorization + " from " + client
		return true
	}}})
	up := strings.Split(strings.TrimSpace(upgradeFields), "\r\n")
	for i, tt := range tests {
		r := l.ask(t, "GET", fmt.Sprintf("/%d", i), append([]string{tt.field}, up...)...)
		if r.status != tt.status || r.header["www-authenticate"] != "" != (tt.status == 401) {
			t.Errorf("with %s, under\n%s\nanswered\n%s", tt.field, tt.rules, r.head)
		}
		if r.status != 101 {
			continue
		}
		want := " from 127.0.0.1"
		switch name, value, _ := strings.Cut(tt.field, ": "); name {
		case "Authorization":
			want = value + want
		case "X-Forwarded-For": // used, and taken out
			want = " from " + value
		}
		if got := <-seen; got != want {
			t.Errorf("with %s the plugin sees %q, want %q", tt.field, got, want)
		}
	}
	l.logged(t, "[client 9.9.9.9:0] AH01630: client denied by server configuration: ")
}

// challengedBy is challenged for any method.
func (l *live) challengedBy(t *testing.T, method, request string) string {
	t.Helper()
	p := l.dial(t)
	defer p.Close()
	r := p.send(request).receive(method)
	return strings.TrimSpace(fmt.Sprint(r.status) + " " + r.header["www-authenticate"])
}
