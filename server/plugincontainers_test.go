package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// containersConf has sections of a plugin's module in all places, and what
// their functions may look at.
const containersConf = `
MODULE:containers
LoadModule others_module LIBRARY
ServerName main.example
DocumentRoot HOME/docs
TypesConfig /dev/null
Look a
Top b
Twice t
Shared s
Declined d
Now first
<IfModule containers.c>
Now second
Look in-ifmodule
</IfModule>
Two a ""
Thirteen a ""
Thirteen a "" c
Thirteen a b ""
TwoThree a b ""
OneTwoThree a "" ""
Argv
Argv a ""
Argv "" a
Argv 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66
Iterate a b "" c
Iterate2 a b c
Iterate2 a ""
Iterate2 a b "" c
None
ReadFile HOME/own.file
ReadFile HOME/none.file
ReadFile HOME
<Group outside>
Look x
Top y
<Group inner>
Look z
</Group>
<Location /ws/grouped>
Look from-group
Inside p
</Location>
</Group>
<Group empty>
</Group>
<Group forgives>
Look a b
Look never
</Group>
<Deaf anything at all>
Look unheard
</Deaf>
<Word one>
Look unheard
</Word>
<Own /own/path>
Look o
Inside i
Auth a
Other q
Shared both
<Group within>
Look in-own
</Group>
</Own>
<Own /second>
</Own>
<Cond yes>
Look conditional
Now in-cond
<Location /ws/cond>
Look in-cond
</Location>
<Cond no>
Look hidden
<Other thing>
Nonsense here
</Other>
</Cond>
<Cond yes>
Look twice-conditional
</Cond>
</Cond>
<Cond no>
Nonsense
<Location /x>
</Location>
</Cond>
<Cond rest>
Look left-out
<Location /ws/cond>
Look kept
</Location>
Look kept-too
</Cond>
Look behind
<Text>
any text at all \
 goes on
   <Location unclosed
# no comment

last
</Text>
Look behind-text
<Location /ws>
SetHandler websocket-handler
WebSocketHandler PLUGIN:containers
Look l
Other o
Auth u
Check 0x01
Check 0x02
Check 0x04
Check 0x08
Check 0x10
Check 0x20
Check 0x40
Check 0x1c
Check 0x18
Check 0x5c
Check 0x5e
Check 0x5f
<Group in-location>
Look grouped
Inside q
Shared g
</Group>
Look last
</Location>
<Location /ws/limited>
<Limit GET POST>
Look limited
Check 0x02
Check 0x01
Check 0x1c
Check 0x5c
Check 0x40
Check 0x5e
<Group within>
Look deeper
</Group>
</Limit>
<LimitExcept GET LOCK>
Look excepted
</LimitExcept>
</Location>
<Directory HOME/docs>
Look directory
Check 0x04
Check 0x08
<Files "*">
Look files
Check 0x10
<If "true">
Look if-in-files
</If>
</Files>
</Directory>
<DirectoryMatch "docs$">
Look dirmatch
Check 0x04
</DirectoryMatch>
<FilesMatch "^ws$">
Look filesmatch
Check 0x10
</FilesMatch>
<Files "ws">
Look justfiles
Check 0x5c
</Files>
<LocationMatch "^/ws/(match)$">
Look locmatch
Check 0x08
</LocationMatch>
<If "%{REQUEST_URI} =~ m#/if#">
Look if
Check 0x10
Other if
</If>
<Else>
Look else
</Else>
<Location /ws/nested>
<If "true">
Look nested-if
<If "true">
Look deeper-if
</If>
</If>
</Location>
<VirtualHost *:*>
ServerName virtual.example
DocumentRoot HOME/docs
Look virtual
Top v
Check 0x01
Check 0x5f
<Group in-virtual>
Look g
</Group>
<Location /ws/nested>
Look virtual-location
Check 0x01
</Location>
</VirtualHost>
<VirtualHost *:*>
ServerName plain.example
</VirtualHost>
`

// TestParityOfModuleSections has a plugin tell what its functions were told of
// the configuration, under httpd and here, and what its records come to.
func TestParityOfModuleSections(t *testing.T) {
	home := tree(t, "docs/index.html")
	conf := withLibraries(t, strings.NewReplacer("LIBRARY", apxs(t, "containers"), "HOME", home).Replace(containersConf))
	for name, text := range map[string]string{"own.file": "  one \\\n two\r\n\nthree\\\r\nfour", "both.conf": conf} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	both := serveBoth(t, home, "Include HOME/both.conf\n") // where lines have the same numbers
	lines := func(l *live) []string {
		return strings.Split(l.reflection(t, "GET /ws?all HTTP/1.1\r\nHost: main.example\r\n"), "\n")
	}
	want, got := lines(both.theirs), lines(both.ours)
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want) || i >= len(got):
			t.Fatalf("%d lines here, %d by httpd", len(got), len(want))
		case got[i] != want[i]:
			t.Errorf("line %d here:\n%s\nhttpd:\n%s", i, got[i], want[i])
		}
	}
	if len(want) < 200 {
		t.Errorf("httpd has %d lines", len(want))
	}
	for _, host := range []string{"main.example", "virtual.example", "plain.example"} {
		for _, target := range []string{"/ws", "/ws/grouped", "/ws/cond", "/ws/limited", "/ws/match", "/ws/if", "/ws/nested", "/ws/nested/x"} {
			both.agree(t, func(t *testing.T, l *live) string {
				return host + target + " " + l.reflection(t, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n")
			})
		}
	}
}

