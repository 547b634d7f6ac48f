package httpdconf

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

func TestLeadingNumber(t *testing.T) {
	tests := []struct {
		in   string
		n    int64
		rest string
	}{
		{"64", 64, ""}, {"64k", 64, "k"}, {" +7x", 7, "x"}, {"-5", -5, ""}, {"0x10", 0, "x10"}, {"abc", 0, "abc"}, {"", 0, ""}, {"+", 0, "+"},
		{"99999999999999999999", math.MaxInt64, ""}, {"-99999999999999999999", math.MinInt64, ""},
	}
	for _, tt := range tests {
		if n, rest := leadingNumber(tt.in); n != tt.n || rest != tt.rest {
			t.Errorf("leadingNumber(%q) = %d, %q; want %d, %q", tt.in, n, rest, tt.n, tt.rest)
		}
	}
}

func TestParseAddrPort(t *testing.T) {
	tests := []struct {
		in, host string
		port     int
		bad      bool
	}{
		{"80", "", 80, false}, {"*:80", "*", 80, false}, {"1.2.3.4:80", "1.2.3.4", 80, false}, {"[::1]:80", "::1", 80, false},
		{"[::1]", "::1", 0, false}, {"host", "host", 0, false}, {"host:80", "host", 80, false}, {"a:b", "a:b", 0, false},
		{"99999", "", 0, true}, {"0", "", 0, true}, {"[::1:80", "", 0, true}, {"[x]:80", "", 0, true}, {"host:0", "", 0, true},
	}
	for _, tt := range tests {
		host, port, err := parseAddrPort(tt.in)
		if host != tt.host || port != tt.port || (err != nil) != tt.bad {
			t.Errorf("parseAddrPort(%q) = %q, %d, %v; want %q, %d", tt.in, host, port, err, tt.host, tt.port)
		}
	}
}

func TestArity(t *testing.T) {
	words := func(s string) []syntax.Arg {
		var list []syntax.Arg
		for w := range strings.FieldsSeq(s) {
			list = append(list, syntax.Arg{Text: strings.ReplaceAll(w, "@", "")})
		}
		return list
	}
	tests := []struct {
		rule      argRule
		good, bad []string
		sentence  string
	}{
		{argsNone, []string{""}, []string{"a"}, "takes no arguments"},
		{argsOne, []string{"a"}, []string{"", "a b", "@"}, "takes one argument"},
		{argsTwo, []string{"a b"}, []string{"", "a", "a b c", "a @"}, "takes two arguments"},
		{argsThree, []string{"a b c"}, []string{"a b", "a b c d"}, "takes three arguments"},
		{argsOneTwo, []string{"a", "a b"}, []string{"", "a b c"}, "takes 1-2 arguments"},
		{argsTwoThree, []string{"a b", "a b c"}, []string{"a", "a b c d"}, "takes two or three arguments"},
		{argsOneTwoThree, []string{"a", "a b", "a b c"}, []string{"", "a b c d"}, "takes one, two or three arguments"},
		{argsOneThree, []string{"a", "a b c"}, []string{"", "a b"}, "takes one or three arguments"},
		{argsIterate, []string{"a", "a b c d"}, []string{"", "@"}, "requires at least one argument"},
		{argsIterate2, []string{"a b", "a b c d"}, []string{"", "a"}, "requires at least two arguments"},
		{argsArgv, []string{"", "a b c d"}, nil, ""},
	}
	for _, tt := range tests {
		info := &directiveInfo{Name: "Name", Args: tt.rule, Usage: "the usage"}
		for _, good := range tt.good {
			if text := checkArity(info, words(good)); text != "" {
				t.Errorf("rule %d refuses %q: %s", tt.rule, good, text)
			}
		}
		for _, bad := range tt.bad {
			if text, want := checkArity(info, words(bad)), "Name "+tt.sentence+", the usage"; text != want {
				t.Errorf("rule %d says to %q: %q, want %q", tt.rule, bad, text, want)
			}
		}
	}
	flag := &directiveInfo{Name: "Flag", Args: argsFlag}
	for _, good := range []string{"On", "oFF", "on off"} {
		if text := checkArity(flag, words(good)); text != "" {
			t.Errorf("a flag refuses %q: %s", good, text)
		}
	}
	for _, bad := range []string{"", "yes", "1"} {
		if text := checkArity(flag, words(bad)); text != "Flag must be On or Off" {
			t.Errorf("a flag says to %q: %q", bad, text)
		}
	}
}

