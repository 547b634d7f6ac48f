package expr

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// example is a request for http://example.test/a/b?q=1 from 10.1.2.3.
func example() *request {
	return &request{
		variables: map[string]string{
			"HTTP_HOST": "example.test", "REQUEST_URI": "/a/b", "QUERY_STRING": "q=1", "SSL_PROTOCOL": "TLSv1.3",
		},
		headers: map[string]string{"upgrade": "websocket", "host": "example.test"},
		vars:    map[string]string{"VAR": "own"},
		system:  map[string]string{"VAR": "system", "PATH": "/bin"},
		lists:   map[string][]string{"peerextlist 1.2.3": {"one", "two"}},
		remote:  netip.MustParseAddr("10.1.2.3"),
	}
}

func TestBool(t *testing.T) {
	tests := []struct {
		name, expr string
		want       bool
	}{
		{"a variable is known in any case", `%{http_HOST} == 'example.test'`, true},
		{"a variable without a value is empty", `-z %{REMOTE_USER}`, true},
		{"|| binds less than &&", `true || true && false`, true},
		{"a parenthesis binds most", `(true || true) && false`, false},
		{"! binds more than &&", `!false && false`, false},
		{"! takes in a comparison", `! 'a' == 'b'`, true},
		{"strings are compared by bytes", `'10' < '9' && "\377" > 'z'`, true},
		{"integers are compared by value", `'10' -gt 9 && 010 -eq 10`, true},
		{"integers without a hyphen", `1 lt 2 and 2 ge 2`, true},
		{"a word in a list", `'b' in {'a', 'b'}`, true},
		{"a word in no list", `'c' in {'a', 'b'}`, false},
		{"a match with a mark of its own and in any case", `%{REQUEST_URI} =~ m#^/A/#i`, true},
		{"a match leaves groups", `%{REQUEST_URI} =~ m#^/(.)/(.)# && $2 . "$1" == 'ba'`, true},
		{"a match without parentheses leaves them alone", `'x' =~ /(x)/ && 'y' =~ /y/ && $1 == 'x'`, true},
		{"no match empties them", `'x' =~ /(x)/ && 'y' !~ /(z)/ && $1 == ''`, true},
		{"groups begin empty", `"$0$9" == ''`, true},
		{"lookahead", `'ws://' =~ /^ws(?=:)(?!s)/`, true},
		{"-strmatch crosses a slash", `%{REQUEST_URI} -strmatch '/a*b'`, true},
		{"-fnmatch does not", `%{REQUEST_URI} -fnmatch '/a*b'`, false},
		{"-strcmatch has no case", `'ABC' -strcmatch '[a-b]*'`, true},
		{"-ipmatch", `'10.1.2.3' -ipmatch '10.1.0.0/16'`, true},
		{"-ipmatch of a name", `'localhost' -ipmatch '127'`, false},
		{"-R", `-R '10.1' && !-R '::/8'`, true},
		{"-T", `-T 'on' && !-T 'OFF' && !-T '0'`, true},
		{"-n and -z", `-n 'a' && -z ''`, true},
		{"-d and -f", `-d '.' && -f 'doc.go' && -e 'doc.go' && -s 'doc.go' && !-x 'doc.go' && !-L 'doc.go'`, true},
		{"a header", `req('UPGRADE') == 'websocket' && %{http:upgrade} == 'websocket'`, true},
		{"env before osenv", `env('VAR') == 'own' && osenv('VAR') == 'system' && env('PATH') == '/bin'`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse(tt.expr)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.expr, err)
			}
			if got, err := e.Bool(example()); got != tt.want || err != nil {
				t.Errorf("%s = %v, %v, want %v", tt.expr, got, err, tt.want)
			}
		})
	}
}

