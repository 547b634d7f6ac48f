package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// rewriteCases are configurations with mod_rewrite, each with what is asked
// for: a target, or a target and header fields behind bars. All stand below
// ServerName main.example and DocumentRoot HOME/docs.
var rewriteCases = []struct{ name, conf, requests string }{
	{"refused and gone", `
RewriteEngine On
RewriteRule ^/forbidden - [F]
RewriteRule ^/gone/ - [G]
RewriteRule ^/teapot - [R=404]
RewriteRule ^/nocase - [F,NC]
RewriteRule !^/(a\.txt|sub|index|nocase|forbidden|gone|teapot|$) - [R=410]
`, `/forbidden /forbidden/x /gone/x /gone /teapot /NoCase /a.txt /sub/ /sub/other.html / /index.html /other`},
	{"redirects", `
RewriteEngine On
RewriteRule ^/to/(.*)$ /sub/$1 [R]
RewriteRule ^/perm/(.*)$ http://other.example/$1 [R=301,L]
RewriteRule ^/see/(.*)$ /x?$1 [R=seeother,L]
RewriteRule ^/implicit/(.*) http://other.example/$1
RewriteRule ^/query/(.*) /q?own=1 [R=302,QSA]
RewriteRule ^/noquery/(.*) /q? [R]
RewriteRule ^/drop/(.*) /q/$1 [R,QSD]
RewriteRule ^/noescape/(.*) /n/%23$1 [R,NE]
RewriteRule ^/escape/(.*) /n/%23$1 [R]
RewriteRule ^/spaces/(.*) /n/$1?x=$1 [R,B]
RewriteRule ^/plus/(.*) /n?x=$1 [R,B,BNP]
RewriteRule ^/some/(.*) /n?x=$1 [R,B=/&]
RewriteRule ^/spare/(.*) /n?x=$1 [R,B,BNE=/]
RewriteRule ^/ctls/(.*) /n?x=$1 [R,BCTLS]
RewriteRule ^/last/(.*) /n/a?b?c=$1 [R,QSL]
RewriteRule ^/mail mailto:a@b.example [R]
RewriteRule ^/news news:comp.x [R]
RewriteRule ^/ldap ldap://l.example/a,b?c?d [R]
RewriteRule ^/status304 /x [R=304]
RewriteRule ^/status307 /x [R=307]
RewriteRule ^/relative x/y [R]
RewriteRule ^/frag /a#b [R,NE]
RewriteRule ^/frax /a#b [R]
RewriteRule ^/self http://main.example/a.txt
RewriteRule ^/self80 http://main.example:80/a.txt
RewriteRule ^/ws ws://other.example/a?b [R]
`, `/to/x /to/x?q=1 /to/a%20b /to/a%2520b /perm/x?q /see/a=1 /see/a%3db /implicit/p?x=%20y /query/x?a=b /query/x /noquery/x?a=b /drop/x?a=b /noescape/x /escape/x
/spaces/a%20b%26c /spaces/%c3%a9 /plus/a%20b /some/a/b%26c /spare/a/b%26 /ctls/a%20b%09c /last/x /mail /news /ldap /status304 /status307 /relative /frag /frax
/self /self80 /ws /to/x|Host:other.example:8080 /to/x|Host:[::1]:81 /to/a%3fb /to/%22%3c%3e /implicit/a%3fb`},
	{"files of a host", `
RewriteEngine On
RewriteRule ^/one$ /a.txt
RewriteRule ^/two$ HOME/docs/a.txt
RewriteRule ^/three/(.*)$ /sub/$1 [L]
RewriteRule ^/four$ /sub
RewriteRule ^/five$ /sub/
RewriteRule ^/six$ a.txt
RewriteRule ^/seven$ /../../etc/passwd
RewriteRule ^/eight/(.*)$ /$1
RewriteRule ^/nine$ /missing
RewriteRule ^/ten$ /a.txt [T=text/x-own]
RewriteRule ^/eleven$ - [T=text/x-Other]
RewriteRule ^/twelve$ /
RewriteRule ^/outside$ HOME/mime.types
RewriteRule ^/qpath/(.*)$ $1
RewriteRule ^/unsafe/(.*)$ /$1 [UnsafePrefixStat]
RewriteRule ^/var/(.*)$ %{document_root}/$1
RewriteRule ^/empty ""
RewriteRule ^/args$ /%{QUERY_STRING}
`, `/one /one?x /two /three/other.html /three/ /four /five /six /seven /eight/a.txt /eight/etc/passwd /nine /ten /eleven /twelve /outside /qpath//a.txt /qpath/http://x/y
/unsafe/a.txt /var/a.txt /var/sub/ /empty /args?a.txt /args?sub/../a.txt /args?../../etc/passwd /eight/a%3fb /eight/sub%3fa /a.txt /eight/sp%20ace.txt /eight/%2541.txt /eight/http://x/y`},
	{"conditions", `
RewriteEngine On
RewriteCond %{HTTP_HOST} ^a\.
RewriteRule ^/c/host - [F]
RewriteCond %{HTTP_HOST} =b.example
RewriteRule ^/c/host - [G]
RewriteCond %{HTTP_USER_AGENT} ^Bad [NC]
RewriteRule ^/c/agent - [F]
RewriteCond %{HTTP_USER_AGENT} ^Novary [NV]
RewriteRule ^/c/agent /a.txt
RewriteCond %{HTTP_USER_AGENT} ^Vary
RewriteRule ^/c/agent /a.txt
RewriteCond %{HTTP:X-One} one [OR]
RewriteCond %{HTTP:X-Two} two
RewriteRule ^/c/or - [F]
RewriteCond %{HTTP:X-One} one
RewriteCond %{HTTP:X-Two} two [OR]
RewriteCond %{HTTP:X-Three} three
RewriteRule ^/c/and - [F]
RewriteCond %{QUERY_STRING} ^id=(\d+)&n=(.*)$
RewriteRule ^/c/groups/(.*)$ /g/%1/%2/$1/%0? [R,L]
RewriteCond %{QUERY_STRING} !secret
RewriteRule ^/c/not - [F]
RewriteCond %{QUERY_STRING} -eq5
RewriteRule ^/c/number - [F]
RewriteCond %{QUERY_STRING} -gt10
RewriteRule ^/c/number - [G]
RewriteCond %{QUERY_STRING} -lt-3
RewriteRule ^/c/number - [R=404]
RewriteCond %{QUERY_STRING} !-ne7
RewriteRule ^/c/number - [R=406]
RewriteCond %{QUERY_STRING} >mm
RewriteRule ^/c/text - [F]
RewriteCond %{QUERY_STRING} <c
RewriteRule ^/c/text - [G]
RewriteCond %{QUERY_STRING} =DD [NC]
RewriteRule ^/c/text - [R=404]
RewriteCond %{QUERY_STRING} >=mm
RewriteRule ^/c/text - [R=406]
RewriteCond %{QUERY_STRING} =""
RewriteRule ^/c/empty - [F]
RewriteCond %{document_root}/%{QUERY_STRING} -f
RewriteRule ^/c/file - [F]
RewriteCond %{document_root}/%{QUERY_STRING} -d
RewriteRule ^/c/file - [G]
RewriteCond %{document_root}/%{QUERY_STRING} -l
RewriteRule ^/c/file - [R=406]
RewriteCond %{document_root}/$1 -s
RewriteRule ^/c/size/(.*) - [F]
RewriteCond %{document_root}/$1 !-x
RewriteRule ^/c/exec/(.*) - [F]
RewriteCond expr "%{QUERY_STRING} =~ /^e=(.)(.)/"
RewriteRule ^/c/expr /e/%1/%2? [R,L]
RewriteCond expr "req('X-One') == 'one'"
RewriteRule ^/c/expr - [F]
RewriteCond %{REQUEST_METHOD} !^(GET|HEAD)$
RewriteRule ^/c/method - [F]
RewriteCond %{THE_REQUEST} "GET /c/the%20request HTTP"
RewriteRule ^/c/the - [F]
RewriteCond %{HTTPS} !=on
RewriteRule ^/c/https https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]
RewriteCond %{HTTP_COOKIE} (?:^|;\s*)id=(\w+)
RewriteRule ^/c/cookie /k/%1 [R]
RewriteCond %{REQUEST_FILENAME} ^/c/name$
RewriteRule ^/c/name - [F]
RewriteCond %{NOTHING}x ^x$
RewriteRule ^/c/nothing - [F]
RewriteCond %{QUERY_STRING} ^((a+)+)$
RewriteRule ^/c/slow - [F]
RewriteRule ^/c/vars/([^/]*)$ /v?%{SERVER_NAME}:%{SERVER_PORT}:%{REQUEST_SCHEME}:%{REMOTE_ADDR}:%{IS_SUBREQ}:%{REMOTE_USER}:%{SERVER_PROTOCOL}:%{SERVER_ADMIN}:%{CONTEXT_PREFIX}:%{SERVER_ADDR}:%{IPV6}:%{HTTP_REFERER}:%{PATH_INFO} [R,NE]
`, `/c/host|Host:a.example /c/host|Host:b.example /c/host /c/agent|User-Agent:bad /c/agent|User-Agent:Novary /c/agent|User-Agent:Vary /c/agent /c/or|X-One:one /c/or|X-Two:two /c/or
/c/and|X-One:one|X-Two:two /c/and|X-One:one|X-Three:three /c/and|X-One:one /c/and|X-Two:two /c/groups/x?id=12&n=%20a /c/groups/x?id=&n= /c/groups/x?id=1&n= /c/not?secret /c/not
/c/number?5 /c/number?5x /c/number?11 /c/number?-4 /c/number?7 /c/number?x /c/number?99999999999 /c/text?mm /c/text?n /c/text?nn /c/text?b /c/text?dd /c/empty /c/empty?x
/c/file?a.txt /c/file?sub /c/file?link /c/file?dangling /c/file?none /c/size/a.txt /c/size/none.ext /c/exec/a.txt /c/expr?e=ab /c/expr|X-One:one /c/expr?x /c/the%20request /c/the /c/https /c/https?q
/c/cookie|Cookie:a=b;id=77 /c/cookie /c/name /c/nothing /c/slow?aaaaaaaaaa /c/vars/x /c/vars/x|Referer:http://r/`},
	{"order of rules", `
RewriteEngine On
RewriteRule ^/chain/(.*) /chained/$1 [C]
RewriteRule ^/chained/a(.*) /sub/$1 [C]
RewriteRule ^/sub/x(.*) /a.txt
RewriteRule ^/skip/(.*) /skipped/$1 [S=2]
RewriteRule ^/skipped/(.*) - [F]
RewriteRule ^/skipped/(.*) - [G]
RewriteRule ^/skipped/(.*) /a.txt
RewriteRule ^/next/(.*)-(.*)$ /next/$1_$2 [N]
RewriteRule ^/next/(.*)$ /n/$1 [R]
RewriteRule ^/loop /loop [N]
RewriteRule ^/rounds/(.*)$ /rounds/$1x [N=5]
RewriteRule ^/grow/(.*)$ /grow/$1$1$1$1 [N]
RewriteRule ^/last /a.txt [L]
RewriteRule ^/end /a.txt [END]
RewriteRule ^/a.txt - [T=text/own]
RewriteRule ^/env/(.*)$ - [E=ONE:$1,E=TWO]
RewriteCond %{ENV:ONE} ^(.+)$
RewriteRule ^/env/(.*)$ /e/%1/[%{ENV:TWO}] [E=!ONE]
RewriteRule ^/e/(.*)$ /f/$1/%{ENV:ONE} [R,L]
RewriteRule ^/cookie - [CO=name:value:main.example,L]
RewriteRule ^/cooky /a.txt [CO=name:value:main.example:0:/p:secure:httponly:strict,CO=name:other:main.example,L]
RewriteRule ^/cookie2 - [CO=;n;a:b;main.example]
`, `/chain/ax /chain/ab /chain/x /chained/ax /sub/xy /skip/x /skipped/x /next/a-b-c-d /loop /rounds/x /grow/x /last /end /a.txt /env/v /env/ /cookie /cooky /cookie2`},
	{"passed through", `
Alias /al HOME/docs/sub
Redirect /red http://other.example/
RewriteEngine On
RewriteRule ^/p/(.*) /$1 [PT]
RewriteRule ^/q/(.*) /$1
RewriteRule ^/r http://other.example/x [R,PT]
RewriteRule ^/s x [PT]
<Location /closed2>
Require all denied
</Location>
`, `/p/al/other.html /q/al/other.html /p/red/x /q/red/x /r /s /p/closed2 /q/closed2 /p/a.txt /p/sub /p/sub/ /q/sub /al/other.html /p/closed2/../a.txt /p/a.txt?q`},
	{"maps", `
RewriteEngine On
RewriteMap low int:tolower
RewriteMap up int:toupper
RewriteMap esc int:escape
RewriteMap unesc int:unescape
RewriteRule ^/low/(.*) /m/${low:$1} [R,NE]
RewriteRule ^/up/(.*) /m/${up:$1|none} [R,NE]
RewriteRule ^/esc/(.*) /m/${esc:$1} [R,NE]
RewriteRule ^/unesc/(.*) /m/${unesc:%{QUERY_STRING}}? [R]
RewriteRule ^/unknown/(.*) /m/${none:$1|default-$1} [R]
RewriteRule ^/nested/(.*) /m/${up:${low:$1}x} [R]
RewriteRule ^/odd1/(.*) /m/${up$1} [R]
RewriteRule ^/odd2/(.*) /m/${up:$1 [R]
RewriteRule ^/odd3/(.*) /m/$x%y\$1\%1$ [R]
RewriteRule ^/odd4/(.*) /m/%{HTTP_HOST [R]
RewriteRule ^/odd5/(.*) /m/%{http_host}%{Http:Host} [R]
`, `/low/AbC /up/AbC /up/ /esc/a%20b%c3 /unesc/?a%20b%41 /unknown/x /nested/Ab /odd1/x /odd2/x /odd3/x /odd4/x /odd5/x /low/%C3%89`},
	{"folders", `
<Directory HOME/docs>
RewriteEngine On
RewriteRule ^one$ a.txt
RewriteRule ^two$ /sub/other.html
RewriteRule ^three/(.*)$ sub/$1 [R]
RewriteRule ^four$ - [F]
RewriteRule ^five$ sub
RewriteRule ^six$ http://other.example/x
RewriteRule ^seven$ a.txt [T=text/own]
RewriteRule ^a\.txt$ - [E=SEEN:yes]
RewriteRule ^eight$ seven
RewriteRule ^loop(.*)$ loop$1x
RewriteRule ^nine$ a.txt?x=1 [QSA,R]
RewriteRule ^ten/(.*)$ $1
RewriteRule ^sub/([a-z]+)$ sub/$1.html
RewriteRule ^eleven$ HOME/docs/a.txt
RewriteRule ^twelve$ HOME/mime.types
RewriteRule ^$ a.txt
RewriteRule ^space$ "sp ace.txt"
RewriteRule ^percent$ %41.txt
RewriteRule ^\x25(41.txt)$ - [F]
RewriteRule ^q\?mark - [F]
RewriteRule ^closed/up$ /a.txt
RewriteRule ^fourteen$ ./sub/../a.txt
RewriteRule ^fifteen$ ../mime.types
</Directory>
`, `/one /two /three/x /three/x?q /four /five /six /seven /eight /loop /nine?a=b /ten/a.txt /ten/etc/passwd /ten//etc/passwd /sub/other /sub/none /eleven /twelve / /space /percent /%2541.txt
/q%3fmark /closed/up /fourteen /fifteen /a.txt /a.txt/info /sub /sub/ /empty /one/info /ten/a%3fb /one?q=1`},
	{"front controller", `
<Directory HOME/docs>
RewriteEngine On
RewriteBase /
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule ^(.*)$ a.txt?path=$1 [QSA,L]
</Directory>
`, `/ /index.html /missing /missing/deep /sub/ /sub /sub/other.html /empty/ /link /dangling`},
	{"base", `
Alias /al HOME/docs/sub
<Directory HOME/docs/sub>
RewriteEngine On
RewriteBase /base/
RewriteRule ^one$ other.html
RewriteRule ^two$ two.html [R]
RewriteRule ^three$ %{document_root}/a.txt
RewriteRule ^four$ http://main.example%{REQUEST_FILENAME}x [R]
</Directory>
<Directory HOME/docs/m1>
RewriteEngine On
RewriteRule ^x.txt$ /al/other.html
RewriteRule ^two$ two.html [R]
</Directory>
<Directory HOME/docs/base>
RewriteEngine Off
</Directory>
`, `/sub/one /sub/two /al/one /al/two /sub/three /sub/four /m1/x.txt /m1/two`},
	{"folder of an Alias", `
Alias /al HOME/docs/sub
Alias /out/ HOME/out/
<Directory HOME/docs/sub>
RewriteEngine On
RewriteRule ^one$ other.html
RewriteRule ^two$ x [R]
</Directory>
<Directory HOME/out>
RewriteEngine On
RewriteRule ^one$ f.txt
RewriteRule ^two$ x [R]
</Directory>
`, `/al/one /al/two /sub/one /out/one /out/two /out/f.txt /al`},
	{"Location", `
RewriteEngine On
RewriteRule ^/off/x /a.txt
RewriteRule ^/on/x /a.txt
<Location /off>
RewriteEngine Off
</Location>
<Location /loc>
RewriteRule ^ - [F]
</Location>
<Location /loc/open>
RewriteRule ^nothing - [F]
</Location>
<Location /sub>
RewriteRule HOME/docs/sub/one$ /a.txt
RewriteRule ^one$ /wrong.txt
RewriteCond %{REQUEST_URI} two$
RewriteRule ^ /sub/other.html
</Location>
<LocationMatch "^/re/(.*)">
RewriteRule (\w+)$ http://other.example/$1 [R]
</LocationMatch>
<Files none.ext>
RewriteRule ^ - [G]
</Files>
<If "%{QUERY_STRING} == 'if'">
RewriteRule ^ - [F]
</If>
`, `/off/x /on/x /loc /loc/x /loc/open /loc/open/x /sub/one /sub/two /sub/other.html /re/abc /none.ext /a.txt?if /a.txt /off`},
	{"inherited", `
<Directory HOME/docs>
RewriteEngine On
RewriteRule ^(.*/)?x\.txt$ - [F]
RewriteRule one$ - [G]
</Directory>
<Directory HOME/docs/m1>
RewriteRule two$ - [F]
</Directory>
<Directory HOME/docs/m2>
RewriteOptions Inherit
RewriteRule one$ - [F]
</Directory>
<Directory HOME/docs/m3>
RewriteOptions InheritBefore
RewriteRule one$ - [F]
</Directory>
<Directory HOME/docs/named>
RewriteEngine Off
</Directory>
`, `/x.txt /one /m1/x.txt /m1/one /m1/two /m2/x.txt /m2/one /m3/x.txt /m3/one /named/x.txt /sub/one`},
	{"inherited from above", `
RewriteEngine On
RewriteOptions InheritDownBefore
RewriteRule ^/m - [F]
<Directory HOME/docs>
RewriteOptions InheritDown
RewriteRule other.html - [G]
</Directory>
<Directory HOME/docs/sub>
RewriteRule x - [F]
</Directory>
<Directory HOME/docs/owner>
RewriteOptions IgnoreInherit
RewriteRule x - [F]
</Directory>
`, `/m1/x.txt /sub/other.html /sub/x /owner/other.html /a.txt`},
	{"links", `
<Directory HOME/docs/nolink>
Options None
RewriteEngine On
RewriteRule ^f.txt$ - [G]
</Directory>
<Directory HOME/docs/empty>
RewriteEngine On
RewriteRule ^ /a.txt
</Directory>
<Directory HOME/docs/sub>
RewriteEngine On
RewriteOptions AllowNoSlash
RewriteRule ^$ /a.txt
</Directory>
`, `/nolink/f.txt /nolink/none /empty /empty/ /sub /sub/ /empty/x`},
	{"index", `
RewriteEngine On
RewriteRule ^/sub2/(.*)$ /index403/$1
RewriteRule ^/sub3/$ /index403/
RewriteRule ^/index403/index.html$ - [F]
<Directory HOME/docs/index403>
RewriteEngine On
RewriteRule ^x$ - [F]
</Directory>
<Directory HOME/docs/ix>
RewriteEngine On
RewriteRule ^index\.html$ /a.txt
</Directory>
<Directory HOME/docs/ix2>
RewriteEngine On
RewriteRule ^index\.html$ /a.txt [NS]
</Directory>
<Directory HOME/docs/ix3>
RewriteEngine On
RewriteRule ^index\.html$ http://other.example/
</Directory>
`, `/sub2/ /sub2 /sub3/ /index403/ /index403/index.html /ix/ /ix /ix/index.html /ix2/ /ix2/index.html /ix3/ /ix3/index.html`},
	{"error documents", `
ErrorDocument 403 /doc403
ErrorDocument 404 /doc404
ErrorDocument 410 /doc410
RewriteEngine On
RewriteRule ^/f - [F]
RewriteRule ^/doc403 /a.txt
RewriteRule ^/doc410 - [F]
RewriteRule ^/g - [G]
<Directory HOME/docs>
RewriteEngine On
RewriteRule ^doc404$ sub/other.html
</Directory>
`, `/f /g /missing`},
	{"variables and others", `
SetEnvIf X-Env "(.+)" VAR=$1
SetEnv LATE yes
RewriteEngine On
RewriteCond %{ENV:VAR} =block
RewriteRule ^ - [F]
RewriteCond %{ENV:LATE} yes
RewriteRule ^ - [G]
RewriteRule ^/mark - [E=MARK:1]
Header set X-Mark "%{MARK}e" env=MARK
Header set X-Re "%{REDIRECT_MARK}e" env=REDIRECT_MARK
Header set X-Script "%{SCRIPT_URL}e"
<Directory HOME/docs>
RewriteEngine On
RewriteCond %{ENV:LATE} yes
RewriteRule ^late - [F]
RewriteCond %{ENV:REDIRECT_STATUS} =200
RewriteRule ^a.txt$ - [E=MARK:inner]
RewriteRule ^mark2$ a.txt [E=MARK:%{ENV:VAR}]
</Directory>
<Location /env>
Require env MARK
</Location>
RewriteRule ^/env/y - [E=MARK:1]
`, `/a.txt|X-Env:block /a.txt|X-Env:other /late /mark /mark2|X-Env:v /a.txt /env/x /env/y`},
	{"unsafe", `
RewriteEngine On
RewriteRule ^/u1/(.*)$ /u?a=$1 [R]
RewriteRule ^/u2/(.*)$ /$1
RewriteRule ^/u3/(.*)$ /$1 [UnsafeAllow3F]
RewriteRule ^/u4/(.*)$ /$1?b [QSL]
RewriteRule ^/u5/(.*)$ /$1 [QSD]
RewriteRule ^/u6/(.*)$ /$1? [R]
RewriteRule ^/u7/(.*)$ /x$1 [R]
RewriteRule ^/u8/(.*)$ /a.txt?$1
RewriteRule ^/u9/(.*)$ /a.txt?$1 [R,NE]
RewriteRule ^/u10/(.*)$ /a.txt?$1 [R]
RewriteCond %{QUERY_STRING} (.*)
RewriteRule ^/u11/ /x/%1 [R]
`, `/u1/a%3fb /u2/a.txt%3fb /u3/a.txt%3fb /u4/a.txt%3fb /u5/a.txt%3fb /u6/a%3fb /u7/a%3fb /u8/a%20b /u8/a%0ab /u9/a%20b /u9/a%0d%0aX:y /u10/a%0d%0aX:y /u11/?a?b /u7/a%0d%0aX:y /u2/a%00b`},
	{"hosts", `
RewriteEngine On
RewriteRule ^/main - [F]
<VirtualHost *:*>
ServerName main.example
</VirtualHost>
<VirtualHost *:*>
ServerName one.example
RewriteRule ^/one - [F]
</VirtualHost>
<VirtualHost *:*>
ServerName two.example
RewriteEngine Off
RewriteRule ^/one - [F]
</VirtualHost>
<VirtualHost *:*>
ServerName three.example
RewriteOptions Inherit
RewriteRule ^/one - [F]
RewriteRule ^/self http://three.example/a.txt
RewriteRule ^/selg http://alias.example/a.txt
ServerAlias alias.example
</VirtualHost>
<VirtualHost *:*>
ServerName four.example:80
RewriteEngine On
RewriteRule ^/self http://four.example/a.txt
RewriteRule ^/selg http://four.example:80/a.txt
RewriteRule ^/selh http://four.example:81/a.txt
RewriteRule ^/seli https://four.example/a.txt
RewriteRule ^/selj http://four.example
</VirtualHost>
`, `/main /one|Host:one.example /main|Host:one.example /one|Host:two.example /one|Host:three.example /main|Host:three.example /self|Host:three.example /selg|Host:three.example
/self|Host:four.example /selg|Host:four.example /selh|Host:four.example /seli|Host:four.example /selj|Host:four.example /main|Host:four.example`},
}

