package doctor

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// Report is what becomes of a configuration, as --json prints it.
type Report struct {
	File       string `json:"file"`
	ServerRoot string `json:"server_root"`
	Starts     bool   `json:"starts"` // -t finds no error
	// Counts is how many directives have each fate.
	Counts     map[string]int `json:"counts"`
	Directives []Directive    `json:"directives"` // in the order in which httpd reads them
	Errors     []string       `json:"errors"`     // those without a line
	// StartErrors are what -t does not look at, and the start fails of.
	StartErrors []string     `json:"start_errors"`
	Modules     []Module     `json:"modules"`
	Plugins     []Plugin     `json:"plugins"`
	Differences []Difference `json:"differences"`
	Verdict     string       `json:"verdict"` // one sentence
}

// Place is a line of the configuration.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Directive is one line, and what becomes of it: "honoured", "harmless",
// "skipped" (in a section that is false in httpd too), "changes" or "refused".
type Directive struct {
	Place
	Fate      string   `json:"fate"`
	Directive string   `json:"directive"` // a section with its bracket: "<Location"
	Arguments string   `json:"arguments"`
	Section   string   `json:"section,omitempty"` // in which it stands
	How       string   `json:"how,omitempty"`     // what differs, or why it is refused
	Remedy    string   `json:"remedy,omitempty"`
	Notes     []string `json:"notes,omitempty"` // warnings, httpd's among them
}

// Module is a LoadModule line.
type Module struct {
	Place
	Identifier string `json:"identifier"`
	File       string `json:"module_file"`
	// Provided says that the server has the module: the file is not opened.
	// That of another stock module is not opened either.
	Provided bool `json:"provided"`
	Stock    bool `json:"stock"`
	// Loaded says that it came with a plugin, for its directives; nothing calls
	// Hooks, by which it would have httpd call it.
	Loaded bool `json:"loaded"`
	Told
	// Library is what a file is that is none of a stock module.
	Library *Library `json:"library,omitempty"`
}

// Plugin is a WebSocketHandler line.
type Plugin struct {
	Place
	Section string `json:"section"`
	File    string `json:"plugin_file"` // as written
	Init    string `json:"init"`        // as written
	Loaded  bool   `json:"loaded"`      // INIT was called and has answered
	isTried bool   // it was to be loaded
	Library
}

// Library is what a file of a module or plugin is.
type Library struct {
	Path         string    `json:"path"`                    // absolute, links followed
	Kind         string    `json:"kind,omitempty"`          // "Go plugin", "C library"
	Machine      string    `json:"machine,omitempty"`       // "x86-64"
	Build        string    `json:"build,omitempty"`         // of a Go plugin
	ApacheModule string    `json:"apache_module,omitempty"` // that it holds
	Needed       []Needed  `json:"needed"`
	Symbols      []Symbols `json:"symbols"`
	Exports      []string  `json:"exports"`
	InitFound    string    `json:"init_found,omitempty"` // the export that INIT stands for
	Problem      string    `json:"problem,omitempty"`    // why it cannot be used
	Remedy       string    `json:"remedy,omitempty"`
}

// Needed is a library that another names; Path is empty where it is not found.
type Needed struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// Symbols are undefined symbols that one library has; In is empty where nobody
// has them, and "wshttpd" where the server has.
type Symbols struct {
	In    string   `json:"in"`
	Names []string `json:"names"`
}

// Difference is one way in which the server behaves otherwise than httpd, and
// the lines that make it do so.
type Difference struct {
	How    string  `json:"how"`
	Places []Place `json:"places"`
}

// Run does what the command line asks of this package, --report or explain, and
// reports the exit status and whether that was all.
func Run(stdout, stderr io.Writer, c *supervise.CommandLine) (code int, done bool) {
	switch {
	case c.Explain != nil:
		return Explain(stdout, stderr, c), true
	case c.Report:
		return Check(stdout, stderr, c), true
	}
	return 0, false
}

// Check is -t --report: it loads the configuration and its plugins as -t does,
// writes what becomes of them to w, and returns the exit status of -t. What
// plugins say when they are loaded goes to stderr.
func Check(w, stderr io.Writer, c *supervise.CommandLine) (code int) {
	r := newReport(stderr, c)
	if c.JSON {
		writeJSON(w, r)
	} else {
		r.write(w)
	}
	if r.Starts {
		return 0
	}
	return 1
}

