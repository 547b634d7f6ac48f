package httpdconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// PluginModule is a module of httpd that is none of its own: the library of a
// plugin, whose directives it brings along (Options.LoadModule).
type PluginModule struct {
	Source     string // as IfModule asks for it: "mod_websocket_tcp_proxy.c"
	Directives []PluginDirective
	Base       ModuleRecords // of the main server, outside of sections
	Hooks      []string      // by which httpd would call it, and nobody does here
}

// PluginDirective is a directive of such a module.
type PluginDirective struct {
	Name, Usage string
	Where       int // httpd's bits (command_rec, req_override)
	Args        int // httpd's number (enum cmd_how)

	// Run has the module take a line. It returns the records of the section,
	// and the module's error or "".
	Run func(line PluginLine) (ModuleRecords, string)
}

// PluginReading is what a module may ask of the configuration where its line
// stands, and of all of it later.
type PluginReading struct {
	ServerRoot, RuntimeDir string
	Defined                func(name string) bool
}

// reading is the configuration as it stands.
func (r *reader) reading() PluginReading {
	return PluginReading{r.root, r.rootRelative(cmp.Or(r.config.Run.RuntimeDir, "logs")), func(name string) bool { return r.defined[name] }}
}

// PluginLine is a line with a directive of a plugin's.
type PluginLine struct {
	Host     *Host         // nil for the main server
	Section  string        // argument of the section, "" outside of all
	Records  ModuleRecords // of the section so far, nil for none
	Override int           // what may stand there, in httpd's bits
	Words    []string      // of the right number; one, as written, where the directive takes the rest unsplit
	Text     string        // the arguments as written
	File     string
	Number   int
	Reading  PluginReading
}

// ModuleRecords are what the modules of plugins keep of a section: they know
// themselves how to merge.
type ModuleRecords interface {
	// Merge returns what holds where over covers too, which is not nil.
	Merge(over ModuleRecords) ModuleRecords
}

// PluginModuleError says in httpd's words why a module cannot be loaded.
type PluginModuleError struct {
	Text, Hint string
	IsLacking  bool // httpd would have loaded it: it needs what is not here
}

func (e *PluginModuleError) Error() string { return e.Text }

func mergeModules(base, over ModuleRecords) ModuleRecords {
	if base == nil || over == nil {
		if over == nil {
			return base
		}
		return over
	}
	return base.Merge(over)
}

// loadPluginModule loads a module that is no stock module, and has its
// directives join the tables.
func (r *reader) loadPluginModule(n *syntax.Node, words []syntax.Arg, m *Module, path string) {
	if r.options.LeaveUnknown {
		r.leavesUnknown = true
		return
	}
	if r.options.LoadModule == nil {
		r.notLoaded(n, words, m, "its directives are unknown; a WebSocket plugin is named by WebSocketHandler instead")
		return
	}
	loaded, err := r.options.LoadModule(m.Ident, path, r.reading())
	switch {
	case err != nil && err.IsLacking:
		r.notLoaded(n, words, m, err.Text)
		return
	case err != nil:
		r.failAt(n, words[1].Range, err.Text, err.Hint)
		return
	}
	m.Source, m.Plugin = loaded.Source, loaded
	r.pluginModules = append(r.pluginModules, loaded)
	for _, d := range loaded.Directives {
		key := strings.ToLower(d.Name)
		r.stock[key] = append(r.stock[key], &directiveInfo{
			Name: d.Name, Module: loaded.Source, Args: argRule(d.Args), Where: override(d.Where), Tier: tierA, Usage: d.Usage,
		})
	}
	if r.options.Judge {
		r.listHooks(n, words, loaded)
	}
}

// listHooks says which hooks of a module are not run. A handler is called by
// httpd for every request, and declines those that are not the plugin's.
func (r *reader) listHooks(n *syntax.Node, words []syntax.Arg, m *PluginModule) {
	others := slices.DeleteFunc(slices.Clone(m.Hooks), func(name string) bool { return name == "handler" })
	text := fmt.Sprintf("its hooks are not run: %s", strings.Join(m.Hooks, ", "))
	switch {
	case len(others) > 0:
		r.fail(difference(n, words[0].Range, LevelWarn, "so", text, "what it does beside its directives and WebSockets is not done"))
	case len(m.Hooks) > 0:
		r.fail(warning(n, words[0].Range, LevelNotice, "so", "", text, ""))
	}
}

func (r *reader) notLoaded(n *syntax.Node, words []syntax.Arg, m *Module, hint string) {
	r.fail(difference(n, words[0].Range, LevelWarn, "so", fmt.Sprintf("module %s is none that wshttpd has: it is not loaded", m.Ident), hint))
}

// addPluginModules gives the directives of plugins their rows.
func (w *walk) addPluginModules() {
	for _, m := range w.pluginModules {
		w.config.Main.Base.Modules = m.Base
		for _, d := range m.Directives {
			key := strings.ToLower(d.Name)
			w.commands[key] = append(w.commands[key], command{
				module: m.Source, effect: "the plugin's",
				set: func(w *walk, n *syntax.Node, words []syntax.Arg) *problem { return w.runPlugin(n, words, d) },
			})
		}
	}
}

// runPlugin has a module take a line.
func (w *walk) runPlugin(n *syntax.Node, words []syntax.Arg, d PluginDirective) *problem {
	if n.Section {
		return &problem{text: d.Name + notObeyed, at: n.NameRange(), hint: "sections of a plugin's own are not known"}
	}
	line := PluginLine{
		Records: w.records.Modules, Override: int(w.override), Text: n.Args,
		File: n.Line.Filename(), Number: n.Line.Last(), Reading: w.reading(),
	}
	if w.host != w.config.Main {
		line.Host = w.host
	}
	if s := w.section; s != nil {
		line.Section = s.Pattern
		if s.Kind == DirectorySection && !strings.HasSuffix(s.Pattern, "/") { // httpd 2.4 server/core.c, dirsection
			line.Section += "/"
		}
	}
	for _, word := range words {
		line.Words = append(line.Words, word.Text)
	}
	if argRule(d.Args) == argsRaw {
		line.Words = []string{n.Args}
	}
	records, text := d.Run(line)
	w.records.Modules = records
	if text != "" {
		return &problem{text: text}
	}
	return nil
}
