package httpdconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// reader is the first pass: what httpd runs while it reads.
type reader struct {
	options Options
	config  *Config
	diags   hcl.Diagnostics
	nodes   []*syntax.Node // the tree, all files together

	root    string // ServerRoot as it stands
	vars    map[string]string
	defined map[string]bool // Defines and -D, for IfDefine

	names     []string        // what was ever defined, in order
	seenNames map[string]bool // the same
	modules   *moduleSet
	stock     map[string][]*directiveInfo

	plugins       map[*directiveInfo]*PluginDirective // whose rows are those of modules of plugins
	pluginBase    ModuleRecords                       // of modules of plugins, outside of sections; nil without any
	refused       []*hcl.Diagnostic                   // in a section of such a module, which says what it makes of it
	leavesUnknown bool                                // there may be directives that somebody else knows

	including   []inclusion // Include lines that are being read, outermost first
	includeLine int         // of the last one, for DUMP_INCLUDES
	readBytes   int         // of all files together

	macros                       map[string]*macro     // by lower-cased name; nil before the first
	ignoresNesting, ignoresEmpty bool                  // what macros are not warned of
	ran                          map[*syntax.Node]bool // directives that the first pass has run
	judged                       map[*syntax.Node]judgement

	// broken is set when the nesting is wrong: what follows cannot be told
	// apart from it, and the tree is not processed.
	broken bool
}

func (r *reader) fail(d *hcl.Diagnostic) { r.diags = append(r.diags, d) }

// failAt reports an error of the first pass at a node.
func (r *reader) failAt(n *syntax.Node, rng hcl.Range, text, hint string) {
	r.fail(readingError(n, rng, text, hint))
}

// breakAt reports an error after which nothing more can be read.
func (r *reader) breakAt(n *syntax.Node, rng hcl.Range, text, hint string) {
	r.failAt(n, rng, text, hint)
	r.broken = true
}

// include returns the Include line that is being read, nil in the main file.
func (r *reader) include() *syntax.Node {
	if len(r.including) == 0 {
		return nil
	}
	return r.including[len(r.including)-1].node
}

// readLevel reads lines to the end of their file, which has to close what it
// opens (httpd 2.4 server/config.c, ap_build_config).
func (r *reader) readLevel(in *syntax.Reader, b *syntax.Builder) {
	for !r.broken {
		l, more := in.Next()
		if !more {
			break
		}
		r.readLine(in, b, l)
	}
	open := b.Unclosed()
	if r.broken || len(open) == 0 {
		return
	}
	var texts []string
	for _, n := range open {
		texts = append(texts, fmt.Sprintf("%s:%d: <%s> was not closed.", shownFile(n.Line.Filename()), n.Line.Last(), n.Name))
	}
	outermost := open[len(open)-1]
	r.breakAt(outermost, outermost.Range(), strings.Join(texts, "\n"), "")
}

// readLine takes one logical line: a section's end, a directive that acts
// while reading, or what the second pass will see.
func (r *reader) readLine(in *syntax.Reader, b *syntax.Builder, l syntax.Line) {
	if l.IsBlank() {
		return
	}
	l, undefined := l.Expand(r.lookup)
	if r.readBytes += len(l.Text); r.readBytes > maxTotalSize {
		r.breakAt(&syntax.Node{Line: l, Included: r.include()}, l.Range(0, 0),
			fmt.Sprintf("the configuration is larger than %d bytes", maxTotalSize), "")
		return
	}
	if _, closing := syntax.ClosingTag(l); closing {
		if wrong := b.Close(l); wrong != "" {
			n := &syntax.Node{Line: l, Parent: b.Parent(), Included: r.include()}
			hint := ""
			if open := b.Open(); open != nil {
				hint = fmt.Sprintf("%s was opened on line %d", open.Opener(), open.Line.Last())
			}
			r.breakAt(n, l.Range(0, len(l.Text)), wrong, hint)
		}
		return
	}
	n := syntax.NewNode(l)
	if n == nil {
		return
	}
	n.Name = r.canonical(n)
	n.Included = r.include()
	n.Parent = b.Parent()
	r.warnUndefined(n, undefined)
	if run := r.readCommand(n); run != nil {
		b.Add(n, false)
		r.ran[n] = true
		run(r, in, n)
		return
	}
	if r.isMacro(n) && tableName(n) == "use" {
		b.Add(n, false)
		r.ran[n] = true
		r.use(b, n)
		return
	}
	if n.Section && r.leavesUnknown && r.stock[tableName(n)] == nil && r.readOver(in, n) {
		b.Add(n, false)
		return
	}
	b.Add(n, n.Section)
}

