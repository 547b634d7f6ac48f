package syntax

import (
	"strings"
	"testing"
)

// build adds lines to a level as a caller does that knows no directive.
func build(t *testing.T, b *Builder, text string) (wrong string) {
	t.Helper()
	for _, l := range lines(text) {
		if l.IsBlank() {
			continue
		}
		if _, closing := ClosingTag(l); closing {
			if wrong = b.Close(l); wrong != "" {
				return wrong
			}
			continue
		}
		if n := NewNode(l); n != nil {
			b.Add(n, n.Section)
		}
	}
	return ""
}

func TestBuilderKeepsParentsAndClosingTags(t *testing.T) {
	b := NewBuilder(nil)
	if wrong := build(t, b, "<A 1>\nx 1\n<B 2>\ny\n</b>\nz\n</A>\nlast\n"); wrong != "" {
		t.Fatal(wrong)
	}
	if len(b.Roots) != 2 || b.Open() != nil || b.Parent() != nil || len(b.Unclosed()) != 0 {
		t.Fatalf("%d roots, %v open", len(b.Roots), b.Unclosed())
	}
	a := b.Roots[0]
	if a.Name != "A" || len(a.Children) != 3 || a.Close == nil || a.Close.Last() != 7 {
		t.Errorf("A has %d children, closed by %v", len(a.Children), a.Close)
	}
	inner := a.Children[1]
	if inner.Name != "B" || inner.Parent != a || inner.Close.Last() != 5 || inner.Children[0].Parent != inner {
		t.Errorf("B is %+v", inner)
	}
	if b.Roots[1].Parent != nil {
		t.Error("what follows a section stands in it")
	}
}

// TestLevelsCloseWhatTheyOpen: an included file, or a conditional section,
// cannot close a section that stands around it.
func TestLevelsCloseWhatTheyOpen(t *testing.T) {
	outer := NewBuilder(nil)
	if wrong := build(t, outer, "<A 1>\n"); wrong != "" {
		t.Fatal(wrong)
	}
	inner := NewBuilder(outer.Open())
	if wrong, want := build(t, inner, "x\n</A>\n"), "</A> without matching <A> section"; wrong != want {
		t.Errorf("the inner level says %q, want %q", wrong, want)
	}
	if inner.Roots[0].Parent != outer.Open() {
		t.Error("what an inner level holds does not stand in the section around it")
	}
	if wrong := build(t, outer, "</A>\n"); wrong != "" {
		t.Errorf("the outer level says %q", wrong)
	}
}

func TestUnclosedInnermostFirst(t *testing.T) {
	b := NewBuilder(nil)
	if wrong := build(t, b, "<A 1>\n<B 2>\n<C 3>\n</C>\n"); wrong != "" {
		t.Fatal(wrong)
	}
	var names []string
	for _, n := range b.Unclosed() {
		names = append(names, n.Opener())
	}
	if got := strings.Join(names, " "); got != "<B 2> <A 1>" {
		t.Errorf("unclosed: %s", got)
	}
}

func TestClosingTag(t *testing.T) {
	for line, want := range map[string]string{
		"</Location>": "Location>", "</Location /a>": "Location", "</ Location>": "", "</>": ">", `"</Location>"`: "Location>",
	} {
		if tag, is := ClosingTag(lines(line)[0]); !is || tag != want {
			t.Errorf("ClosingTag(%q) = %q, %v; want %q", line, tag, is, want)
		}
	}
	for _, line := range []string{"<Location>", "< /Location>", "Location", "<", "#</A>x"} {
		if tag, is := ClosingTag(lines(line)[0]); is {
			t.Errorf("ClosingTag(%q) = %q", line, tag)
		}
	}
}

func TestBlankLines(t *testing.T) {
	for line, want := range map[string]bool{"": true, "  \t ": true, "# x": true, "  #x": true, "x # y": false, `"#x"`: false} {
		if got := lines(line + "\n")[0].IsBlank(); got != want {
			t.Errorf("IsBlank(%q) = %v, want %v", line, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"plain": "plain", "a b": `"a b"`, "": `""`, `a\b`: `a\\b`, `"x`: `"\"x"`, "'x": `"'x"`, "#x": `"#x"`, `a "b\`: `"a \"b\\"`, "a\"b": `a"b`,
	} {
		if got := Quote(s); got != want {
			t.Errorf("Quote(%q) = %s, want %s", s, got, want)
		}
		if word, rest := Word(Quote(s)); word != s || rest != "" {
			t.Errorf("Quote(%q) reads as %q, %q", s, word, rest)
		}
	}
}

func TestOpener(t *testing.T) {
	for line, want := range map[string]string{"<Location /a>": "<Location /a>", "Listen 80": "Listen", "<A>": "<A >", "<A x": "<A x"} {
		if got := NewNode(lines(line)[0]).Opener(); got != want {
			t.Errorf("Opener of %q is %q, want %q", line, got, want)
		}
	}
}

// TestColumnsAreGraphemeClusters, as hcl counts them.
func TestColumnsAreGraphemeClusters(t *testing.T) {
	const text = "Foo e\u0301\U0001f1e9\U0001f1ea x\n"
	l := lines(text)[0]
	i := strings.Index(l.Text, " x") + 1
	if r := l.Range(i, i+1); r.Start.Column != 8 || r.End.Column != 9 {
		t.Errorf("x stands in columns %d to %d, want 8 to 9", r.Start.Column, r.End.Column)
	}
}

// TestRangesOverContinuations: a word that goes on in the next line has a
// range of two lines.
func TestRangesOverContinuations(t *testing.T) {
	const text = "Foo ab\\\ncd ef\n"
	words := NewNode(lines(text)[0]).Words()
	r := words[0].Range
	if words[0].Text != "abcd" || r.Start.Line != 1 || r.End.Line != 2 || text[r.Start.Byte:r.End.Byte] != "ab\\\ncd" {
		t.Errorf("%q has range %+v", words[0].Text, r)
	}
	if r := words[1].Range; r.Start.Line != 2 || text[r.Start.Byte:r.End.Byte] != "ef" {
		t.Errorf("%q has range %+v", words[1].Text, r)
	}
}

// TestVariableOverAContinuation keeps ranges inside the file.
func TestVariableOverAContinuation(t *testing.T) {
	const text = "Foo ${A\\\nB} x\n"
	l, undefined := lines(text)[0].Expand(func(name string) string { return map[string]string{"AB": "long value"}[name] })
	if l.Text != "Foo long value x" || len(undefined) != 0 {
		t.Fatalf("expands to %q, undefined %q", l.Text, undefined)
	}
	for _, a := range NewNode(l).Words() {
		if a.Range.End.Byte > len(text) || a.Range.Start.Byte > a.Range.End.Byte {
			t.Errorf("%q has range %+v", a.Text, a.Range)
		}
	}
}

// TestEveryCut: a file that ends anywhere is read without a panic, and its
// lines count up.
func TestEveryCut(t *testing.T) {
	const text = "LoadModule a b\n<Location \"/a b\"> # c\n  X ${Y} \\\r\n z \\\\\n</Location>\n# c \\\nd\n\\"
	for end := range len(text) + 1 {
		last := 0
		for _, l := range lines(text[:end]) {
			if l.Last() <= last {
				t.Fatalf("cut at %d: line %d after %d", end, l.Last(), last)
			}
			last = l.Last()
			if l.IsBlank() {
				continue
			}
			if n := NewNode(l); n != nil {
				n.Words()
			}
		}
		Parse("f", []byte(text[:end]))
	}
}