func newReport(stderr io.Writer, c *supervise.CommandLine) *Report {
	_, file := c.Paths()
	o := c.Options()
	o.Judge = true
	loader := pluginloader.New(server.StartupLog(stderr, c.Level))
	o.LoadModule = server.LoadModule(loader)
	cfg, diags := httpdconf.Load(file, o)
	var plugins []Plugin
	var startErrors []error
	if diags.HasErrors() {
		plugins = inspectAll(cfg)
	} else {
		s, more := server.New(cfg, loader)
		diags = append(diags, more...)
		plugins = inspectAll(cfg)
		for i := range plugins {
			plugins[i].tried(cfg.Plugins[i], more)
		}
		if !more.HasErrors() {
			startErrors = s.StartErrors()
		}
	}
	for i, p := range plugins {
		if p.Problem != "" && !p.isTried {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: p.Problem, Detail: p.Remedy, Subject: &cfg.Plugins[i].Range})
		}
	}
	found := cfg.Report(diags)
	r := &Report{
		File: file, ServerRoot: cfg.ServerRoot, Starts: found.Starts(), Counts: make(map[string]int), Errors: listOf(found.Errors),
		StartErrors: []string{}, Modules: []Module{}, Plugins: listOf(plugins),
	}
	for _, err := range startErrors {
		r.StartErrors = append(r.StartErrors, err.Error())
	}
	lookAtPasswords(cfg, found.Verdicts)
	for _, v := range found.Verdicts {
		r.Directives = append(r.Directives, newDirective(&v))
		r.Counts[v.Fate.String()]++
	}
	for _, m := range cfg.Modules {
		if !m.Static {
			r.Modules = append(r.Modules, newModule(cfg, &m))
		}
	}
	r.Differences = differences(r.Directives)
	r.Verdict = r.sentence()
	return r
}

func newDirective(v *httpdconf.Verdict) Directive {
	return Directive{
		Place: Place{v.File, v.Line}, Fate: v.Fate.String(), Directive: v.Name, Arguments: v.Args, Section: v.Section,
		How: v.How, Remedy: v.Remedy, Notes: v.Notes,
	}
}

func placeOf(r hcl.Range) Place { return Place{r.Filename, r.End.Line} }

func newModule(cfg *httpdconf.Config, m *httpdconf.Module) Module {
	module := Module{Place: placeOf(m.Range), Identifier: m.Ident, File: m.File, Provided: m.IsProvided(), Stock: m.Source != "" && m.Plugin == nil}
	if m.Plugin != nil {
		module.Loaded, module.Hooks = true, m.Plugin.Hooks
		for _, d := range m.Plugin.Directives {
			module.Directives = append(module.Directives, d.Name)
		}
	}
	if !module.Stock {
		path := m.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(cfg.ServerRoot, path)
		}
		library := newLibrary(pluginloader.Inspect(path, ""))
		module.Library = &library
	}
	return module
}

// inspectAll looks at the plugins' files.
func inspectAll(cfg *httpdconf.Config) []Plugin {
	var list []Plugin
	for _, ref := range cfg.Plugins {
		list = append(list, Plugin{
			Place: placeOf(ref.Range), Section: ref.Section, File: ref.Arg, Init: ref.Init,
			Library: newLibrary(pluginloader.Inspect(ref.File, ref.Init)),
		})
	}
	return list
}

// tried takes what came of loading the plugin.
func (p *Plugin) tried(ref *httpdconf.PluginRef, diags hcl.Diagnostics) {
	p.isTried, p.Loaded = true, true
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil && *d.Subject == ref.Range {
			p.Loaded = false
			p.Problem, p.Remedy, _ = strings.Cut(d.Summary+": "+d.Detail, "\n")
		}
	}
}

// listOf is a list that JSON does not call null.
func listOf[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func newLibrary(i *pluginloader.Inspection) Library {
	l := Library{
		Path: i.Path, Kind: i.Kind, Machine: i.Machine, Build: i.Build, ApacheModule: i.Module, InitFound: i.Init,
		Needed: []Needed{}, Symbols: []Symbols{}, Exports: listOf(i.Exports),
	}
	for _, n := range i.Needed {
		l.Needed = append(l.Needed, Needed(n))
	}
	for _, s := range i.Symbols {
		l.Symbols = append(l.Symbols, Symbols(s))
	}
	if i.Problem != nil {
		l.Problem, l.Remedy = i.Problem.Error(), i.Problem.Remedy
	}
	return l
}

// differences gathers the lines that make the same difference.
func differences(directives []Directive) []Difference {
	list := []Difference{}
	at := make(map[string]int)
	for _, d := range directives {
		if d.Fate != httpdconf.Changes.String() {
			continue
		}
		i, known := at[d.How]
		if !known {
			i = len(list)
			at[d.How] = i
			list = append(list, Difference{How: d.How})
		}
		list[i].Places = append(list[i].Places, d.Place)
	}
	return list
}
