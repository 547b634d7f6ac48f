package httpdconf

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/text/width"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// maxErrors bounds how many errors WriteDiagnostics prints.
const maxErrors = 50

// Place is the Extra of every diagnostic of this package: what its first line
// needs beyond the range. WriteDiagnostics reads it.
type Place struct {
	// Reading is true for errors of the first pass, which are one line,
	// chained through the includes; else the form has two lines.
	Reading bool
	// Check is true for what is found once the tree is processed, and has no
	// line.
	Check bool
	Node  *syntax.Node // nil where there is none
	// Level, Module and Code ("core", "AH00111") shape a warning or note.
	Level  LogLevel
	Module string
	Code   string
	// Differs is true for a warning of what httpd would do and this server
	// does not.
	Differs bool
}

// readingError is an error of the first pass at rng, in httpd's words; hint
// may add what httpd does not say.
func readingError(n *syntax.Node, rng hcl.Range, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Reading: true, Node: n, Level: LevelError},
	}
}

// processingError is an error of the second pass.
func processingError(n *syntax.Node, rng hcl.Range, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Node: n, Level: LevelError},
	}
}

// checkError is an error of the configuration as a whole.
func checkError(text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: text, Detail: hint, Extra: &Place{Check: true, Level: LevelError}}
}

// warning is what does not stop the start: at level (LevelWarn, LevelNotice,
// LevelInfo), of module ("core"), with httpd's number where httpd has one.
func warning(n *syntax.Node, rng hcl.Range, level LogLevel, module, code, text, hint string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: text, Detail: hint, Subject: &rng,
		Extra: &Place{Node: n, Level: level, Module: module, Code: code},
	}
}

// difference is a warning of what httpd would do and this server does not.
func difference(n *syntax.Node, rng hcl.Range, level LogLevel, module, text, hint string) *hcl.Diagnostic {
	d := warning(n, rng, level, module, "", text, hint)
	placeOf(d).Differs = true
	return d
}

// WriteDiagnostics prints what Load and others found: warnings in the shape of
// the error log down to level (a name of LogLevel; empty stands for notice),
// then the errors, 50 at most. The first line of an error is httpd's own; what
// follows is indented: the source line with a caret, where it stands, a hint.
func WriteDiagnostics(w io.Writer, program string, cfg *Config, level string, diags hcl.Diagnostics) {
	threshold, known := ParseLogLevel(level)
	if !known {
		threshold = LevelNotice
	}
	p := printer{program: program, cfg: cfg}
	var errs []*hcl.Diagnostic
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errs = append(errs, d)
		} else if placeOf(d).Level <= threshold {
			p.warning(d)
		}
	}
	checked := false
	for i, d := range errs {
		if i == maxErrors {
			fmt.Fprintf(&p.out, "... and %d more errors\n", len(errs)-i)
			break
		}
		p.error(d)
		checked = checked || placeOf(d).Check
	}
	if checked {
		p.out.WriteString("AH00014: Configuration check failed\n")
	}
	_, _ = w.Write(p.out.Bytes()) // stderr; who would be told
}

// placeOf returns a diagnostic's Place; those of others have an empty one.
func placeOf(d *hcl.Diagnostic) *Place {
	if p, ok := d.Extra.(*Place); ok {
		return p
	}
	return &Place{Level: LevelWarn}
}

// printer writes diagnostics.
type printer struct {
	program string
	cfg     *Config
	out     bytes.Buffer
}

func (p *printer) warning(d *hcl.Diagnostic) {
	place := placeOf(d)
	code := ""
	if place.Code != "" {
		code = place.Code + ": "
	}
	module := place.Module
	if module == "" {
		module = "core"
	}
	where := ""
	if d.Subject != nil {
		where = fmt.Sprintf(" (%s:%d)", escape(shownFile(d.Subject.Filename)), lineOf(d))
	}
	fmt.Fprintf(&p.out, "[%s] [%s:%s] [pid %d] %s%s%s\n", time.Now().Format("Mon Jan 02 15:04:05.000000 2006"),
		module, place.Level, os.Getpid(), code, escape(d.Summary), where)
	p.hint(d.Detail)
}

