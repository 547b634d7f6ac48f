package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// macroPrefixes are what the name of a macro's argument should begin with. The
// value of one with the last of them is put in as a quoted word.
const macroPrefixes = "$%@"

// macro is one Macro section.
type macro struct {
	name      string // lower case
	location  string // defined on line 3 of "F"
	arguments []string
	lines     []string
}

// where names a macro in messages, and is part of the name under which its
// lines are read.
func (m *macro) where() string { return fmt.Sprintf("macro '%s' (%s)", m.name, m.location) }

// macro reads a Macro section as text (httpd 2.4 modules/core/mod_macro.c,
// macro_section).
func (r *reader) macro(in *syntax.Reader, n *syntax.Node) {
	end := strings.LastIndexByte(n.Args, '>')
	name, rest := "", ""
	if end > 0 {
		name, rest = syntax.Word(n.Args[:end])
	}
	switch {
	case end < 0:
		r.breakAt(n, n.Range(), "<Macro> directive missing closing '>'", "")
		return
	case end == 0:
		r.breakAt(n, n.Range(), "<Macro macro definition: empty name", "")
		return
	case name == "":
		r.breakAt(n, n.Range(), "<Macro macro definition: name not found", "")
		return
	}
	line, file := n.Line.Last(), n.Line.Filename()
	r.warnBehind(n, "AH02801", "<Macro closing '>'", n.Args[end+1:], line)
	m := &macro{name: strings.ToLower(name), location: fmt.Sprintf("defined on line %d of \"%s\"", line, file)}
	if old := r.macros[m.name]; old != nil {
		r.warnMacro(n, "AH02802", fmt.Sprintf("macro '%s' multiply defined: %s, redefined on line %d of \"%s\"", m.name, old.location, line, file))
	}
	if strings.ContainsRune(macroPrefixes, rune(m.name[0])) {
		r.warnMacro(n, "AH02803", m.where()+" better prefix a macro name with any of '"+macroPrefixes+"'")
	}
	m.arguments = wordsOf(rest)
	if text := r.checkMacroArguments(n, m); text != "" {
		r.breakAt(n, n.ArgsRange(), text, "")
		return
	}
	if !r.readMacro(in, n, m) {
		r.breakAt(n, n.Range(), m.where()+"\n\tcontents error: expected token not found: </Macro>", "")
		return
	}
	r.checkMacroContents(n, m)
	if r.macros == nil {
		r.macros = make(map[string]*macro)
	}
	r.macros[m.name] = m
}

func wordsOf(s string) (list []string) {
	for s != "" {
		var word string
		word, s = syntax.Word(s)
		list = append(list, word)
	}
	return list
}

func (r *reader) warnMacro(n *syntax.Node, code, text string) {
	r.fail(warning(n, n.Range(), LevelWarn, "macro", code, text, ""))
}

// warnBehind warns of text behind a bracket, which is ignored.
func (r *reader) warnBehind(n *syntax.Node, code, what, behind string, line int) {
	if strings.TrimSpace(behind) != "" {
		r.warnMacro(n, code, fmt.Sprintf("non blank chars found after %s on line %d of %s: %s", what, line, n.Line.Filename(), behind))
	}
}

// checkMacroArguments returns what is wrong with the names of arguments.
func (r *reader) checkMacroArguments(n *syntax.Node, m *macro) (wrong string) {
	for i, a := range m.arguments {
		if a == "" {
			return fmt.Sprintf("%s: empty argument #%d name", m.where(), i+1)
		}
		if !strings.ContainsRune(macroPrefixes, rune(a[0])) {
			r.warnMacro(n, "AH02796", fmt.Sprintf("%s argument name '%s' (#%d) without expected prefix, better prefix argument names with one of '%s'.",
				m.where(), a, i+1, macroPrefixes))
		}
		for j, b := range m.arguments[i+1:] {
			j += i + 1
			if a == b {
				return fmt.Sprintf("argument name conflict in %s: argument '%s': #%d and #%d, change argument names!", m.where(), a, i+1, j+1)
			}
			if b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
				r.warnMacro(n, "AH02797", fmt.Sprintf("%s: argument name prefix conflict (%s #%d and %s #%d), be careful about your macro definition!",
					m.where(), a, i+1, b, j+1))
			}
		}
	}
	return ""
}

// readMacro reads up to the closing tag, and reports whether there is one.
// Comments are no lines of a macro, and empty lines are (httpd 2.4
// modules/core/mod_macro.c, get_lines_till_end_token).
func (r *reader) readMacro(in *syntax.Reader, n *syntax.Node, m *macro) bool {
	macros, all := 1, 1
	for {
		l, more := in.Next()
		if !more {
			return false
		}
		if strings.HasPrefix(l.Text, "#") {
			continue
		}
		first, _ := syntax.Word(l.Text)
		switch {
		case strings.HasPrefix(first, "</"):
			if all--; all < 0 && !r.ignoresNesting {
				r.warnMacro(n, "AH02793", fmt.Sprintf("bad (negative) nesting on line %d of %s", len(m.lines)+1, m.where()))
			}
		case strings.HasPrefix(first, "<"):
			all++
		}
		switch {
		case strings.EqualFold(first, "</Macro>"):
			r.warnBehind(n, "AH02794", "directive closing", l.Text[strings.LastIndexByte(l.Text, '>')+1:], l.Last())
			if macros--; macros > 0 {
				break
			}
			if all != 0 && !r.ignoresNesting {
				r.warnMacro(n, "AH02795", fmt.Sprintf("bad cumulated nesting (%+d) in %s", all, m.where()))
			}
			n.Close = &l
			return true
		case strings.EqualFold(first, "<Macro"):
			macros++
		}
		m.lines = append(m.lines, l.Text)
	}
}

