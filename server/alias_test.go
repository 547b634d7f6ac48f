package server

import (
	"strings"
	"testing"
)

// aliasConf is served by both.
const aliasConf = `
ServerName main.example
DocumentRoot HOME/docs
DirectoryIndex index.html
TypesConfig HOME/mime.types
Alias /al HOME/docs/sub
Alias /tail/ HOME/docs/sub/
Alias /file HOME/docs/a.txt
Alias /al/deep HOME/docs/none
AliasMatch ^/am/([^/]+)/(x*)$ HOME/docs/$1.txt
AliasMatch ^/all(.*)$ HOME/docs$1
Alias /shut/alias HOME/docs/a.txt
AliasMatch ^/up(.*)$ HOME/docs/sub/$1
AliasMatch ^/far(.*)$ HOME/docs/sub/$1/$1/$1
<Directory HOME/docs/empty>
Require all denied
</Directory>
<Directory HOME/docs/closed>
Require all denied
</Directory>
<Directory HOME/docs/m1>
Require all denied
</Directory>
Alias /m HOME/docs/m1
Redirect /r1 http://other.example/base
Redirect permanent /r2 /rel
Redirect 303 /r3 https://other.example/x?own=1
Redirect seeother /r4/ /rel/
Redirect 307 "/r 5" /rel
Redirect gone /gone
Redirect 404 /hidden
Redirect 403 /forbidden
Redirect 200 /fine
RedirectMatch ^/rm/(.*)\.gif$ http://other.example/$1.jpg
RedirectMatch 301 ^/rq/(.*)$ /to?p=$1
RedirectMatch 404 "/\.git"
RedirectTemp /rt http://other.example/
RedirectPermanent /rp http://other.example
Redirect /r1/sub http://never.example
<Location /shut>
Require all denied
Redirect /shut/r http://other.example/shut
</Location>
<Location /one>
Redirect 302 /target
</Location>
<Location /one/gone>
Redirect 410
</Location>
<Location /rel>
RedirectRelative On
Redirect /rel/x /y
</Location>
<Directory HOME/docs/closed>
Redirect /closed http://other.example/opened
</Directory>
<VirtualHost *:*>
ServerName host.example
Alias /al HOME/docs/a.txt
Redirect /r1 http://host.example/
</VirtualHost>
`

// TestParityOfAliases asks httpd and this server for paths that are mapped
// elsewhere.
func TestParityOfAliases(t *testing.T) {
	home := parityFiles(t)
	ours := serveIn(t, home, "LoadModule alias_module x.so\n"+strings.ReplaceAll(aliasConf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, "LoadModule alias_module modules/mod_alias.so\n"+aliasConf)}
	for _, target := range []string{
		"/al", "/al/", "/al/other.html", "/alx", "/AL/other.html", "/al//other.html", "/al/missing", "/al/../a.txt", "/al/deep", "/tail", "/tail/", "/tail/other.html",
		"/file", "/file/", "/file/x", "/am/a/xx", "/am/a/xy", "/am/a/", "/am/sub", "/all/a.txt", "/all/sub/other.html", "/all", "/allx", "/shut/alias", "/m/x.txt", "/m",
		"/r1", "/r1/", "/r1/a%20b?q=1", "/r1x", "/r1/sub", "/r1/%3f%25", "/r1/\xe9", "/r2", "/r2/x?y", "/r3", "/r3/x?q", "/r4", "/r4/", "/r4/x", "/r%205/x",
		"/gone", "/gone/x", "/hidden", "/forbidden/x", "/rm/a/b.gif", "/rm/a%20b.gif?x=1", "/rm/b.gifx", "/rm/%3fx.gif", "/rq/abc?d=e", "/rq/a%26b", "/.git/config",
		"/sub/.git", "/rt", "/rt/x", "/rp", "/rp/x", "/shut/r", "/up/other.html", "/up../a.txt", "/up../empty/", "/up../closed/f.txt", "/up.", "/up./other.html", "/far../x", "/one", "/one/x?q=1", "/one/gone", "/rel/x", "/rel/x/z", "/closed", "/closed/f.txt", "/closed/../closed", "//r1//x",
	} {
		for _, host := range []string{"main.example", "host.example", "host.example:8080"} {
			request := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
			if got, want := ours.exchange(t, "GET", request), theirs.exchange(t, "GET", request); got != want {
				t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
			}
		}
	}
}