func TestString(t *testing.T) {
	tests := []struct{ name, expr, want string }{
		{"text", "a b", "a b"},
		{"nothing", "", ""},
		{"variables and text", "ws://%{HTTP_HOST}%{REQUEST_URI}?%{QUERY_STRING}", "ws://example.test/a/b?q=1"},
		{"a function of a variable", "%{toupper:%{HTTP_HOST}!}", "EXAMPLE.TEST!"},
		{"escapes", `\101\t\"\%{\$1`, "A\t\"%{$1"},
		{"what is no variable", "%a $b } {", "%a $b } {"},
		{"case is ASCII's", "%{toupper:\xe9\xc3\xa9}%{tolower:\xc9}", "\xe9\xc3\xa9\xc9"},
		{"digests", "%{md5:a} %{sha1:a}", "0cc175b9c0f1b6a831c399e269772661 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
		{"base64", "%{base64:ab} %{unbase64:YWI=}", "YWI= ab"},
		{"escape and unescape", "%{escape:a b%} %{unescape:a%20b%2f}", "a%20b%25 a b%2f"},
		{"a malformed escape", "[%{unescape:%2}%{unescape:%00}%{unescape:a%}]", "[]"},
		{"ldap", `%{ldap:(a\\)}`, `\28a\5c\29`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := ParseString(tt.expr)
			if err != nil {
				t.Fatalf("ParseString(%q): %v", tt.expr, err)
			}
			if got, err := e.String(example()); got != tt.want || err != nil {
				t.Errorf("%s = %q, %v, want %q", tt.expr, got, err, tt.want)
			}
		})
	}
}

// httpd -t has said these.
func TestMessages(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`foo`, `syntax error, unexpected $end, expecting '('`},
		{`%{A B} == 'a'`, `syntax error, unexpected T_ERROR, expecting T_VAR_END or ':': Invalid character in variable name ' '`},
		{`"abc`, `Unterminated string or variable`},
		{`'a' #`, `syntax error, unexpected T_ERROR: Parse error near '#'`},
		{`true #`, `syntax error, unexpected T_ERROR, expecting $end: Parse error near '#'`},
		{`-q 'a' #`, `syntax error, unexpected T_ERROR, expecting $end: Unary operator '-q' does not exist`},
		{`%{Foo} == 'a'`, `Variable 'Foo' does not exist`},
		{`-n Foo('a')`, `Function 'Foo' does not exist`},
		{`'a' -foo 'b'`, `Binary operator '-foo' does not exist`},
		{`'a' in foo('b')`, `List-returning function 'foo' does not exist`},
		{`'a' in 'b'`, `syntax error, unexpected T_STR_BEGIN, expecting T_ID or '{'`},
		{`'a' =~ /(/`, `Failed to compile regular expression`},
		{`-R %{REMOTE_ADDR}`, `-R requires subnet/netmask as constant argument`},
		{`-R '10.0.0.0/33'`, `parsing of subnet/netmask failed`},
		{`(true`, `syntax error, unexpected $end, expecting T_OP_OR or T_OP_AND or ')'`},
		{strings.Repeat("!", 10000) + `true`, `memory exhausted`},
		{`%{req:a"} == ''`, `flex scanner jammed`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.expr)
		if err == nil {
			t.Errorf("Parse(%.40q) has no error", tt.expr)
			continue
		}
		if got, _, _ := strings.Cut(err.Error(), "\n"); got != tt.want {
			t.Errorf("Parse(%.40q) = %q, want %q", tt.expr, got, tt.want)
		}
	}
}

func TestWhatTheLibraryHasNotIsNamed(t *testing.T) {
	for _, re := range []string{`\K`, `(*FAIL)`, `(?R)`, `\pL`, `(?|a|b)`} {
		_, err := Parse("'a' =~ /" + re + "/")
		if err == nil || !strings.HasPrefix(err.Error(), "Failed to compile regular expression\n") || !strings.HasSuffix(err.Error(), "not supported") {
			t.Errorf("/%s/: %v", re, err)
		}
	}
}