func TestVersions(t *testing.T) {
	tests := []struct {
		op, version string
		want        bool
	}{
		{"=", "2.4.71", true}, {"=", "2.4", false}, {"==", "2.4.71", true}, {">", "2.4", true}, {">=", "2.4.71", true}, {"<", "2.4.72", true},
		{"<", "2.4.71", false}, {"<=", "3", true}, {">", "3", false}, {"~", `^2\.4`, true}, {"=", `/^2\.2/`, false}, {"=", `/^2\.4/`, true},
		{"==", `/^2\.4/`, true}, {"!=", "2.4.71", false}, {"!~", `^3`, true}, {">", "2.4.", true}, {">", "2..9", true}, {"=", "2.4.71.", true},
		{"<", "99999999999999999999", true}, {"!==", "2.4", true},
	}
	for _, tt := range tests {
		if got, text := versionHolds(tt.op, tt.version); got != tt.want || text != "" {
			t.Errorf("%s %s: %v %q, want %v", tt.op, tt.version, got, text, tt.want)
		}
	}
	for _, bad := range [][2]string{{"=>", "2.4"}, {"=", "2.x"}, {"=", "2.4.1.1"}, {"=", "-1"}, {"=", ".4"}, {"=", "2.4.1.."}, {"~", "("}, {"=", "/2.4"}, {"=", "/"}, {"!", "2"}, {"~=", "2"}, {"", "2"}, {"!!=", "2"}} {
		if got, text := versionHolds(bad[0], bad[1]); got || text == "" {
			t.Errorf("%s %s: %v %q, want an error", bad[0], bad[1], got, text)
		}
	}
}

func TestModuleNames(t *testing.T) {
	for ident, source := range map[string]string{
		"websocket_module": "mod_websocket.c", "ssl_module": "mod_ssl.c", "core_module": "core.c", "http_module": "http_core.c",
		"mpm_event_module": "event.c", "ldap_module": "util_ldap.c", "websocket_draft76_module": "mod_websocket_draft76.c",
	} {
		if sourceOf(ident) != source || identOf(source) != ident {
			t.Errorf("%s and %s: got %s and %s", ident, source, sourceOf(ident), identOf(source))
		}
	}
	table := stockTable()
	for _, infos := range table {
		for _, info := range infos {
			if sourceOf(identOf(info.Module)) != info.Module {
				t.Errorf("%s becomes %s and then %s", info.Module, identOf(info.Module), sourceOf(identOf(info.Module)))
			}
		}
	}
}