// TestParityOfSectionErrors compares what both say of what is wrong in sections
// of a plugin's module, and where.
func TestParityOfSectionErrors(t *testing.T) {
	for _, lines := range []string{
		"Two \"\" a", "Top", "Inside a", "Files a b", "None x", "Argv a", "Iterate", "Iterate2 a", "Iterate2 a b stop c", "Thirteen a b",
		"<Location /x>\nTop a\n</Location>", "<Location /x>\nInside\n</Location>", "<Location /x>\nTop\n</Location>",
		"<Group a>\nLook a b\n</Group>", "<Group a>\nNonsense\n</Group>", "<Group a>\n<Group b>\nTop a b\n</Group>\n</Group>",
		"<Group rewords>\nLook ok\nLook a b\n</Group>", "<Group rewords>\n<Group inner>\nLook a b\n</Group>\n</Group>",
		"<Group a>\nLook a\n", "<Group a>\n</Own>", "</Group>", "<Group a\n</Group>", "<Group>\n</Group>\nLook a b",
		"<Group a>\n<Location /x>\nTop a\n</Location>\n</Group>", "<Group a>\nInside a\n</Group>", "<Location /x>\n<Group a>\nTop a\n</Group>\n</Location>",
		"<Location /x>\n<Own /x>\n</Own>\n</Location>", "<Own /x>\nTop a\n</Own>", "<Own /x>\nForbid 0x04\nForbid 0x40\nForbid 0x1c\n</Own>",
		"<VirtualHost *:*>\nForbid 0x5f\n</VirtualHost>", "<Directory /x>\nForbid 0x04\n</Directory>", "<Files x>\n<If true>\nForbid 0x10\n</If>\n</Files>",
		"<Limit GET>\nForbid 0x02\n</Limit>", "<Location /x>\n<Limit GET>\nForbid 0x02\n</Limit>\n</Location>",
		"<Cond yes>\nLook a b\n</Cond>", "<Cond yes>\nNonsense\n</Cond>", "<Cond yes>\nNow\n</Cond>", "<Cond yes>\n<Location /x>\n</Cond>",
		"<Cond yes>\nLook a\n", "<Cond yes>\n</Other>\n</Cond>", "<Cond no>\nLook a\n", "<Cond no>\n<X>\n</Y>\n</Cond>", "<Cond no>\n</Other>",
		"<Cond yes\n</Cond>", "Now", "Now a b", "<Location /x>\nNow a b\n</Location>", "NowInside a", "<Location /x>\nNowInside a\n</Location>",
		"<Text>\nno end", "<Word a b>\n</Word>", "<Deaf>\n</Deaf>\nTop", "Declined", "Shared", "Twice a b",
		"<Cond yes>\n<Group a>\nLook a b\n</Group>\n</Cond>",
	} {
		t.Run(lines, func(t *testing.T) {
			agreeOnError(t, "MODULE:containers\nLoadModule others_module "+apxs(t, "containers")+"\n"+lines+"\n")
		})
	}
}

// TestDirectivesLostInSections: what would do nothing in a section of a
// plugin's module, or be seen by the workers alone, is refused there.
func TestDirectivesLostInSections(t *testing.T) {
	for lines, want := range map[string]string{
		"<Own /x>\nSetHandler none\n</Own>":                            "SetHandler is not obeyed",
		"<Own /x>\n<If true>\n</If>\n</Own>":                           "<If is not obeyed",
		"<Own /x>\n<Files y>\n</Files>\n</Own>":                        "<Files is not obeyed",
		"<Own /x>\n<Limit GET>\nOther a\n</Limit>\n</Own>":             "",
		"<Own /x>\n<Limit GET>\nRequire all granted\n</Limit>\n</Own>": "Require is not obeyed",
		"<Group x>\nListen 127.0.0.1:1\n</Group>":                      "Listen is not obeyed",
		"<Cond yes>\nErrorLog other\n</Cond>":                          "ErrorLog is not obeyed",
		"<Cond no>\nErrorLog other\n</Cond>":                           "",
		"<Group x>\nTimeout 5\n<Cond yes>\n</Cond>\n</Group>":          "",
	} {
		loader := pluginloader.New(func(int, string, ...any) {})
		_, text := loadModules(t, loader, tree(t, "docs/index.html"), "ErrorLog log\nLoadModule authz_core_module x\nMODULE:containers\nLoadModule others_module "+apxs(t, "containers")+"\n"+lines+"\n")
		if want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%s: %s\nwant %q", lines, text, want)
		}
	}
}
