package syntax

import (
	"bytes"
	"strings"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
)

// Line is one logical line: physical lines joined at continuations, without
// the white space at its ends. Its bytes know where they come from.
type Line struct {
	Text string

	source *source
	parts  []part
	last   int // number of the last physical line
}

// source is one file, or what stands for one.
type source struct {
	name string
	text []byte
}

// part says where the bytes of a Line from an offset on come from: from
// consecutive bytes of the source, or, with width > 0, all from the width
// bytes of a variable that was replaced.
type part struct {
	at    int // offset in Line.Text
	from  int // offset in the source
	line  int // physical line, from 1
	start int // offset in the source at which that line starts
	width int
}

// Last returns the number of the line's last physical line, by which httpd
// names it.
func (l Line) Last() int { return l.last }

// Filename returns the name of the file that the line stands in.
func (l Line) Filename() string { return l.source.name }

// Range returns the source range of Text[start:end].
func (l Line) Range(start, end int) hcl.Range {
	r := hcl.Range{Filename: l.source.name}
	r.Start = l.position(start, false)
	r.End = r.Start
	if end > start {
		r.End = l.position(end-1, true)
	}
	return r
}

// position returns where the byte at offset i begins, or ends.
func (l Line) position(i int, end bool) hcl.Pos {
	p := l.parts[0]
	for _, q := range l.parts[1:] {
		if q.at > i {
			break
		}
		p = q
	}
	at := p.from + i - p.at
	if p.width > 0 {
		at = p.from
	}
	if end {
		at += max(p.width, 1)
	}
	at = min(at, len(l.source.text))
	return hcl.Pos{Line: p.line, Column: columns(l.source.text[p.start:at]) + 1, Byte: at}
}

// columns counts the grapheme clusters of b, as hcl counts columns.
func columns(b []byte) int {
	for _, c := range b {
		if c >= 0x80 {
			n, err := textseg.TokenCount(b, textseg.ScanGraphemeClusters)
			if err != nil {
				return len(b)
			}
			return n
		}
	}
	return len(b)
}

// slice returns the line without the bytes before start and behind end.
func (l Line) slice(start, end int) Line {
	parts := make([]part, 0, len(l.parts))
	for i, p := range l.parts {
		if i+1 < len(l.parts) && l.parts[i+1].at <= start {
			continue
		}
		if p.at >= end && len(parts) > 0 {
			break
		}
		if p.at < start {
			if p.width == 0 {
				p.from += start - p.at
			}
			p.at = start
		}
		p.at -= start
		parts = append(parts, p)
	}
	l.Text, l.parts = l.Text[start:end], parts
	return l
}

// Reader gives the logical lines of one file (httpd 2.4 server/util.c,
// ap_cfg_getline).
type Reader struct {
	source *source
	next   int // offset of the next physical line
	line   int // number of the last physical line that was read
}

// NewReader reads text, which must not change, under the name of its file.
func NewReader(filename string, text []byte) *Reader {
	return &Reader{source: &source{name: filename, text: text}}
}

// Next returns the next logical line, and false at the end. Empty lines and
// comments are lines too.
func (r *Reader) Next() (Line, bool) {
	if r.next >= len(r.source.text) {
		return Line{}, false
	}
	var (
		text  strings.Builder
		parts []part
	)
	for more := true; more; {
		if r.line++; r.next >= len(r.source.text) {
			break // the last line ends in a backslash
		}
		start := r.next
		physical := r.source.text[start:]
		if i := bytes.IndexByte(physical, '\n'); i >= 0 {
			physical = physical[:i+1]
		}
		r.next += len(physical)
		physical, more = cutContinuation(physical)
		parts = append(parts, part{at: text.Len(), from: start, line: r.line, start: start})
		text.Write(physical)
	}
	l := Line{Text: text.String(), source: r.source, parts: parts, last: r.line}
	from := len(l.Text) - len(strings.TrimLeft(l.Text, space))
	to := len(strings.TrimRight(l.Text, space))
	return l.slice(from, max(from, to)), true
}

// space is what C's isspace takes for white space.
const space = " \t\n\v\f\r"

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// cutContinuation returns what a physical line adds to the logical one, and
// whether the next one belongs to it: it ends in a backslash and its newline,
// of which nothing remains. What follows a NUL is lost, as httpd loses it.
func cutContinuation(p []byte) ([]byte, bool) {
	if i := bytes.IndexByte(p, 0); i >= 0 {
		return p[:i], false
	}
	cut, ended := bytes.CutSuffix(p, []byte("\n"))
	if !ended {
		return p, false
	}
	cut = bytes.TrimSuffix(cut, []byte("\r"))
	return bytes.CutSuffix(cut, []byte(`\`))
}

// IsBlank reports whether the line is empty or a comment: a "#" is one only at
// the start of a logical line.
func (l Line) IsBlank() bool { return l.Text == "" || l.Text[0] == '#' }