// TestStockTable: the whole of httpd is known, and every directive of a module
// that is loaded has an outcome: it is obeyed, noted, warned of or refused.
func TestStockTable(t *testing.T) {
	table := stockTable()
	if len(table) < 700 {
		t.Errorf("%d names, want at least 700", len(table))
	}
	for name, want := range map[string]directiveInfo{
		"listen":           {Name: "Listen", Module: "event.c", Args: argsArgv, Where: serverConf, Tier: tierA},
		"addtype":          {Name: "AddType", Module: "mod_mime.c", Args: argsIterate2, Where: orFileInfo, Tier: tierA},
		"require":          {Name: "Require", Module: "mod_authz_core.c", Args: argsRaw, Where: orAuthConfig, Tier: tierC},
		"<location":        {Name: "<Location", Module: "core.c", Args: argsRaw, Where: serverConf, Tier: tierA},
		"sslverifyclient":  {Name: "SSLVerifyClient", Module: "mod_ssl.c", Args: argsOne, Where: serverConf | orAuthConfig, Tier: tierC},
		"proxypass":        {Name: "ProxyPass", Module: "mod_proxy.c", Args: argsRaw, Where: accessConf | serverConf, Tier: tierD},
		"websockethandler": {Name: "WebSocketHandler", Module: "mod_websocket.c", Args: argsTwo, Where: orAuthConfig, Tier: tierA},
	} {
		got := *table[name][0]
		got.Usage = ""
		if got != want {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if n := len(table["websockethandler"]); n != 2 {
		t.Errorf("WebSocketHandler has %d owners, want 2", n)
	}
	commands := commandTable()
	for key, list := range commands {
		for _, c := range list {
			if !slices.ContainsFunc(table[key], func(i *directiveInfo) bool { return i.Module == c.module }) {
				t.Errorf("the row %s of %s is of a directive that the table does not have", key, c.module)
			}
			if c.effect == "" {
				t.Errorf("%s has no text for the README", key)
			}
		}
	}
}

func TestCaretCountsColumns(t *testing.T) {
	tests := []struct {
		name, line, word, want string
	}{
		{"plain", "Foo bar", "bar", "     1 | Foo bar\n       |     ^^^\n"},
		{"a tab goes to the next multiple of eight", "\tFoo bar", "bar", "     1 |         Foo bar\n       |             ^^^\n"},
		{"wide characters take two columns", "日本 bar", "bar", "     1 | 日本 bar\n       |      ^^^\n"},
		{"combining marks take none", "a\u0301 bar", "bar", "     1 | a\u0301 bar\n       |   ^^^\n"},
		{"control bytes are shown", "\x01 bar", "bar", "     1 | \\x01 bar\n       |      ^^^\n"},
		{"what is no UTF-8 is shown", "\xff bar", "bar", "     1 | \\xff bar\n       |      ^^^\n"},
		{"CR LF", "Foo bar\r", "bar", "     1 | Foo bar\n       |     ^^^\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := strings.Index(tt.line, tt.word)
			rng := hcl.Range{Filename: "f", Start: hcl.Pos{Line: 1, Byte: start}, End: hcl.Pos{Line: 1, Byte: start + len(tt.word)}}
			cfg := &Config{Files: map[string]*hcl.File{"f": {Bytes: []byte(tt.line + "\n")}}}
			p := printer{program: "httpd", cfg: cfg}
			p.source(&hcl.Diagnostic{Subject: &rng})
			if got := p.out.String(); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestDiagnosticsOfOthersHaveTheirLine(t *testing.T) {
	rng := hcl.Range{Filename: "f", Start: hcl.Pos{Line: 2, Byte: 2}, End: hcl.Pos{Line: 2, Byte: 5}}
	cfg := &Config{Files: map[string]*hcl.File{"f": {Bytes: []byte("a\nfoo\n")}}}
	var b bytes.Buffer
	WriteDiagnostics(&b, "httpd", cfg, "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Sentence", Detail: "cause\nremedy", Subject: &rng}})
	const want = "AH00526: Syntax error on line 2 of f:\nSentence\n     2 | foo\n       | ^^^\n       cause\n       remedy\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWarningsHaveALevel(t *testing.T) {
	cfg := &Config{}
	for level, want := range map[string]int{"error": 1, "warn": 2, "": 3, "info": 4} {
		var diags hcl.Diagnostics
		for i, l := range []LogLevel{LevelError, LevelWarn, LevelNotice, LevelInfo} {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: fmt.Sprint(i), Extra: &Place{Level: l, Module: "m", Code: "AH1"}})
		}
		var b bytes.Buffer
		WriteDiagnostics(&b, "httpd", cfg, level, diags)
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("level %q prints %d of 4 warnings, want %d:\n%s", level, got, want, &b)
		}
		if !strings.Contains(b.String(), "[m:error] [pid ") || !strings.Contains(b.String(), "] AH1: 0\n") {
			t.Errorf("a warning reads %q", b.String())
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"WebSocketHandler", "MaxMessageSize", "SetHandler", "ServerName"}
	for name, want := range map[string]string{
		"WebSocketHandle": "WebSocketHandler", "MaxMesageSize": "MaxMessageSize", "sethandler": "SetHandler", "ServreName": "ServerName", "Zzz": "", "": "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCommandLineDirectives(t *testing.T) {
	tests := []struct {
		name          string
		before, after []string
		want          string
	}{
		{"in front of the file", []string{"Foo"}, nil, "AH00526: Syntax error on line 1 of -c/-C directives:\nInvalid command 'Foo'"},
		{"behind it", nil, []string{"ServerName a", "Foo"}, "AH00526: Syntax error on line 2 of -c/-C directives:\nInvalid command 'Foo'"},
		{"nesting", []string{"</Location>"}, nil, "httpd: Syntax error in -C/-c directive: </Location> without matching <Location> section"},
		{"a section over several", []string{"<Location /a>", "SetHandler none", "</Location>"}, []string{"ErrorLog /dev/null"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, diags := Load("/dev/null", Options{Program: "httpd", ServerRoot: "/", Before: tt.before, After: append(tt.after, "ErrorLog /dev/null")})
			var b bytes.Buffer
			WriteDiagnostics(&b, "httpd", cfg, "error", diags)
			if got := b.String(); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestCommandLineSources: a caret stands below the line that is meant, though
// -C and -c share their name.
func TestCommandLineSources(t *testing.T) {
	cfg, diags := Load("/dev/null", Options{
		Program: "httpd", ServerRoot: "/",
		Before: []string{"ServerName a", "Error one\ntwo", "Foo x"}, After: []string{"Bar y", "ErrorLog /dev/null"},
	})
	var b bytes.Buffer
	WriteDiagnostics(&b, "httpd", cfg, "error", diags)
	for _, want := range []string{
		"line 2 of -c/-C directives:\none two\n     2 | Error one two\n",
		"line 3 of -c/-C directives:\nInvalid command 'Foo', perhaps misspelled or defined by a module not included in the server configuration\n     3 | Foo x\n       | ^^^\n",
		"line 1 of -c/-C directives:\nInvalid command 'Bar', perhaps misspelled or defined by a module not included in the server configuration\n     1 | Bar y\n       | ^^^\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwant in it\n%s", &b, want)
		}
	}
}

func TestMissingMainFile(t *testing.T) {
	cfg, diags := Load("/nope/httpd.conf", Options{Program: "httpd", ServerRoot: "/"})
	var b bytes.Buffer
	WriteDiagnostics(&b, "httpd", cfg, "", diags)
	if got, want := b.String(), "httpd: Could not open configuration file /nope/httpd.conf: No such file or directory\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
