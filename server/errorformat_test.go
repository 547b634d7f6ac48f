package server

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/logformat"
)

const errorLogConf = `
ServerName main.example
DocumentRoot HOME/docs
DirectoryIndex index.html
TypesConfig HOME/mime.types
LogLevel warn
SetEnvIf Request_URI . foo=bar\\back
<Location /deny>
Require all denied
</Location>
<Location /quiet>
Require all denied
LogLevel emerg
</Location>
<Location /module>
Require all denied
LogLevel info authz_core:crit
</Location>
<Location /password>
AuthType Basic
AuthName x
AuthUserFile HOME/none
Require valid-user
</Location>
<Location /group>
AuthType Basic
AuthName x
AuthUserFile HOME/users
AuthGroupFile HOME/none
Require group x
</Location>
<VirtualHost *:*>
ServerName default.example
ErrorLog HOME/logs/default
</VirtualHost>
<VirtualHost *:*>
ServerName own.example
ErrorLog HOME/logs/own
ErrorLogFormat "[%t] [%{u}t] [%{cu}t] [%{c}t] [%{cuz}t] [%-m:%l] [%m] %7F: %E: [client\\ %a] [%A] k=%k v=%v V=%V ua=%-{User-Agent}i x%{X-None}i e=%{foo}e e2=%-{none}e %M% ,\\ referer\\ %{Referer}i"
ErrorLogFormat connection "%{c}L %a %A k=%k v=%v V=%-V P=%{x}P"
ErrorLogFormat connection "%{C}L %-{Referer}i %-{foo}e E=%-E F=%-F m=%-m l=%-l [%L]"
ErrorLogFormat request "[req] %{Referer}i ua %-{User-Agent}i tail"
ErrorLogFormat request "%+{X-Wanted}i wanted by %a"
ErrorLogFormat request "[%l] %m x 100%%"
</VirtualHost>
<VirtualHost *:*>
ServerName id.example
ErrorLog HOME/logs/id
ErrorLogFormat "%L %{C}L %M"
CustomLog HOME/logs/id-access "%L %U"
</VirtualHost>
`

// logTimes are the times and ports of a record, and the sizes of ids.
var logTimes = regexp.MustCompile(`[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d(\.\d{6})? \d{4}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?( \+0000)?|127\.0\.0\.1:\d+|pid \d+:tid \d+|P=\d+`)

// TestParityOfErrorLogs has httpd and this server log the same refusals.
func TestParityOfErrorLogs(t *testing.T) {
	var requests []string
	for _, host := range []string{"default.example", "own.example", "id.example"} {
		for _, path := range []string{"/deny", "/quiet", "/module", "/a.txt", "/password", "/group"} {
			for _, fields := range []string{"", "Authorization: Basic dTpw\r\nReferer: http://r/\"x\\\xe4\"\r\nUser-Agent: probe\r\nX-Wanted: \ttab\r\nX-None: \r\n"} {
				requests = append(requests, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\n"+fields+"\r\n")
			}
		}
	}
	load := loadLines("setenvif", "auth_basic", "authn_core", "authn_file", "authz_user", "authz_groupfile")
	logs := make([]map[string]string, 2)
	for i := range logs {
		home := parityFiles(t)
		if err := os.Mkdir(filepath.Join(home, "logs"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, home, "users", "u:{SHA}UWuXg/ylF+7L0dBk2i0WUxCxl1k=\n") // of p
		var l *live
		if i == 0 {
			l = serveIn(t, home, load+strings.ReplaceAll(errorLogConf, "HOME", "ROOT"), nil)
		} else {
			l = &live{addr: startApache(t, home, load+errorLogConf)}
		}
		for _, request := range requests {
			p := l.dial(t)
			p.send(request).receive("GET")
			p.Close()
		}
		time.Sleep(time.Second) // for the last lines
		logs[i] = accessLogs(t, home)
	}
	for name, text := range logs[1] {
		got, want := logLines(logs[0][name]), logLines(text)
		if !slices.Equal(got, want) {
			t.Errorf("%s is\n%s\nby httpd\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for _, line := range logLines(logs[0]["id"]) {
		if line != "" && !strings.HasPrefix(line, "ID AH") {
			t.Errorf("a record begins with no id: %q", line)
		}
	}
}

// logLines returns lines without what differs between two runs, in order.
func logLines(text string) []string {
	lines := strings.Split(logTimes.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`\d+`).ReplaceAllString(s, "N") }), "\n")
	for i, line := range lines {
		lines[i] = regexp.MustCompile(`^[A-Za-z0-9+/@_-]{11} `).ReplaceAllString(line, "ID ")
	}
	slices.Sort(lines)
	return lines
}

// TestErrorFormat: what an item that is empty takes with it.
func TestErrorFormat(t *testing.T) {
	e := errorRecord{module: "core", level: httpdconf.LevelError, text: "text", at: time.Unix(0, 0).UTC(), host: &httpdconf.Host{Name: "x"}}
	for format, want := range map[string]string{
		"[%l] %M": "[error] text", "a [%a] b %M": "a b text", "a [%-a] %M": "a [-] text", "%+a %M": "", "[%a]%M": "text", "%7l %M": " text", "%3l %M": "error text",
		"%M [%a] c": "text c", "%{cu}t %M": "1970-01-01 00:00:00.000000 text", "%{z}t %M": "Thu Jan 01 00:00:00 1970 +0000 text", "%F %M": "errorformat_test.go(%) text",
	} {
		items, err := logformat.ParseError(format, true)
		if err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`go\(\d+\)`).ReplaceAllString(string(appendErrorLine(nil, items, &e)), "go(%)")
		if got != want {
			t.Errorf("%s gives %q, want %q", format, got, want)
		}
	}
}
