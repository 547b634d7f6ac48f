package httpdconf

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// runPlugin has a module take a line. What is wrong in a section of its own is
// reported where it stands, unless the module makes another text of it.
func (w *walk) runPlugin(n *syntax.Node, words []syntax.Arg, d *PluginDirective) *problem {
	line := w.pluginLine(n, words, d)
	line.Walk = w.walkFor
	outer := w.refused
	w.refused = nil
	records, text := d.Run(line)
	inside := w.refused
	w.refused = outer
	w.records.Modules = records
	switch {
	case text == "":
		return nil
	case len(inside) == 0:
		return &problem{text: text}
	case inside[0].Summary != text:
		inside[0].Summary, inside[0].Detail = text, ""
	}
	w.diags = append(w.diags, inside...)
	return nil
}

// pluginLine is what a module is told of a line.
func (w *walk) pluginLine(n *syntax.Node, words []syntax.Arg, d *PluginDirective) PluginLine {
	line := PluginLine{
		Records: w.records.Modules, Override: int(w.override), Methods: w.methods,
		Node: pluginNode(n), Tree: w.pluginTree(true), Reading: w.reading(), Words: pluginWords(n, words, d),
	}
	if w.host != w.config.Main {
		line.Host = w.host
	}
	switch s := w.section; {
	case w.path != nil:
		line.Section = *w.path
	case s != nil && s.Kind == IfSection:
		line.Section = "*If" // httpd 2.4 server/core.c, ifsection
	case s != nil:
		line.Section = s.Pattern
		if s.Kind == DirectorySection && !strings.HasSuffix(s.Pattern, "/") { // httpd 2.4 server/core.c, dirsection
			line.Section += "/"
		}
	}
	return line
}

// pluginWords are a line's words as its function gets them.
func pluginWords(n *syntax.Node, words []syntax.Arg, d *PluginDirective) []string {
	if argRule(d.Args) == argsRaw {
		return []string{n.Args}
	}
	list := make([]string, 0, len(words))
	for _, word := range words {
		list = append(list, word.Text)
	}
	return list
}

// walkFor runs a directive where a module says (httpd 2.4 server/config.c,
// ap_walk_config_sub). Its errors are kept until the module says what it makes
// of them; the text of the first is returned.
func (w *walk) walkFor(key any, at PluginPlace) string {
	outer, before := w.place, len(w.diags)
	defer func() { w.place = outer }()
	if w.host = w.config.Main; at.Host != nil {
		w.host = at.Host
	}
	w.override, w.path, w.isPlugins = override(at.Override), at.Section, true
	if !at.IsOwn {
		w.isForeign, w.records = true, &Records{Modules: at.Records}
	}
	w.node(key.(*syntax.Node))
	return w.keepRefused(before)
}

// keepRefused takes the errors that have come since there were so many
// diagnostics, and returns the text of the first.
func (r *reader) keepRefused(before int) string {
	list := r.diags[before:]
	r.diags = r.diags[:before:before]
	var refused hcl.Diagnostics
	for _, d := range list {
		if d.Severity == hcl.DiagError {
			refused = append(refused, d)
		} else {
			r.diags = append(r.diags, d)
		}
	}
	r.refused = append(r.refused, refused...)
	if len(refused) == 0 {
		return ""
	}
	return refused[0].Summary
}

// mastersOwn are directives that the master of workers obeys, which knows no
// module of a plugin's, and does not look into sections of theirs. It is
// constant.
var mastersOwn = set("listen pidfile user group chrootdir gracefulshutdowntimeout errorlog customlog transferlog globallog bufferedlogs")

// lostInSection refuses a directive that would do nothing where it stands: in a
// section of a plugin's module, of which the master knows nothing, or whose
// records the module keeps to itself.
func (w *walk) lostInSection(n *syntax.Node, info *directiveInfo) *problem {
	switch key := tableName(n); {
	case w.isPlugins && mastersOwn[key]:
		return &problem{text: info.Name + notObeyed, at: n.NameRange(), hint: "it has to stand outside of sections of a plugin's module, into which the master of workers does not look"}
	case !w.isForeign:
		return nil
	case slices.Contains(placesOfTheirOwn, key):
		return nil
	}
	section := "the section"
	if outer := enclosing(n); outer != nil {
		section = outer.Opener()
	}
	return &problem{
		text: info.Name + notObeyed, at: n.NameRange(),
		hint: "the module of " + section + " keeps its records to itself: only directives of plugins stand there",
	}
}

// placesOfTheirOwn are sections that leave nothing in the records around them.
// It is constant.
var placesOfTheirOwn = []string{"<virtualhost", "<location", "<locationmatch", "<directory", "<directorymatch", "<limit", "<limitexcept"}

