package doctor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// width is how many columns of a terminal the text takes, where nothing in it
// is longer.
const width = 96

// writeJSON writes a value indented, with lists that are empty rather than
// null left to the shape.
func writeJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // stdout; who would be told
}

// page gathers text of records: the first word of a line says what it is.
type page struct {
	bytes.Buffer
	margin int // where the second column stands
}

// record begins a record.
func (p *page) record(kind, format string, args ...any) {
	fmt.Fprintf(p, "%-*s%s\n", p.margin, kind, oneLine(fmt.Sprintf(format, args...)))
}

// oneLine keeps a record on its line, whatever it quotes.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// detail adds to a record what is longer than its line.
func (p *page) detail(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		p.wrap(strings.Repeat(" ", p.margin+2), line)
	}
}

// wrap writes a text behind an indent, in as many lines as it takes.
func (p *page) wrap(indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line) > len(indent) && len(line)+1+len(word) > width {
			p.WriteString(line + "\n")
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	if len(line) > len(indent) {
		p.WriteString(line + "\n")
	}
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// source is a directive as it stands in the file, but for its blanks.
func (d *Directive) source() string {
	if strings.HasPrefix(d.Directive, "<") && (d.Arguments == ">" || d.Arguments == "") {
		return d.Directive + ">"
	}
	return strings.Join(strings.Fields(d.Directive+" "+d.Arguments), " ")
}

// shortened cuts a text off at the end of a line on which n columns are taken.
func shortened(s string, n int) string {
	if room := max(width-n, 40); len(s) > room {
		return s[:room-3] + "..."
	}
	return s
}

// write writes the report as text: what matters most comes last.
func (r *Report) write(w io.Writer) {
	p := page{margin: 10}
	for _, fate := range []httpdconf.Fate{httpdconf.Honoured, httpdconf.Harmless, httpdconf.Skipped, httpdconf.Changes, httpdconf.Refused} {
		said := ""
		for _, d := range r.Directives {
			if d.Fate == fate.String() {
				p.directive(&d, d.How+d.Remedy == said)
				said = d.How + d.Remedy
			}
		}
	}
	for _, m := range r.Modules {
		p.module(&m)
	}
	for _, plugin := range r.Plugins {
		p.plugin(&plugin)
	}
	for _, text := range r.Errors {
		p.record("error", "%s", text)
	}
	for _, text := range r.StartErrors {
		p.record("start", "fails, although -t does not look at it: %s", text)
	}
	p.record("counts", "%d honoured, %d harmless, %d skipped, %d changes, %d refused",
		r.Counts["honoured"], r.Counts["harmless"], r.Counts["skipped"], r.Counts["changes"], r.Counts["refused"])
	p.WriteString("\n")
	p.wrap("", r.Verdict)
	_, _ = w.Write(p.Bytes()) // stdout; who would be told
}

// directive writes one line of the configuration; ditto says that the same
// stands below the one before it.
func (p *page) directive(d *Directive, ditto bool) {
	place := d.Place.String()
	p.record(d.Fate, "%s  %s", place, shortened(d.source(), p.margin+len(place)+2))
	if !ditto {
		p.detail(d.How)
		p.detail(d.Remedy)
	}
	for _, note := range d.Notes {
		p.detail("note: " + note)
	}
}

func (p *page) module(m *Module) {
	what := "wshttpd does not have it; its file is not opened"
	switch {
	case m.Provided:
		what = "part of wshttpd; its file is not opened"
	case m.Loaded && len(m.Hooks) > 0:
		what = "a plugin's own, loaded for its directives; nothing calls its hooks " + strings.Join(m.Hooks, ", ")
	case m.Loaded:
		what = "a plugin's own, loaded for its directives"
	case !m.Stock:
		what = "no module of a stock httpd; it is not loaded"
	}
	p.record("module", "%s  %s: %s", m.Place, m.Identifier, what)
	p.told(Told{Directives: m.Directives}) // the hooks stand above
	if m.Library != nil {
		p.library(m.Library)
	}
}

func (p *page) plugin(plugin *Plugin) {
	p.record("plugin", "%s  %s %s in %s", plugin.Place, plugin.File, plugin.Init, plugin.Section)
	p.library(&plugin.Library)
	init := "init: not called"
	switch {
	case plugin.Loaded:
		init = fmt.Sprintf("init: %s was called and has answered", cmp.Or(plugin.InitFound, plugin.Init))
	case plugin.InitFound == "" && plugin.Kind != "":
		init = fmt.Sprintf("init: %s is not there", plugin.Init)
	}
	p.detail(init)
	if plugin.Problem != "" {
		p.detail("problem: " + plugin.Problem)
		p.detail(plugin.Remedy)
	}
}

// shownExports bounds how many names stand in the text; the JSON has all.
const shownExports = 12

func (p *page) library(l *Library) {
	p.detail("file: " + l.Path)
	if l.Kind == "" {
		if l.Machine != "" {
			p.detail("machine: " + l.Machine)
		}
		return
	}
	what := fmt.Sprintf("kind: %s for %s", l.Kind, l.Machine)
	if l.Build != "" {
		what += ", " + l.Build
	}
	if l.ApacheModule != "" {
		what += ", the Apache module " + l.ApacheModule
	}
	p.detail(what)
	for _, n := range l.Needed {
		p.detail("needs: " + n.Name + ": " + cmp.Or(n.Path, "not found"))
	}
	for _, s := range l.Symbols {
		p.detail(fmt.Sprintf("symbols: %d from %s", len(s.Names), cmp.Or(s.In, "nobody: "+listed(s.Names))))
	}
	p.detail("exports: " + cmp.Or(listed(l.Exports), "nothing"))
}

// listed names some, and counts the others.
func listed(names []string) string {
	if more := len(names) - shownExports; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shownExports], ", "), more)
	}
	return strings.Join(names, ", ")
}

// sentence is what there is to say about the configuration in one sentence.
func (r *Report) sentence() string {
	const same = "this configuration will behave as under httpd"
	var parts []string
	for _, d := range r.Differences {
		where := d.Places[0].String()
		if more := len(d.Places) - 1; more > 0 {
			where += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", strings.ReplaceAll(d.How, "\n", " "), where))
	}
	except := ""
	if len(parts) > 0 {
		except = ", except: " + strings.Join(parts, "; ")
	}
	switch {
	case r.Starts && len(r.StartErrors) > 0:
		return fmt.Sprintf("wshttpd does not start, since %s; but for that, %s%s.", oneLine(r.StartErrors[0]), same, except)
	case r.Starts:
		return same + except + "."
	}
	if i := slices.IndexFunc(r.Directives, func(d Directive) bool { return d.Fate == httpdconf.Refused.String() }); i >= 0 {
		return fmt.Sprintf("wshttpd does not start, since it refuses %s (%s); but for what is refused, %s%s.",
			countOf(r.Counts["refused"], "line"), "the first is "+r.Directives[i].Place.String(), same, except)
	}
	return fmt.Sprintf("wshttpd does not start, since %s; but for that, %s%s.", oneLine(r.Errors[0]), same, except)
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// told says what a plugin's module brings along.
func (p *page) told(t Told) {
	if len(t.Directives) > 0 {
		p.detail("directives: " + strings.Join(t.Directives, ", "))
	}
	if len(t.Hooks) > 0 {
		p.detail("hooks, which nothing calls: " + strings.Join(t.Hooks, ", "))
	}
}
