package syntax

import (
	"strings"
	"testing"
)

var seeds = []string{
	"LoadModule websocket_module modules/mod_websocket.so\n<Location /echo>\n SetHandler websocket-handler\n</Location>\n",
	"a\\\nb\\\r\n# c\\\n\n\"x\" 'y\\'z' \\\\", "<A ${X}>\n<B\n</B>\n</A>", "${X}${Y} ${", "\x00a\n\xff\xfe ä\u0301 x", ">\n<\n</", "\"#a\" b\\", "a>> b",
}

// FuzzReader: ranges lie inside the file, lines count up, and what a word's
// range covers holds the word where nothing was escaped or joined.
func FuzzReader(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := NewReader("f", []byte(text))
		last := 0
		for {
			l, more := r.Next()
			if !more {
				break
			}
			if l.Last() <= last {
				t.Fatalf("line %d after %d", l.Last(), last)
			}
			last = l.Last()
			expanded, _ := l.Expand(func(name string) string { return strings.Repeat("v ", len(name)%3) })
			checkLine(t, text, l)
			checkLine(t, text, expanded)
		}
	})
}

func checkLine(t *testing.T, text string, l Line) {
	n := NewNode(l)
	if l.IsBlank() || n == nil {
		return
	}
	for _, a := range append(n.Words(), Arg{Range: n.Range()}, Arg{Range: n.NameRange()}, Arg{Range: n.ArgsRange()}) {
		s, e := a.Range.Start, a.Range.End
		if s.Byte < 0 || e.Byte < s.Byte || e.Byte > len(text) || s.Line < 1 || s.Column < 1 || e.Line < s.Line {
			t.Fatalf("word %q of %q has range %+v in %d bytes", a.Text, l.Text, a.Range, len(text))
		}
		if lines := 1 + strings.Count(text[:s.Byte], "\n"); s.Line != lines {
			t.Fatalf("byte %d stands on line %d, the range says %d", s.Byte, lines, s.Line)
		}
	}
}

// FuzzWords: every word is what a second reading of ap_getword_conf gives,
// written byte by byte after its description.
func FuzzWords(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for rest := s; rest != ""; {
			word, after := Word(rest)
			wantWord, wantAfter := naiveWord(rest)
			if word != wantWord || after != wantAfter {
				t.Fatalf("Word(%q) = %q, %q; want %q, %q", rest, word, after, wantWord, wantAfter)
			}
			if quoted, tail := Word(Quote(word) + " tail"); quoted != word || tail != "tail" {
				t.Fatalf("Quote(%q) = %q, which reads as %q", word, Quote(word), quoted)
			}
			rest = after
		}
	})
}

func naiveWord(s string) (word, rest string) {
	i := 0
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	var quote byte
	if c := at(i); i < len(s) && (c == '"' || c == '\'') {
		quote = c
		i++
	}
	for i < len(s) {
		c := s[i]
		switch {
		case quote == 0 && isSpace(c):
			quote = ' '
		case c == '\\' && i+1 < len(s) && (at(i+1) == '\\' || quote != 0 && at(i+1) == quote):
			word += string(s[i+1 : i+2])
			i += 2
			continue
		case quote != 0 && c == quote:
			i++
			quote = ' '
		}
		if quote == ' ' {
			break
		}
		word += s[i : i+1]
		i++
	}
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return word, s[i:]
}

// FuzzPrint: what Print writes is parsed to the same tree.
func FuzzPrint(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		nodes, diags := Parse("f", []byte(text))
		if diags.HasErrors() {
			return
		}
		printed := Print(nodes)
		again, diags := Parse("f", []byte(printed))
		if diags.HasErrors() {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, printed, diags)
		}
		if !same(nodes, again) {
			t.Fatalf("%q prints as %q, which is another tree", text, printed)
		}
	})
}

func same(a, b []*Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Section != b[i].Section || a[i].Args != b[i].Args || !same(a[i].Children, b[i].Children) {
			return false
		}
	}
	return true
}
