package server

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// users are written by htpasswd: the password of each is "secret-" and the name.
const users = `# a comment
bcrypt:HASH
apr1:HASH
sha:HASH
sha512:HASH
plain:secret-plain
bcrypt:never
empty:
`

// authModules are those of a protected folder, as each of the two loads them.
var authModules = []string{"authz_host", "authz_user", "authz_groupfile", "authn_core", "authn_file", "auth_basic", "access_compat", "env", "setenvif"}

const authConf = `
ServerName main.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
<Directory />
AuthUserFile HOME/users
AuthGroupFile HOME/groups
</Directory>
<Location /user>
AuthType Basic
AuthName "a \"quoted\" realm"
Require user apr1 bcrypt nobody
</Location>
<Location /valid>
AuthType basic
AuthName valid
Require valid-user
</Location>
<Location /group>
AuthType Basic
AuthName g
Require group staff admins
</Location>
<Location /not>
AuthType Basic
AuthName n
<RequireAll>
Require valid-user
Require not user sha
</RequireAll>
</Location>
<Location /either>
AuthType Basic
AuthName e
Require ip 10.0.0.0/8
Require user sha
</Location>
<Location /local>
AuthType Basic
AuthName l
Require local
Require valid-user
</Location>
<Location /both>
AuthType Basic
AuthName b
<RequireAll>
Require ip 10.0.0.0/8
Require valid-user
</RequireAll>
</Location>
<Location /both2>
AuthType Basic
AuthName b
<RequireAll>
Require valid-user
Require ip 127.0.0.0/8
</RequireAll>
</Location>
<Location /forbidden>
AuthType Basic
AuthName f
AuthzSendForbiddenOnFailure On
Require user nobody
</Location>
<Location /none>
AuthType None
Require all granted
</Location>
<Location /unconfigured>
Require valid-user
</Location>
<Location /noname>
AuthType Basic
Require valid-user
</Location>
<Location /nofile>
AuthType Basic
AuthName x
AuthUserFile HOME/missing
Require valid-user
</Location>
<Location /nogroups>
AuthType Basic
AuthName x
AuthGroupFile HOME/missing
Require group staff
</Location>
<Location /denied>
AuthType Basic
AuthName x
Require all denied
</Location>
<Location /any>
AuthType Basic
AuthName x
Require valid-user
Order deny,allow
Deny from all
Satisfy Any
</Location>
<Location /any/in>
Order allow,deny
Allow from 127.0.0.1
Satisfy Any
</Location>
<Location /all>
AuthType Basic
AuthName x
Require valid-user
Order deny,allow
Deny from all
Satisfy All
</Location>
<Location /only>
Deny from all
Satisfy Any
</Location>
<Location /valid/open>
Require all granted
</Location>
<Location /valid/none>
AuthType None
</Location>
`

// hashed makes the file of users.
func hashed(t *testing.T) string {
	t.Helper()
	text := users
	for user, flag := range map[string]string{"bcrypt": "B", "apr1": "m", "sha": "s", "sha512": "5"} {
		out, err := exec.Command("htpasswd", "-nb"+flag, user, "secret-"+user).Output()
		if err != nil {
			t.Fatalf("htpasswd: %v (apt-get install apache2-utils)", err)
		}
		text = strings.Replace(text, user+":HASH", strings.TrimSpace(string(out)), 1)
	}
	return text
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// TestParityOfPasswords asks httpd and this server for what is protected.
func TestParityOfPasswords(t *testing.T) {
	home := parityFiles(t)
	for name, text := range map[string]string{"users": hashed(t), "groups": "staff: x apr1\n#admins: bcrypt\nadmins:bcrypt sha\n\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	load := ""
	for _, m := range authModules {
		load += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
	}
	ours := serveIn(t, home, load+strings.ReplaceAll(authConf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, load+authConf)}
	fields := []string{"", basic("apr1", "secret-apr1"), basic("bcrypt", "secret-bcrypt"), basic("sha", "secret-sha"), basic("sha512", "secret-sha512"),
		basic("apr1", "secret-bcrypt"), basic("nobody", "x"), basic("plain", "secret-plain"), basic("empty", ""), basic("", ""), basic("#", "x"),
		"Authorization: Bearer x", "Authorization: Basic ?", "Authorization: basic " + strings.TrimPrefix(basic("sha", "secret-sha"), "Authorization: Basic "), "Authorization: Basic"}
	for _, target := range []string{
		"/user/", "/valid/", "/group/", "/not/", "/either/", "/local/", "/both/", "/both2/", "/forbidden/", "/none/", "/unconfigured/", "/noname/", "/nofile/", "/nogroups/",
		"/denied/", "/any/", "/any/in/", "/all/", "/only/", "/valid/open", "/valid/none", "/a.txt",
	} {
		for _, field := range fields {
			request := "GET " + target + " HTTP/1.1\r\nHost: main.example\r\n"
			if field != "" {
				request += field + "\r\n"
			}
			got, want := ours.challenged(t, request+"\r\n"), theirs.challenged(t, request+"\r\n")
			if got != want {
				t.Errorf("%q is answered %q, by httpd %q", request, got, want)
			}
		}
	}
}

// challenged is exchange with what asks for a password.
func (l *live) challenged(t *testing.T, request string) string {
	p := l.dial(t)
	defer p.Close()
	r := p.send(request).receive("GET")
	return strings.TrimSpace(strconv.Itoa(r.status) + " " + r.header["www-authenticate"])
}

// TestHandshakeNeedsThePassword: a WebSocket is protected as a file is, and its
// plugin sees what the client sent.
func TestHandshakeNeedsThePassword(t *testing.T) {
	home := parityFiles(t)
	if err := os.WriteFile(filepath.Join(home, "users"), []byte(hashed(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	load := ""
	for _, m := range authModules {
		load += "LoadModule " + m + "_module x.so\n"
	}
	l := serveIn(t, home, load+"<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\nAuthType Basic\nAuthName ws\nAuthUserFile ROOT/users\nRequire user bcrypt\n</Location>\n", map[string]wsplugin.Plugin{"plugin": &scripted{}})
	up := strings.Split(strings.TrimSpace(upgradeFields), "\r\n")
	for _, tt := range []struct {
		field  string
		status int
	}{
		{"X: y", 401}, {basic("bcrypt", "wrong"), 401}, {basic("apr1", "secret-apr1"), 401}, {basic("bcrypt", "secret-bcrypt"), 101},
	} {
		r := l.ask(t, "GET", "/ws", append([]string{tt.field}, up...)...)
		if r.status != tt.status || r.header["www-authenticate"] != "" != (tt.status == 401) {
			t.Errorf("%s: answered\n%s", tt.field, r.head)
		}
	}
	l.logged(t, `AH01617: user bcrypt: authentication failure for "/ws": Password Mismatch`)
}