// emptyUsage is what httpd puts behind a wrong number of arguments where the
// usage text is there, and empty.
func (w *walk) emptyUsage(info *directiveInfo) string {
	if d := w.plugins[info]; d != nil && d.EmptyUsage && info.Args != argsNone && info.Args != argsFlag {
		return ", "
	}
	return ""
}

// pluginNode is a directive as modules see it.
func pluginNode(n *syntax.Node) PluginNode {
	name := n.Name
	if n.Section {
		name = "<" + name
	}
	return PluginNode{Key: n, Directive: name, Args: n.Args, File: n.Line.Filename(), Number: n.Line.Last()}
}

// pluginTree is the tree as modules see it: without what has been run while it
// was read.
func (r *reader) pluginTree(isWhole bool) PluginTree {
	return PluginTree{
		ID: r, IsWhole: isWhole,
		Parent: func(key any) (PluginNode, bool) {
			outer := enclosing(key.(*syntax.Node))
			if outer == nil {
				return PluginNode{}, false
			}
			return pluginNode(outer), true
		},
		Children: func(key any) []PluginNode {
			if key == nil {
				return r.pluginNodes(r.nodes)
			}
			return r.pluginNodes(key.(*syntax.Node).Children)
		},
	}
}

func (r *reader) pluginNodes(list []*syntax.Node) (nodes []PluginNode) {
	for _, n := range list {
		switch {
		case n.Skipped != "":
		case isTransparent(n):
			nodes = append(nodes, r.pluginNodes(n.Children)...)
		case !r.ran[n]:
			nodes = append(nodes, pluginNode(n))
		}
	}
	return nodes
}

// runReading has the modules that own a directive take it while its file is
// read (httpd 2.4 server/config.c, execute_now). What they leave stands in its
// place.
func (r *reader) runReading(in *syntax.Reader, n *syntax.Node) {
	n.Spliced = true
	for _, info := range r.stock[tableName(n)] {
		d := r.plugins[info]
		if d == nil || !r.isOwner(info) {
			continue
		}
		text := r.runOneReading(in, n, info, d)
		if text == "" {
			continue
		}
		if len(r.refused) > 0 && r.refused[0].Summary == text {
			r.diags = append(r.diags, r.refused...)
		} else {
			r.failAt(n, n.Range(), text, "")
		}
		r.refused, r.broken = nil, true
		return
	}
}

func (r *reader) runOneReading(in *syntax.Reader, n *syntax.Node, info *directiveInfo, d *PluginDirective) (problem string) {
	if info.Where&topOverride == 0 {
		return info.Name + " not allowed here"
	}
	var words []syntax.Arg
	if info.Args != argsRaw {
		words = n.Words()
		if text := checkArity(info, words); text != "" {
			return text
		}
	}
	keys, problem := d.RunReading(PluginLine{
		Override: int(topOverride), Words: pluginWords(n, words, d),
		Node: pluginNode(n), Tree: r.pluginTree(false), Reading: r.reading(),
		NextLine: func() (string, int) { return nextLine(in) },
		Build:    func(closing string) ([]PluginNode, string) { return r.buildFor(in, n, closing) },
	})
	if problem != "" {
		return problem
	}
	left := n.Children
	n.Children = nil
	for _, child := range left {
		if r.ran[child] || slices.Contains(keys, any(child)) {
			n.Children = append(n.Children, child)
		}
	}
	return ""
}

func nextLine(in *syntax.Reader) (text string, number int) {
	l, more := in.Next()
	if !more {
		return "", 0
	}
	return l.Text, l.Last()
}

// buildFor reads what stands in a section of a module's up to its closing tag
// (httpd 2.4 server/config.c, ap_build_cont_config).
func (r *reader) buildFor(in *syntax.Reader, n *syntax.Node, closing string) ([]PluginNode, string) {
	before := len(r.diags)
	r.readUpTo(in, n, closing)
	return r.pluginNodes(n.Children), r.keepRefused(before)
}

// readOver reads over a section of a module's that is not loaded here, if its
// lines are no configuration: tags in it have no counterpart. Else it reads
// nothing.
func (r *reader) readOver(in *syntax.Reader, n *syntax.Node) bool {
	ahead := *in
	b, isNested := syntax.NewBuilder(n), true
	for {
		l, more := ahead.Next()
		if !more {
			return false
		}
		if l.IsBlank() {
			continue
		}
		tag, closing := syntax.ClosingTag(l)
		if !closing {
			if node := syntax.NewNode(l); node != nil {
				b.Add(node, node.Section)
			}
			continue
		}
		isEnd := strings.EqualFold(tag, n.Name+">")
		switch {
		case (b.Open() != nil || !isEnd) && b.Close(l) == "":
		case isEnd && b.Open() == nil && isNested:
			return false
		case isEnd:
			*in, n.Close = ahead, &l
			return true
		default:
			isNested = false
		}
	}
}
