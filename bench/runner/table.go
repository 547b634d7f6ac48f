package runner

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/bench/load"
)

// printer keeps the first error of writing.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

// tables prints the report as Markdown.
func (r *report) tables(out io.Writer) error {
	p := &printer{out: out}
	r.Machine.print(p)
	p.f("%d rounds of %.3g s for each cell; medians, quartiles in brackets. `%s`\n\n", r.Rounds, r.Seconds, r.Machine.Command)
	r.targets(p)
	r.servers(p, "CPU per message, the cell's yardstick being 1 (lower is cheaper)", func(w *row) *spread { return w.Ratio })
	r.servers(p, "CPU per message, wshttpd being 1 (higher: wshttpd is cheaper)", func(w *row) *spread { return w.ToOwn })
	r.servers(p, "CPU per message, microseconds", func(w *row) *spread { return w.CPU })
	r.servers(p, "Bytes of memory per idle connection", func(w *row) *spread { return w.Bytes })
	r.servers(p, "The same for the second half of them", func(w *row) *spread { return w.More })
	r.behaviour(p)
	r.leftOut(p)
	return p.err
}

func (m *machine) print(p *printer) {
	p.f("%s, %s, %d cores, Linux %s, %s, wshttpd %s. ", m.Date, m.CPU, m.Cores, m.Kernel, m.Go, m.Source)
}

// targets is the table of what wshttpd has to reach.
func (r *report) targets(p *printer) {
	p.f("| work | must | goal | measured | reached |\n|---|---|---|---|---|\n")
	for _, c := range r.Cells {
		measured := "-"
		for i := range c.Rows {
			w := &c.Rows[i]
			if s := firstOf(w.Bytes, w.Ratio); w.Name == c.subject && s != nil {
				measured = s.text()
			}
		}
		title := c.Title
		if c.Note != "" {
			title += " (" + c.Note + ")"
		}
		p.f("| %s | %s | %s | %s | %s |\n", title, figure(c.Must), figure(c.Goal), measured, c.Mark)
	}
}

func (s *spread) text() string {
	return fmt.Sprintf("%s [%s-%s]", figure(s.Median), figure(s.Lower), figure(s.Upper))
}

// figure prints three digits, or all before the point.
func figure(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// servers prints one value of all cells that compare servers.
func (r *report) servers(p *printer, title string, value func(*row) *spread) {
	var cells []*cellResult
	var names []string
	for _, c := range r.Cells {
		found := false
		for i := range c.Rows {
			if w := &c.Rows[i]; c.subject == ownName && value(w) != nil {
				found = true
				if !slices.Contains(names, w.Name) {
					names = append(names, w.Name)
				}
			}
		}
		if found {
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return
	}
	p.f("\n%s:\n\n| server |", title)
	for _, c := range cells {
		p.f(" %s |", c.Title)
	}
	p.f("\n|---|%s\n", strings.Repeat("---|", len(cells)))
	for _, name := range names {
		p.f("| %s |", name)
		for _, c := range cells {
			text := "-"
			if i := slices.IndexFunc(c.Rows, func(w row) bool { return w.Name == name }); i >= 0 {
				if s := value(&c.Rows[i]); s != nil {
					text = s.text()
				}
			}
			p.f(" %s |", text)
		}
		p.f("\n")
	}
}

// behaviour prints medians of what is no cost: latency, fairness, shares.
func (r *report) behaviour(p *printer) {
	columns := []func(*load.Result) float64{
		func(x *load.Result) float64 { return x.PerSecond }, p50, p99,
		func(x *load.Result) float64 { return x.SlowestToFastest }, threads,
		func(x *load.Result) float64 { return x.ServerShare },
		func(x *load.Result) float64 { return x.ClientShare },
	}
	p.f("\n| cell | candidate | a second | p50, us | p99, us | slowest / fastest connection | threads | server's share of its core | client's |\n")
	p.f("|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Cells {
		for _, w := range c.Rows {
			if len(w.Results) == 0 {
				continue
			}
			p.f("| %s | %s |", c.Name, w.Name)
			for i, value := range columns {
				switch x := spreadOf(column(w.Results, value)).Median; {
				case x == 0 && i < 5: // does not apply
					p.f(" - |")
				case i == 4:
					p.f(" %.0f |", x)
				default:
					p.f(" %s |", figure(x))
				}
			}
			p.f("\n")
		}
	}
}

// leftOut prints each reason once.
func (r *report) leftOut(p *printer) {
	cells := map[string][]string{}
	var reasons []string
	for _, c := range r.Cells {
		for _, w := range c.Rows {
			if w.LeftOut == "" {
				continue
			}
			reason := w.Name + ": " + strings.ReplaceAll(w.LeftOut, "\n", "; ")
			if cells[reason] == nil {
				reasons = append(reasons, reason)
			}
			cells[reason] = append(cells[reason], c.Name)
		}
	}
	for _, reason := range reasons {
		p.f("\nLeft out of %s: %s\n", strings.Join(cells[reason], ", "), reason)
	}
}