// canonical returns a node's name as its module writes it, by which httpd
// calls it in messages. What no loaded module has keeps the name it came with.
func (r *reader) canonical(n *syntax.Node) string {
	for _, info := range r.stock[tableName(n)] {
		if r.isOwner(info) {
			return strings.TrimPrefix(info.Name, "<")
		}
	}
	return n.Name
}

// warnUndefined repeats httpd's warning for each variable that was not
// replaced.
func (r *reader) warnUndefined(n *syntax.Node, names []string) {
	for _, name := range names {
		if strings.Contains(name, ":") {
			continue // httpd says nothing: the name could not have been defined
		}
		r.fail(warning(n, n.Range(), LevelWarn, "core", "AH00111",
			fmt.Sprintf("Config variable ${%s} is not defined", name), ""))
	}
}

// readCommand returns the function of a directive that acts while reading, if
// a loaded module has it.
func (r *reader) readCommand(n *syntax.Node) func(*reader, *syntax.Reader, *syntax.Node) {
	name := tableName(n)
	switch name {
	case "define":
		return (*reader).define
	case "undefine":
		return (*reader).undefine
	case "include":
		return (*reader).includeRequired
	case "includeoptional":
		return (*reader).includeOptional
	case "loadmodule":
		return (*reader).loadModule
	case "loadfile":
		return (*reader).loadFile
	case "serverroot":
		return (*reader).serverRoot
	case "defaultruntimedir":
		return (*reader).defaultRuntimeDir
	case "<ifmodule", "<ifdefine", "<iffile", "<ifdirective", "<ifsection":
		return (*reader).conditional
	case "<ifversion":
		return (*reader).ifVersion
	}
	if infos := r.stock[name]; len(infos) > 0 && r.plugins[infos[0]] != nil && infos[0].Where&execOnRead != 0 {
		return (*reader).runReading
	}
	if !r.isMacro(n) {
		return nil
	}
	switch name {
	case "<macro":
		return (*reader).macro
	case "undefmacro":
		return (*reader).undefMacro
	case "macroignorebadnesting", "macroignoreemptyargs":
		return (*reader).ignoreInMacros
	}
	return nil
}

// isMacro reports whether a node is a directive of mod_macro, and that is
// loaded.
func (r *reader) isMacro(n *syntax.Node) bool {
	infos := r.stock[tableName(n)]
	return len(infos) > 0 && infos[0].Module == "mod_macro.c" && r.modules.isLoaded("mod_macro.c")
}

// info returns the stock table's entry for a directive that has one owner.
func (r *reader) info(n *syntax.Node) *directiveInfo {
	return r.stock[tableName(n)][0]
}

// args returns the words of a directive that acts while reading, or reports
// that their number is wrong.
func (r *reader) args(n *syntax.Node) ([]syntax.Arg, bool) {
	words := n.Words()
	if text := checkArity(r.info(n), words); text != "" {
		r.failAt(n, n.Range(), text, "")
		return nil, false
	}
	return words, true
}

func (r *reader) define(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	name := words[0].Text
	if strings.Contains(name, ":") {
		r.failAt(n, words[0].Range, "Variable name must not contain ':'", "")
		return
	}
	r.defined[name] = true
	r.noteDefine(name)
	if len(words) == 2 {
		r.vars[strings.ToLower(name)] = words[1].Text
	}
}

