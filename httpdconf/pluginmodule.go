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
	Name       string
	Usage      string
	EmptyUsage bool // there is a usage text, and it is empty
	Where      int  // httpd's bits (command_rec, req_override)
	Args       int  // httpd's number (enum cmd_how)

	// Run has the module take a line. It returns the records of the section,
	// and the module's error or "".
	Run func(line PluginLine) (ModuleRecords, string)

	// RunReading has the module take a line while its file is read, and returns
	// the keys of the directives that stand in its place then.
	RunReading func(line PluginLine) (keys []any, problem string)
}

// PluginReading is what a module may ask of the configuration where its line
// stands, and of all of it later.
type PluginReading struct {
	ServerRoot, RuntimeDir string
	Defined                func(name string) bool
}

// reading is the configuration as it stands.
func (r *reader) reading() PluginReading {
	defined := r.defined // alone: the tree is not needed any more, once it has been read
	return PluginReading{r.root, r.rootRelative(cmp.Or(r.config.Run.RuntimeDir, "logs")), func(name string) bool { return defined[name] }}
}

// PluginLine is a line with a directive of a plugin's.
type PluginLine struct {
	Host     *Host         // nil for the main server
	Section  string        // argument of the section, "" outside of all
	Records  ModuleRecords // of the section so far, nil for none
	Override int           // what may stand there, in httpd's bits
	Methods  *MethodSet    // of the Limit section it stands in; nil for all
	Words    []string      // of the right number; one, as written, where the directive takes the rest unsplit
	Node     PluginNode
	Tree     PluginTree
	Reading  PluginReading

	// Walk runs a directive of the tree as if it stood at a place, and returns
	// what is wrong with it, or "". Modules call it for what stands in sections of
	// their own.
	Walk func(key any, at PluginPlace) string

	// NextLine and Build read on behind the line, while the file is read: a line
	// and its number, 0 at the end; or all up to a closing tag, as directives.
	NextLine func() (text string, number int)
	Build    func(closing string) (list []PluginNode, problem string)
}

// PluginNode is a directive of the configuration's tree as modules may look at
// it (httpd 2.4 include/util_cfgtree.h).
type PluginNode struct {
	Key             any    // tells it from others
	Directive, Args string // with the bracket of a section: "<Location", "/x>"
	File            string
	Number          int // of its line
}

// PluginTree is the configuration as far as it has been read.
type PluginTree struct {
	ID       any
	IsWhole  bool
	Parent   func(key any) (PluginNode, bool)
	Children func(key any) []PluginNode // of nil: what stands in no section
}

// PluginPlace is where a directive in a section of a module's own is run.
type PluginPlace struct {
	Host     *Host // nil for the main server
	Records  ModuleRecords
	IsOwn    bool    // Records are those of the place where the section stands
	Section  *string // the path that the module gives; nil outside of sections
	Override int
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
		r.leavesUnknown, m.isLeft = true, true
		return
	}
	if r.options.LoadModule == nil {
		r.notLoaded(n, words, m, "its directives are unknown; a WebSocket plugin is named by WebSocketHandler instead")
		return
	}
	loaded, err := r.options.LoadModule(m.Ident, path, r.reading())
	switch {
	case err != nil && err.IsLacking:
		r.notLoaded(n, words, m, strings.TrimSpace(err.Text+"\n"+err.Hint))
		return
	case err != nil:
		r.failAt(n, words[1].Range, err.Text, err.Hint)
		return
	}
	m.Source, m.Plugin = loaded.Source, loaded
	r.pluginBase = loaded.Base
	for _, d := range loaded.Directives {
		key := strings.ToLower(d.Name)
		row := &directiveInfo{
			Name: d.Name, Module: loaded.Source, Args: argRule(d.Args), Where: override(d.Where), Tier: tierA, Usage: d.Usage,
		}
		r.plugins[row] = &d
		r.stock[key] = slices.Insert(r.stock[key], 0, row) // the last module that was loaded is asked first
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
