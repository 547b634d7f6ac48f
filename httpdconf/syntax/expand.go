package syntax

import "strings"

// Expand replaces every ${NAME} of the line by what lookup returns, where that
// is not empty. The others stay as they are, and their names are returned.
// What was put in is not looked at again (httpd 2.4 server/core.c,
// ap_resolve_env).
func (l Line) Expand(lookup func(name string) string) (expanded Line, undefined []string) {
	if !strings.Contains(l.Text, "${") {
		return l, nil
	}
	var (
		text  strings.Builder
		parts []part
		done  int // bytes of l.Text that are in text
	)
	keep := func(to int) {
		if to > done {
			for _, p := range l.slice(done, to).parts {
				p.at += text.Len()
				parts = append(parts, p)
			}
			text.WriteString(l.Text[done:to])
			done = to
		}
	}
	for i := 0; ; {
		open := strings.Index(l.Text[i:], "${")
		if open < 0 {
			break
		}
		open += i
		length := strings.IndexByte(l.Text[open:], '}')
		if length < 0 {
			break
		}
		i = open + length + 1
		name := l.Text[open+2 : i-1]
		value := lookup(name)
		if value == "" {
			undefined = append(undefined, name)
			continue
		}
		keep(open)
		first := l.slice(open, i).parts[0]
		parts = append(parts, part{at: text.Len(), from: first.from, line: first.line, start: first.start, width: l.width(open, i)})
		text.WriteString(value)
		done = i
	}
	keep(len(l.Text))
	if len(parts) == 0 {
		return l, undefined
	}
	l.Text, l.parts = text.String(), parts
	return l, undefined
}

// width returns how many bytes of the source Text[start:end] covers: of a
// variable that is continued on the next line, its first two.
func (l Line) width(start, end int) int {
	r := l.Range(start, end)
	if r.End.Line != r.Start.Line {
		return len("${")
	}
	return max(r.End.Byte-r.Start.Byte, 1)
}
