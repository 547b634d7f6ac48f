package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// TestVerdictsHoldAgainstHTTPD serves single lines by httpd and by this server:
// the answers differ if, and only if, the report says that the line changes
// behaviour. The lines of a case are for the whole server; modules stand in
// front.
func TestVerdictsHoldAgainstHTTPD(t *testing.T) {
	tests := []struct{ modules, lines, question string }{
		{"autoindex", "Options Indexes FollowSymLinks", "GET /noindex/"},
		{"autoindex", "Options FollowSymLinks", "GET /noindex/"},
		{"negotiation", "Options MultiViews FollowSymLinks", "GET /a"},
		{"negotiation", "Options FollowSymLinks", "GET /a"},
		{"", "AddLanguage fr .fr", "GET /page.html.fr"},
		{"", "DefaultLanguage fr", "GET /a.txt"},
		{"", "AddCharset UTF-8 .txt", "GET /a.txt"},
		{"", "AddEncoding gzip .gz", "GET /x.tar.gz"},
		{"", "AddDefaultCharset On", "GET /a.txt"},
		{"", "AddDefaultCharset Off", "GET /a.txt"},
		{"", "AddType text/own .own", "GET /note.own"},
		{"", "ForceType text/own", "GET /a.txt"},
		{"", "ForceType None", "GET /a.txt"},
		{"", "RemoveType txt", "GET /a.txt"},
		{"", "AcceptPathInfo On", "GET /a.txt/more"},
		{"", "AcceptPathInfo Off", "GET /a.txt/more"},
		{"", "AcceptPathInfo Default", "GET /a.txt/more"},
		{"", "FileETag None", "GET /a.txt"},
		{"", "FileETag INode", "GET /a.txt"},
		{"", "FileETag MTime Size", "GET /a.txt"},
		{"", "RegisterHttpMethod OWN", "OWN /a.txt"},
		{"", "MaxRanges none", "GET /a.txt | Range: bytes=0-1"},
		{"", "MaxRanges default", "GET /a.txt | Range: bytes=0-1"},
		{"", "EnableMMAP Off", "GET /a.txt"},
		{"", "EnableSendfile On", "GET /a.txt"},
		{"", "HostnameLookups Off", "GET /a.txt"},
		{"", "ServerAdmin me@example.org", "GET /nothing"},
		{"", "DirectorySlash Off", "GET /sub"},
		{"", "DirectorySlash On", "GET /sub"},
		{"", "DirectoryIndexRedirect On", "GET /sub/"},
		{"", "DirectoryIndexRedirect Off", "GET /sub/"},
		{"", "Options +ExecCGI +Includes", "GET /a.txt"},
		{"negotiation", "LanguagePriority fr", "GET /page.html.fr"},
		{"userdir", "UserDir ${DOCS}/sub/*", "GET /~deep/a.txt"},
		{"userdir", "UserDir disabled", "GET /~deep/a.txt"},
		{"cern_meta", "MetaFiles On", "GET /a.txt"},
		{"cern_meta", "MetaFiles Off", "GET /a.txt"},
		{"filter deflate", "SetOutputFilter DEFLATE", "GET /large.txt | Accept-Encoding: gzip"},
		{"filter deflate", "AddOutputFilterByType DEFLATE text/plain", "GET /large.txt | Accept-Encoding: gzip"},
		{"filter deflate", "DeflateCompressionLevel 9", "GET /large.txt | Accept-Encoding: gzip"},
		{"expires", "ExpiresActive On\nExpiresDefault A600", "HEAD /a.txt"},
		{"expires", "ExpiresActive Off", "HEAD /a.txt"},
		{"speling", "CheckSpelling On", "GET /A.txt"},
		{"speling", "CheckSpelling Off", "GET /A.txt"},
		{"usertrack", "CookieTracking On", "GET /a.txt"},
		{"usertrack", "CookieTracking Off", "GET /a.txt"},
		{"status", "<Location /status>\nSetHandler server-status\n</Location>", "GET /status"},
		{"", "<Location /sub>\nSetHandler None\n</Location>", "GET /sub/"},
	}
	home := configurationHome(t)
	large := strings.Repeat("a file that is worth compressing\n", 100)
	write(t, home, "docs/large.txt", large)
	if err := os.Mkdir(filepath.Join(home, "docs/.web"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, home, "docs/.web/a.txt.meta", "X-Meta: yes\n")
	for i, tt := range tests {
		t.Run(tt.lines+" "+tt.question, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(home, fmt.Sprint("case", i)) // a name with a variable would be none
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			text := loadLines(strings.Fields(tt.modules)...) + tt.lines + "\n#? " + tt.question + "\n"
			write(t, dir, "case.conf", text)
			file := filepath.Join(dir, "case.conf")
			q := questions(t, text)[0]
			theirs, ours := apacheOf(t, home, file), wshttpdOf(t, home, file)
			want, got := theirs.answerTo(t, &q), ours.answerTo(t, &q)
			if said := changes(t, home, file); (said != "") != (got != want) {
				t.Errorf("the report says %q\nwshttpd answers\n%s\nhttpd answers\n%s", said, got, want)
			}
		})
	}
}

// changes is what the report says of the lines of a file that change behaviour.
func changes(t *testing.T, home, file string) (said string) {
	t.Helper()
	conf, _ := headed(t, home, newAddress(t), file, "websocket")
	cfg, diags := httpdconf.Load(conf, httpdconf.Options{Judge: true})
	for _, v := range cfg.Report(diags).Verdicts {
		if v.Fate >= httpdconf.Changes && v.File == file {
			said += fmt.Sprintf("%s %s: %s\n", v.Name, v.Args, v.How)
		}
	}
	return said
}

// TestWhatIsAnsweredAsByHTTPDIsHonoured: of the configurations that both servers
// answer alike, the report says nothing else.
func TestWhatIsAnsweredAsByHTTPDIsHonoured(t *testing.T) {
	files, err := filepath.Glob("testdata/differential/*.conf")
	if err != nil || len(files) < minConfigurations {
		t.Fatalf("%d files, %v: want %d", len(files), err, minConfigurations)
	}
	home := configurationHome(t)
	for _, file := range files {
		whole, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		if said := changes(t, home, whole); said != "" {
			t.Errorf("%s: %s", file, said)
		}
	}
}
