package httpdconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Fate is what becomes of a directive here, beside what it does in httpd.
type Fate int

// The fates, the worst last.
const (
	Honoured Fate = iota // does what it does in httpd
	Harmless             // has no effect, which no client can tell
	Skipped              // stands in a section that is false in httpd too
	Changes              // answers differ from httpd's
	Refused              // the server does not start
)

func (f Fate) String() string {
	return [...]string{"honoured", "harmless", "skipped", "changes", "refused"}[f]
}

// Verdict is what becomes of one directive.
type Verdict struct {
	Name    string // as its module writes it, "<Location" for a section
	Args    string // as written, variables replaced
	Section string // in which it stands, "<Location /echo>"; "" outside of all
	Fate    Fate
	How     string // what differs, or why it is refused
	Remedy  string // what to do about it; may be empty
	Notes   []string
	File    string
	Line    int // as messages number it: the last of a continued line

	node *syntax.Node
}

// Report is what becomes of a configuration.
type Report struct {
	Verdicts []Verdict // in the order in which httpd reads the lines
	Errors   []string  // those of the configuration as a whole, which have no line
}

// Starts reports whether nothing is refused.
func (r *Report) Starts() bool {
	return len(r.Errors) == 0 && !slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v.Fate == Refused })
}

// judgement is what the second pass has done with a directive.
type judgement struct {
	fate Fate
	how  string
}

// judge notes what is done with a directive for one of its owners; the worst
// of several counts. idle says that it has no effect. Without Options.Judge
// nothing is noted.
func (w *walk) judge(n *syntax.Node, info *directiveInfo, idle bool) {
	if w.judged == nil {
		return
	}
	j := judgement{}
	if idle {
		j.fate = Harmless
	}
	if how := w.modules.missed(info, n.Args, idle); how != "" {
		j = judgement{Changes, how}
	}
	if before, has := w.judged[n]; !has || j.fate > before.fate {
		w.judged[n] = j
	}
}

// listVerdicts fills the verdicts of a configuration, in the order of its
// lines; those of what was never looked at are not there.
func (w *walk) listVerdicts(list []*syntax.Node) {
	for _, n := range list {
		if v, judged := w.verdictOf(n); judged {
			w.config.verdicts = append(w.config.verdicts, v)
		}
		if n.Skipped == "" {
			w.listVerdicts(n.Children)
		}
	}
}

func (w *walk) verdictOf(n *syntax.Node) (v Verdict, judged bool) {
	v = newVerdict(n)
	switch j, has := w.judged[n]; {
	case n.Skipped != "" && w.wouldHold(n):
		v.Fate, v.How = Changes, n.Opener()+" is false here and true in httpd: "+n.Skipped
	case n.Skipped != "":
		v.Fate, v.How = Skipped, n.Skipped
	case isModuleCondition(n) && !w.wouldHold(n):
		v.Fate, v.How = Changes, n.Opener()+" is true here and false in httpd, which has the module"
	case has:
		v.Fate, v.How = j.fate, j.how
	case strings.EqualFold(n.Name, "LoadModule"):
		v.Fate, v.How = w.fateOfModule(n)
	case !w.ran[n] && !isTransparent(n):
		return v, false
	}
	return v, true
}

// refusedHandshake differs from the original module, and not from the fork
// (httpd-conf.md, settled decision 3).
const refusedHandshake = "a handshake that is refused is answered 400 or 500 with the reason, as by the fork of jchampio; disconnect's module answers 404"

func isModuleCondition(n *syntax.Node) bool {
	return n.Section && strings.EqualFold(n.Name, "IfModule")
}

// fateOfModule judges a LoadModule line. A stock module that is not here is
// harmless by itself: what its directives come to is said at their lines.
func (w *walk) fateOfModule(n *syntax.Node) (Fate, string) {
	words := n.Words()
	if len(words) == 0 {
		return Honoured, "" // it has an error
	}
	source := sourceOf(words[0].Text)
	if source == "mod_websocket.c" && w.config.OriginCheckSource == nil {
		return Changes, refusedHandshake
	}
	if w.modules.stock[source] && !slices.Contains(provided, source) {
		return Harmless, fmt.Sprintf("wshttpd does not have it: IfModule %s is false", source)
	}
	return Honoured, ""
}

func newVerdict(n *syntax.Node) Verdict {
	v := Verdict{Name: n.Name, Args: n.Args, File: shownFile(n.Line.Filename()), Line: n.Line.Last(), node: n}
	if n.Section {
		v.Name = "<" + n.Name
	}
	if parent := enclosing(n); parent != nil {
		v.Section = parent.Opener()
	}
	return v
}

// Report says what becomes of each directive. diags are all that Load, and
// whoever made a server of the configuration, have said of it. Load must have
// been called with Options.Judge.
func (c *Config) Report(diags hcl.Diagnostics) *Report {
	r := &Report{Verdicts: slices.Clone(c.verdicts)}
	byNode := make(map[*syntax.Node]int, len(r.Verdicts))
	for i, v := range r.Verdicts {
		byNode[v.node] = i
	}
	for _, d := range diags {
		if d.Subject == nil {
			if d.Severity == hcl.DiagError {
				r.Errors = append(r.Errors, strings.TrimSpace(d.Summary+"\n"+d.Detail))
			}
			continue
		}
		i, found := byNode[placeOf(d).Node]
		if !found {
			i, found = r.at(d)
		}
		if !found {
			i = len(r.Verdicts)
			r.Verdicts = append(r.Verdicts, c.verdictAt(d))
		}
		r.Verdicts[i].take(d)
	}
	return r
}

// at finds the directive that a diagnostic without a node is about.
func (r *Report) at(d *hcl.Diagnostic) (i int, found bool) {
	i = slices.IndexFunc(r.Verdicts, func(v Verdict) bool {
		at := v.node.Range()
		return at.Filename == d.Subject.Filename && at.Start.Byte <= d.Subject.Start.Byte && d.Subject.Start.Byte <= at.End.Byte
	})
	return i, i >= 0
}

// verdictAt makes a verdict for a line that never got one: what closes the
// wrong section, or stands in one that is skipped.
func (c *Config) verdictAt(d *hcl.Diagnostic) Verdict {
	if n := placeOf(d).Node; n != nil {
		if n.Name == "" {
			n.Name, n.Args = syntax.Word(n.Line.Text)
		}
		return newVerdict(n)
	}
	return Verdict{File: shownFile(d.Subject.Filename), Line: d.Subject.End.Line, node: &syntax.Node{}}
}

// take adds what a diagnostic says. The first error of a line counts.
func (v *Verdict) take(d *hcl.Diagnostic) {
	place := placeOf(d)
	switch {
	case d.Severity == hcl.DiagError && v.Fate != Refused:
		v.Fate, v.How, v.Remedy = Refused, d.Summary, d.Detail
	case d.Severity == hcl.DiagError:
		v.Notes = append(v.Notes, d.Summary)
	case place.Differs && v.Fate < Changes:
		v.Fate, v.How, v.Remedy = Changes, d.Summary, d.Detail
	case place.Level <= LevelNotice:
		v.Notes = append(v.Notes, cmp.Or(place.Code, place.Module)+": "+d.Summary)
	}
}