func TestReads(t *testing.T) {
	e, err := Options{SSL: true}.Parse(`%{http_host} == req('Host') . tolower("%{note:a$1}") && -d '/x' || -R '10' && %{ssl_protocol} in PeerExtList('1') && -U %{REQUEST_URI}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Read{
		{Kind: ReadVariable, Name: "HTTP_HOST"},
		{Kind: ReadFunction, Name: "req", Arg: "Host", Const: true},
		{Kind: ReadFunction, Name: "note"},
		{Kind: ReadTest, Name: "d", Arg: "/x", Const: true},
		{Kind: ReadRemote, Name: "R", Arg: "10", Const: true},
		{Kind: ReadVariable, Name: "SSL_PROTOCOL"},
		{Kind: ReadList, Name: "peerextlist", Arg: "1", Const: true},
		{Kind: ReadVariable, Name: "REQUEST_URI"},
		{Kind: ReadTest, Name: "U"},
	}
	got := e.Reads()
	if len(got) != len(want) {
		t.Fatalf("Reads() = %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("Reads()[%d] = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestNamesOfSSL(t *testing.T) {
	ssl := Options{SSL: true}
	for expr, want := range map[string]bool{
		`%{SSL_PROTOCOL} == 'TLSv1.3'`:  true,
		`'two' in PeerExtList('1.2.3')`: true,
		`'two' in peerextlist('1')`:     false,
		`-n SSL('SSL_PROTOCOL')`:        false,
	} {
		if _, err := Parse(expr); err == nil {
			t.Errorf("Parse(%q) knows it without SSL", expr)
		}
		e, err := ssl.Parse(expr)
		if err != nil {
			t.Errorf("Parse(%q): %v", expr, err)
			continue
		}
		if got, err := e.Bool(example()); got != want || err != nil {
			t.Errorf("%s = %v, %v, want %v", expr, got, err, want)
		}
	}
}

func TestGroupsGoFromOneExpressionToTheNext(t *testing.T) {
	test, err := Parse(`%{REQUEST_URI} =~ m#^/(\w)#`)
	if err != nil {
		t.Fatal(err)
	}
	value, err := ParseString("<$1>")
	if err != nil {
		t.Fatal(err)
	}
	var g Groups
	if ok, err := test.BoolGroups(example(), &g); !ok || err != nil {
		t.Fatalf("BoolGroups = %v, %v", ok, err)
	}
	if g.Group(0) != "/a" || g.Group(1) != "a" || g.Group(2) != "" {
		t.Errorf("groups = %q", g)
	}
	if got, err := value.StringGroups(example(), &g); got != "<a>" || err != nil {
		t.Errorf("StringGroups = %q, %v", got, err)
	}
}

func TestEvaluationErrors(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat("tolower(", n) + "'a'" + strings.Repeat(")", n) + " == 'a'"
	}
	tests := []struct{ name, expr, want string }{
		{"nesting at the limit", deep(18), ""},
		{"nesting beyond it", deep(19), "Recursion limit reached"},
		{"a long chain is no nesting", strings.Repeat("false || ", 2000) + "true", ""},
		{"an error of Env", `file('/nonexistent') == ''`, "Cannot open file /nonexistent"},
		{"an error before what would do", `'a' in {'a', file('/nonexistent')}`, "Cannot open file /nonexistent"},
		{"what is not evaluated has no error", `true || file('/nonexistent') == ''`, ""},
		{"an error under !", `!(file('/nonexistent') == '')`, "Cannot open file /nonexistent"},
		{"a match that takes too long", `'` + strings.Repeat("a", 60) + `!' =~ /^(a+)+$/`, "regular expression took more than 100ms"},
		{"and one that is not to match", `'` + strings.Repeat("a", 60) + `!' !~ /^(a+)+$/`, "regular expression took more than 100ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse(tt.expr)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			got, err := e.Bool(example())
			if tt.want == "" && (!got || err != nil) || tt.want != "" && (got || err == nil || err.Error() != tt.want) {
				t.Errorf("= %v, %v, want %q", got, err, tt.want)
			}
			if d := time.Since(begin); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestMisuse(t *testing.T) {
	condition, err := Parse("true")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := condition.String(example()); err == nil {
		t.Error("String of a condition has no error")
	}
	text, err := ParseString("true")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := text.Bool(example()); err == nil {
		t.Error("Bool of a string has no error")
	}
	if _, err := Parse("true\x00 && false"); err == nil {
		t.Error("a zero byte is taken")
	}
	if got := text.Source(); got != "true" {
		t.Errorf("Source() = %q", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	e, err := Parse(`%{REQUEST_URI} =~ m#/(.)/(.)# && "$1$2" == 'ab'`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if ok, err := e.Bool(example()); !ok || err != nil {
					t.Error(errors.New("another's groups"), err)
				}
			}
		})
	}
	wg.Wait()
}
