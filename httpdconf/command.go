package httpdconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// command is a row of the table of directives: what this server does with one
// directive of one module.
type command struct {
	module string // source name of the owner
	// set applies a directive to where the walk stands. words are split, and
	// of the right number, unless the directive takes the unsplit rest.
	set func(w *walk, n *syntax.Node, words []syntax.Arg) *problem
	// effect is what the README says of it; that of a directive which is taken
	// and ignored begins with noEffect.
	effect string
}

const noEffect = "no effect"

func (c *command) isIdle() bool { return strings.HasPrefix(c.effect, noEffect) }

// problem is what a row has found wrong, in httpd's words. The zero range
// stands for the whole line.
type problem struct {
	text string
	at   hcl.Range
	hint string
}

// walk is the second pass: where it stands in the tree, and what it fills.
type walk struct {
	*reader
	commands map[string][]command // by lower-cased name

	place
	rules   *AuthzRule        // the container of Require lines that is open
	ifs     []*Section        // all of the configuration
	methods *MethodSet        // of the Limit sections that are open
	checks  []*hcl.Diagnostic // what httpd finds once the tree is processed

	logFormats    map[*Host]*logSettings
	workers       workers
	mergesSlashes map[*Host]bool // that have a line of MergeSlashes
	limitSets     map[*Host][]func(*HTTPLimits)
	behind        behind
	sslAsked      []sslAsked
	unserved      []*syntax.Node  // in the section: what names handlers that are not here
	noted         map[string]bool // directives that were noted, lower case
	fork          *hcl.Range      // the first directive that only the fork has
	listenSeen    map[string]bool
	leftSection   bool // a section was left to who knows it: what is in it cannot be missed
}

// place is where the walk stands.
type place struct {
	host     *Host
	section  *Section // nil outside of sections that depend on a path
	records  *Records // of section, or of the host
	override override // what may stand here

	path      *string // what the module of a plugin calls the section; nil for its argument
	isForeign bool    // records are those of a plugin's own section
	isPlugins bool    // a section of a plugin's module stands around
}

// topOverride is what may stand outside of sections (httpd 2.4
// server/config.c, ap_process_config_tree), sectionOverride what may inside.
const (
	topOverride     = serverConf | orAll&^(orAuthConfig|orLimit)
	sectionOverride = orAll | accessConf
)

// process runs the second pass over the tree that r has read.
func process(r *reader) {
	main := &Host{Limits: defaultLimits(), LogLevels: LogLevels{Default: LevelWarn}, Timeout: defaultTimeout}
	r.config.Main = main
	w := &walk{
		reader: r, commands: commandTable(), place: place{host: main, records: &main.Base, override: topOverride},
		noted: make(map[string]bool), listenSeen: make(map[string]bool),
		behind: behind{defines: make(map[string]bool)},
	}
	w.config.Main.Base.Modules = r.pluginBase
	w.nodes(r.nodes)
	w.finish()
}

// nodes runs a list of nodes in order.
func (w *walk) nodes(list []*syntax.Node) {
	if w.behind.outer != nil {
		w.nodesBehind(list)
		return
	}
	for _, n := range list {
		switch {
		case n.Skipped != "" && w.wouldHold(n):
			w.lookBehind(n)
		case n.Skipped != "":
		case n.Spliced:
			outer := w.isPlugins
			w.isPlugins = true
			w.nodes(n.Children)
			w.isPlugins = outer
		case isTransparent(n):
			w.nodes(n.Children)
		default:
			w.node(n)
		}
	}
}

// node looks one directive up and runs it for every loaded module that owns it
// (httpd 2.4 server/config.c, ap_walk_config_sub).
func (w *walk) node(n *syntax.Node) {
	key := tableName(n)
	var owners []*directiveInfo
	for _, info := range w.stock[key] {
		if w.isOwner(info) {
			owners = append(owners, info)
		}
	}
	if len(owners) == 0 {
		w.unknown(n)
		return
	}
	if w.ran[n] {
		return
	}
	if owners[0].Module == "mod_macro.c" { // loaded only behind it
		w.report(n, &problem{text: owners[0].Name + notObeyed, at: n.NameRange(), hint: "LoadModule macro_module has to stand above"})
		return
	}
	for _, info := range owners {
		if p := w.run(n, key, info); p != nil {
			w.report(n, p)
			return
		}
	}
}

// isOwner reports whether the module of an entry is there. Directives of an
// MPM are known without one, since it may be built in; then event's hold.
func (r *reader) isOwner(info *directiveInfo) bool {
	if info.Module == "event.c" {
		return !r.modules.isLoaded("worker.c") && !r.modules.isLoaded("prefork.c")
	}
	return r.modules.isLoaded(info.Module)
}

// tableName is a node's name as the tables are indexed.
func tableName(n *syntax.Node) string {
	if n.Section {
		return "<" + strings.ToLower(n.Name)
	}
	return strings.ToLower(n.Name)
}

func (w *walk) report(n *syntax.Node, p *problem) {
	if w.judged != nil {
		w.judged[n] = judgement{} // the diagnostic says the rest
	}
	if p.at.Filename == "" {
		p.at = n.Range()
	}
	w.fail(processingError(n, p.at, p.text, p.hint))
}