// TestParityOfRewriting asks httpd and this server for what rules of
// mod_rewrite make of requests.
func TestParityOfRewriting(t *testing.T) {
	home := parityFiles(t)
	for _, name := range []string{"docs/ix/index.html", "docs/ix2/index.html", "docs/ix3/index.html", "out/f.txt"} {
		file := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	requests := 0
	for _, tt := range rewriteCases {
		requests += len(strings.Fields(tt.requests))
		t.Run(tt.name, func(t *testing.T) {
			conf := "ServerName main.example\nDocumentRoot HOME/docs\nTypesConfig HOME/mime.types\n"
			for _, m := range []string{"rewrite", "alias", "headers", "setenvif", "env", "authz_host"} {
				conf += "LoadModule " + m + "_module modules/mod_" + m + ".so\n"
			}
			conf += tt.conf
			ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
			theirs := &live{addr: startApache(t, home, conf)}
			for _, asked := range strings.Fields(tt.requests) {
				target, fields, _ := strings.Cut(asked, "|")
				request := "GET " + target + " HTTP/1.1\r\n"
				if !strings.Contains(fields, "Host:") {
					request += "Host: main.example\r\n"
				}
				for field := range strings.SplitSeq(fields, "|") {
					if field != "" {
						request += strings.Replace(field, ":", ": ", 1) + "\r\n"
					}
				}
				got, want := ours.answered(t, "GET", request+"\r\n"), theirs.answered(t, "GET", request+"\r\n")
				if strings.HasPrefix(want, "HTTP/1.1 500") {
					got, want = got[:12], want[:12] // httpd's page has more to say
				}
				if got != want {
					t.Errorf("%s is answered\n%s\nhttpd answers\n%s", asked, got, want)
				}
			}
		})
	}
	if requests < 190 {
		t.Errorf("%d requests, there should be 190", requests)
	}
}

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