func (p *printer) error(d *hcl.Diagnostic) {
	place := placeOf(d)
	text := escape(d.Summary)
	switch {
	case place.Check:
		fmt.Fprintf(&p.out, "%s\n", text)
	case d.Subject == nil && place.Code != "":
		fmt.Fprintf(&p.out, "%s: %s: %s\n", place.Code, p.program, text)
	case d.Subject == nil:
		fmt.Fprintf(&p.out, "%s: %s\n", p.program, text)
	case place.Reading:
		fmt.Fprintf(&p.out, "%s: %s%s\n", p.program, p.chain(d, place.Node), text)
	default:
		// "of -c/-C directives" is the name of the pseudo-file.
		fmt.Fprintf(&p.out, "AH00526: Syntax error on line %d of %s:\n%s\n", lineOf(d), escape(shownFile(d.Subject.Filename)), text)
	}
	if d.Subject != nil {
		p.source(d)
		p.context(d, place.Node)
	}
	p.hint(d.Detail)
}

// chain names the places of a reading error, outermost first.
func (p *printer) chain(d *hcl.Diagnostic, n *syntax.Node) string {
	s := link(d.Subject.Filename, lineOf(d))
	for ; n != nil && n.Included != nil; n = n.Included {
		s = link(n.Included.Line.Filename(), n.Included.Line.Last()) + s
	}
	return s
}

func link(file string, line int) string {
	if file == linesBefore || file == linesAfter {
		return "Syntax error in -C/-c directive: "
	}
	return fmt.Sprintf("Syntax error on line %d of %s: ", line, escape(file))
}

// shownFile is how messages call a file.
func shownFile(file string) string {
	if file == linesBefore || file == linesAfter {
		return commandLineFile
	}
	return file
}

// lineOf returns the number by which httpd names a directive's line: that of
// its last physical line.
func lineOf(d *hcl.Diagnostic) int {
	if n := placeOf(d).Node; n != nil {
		return n.Line.Last()
	}
	return d.Subject.End.Line
}

// source prints the line that the subject starts on, and a caret below.
func (p *printer) source(d *hcl.Diagnostic) {
	file := p.cfg.Files[d.Subject.Filename]
	if file == nil {
		return
	}
	start, end := d.Subject.Start.Byte, d.Subject.End.Byte
	if start > len(file.Bytes) || end > len(file.Bytes) || start > end {
		return
	}
	from := bytes.LastIndexByte(file.Bytes[:start], '\n') + 1
	line := file.Bytes[from:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t\r")
	before, under := len(line), len(line)
	before = min(start-from, before)
	under = min(end-from, under)
	shown := display(line)
	margin := display(line[:before])
	width := max(columnsOf(display(line[:under]))-columnsOf(margin), 1)
	fmt.Fprintf(&p.out, "%6d | %s\n       | %s%s\n", d.Subject.Start.Line, shown,
		strings.Repeat(" ", columnsOf(margin)), strings.Repeat("^", width))
}

// display is a source line as it can be shown: tabs as blanks, control bytes
// and what is no UTF-8 as \xNN.
func display(line []byte) string {
	var b strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == '\t':
			b.WriteString(strings.Repeat(" ", 8-columnsOf(b.String())%8))
		case r == utf8.RuneError && size == 1, r < ' ', r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, line[0])
		default:
			b.WriteRune(r)
		}
		line = line[size:]
	}
	return b.String()
}

// columnsOf returns the width of s on a terminal.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// context prints the enclosing section, and what included the file.
func (p *printer) context(d *hcl.Diagnostic, n *syntax.Node) {
	if n == nil {
		return
	}
	if parent := enclosing(n); parent != nil {
		fmt.Fprintf(&p.out, "       in %s, line %d\n", escape(parent.Opener()), parent.Line.Last())
	}
	for i := n.Included; i != nil; i = i.Included {
		fmt.Fprintf(&p.out, "       included from %s:%d\n", escape(shownFile(i.Line.Filename())), i.Line.Last())
	}
}

// enclosing returns the section in which a node takes effect: conditional
// sections and Include lines are none.
func enclosing(n *syntax.Node) *syntax.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if !isTransparent(p) {
			return p
		}
	}
	return nil
}

// isTransparent reports whether what stands in a node stands, for the second
// pass, where the node does.
func isTransparent(n *syntax.Node) bool {
	if n.Spliced {
		return true
	}
	switch strings.ToLower(n.Name) {
	case "include", "includeoptional":
		return !n.Section
	case "ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection":
		return n.Section
	}
	return false
}

func (p *printer) hint(text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(&p.out, "       %s\n", escape(line))
	}
}

// escape shows control and non-ASCII bytes as \xNN and doubles backslashes, as
// httpd's messages do (httpd 2.4 server/util.c, ap_escape_errorlog_item).
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// nearest returns the candidate that name is most likely a misspelling of, ""
// if none is near.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", max(len(name)/3, 1)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(c), nil); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}