func (r *reader) undefine(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	if strings.Contains(words[0].Text, ":") {
		r.failAt(n, words[0].Range, "Variable name must not contain ':'", "")
		return
	}
	delete(r.defined, words[0].Text)
	delete(r.vars, strings.ToLower(words[0].Text))
}

// serverRoot takes a folder, which is looked up where the server was started
// if it is relative (httpd 2.4 server/core.c, set_server_root).
func (r *reader) serverRoot(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	dir, err := filepath.Abs(words[0].Text)
	if err != nil || !isDirectory(dir) {
		hint := ""
		if !filepath.IsAbs(words[0].Text) {
			hint = "a relative path is looked up where the server is started; write the whole path"
		}
		r.failAt(n, words[0].Range, "ServerRoot must be a valid directory", hint)
		return
	}
	r.root = dir
}

func (r *reader) defaultRuntimeDir(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	dir := r.rootRelative(words[0].Text)
	r.config.Run.RuntimeDir = dir
	if !isDirectory(dir) {
		r.failAt(n, words[0].Range, "DefaultRuntimeDir must be a valid directory, absolute or relative to ServerRoot",
			fmt.Sprintf("no such directory: %s", dir))
	}
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// loadModule notes what LoadModule names. The file of a stock module is never
// touched, so that a configuration keeps working when the httpd packages are
// gone.
func (r *reader) loadModule(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	m := Module{Ident: words[0].Text, File: words[1].Text, Range: n.Range()}
	source := sourceOf(m.Ident)
	isStock := r.modules.stock[source]
	if isStock {
		m.Source = source
	}
	if i := slices.IndexFunc(r.modules.loaded, func(l Module) bool { return l.Ident == m.Ident }); i >= 0 {
		switch {
		case slices.Contains(neverShared, source):
			r.failAt(n, words[0].Range, fmt.Sprintf("module %s is built-in and can't be loaded", m.Ident), "remove the line")
		case !r.modules.loaded[i].Static:
			r.fail(warning(n, words[0].Range, LevelWarn, "so", "AH01574",
				fmt.Sprintf("module %s is already loaded, skipping", m.Ident), ""))
		}
		return
	}
	if !isStock {
		r.checkForeign(n, words, &m)
	}
	r.modules.loaded = append(r.modules.loaded, m)
}

// checkForeign looks for the file of a module that is no stock module.
func (r *reader) checkForeign(n *syntax.Node, words []syntax.Arg, m *Module) {
	path := r.rootRelative(m.File)
	if _, err := os.Stat(path); err != nil {
		hint := ""
		if near := nearest(strings.TrimSuffix(m.Ident, "_module"), r.modules.shortIdents()); near != "" {
			hint = fmt.Sprintf("did you mean %s_module?", near)
		}
		r.failAt(n, words[1].Range, cannotLoad(m.File, path, err), hint)
		return
	}
	r.loadPluginModule(n, words, m, path)
}

// shortIdents returns the identifiers of all stock modules, without what all
// of them end in.
func (s *moduleSet) shortIdents() []string {
	var list []string
	for source := range s.stock {
		list = append(list, strings.TrimSuffix(identOf(source), "_module"))
	}
	slices.Sort(list)
	return list
}

func (r *reader) loadFile(_ *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	for _, w := range words {
		path := r.rootRelative(w.Text)
		if _, err := os.Stat(path); err != nil {
			if path = r.systemLibrary(w.Text); path == "" {
				r.failAt(n, w.Range, cannotLoad(w.Text, r.rootRelative(w.Text), err), nearestFile(r.rootRelative(w.Text)))
				continue
			}
		}
		r.config.Libraries = append(r.config.Libraries, Library{File: path, Range: w.Range})
	}
}

// errorText is an error of the system in C's words, as httpd prints it.
func errorText(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, os.ErrPermission):
		return "Permission denied"
	case errors.As(err, &errno) && errno == syscall.EISDIR:
		return "Is a directory"
	case errors.As(err, &errno):
		s := errno.Error()
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return err.Error()
}

// openDirectory lists a folder in byte order.
func openDirectory(path string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(path)
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}