// checkMacroContents warns of a macro without a line, and of arguments that no
// line has.
func (r *reader) checkMacroContents(n *syntax.Node, m *macro) {
	if len(m.lines) == 0 {
		r.warnMacro(n, "AH02799", m.where()+": empty contents!")
		return
	}
	used := make([]bool, len(m.arguments))
	for _, line := range m.lines {
		m.substitute(line, m.arguments, used)
	}
	for i, a := range m.arguments {
		if !used[i] {
			r.warnMacro(n, "AH02800", fmt.Sprintf("%s: argument '%s' (#%d) never used", m.where(), a, i+1))
		}
	}
}

// substitute puts values for the arguments into a line, of two that begin at
// one place the longer, and notes which were used. What was put in is not
// looked at again.
func (m *macro) substitute(line string, values []string, used []bool) string {
	var b strings.Builder
	for line != "" {
		at, which := -1, 0
		for i, a := range m.arguments {
			found := strings.Index(line, a)
			if found < 0 {
				continue
			}
			if at < 0 || found < at || found == at && len(a) > len(m.arguments[which]) {
				at, which = found, i
			}
		}
		if at < 0 {
			break
		}
		b.WriteString(line[:at])
		b.WriteString(values[which])
		line = line[at+len(m.arguments[which]):]
		used[which] = true
	}
	b.WriteString(line)
	return b.String()
}

// quoted is a value for an argument with the prefix "@".
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// use reads the lines of a macro where the Use line stands: what they open,
// lines behind the Use line may close (httpd 2.4 modules/core/mod_macro.c,
// use_macro).
func (r *reader) use(b *syntax.Builder, n *syntax.Node) {
	name, rest := syntax.Word(n.Args)
	m := r.macros[strings.ToLower(name)]
	values := wordsOf(rest)
	switch {
	case r.macros == nil:
		r.failAt(n, n.Range(), "no macro defined before Use", "")
		return
	case name == "":
		r.failAt(n, n.Range(), "no macro name specified with Use", "")
		return
	case m == nil:
		r.failAt(n, n.ArgsRange(), fmt.Sprintf("macro '%s' undefined", strings.ToLower(name)), r.nearestMacro(name))
		return
	case strings.Contains(n.Line.Filename(), "macro '"+m.name+"'"):
		r.failAt(n, n.Range(), fmt.Sprintf("recursive use of macro '%s' is invalid", m.name), "")
		return
	case len(values) != len(m.arguments):
		r.failAt(n, n.Range(), fmt.Sprintf("%s used with %d arguments instead of %d", m.where(), len(values), len(m.arguments)), "")
		return
	}
	file := fmt.Sprintf("%s used on line %d of \"%s\"", m.where(), n.Line.Last(), n.Line.Filename())
	for i, v := range values {
		if v == "" && !r.ignoresEmpty {
			r.warnMacro(n, "AH02798", fmt.Sprintf("%s: empty argument #%d", file, i+1))
		}
		if strings.HasPrefix(m.arguments[i], "@") {
			values[i] = quoted(v)
		}
	}
	lines := make([]string, len(m.lines))
	used := make([]bool, len(values))
	size := len(file)
	for i, line := range m.lines {
		lines[i] = m.substitute(line, values, used)
		if size += len(lines[i]); r.readBytes+size > maxTotalSize {
			r.breakAt(n, n.Range(), fmt.Sprintf("the configuration is larger than %d bytes", maxTotalSize), "")
			return
		}
	}
	r.readBytes += size
	text := commandLines(lines)
	r.keepSource(file, text)
	in := syntax.NewReader(file, text)
	for !r.broken {
		l, more := in.Next()
		if !more {
			break
		}
		r.readLine(in, b, l)
	}
}

func (r *reader) nearestMacro(name string) string {
	var names []string
	for n := range r.macros {
		names = append(names, n)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

func (r *reader) undefMacro(_ *syntax.Reader, n *syntax.Node) {
	if r.macros == nil {
		r.failAt(n, n.Range(), "no macro defined before UndefMacro", "")
		return
	}
	words, ok := r.args(n)
	if !ok {
		return
	}
	name := strings.ToLower(words[0].Text)
	if r.macros[name] == nil {
		r.failAt(n, words[0].Range, fmt.Sprintf("cannot remove undefined macro '%s'", name), r.nearestMacro(name))
		return
	}
	delete(r.macros, name)
}

// ignoreInMacros takes warnings away: MacroIgnoreBadNesting and
// MacroIgnoreEmptyArgs.
func (r *reader) ignoreInMacros(_ *syntax.Reader, n *syntax.Node) {
	if strings.EqualFold(n.Name, "MacroIgnoreBadNesting") {
		r.ignoresNesting = true
		return
	}
	r.ignoresEmpty = true
}
