package syntax

import (
	"strings"
	"testing"
)

func lines(text string) []Line {
	var list []Line
	r := NewReader("f", []byte(text))
	for {
		l, more := r.Next()
		if !more {
			return list
		}
		list = append(list, l)
	}
}

func TestLogicalLines(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
		last     []int
	}{
		{"white space at both ends is dropped", " \t a b \v\r\n", []string{"a b"}, []int{1}},
		{"a backslash before the newline continues, and nothing replaces it", "a\\\n b\n", []string{"a b"}, []int{2}},
		{"a continuation splits a word", "Server\\\nName x", []string{"ServerName x"}, []int{2}},
		{"a continuation may end in CR LF", "a\\\r\nb\r\n", []string{"ab"}, []int{2}},
		{"a backslash before a blank is none", "a\\ \nb", []string{`a\`, "b"}, []int{1, 2}},
		{"a doubled backslash leaves a single one behind", "a\\\\\nb", []string{`a\b`}, []int{2}},
		{"a comment swallows the line that continues it", "# c\\\nx\ny", []string{"# cx", "y"}, []int{2, 3}},
		{"a missing newline at the end is fine", "a\nb", []string{"a", "b"}, []int{1, 2}},
		{"a lone backslash at the end is fine", "a \\", []string{`a \`}, []int{1}},
		{"a backslash in the last line counts one line more", "a \\\n", []string{"a"}, []int{2}},
		{"empty lines count", "\n\n a", []string{"", "", "a"}, []int{1, 2, 3}},
		{"what follows a NUL is lost", "a\x00b\nc", []string{"a", "c"}, []int{1, 2}},
		{"a byte order mark stays", "\xef\xbb\xbfa", []string{"\xef\xbb\xbfa"}, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := lines(tt.in)
			if len(got) != len(tt.want) {
				t.Fatalf("%q gives %d lines, want %d", tt.in, len(got), len(tt.want))
			}
			for i, l := range got {
				if l.Text != tt.want[i] || l.Last() != tt.last[i] {
					t.Errorf("line %d is %q at %d, want %q at %d", i, l.Text, l.Last(), tt.want[i], tt.last[i])
				}
			}
		})
	}
}

func TestRangesPointAtTheSource(t *testing.T) {
	const text = "# first\n  Dir\\\n  ective ä ${X}b \"c d\"\n"
	l := lines(text)[1]
	expanded, undefined := l.Expand(func(name string) string {
		if name == "X" {
			return "one two"
		}
		return ""
	})
	if len(undefined) != 0 || expanded.Text != `Dir  ective ä one twob "c d"` {
		t.Fatalf("expanded to %q, undefined %q", expanded.Text, undefined)
	}
	tests := []struct {
		part, source    string
		line, col, byte int
	}{
		{"Dir", "Dir", 2, 3, 10},
		{"ective", "ective", 3, 3, 17},
		{"ä", "ä", 3, 10, 24},
		{"one", "${X}", 3, 12, 27},
		{"two", "${X}", 3, 12, 27},
		{"twob", "${X}b", 3, 12, 27},
		{`"c d"`, `"c d"`, 3, 18, 33},
	}
	for _, tt := range tests {
		i := strings.Index(expanded.Text, tt.part)
		r := expanded.Range(i, i+len(tt.part))
		if got := text[r.Start.Byte:r.End.Byte]; got != tt.source {
			t.Errorf("range of %q covers %q, want %q", tt.part, got, tt.source)
		}
		if r.Start.Line != tt.line || r.Start.Column != tt.col || r.Start.Byte != tt.byte || r.Filename != "f" {
			t.Errorf("range of %q starts at %+v, want line %d, column %d, byte %d", tt.part, r.Start, tt.line, tt.col, tt.byte)
		}
	}
}

func TestExpand(t *testing.T) {
	values := map[string]string{"A": "1", "B": "${A}", "WORDS": "x y", "EMPTY": ""}
	tests := []struct{ name, in, want, undefined string }{
		{"a value is put in", "p ${A} q", "p 1 q", ""},
		{"a value is not looked at again", "${B}", "${A}", ""},
		{"an undefined variable stays", "${C}${A}", "${C}1", "C"},
		{"an empty value counts as undefined", "a${EMPTY}b", "a${EMPTY}b", "EMPTY"},
		{"an empty name is undefined", "${}", "${}", ""},
		{"without a bracket it is text", "$A ${A", "$A ${A", ""},
		{"a dollar in front is text", "$${A}", "$1", ""},
		{"several words may come of one", "a ${WORDS}", "a x y", ""},
		{"the name ends at the first bracket", "${a${A}}", "${a${A}}", "a${A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, undefined := lines(tt.in)[0].Expand(func(n string) string { return values[n] })
			if l.Text != tt.want || strings.Join(undefined, " ") != tt.undefined {
				t.Errorf("%q expands to %q, undefined %q; want %q, %q", tt.in, l.Text, undefined, tt.want, tt.undefined)
			}
		})
	}
}

func TestWord(t *testing.T) {
	tests := []struct{ name, in, word, rest string }{
		{"white space separates", "  a \t b c", "a", "b c"},
		{"quotes hide white space", `"a b" c`, "a b", "c"},
		{"single quotes do too", `'a "b' c`, `a "b`, "c"},
		{"the same quote ends it, and a new word starts", `"a""b"`, "a", `"b"`},
		{"a missing end quote is closed by the end", `"a b`, "a b", ""},
		{"a quote inside a word is an ordinary character", `a"b c"`, `a"b`, `c"`},
		{"inside quotes the quote can be escaped", `"a\"b" c`, `a"b`, "c"},
		{"the other quote cannot", `"a\'b"`, `a\'b`, ""},
		{"nothing else can", `"a\n"`, `a\n`, ""},
		{"a backslash can, anywhere", `a\\b "c\\d"`, `a\b`, `"c\\d"`},
		{"outside quotes a quote cannot", `a\"b`, `a\"b`, ""},
		{"a backslash at the end stays", `a\`, `a\`, ""},
		{"an escaped end quote runs to the end", `"a\"`, `a"`, ""},
		{"the empty word", `"" x`, "", "x"},
		{"no word", " \t", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if word, rest := Word(tt.in); word != tt.word || rest != tt.rest {
				t.Errorf("Word(%q) = %q, %q; want %q, %q", tt.in, word, rest, tt.word, tt.rest)
			}
		})
	}
}

func TestNodeWordsHaveTheirRanges(t *testing.T) {
	const text = "  WebSocketHandler  \"modules/a b.so\"\t echo_init  \n"
	n := NewNode(lines(text)[0])
	words := n.Words()
	if len(words) != 2 || words[0].Text != "modules/a b.so" || words[1].Text != "echo_init" {
		t.Fatalf("Words = %+v", words)
	}
	for i, want := range []string{`"modules/a b.so"`, "echo_init"} {
		if r := words[i].Range; text[r.Start.Byte:r.End.Byte] != want {
			t.Errorf("range of word %d covers %q, want %q", i, text[r.Start.Byte:r.End.Byte], want)
		}
	}
	if r := n.NameRange(); text[r.Start.Byte:r.End.Byte] != "WebSocketHandler" {
		t.Errorf("NameRange covers %q", text[r.Start.Byte:r.End.Byte])
	}
	if r := n.ArgsRange(); !strings.HasPrefix(text[r.Start.Byte:r.End.Byte], `"modules`) {
		t.Errorf("ArgsRange covers %q", text[r.Start.Byte:r.End.Byte])
	}
}

func TestNewNode(t *testing.T) {
	tests := []struct {
		in, name, args string
		section        bool
	}{
		{"<Location /a> # note", "Location", "/a> # note", true},
		{"<Location>", "Location", ">", true},
		{"<Location", "Location", ">", true},
		{"<Location>  x", "Location", "x", true},
		{"Listen> 80", "Listen", "80", false},
		{`"Error" x`, "Error", "x", false},
		{`"<Location" /a>`, "Location", "/a>", true},
		{"x", "x", "", false},
	}
	for _, tt := range tests {
		n := NewNode(lines(tt.in)[0])
		if n.Name != tt.name || n.Args != tt.args || n.Section != tt.section {
			t.Errorf("NewNode(%q) = %q %q %v, want %q %q %v", tt.in, n.Name, n.Args, n.Section, tt.name, tt.args, tt.section)
		}
		n.Words() // ranges inside the line, or it panics
		n.ArgsRange()
	}
	if n := NewNode(lines(`"" x`)[0]); n != nil {
		t.Errorf("a line without a name makes %+v", n)
	}
}

func TestParseChecksTheNesting(t *testing.T) {
	tests := []struct {
		name, in, want string
		line           int
	}{
		{"closed in order", "<A x>\n<B>\n</B>\n</a>\n", "", 0},
		{"a closing tag alone", "x\n</Location>", "</Location> without matching <Location> section", 2},
		{"the wrong closing tag", "<Location /a>\n</Directory>", "Expected </Location> but saw </Directory>", 2},
		{"an argument in the closing tag", "<Location /a>\n</Location /a>", "</Location> directive missing closing '>'", 2},
		{"a blank in the closing tag", "<Location /a>\n</ Location>", "</> directive missing closing '>'", 2},
		{"never closed", "\n<Location /a>\nx\n", "<Location> was not closed.", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := Parse("f", []byte(tt.in))
			got, line := "", 0
			if len(diags) > 0 {
				got, line = diags[0].Summary, diags[0].Subject.Start.Line
			}
			if got != tt.want || line != tt.line {
				t.Errorf("Parse(%q): %q at line %d, want %q at line %d", tt.in, got, line, tt.want, tt.line)
			}
		})
	}
}

func TestPrintGivesTheTreeBack(t *testing.T) {
	const text = `
ServerRoot "/etc/httpd"
<VirtualHost *:80>
    <Location /a> # note
        SetHandler 'x y'
    </Location>
</virtualhost>
Last line\
`
	const want = `ServerRoot "/etc/httpd"
<VirtualHost *:80>
    <Location /a> # note
        SetHandler 'x y'
    </Location>
</VirtualHost>
Last line
`
	nodes, diags := Parse("f", []byte(text))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := Print(nodes); got != want {
		t.Errorf("Print gives\n%s\nwant\n%s", got, want)
	}
}