// warn reports what does not stop the start. Behind a skipped section it says
// nothing: the directive has no effect there.
func (w *walk) warn(n *syntax.Node, rng hcl.Range, module, text, hint string) {
	if w.behind.outer != nil {
		return
	}
	w.fail(warning(n, rng, LevelWarn, module, "", text, hint))
}

// differs is warn for what httpd would do and this server does not, at any
// level.
func (w *walk) differs(n *syntax.Node, rng hcl.Range, level LogLevel, module, text, hint string) {
	if w.behind.outer == nil {
		w.fail(difference(n, rng, level, module, text, hint))
	}
}

// unknown reports a name that no loaded module has. What stands in an unknown
// section is not looked at.
func (w *walk) unknown(n *syntax.Node) {
	if w.leavesUnknown && w.stock[tableName(n)] == nil {
		w.leftSection = w.leftSection || n.Section
		return
	}
	name := n.Name
	if n.Section {
		name = "<" + name
	}
	w.report(n, &problem{
		text: fmt.Sprintf("Invalid command '%s', perhaps misspelled or defined by a module not included in the server configuration", name),
		at:   n.NameRange(),
		hint: w.hintAtName(n),
	})
}

func (w *walk) hintAtName(n *syntax.Node) string {
	if infos := w.stock[tableName(n)]; len(infos) > 0 {
		if infos[0].Module == "mod_access_compat.c" {
			return fmt.Sprintf("%s is of httpd 2.2: write Require, or add a LoadModule access_compat_module line", n.Name)
		}
		ident := identOf(infos[0].Module)
		return fmt.Sprintf("%s belongs to %s: it needs a LoadModule %s line", n.Name, infos[0].Module, ident)
	}
	var names []string
	for _, infos := range w.stock {
		name, section := strings.CutPrefix(infos[0].Name, "<")
		if section == n.Section && slices.ContainsFunc(infos, w.isOwner) {
			names = append(names, name)
		}
	}
	if near := nearest(n.Name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

// run checks place and number of arguments, and applies the directive for one
// owner (httpd 2.4 server/config.c, invoke_cmd).
func (w *walk) run(n *syntax.Node, key string, info *directiveInfo) *problem {
	if w.override&info.Where == 0 {
		if parent := enclosing(n); parent != nil {
			return &problem{text: fmt.Sprintf("%s not allowed in <%s> context", info.Name, parent.Name), at: n.NameRange()}
		}
		return &problem{text: info.Name + " not allowed here", at: n.NameRange(), hint: hintAtPlace(info)}
	}
	var words []syntax.Arg
	if info.Args != argsRaw {
		words = n.Words()
		if text := checkArity(info, words); text != "" {
			return &problem{text: text + w.emptyUsage(info), hint: hintAtComment(words)}
		}
	}
	if p := w.outsideHosts(n, info); p != nil {
		return p
	}
	if d := w.plugins[info]; d != nil {
		w.judge(n, info, false)
		return w.runPlugin(n, words, d)
	}
	if p := w.lostInSection(n, info); p != nil {
		return p
	}
	for _, c := range w.commands[key] {
		if c.module == info.Module {
			w.judge(n, info, c.isIdle())
			before := len(w.diags)
			p := c.set(w, n, words)
			if p == nil && len(w.diags) == before && info.Tier != tierA {
				w.tellMissed(n, info, c.isIdle())
			}
			return p
		}
	}
	return w.byTier(n, info)
}

func hintAtPlace(info *directiveInfo) string {
	switch info.Module {
	case "mod_websocket.c", "mod_websocket_draft76.c":
		return "it stands in a Location, Directory or Files section"
	}
	return ""
}

// hintAtComment explains the most common wrong number of arguments.
func hintAtComment(words []syntax.Arg) string {
	for _, a := range words {
		if strings.HasPrefix(a.Text, "#") {
			return "a comment stands on a line of its own"
		}
	}
	return ""
}

// commandTable returns all rows. Several modules may own a name.
func commandTable() map[string][]command {
	table := make(map[string][]command)
	for _, rows := range []map[string]command{
		coreCommands(), hostCommands(), methodCommands(), sectionCommands(), soCommands(), mpmCommands(), unixdCommands(),
		webSocketCommands(), draft76Commands(), authzCoreCommands(), accessCompatCommands(), dirCommands(), mimeCommands(), aliasCommands(), filterCommands(),
		authnCommands(), envCommands(), logConfigCommands(), sslCommands(), sslIdleCommands(), sslClientCommands(), sslDirCommands(),
		limitCommands(), capCommands("event.c"), capCommands("worker.c"), capCommands("prefork.c"), socketCommands("event.c"), socketCommands("worker.c"), socketCommands("prefork.c"), ifCommands(), answerCommands(), fileCommands(), expiresCommands(), headersCommands(), limitSectionCommands(), remoteIPCommands(), rewriteCommands(),
	} {
		for name, c := range rows {
			key := strings.ToLower(name)
			table[key] = append(table[key], c)
		}
	}
	// Listen is the same in every MPM.
	for _, mpm := range []string{"worker.c", "prefork.c"} {
		c := table["listen"][0]
		c.module = mpm
		table["listen"] = append(table["listen"], c)
	}
	return table
}
