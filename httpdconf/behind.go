package httpdconf

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// behind is what is known of sections that were skipped and that httpd would
// have run: only a module that is loaded, and that this server lacks, makes
// them false.
type behind struct {
	outer   *syntax.Node    // the one that is being looked into; nil outside
	absent  bool            // in a virtual host in it, which is not there
	defines map[string]bool // what Define lines in them name
	modules []Module        // what LoadModule lines in them name
}

// lookBehind looks into such a section. Of what stands in it two kinds count:
// what narrows access refuses the start, and what makes httpd run files rather
// than send them has its effect here too.
func (w *walk) lookBehind(n *syntax.Node) {
	w.behind.outer = n
	w.nodesBehind(n.Children)
	w.behind.outer = nil
}

// nodesBehind runs a list of nodes that were read as text.
func (w *walk) nodesBehind(list []*syntax.Node) {
	for _, n := range list {
		n = w.expanded(n)
		words := n.Words()
		switch key := tableName(n); {
		case isTransparent(n) && !n.Section:
			w.includeBehind(n, words)
		case isTransparent(n):
			if w.wouldHold(n) {
				w.nodesBehind(n.Children)
			}
		case key == "define" && len(words) > 0:
			w.behind.defines[words[0].Text] = true
		case key == "loadmodule" && len(words) > 0:
			w.behind.modules = append(w.behind.modules, Module{Ident: words[0].Text})
		case key == "<macro":
			w.nodesBehind(n.Children)
		case key == "<virtualhost":
			w.hostBehind(n)
		default:
			w.nodeBehind(n, key, words)
		}
	}
}

// expanded is n with its variables replaced.
func (w *walk) expanded(n *syntax.Node) *syntax.Node {
	l, _ := n.Line.Expand(w.lookup)
	e := syntax.NewNode(l)
	if e == nil {
		return n
	}
	e.Parent, e.Children, e.Included, e.Close = n.Parent, n.Children, n.Included, n.Close
	return e
}

// hostBehind looks into a virtual host: since it is not there, no file of it
// is sent.
func (w *walk) hostBehind(n *syntax.Node) {
	host, records := w.host, w.records
	w.host, w.behind.absent = &Host{Range: n.Range()}, true
	w.records = &w.host.Base
	w.nodesBehind(n.Children)
	w.host, w.records, w.behind.absent = host, records, false
}

// nodeBehind runs one directive, if it is one of those that count.
func (w *walk) nodeBehind(n *syntax.Node, key string, words []syntax.Arg) {
	for _, info := range w.stock[key] {
		switch {
		case !w.isOwner(info) && !w.loadedInHTTPD(info.Module):
			continue
		case info.Tier == tierC && !w.harmless(n), isRedirect(key) && len(words) > 0 && closesPath(words):
			w.report(n, w.narrowsBehind(n, info))
			return
		case isPathSection(key), hidesFiles(key, words) && !w.behind.absent:
			if p := w.run(n, key, info); p != nil {
				w.report(n, p)
				return
			}
		}
	}
}

func (w *walk) narrowsBehind(n *syntax.Node, info *directiveInfo) *problem {
	outer := w.behind.outer
	return &problem{
		text: fmt.Sprintf("%s stands in a section that is skipped because wshttpd lacks a module", info.Name),
		at:   n.NameRange(),
		hint: fmt.Sprintf("%s on line %d: %s; what narrows access is not skipped: remove the section, or the LoadModule line",
			outer.Opener(), outer.Line.Last(), outer.Skipped),
	}
}

func isPathSection(key string) bool {
	switch key {
	case "<location", "<locationmatch", "<directory", "<directorymatch", "<files", "<filesmatch":
		return true
	}
	return false
}

func isRedirect(key string) bool { return key == "redirect" || key == "redirectmatch" }

// hidesFiles reports whether a directive has httpd run files whose source it
// would else send.
func hidesFiles(key string, words []syntax.Arg) bool {
	if len(words) == 0 {
		return false
	}
	first := strings.ToLower(words[0].Text)
	switch key {
	case "scriptalias", "scriptaliasmatch":
		return true
	case "sethandler", "addhandler":
		return first != "websocket-handler" && first != "default-handler" && first != "none"
	case "addtype", "forcetype":
		return isHandlerType(first)
	case "addoutputfilter", "setoutputfilter", "addoutputfilterbytype":
		return hasIncludes(first)
	}
	return false
}

// wouldHold reports whether a conditional section is true in httpd. One of
// IfVersion that was not decided while reading counts as true.
func (w *walk) wouldHold(n *syntax.Node) bool {
	kind := strings.ToLower(n.Name)
	if kind == "ifversion" {
		return n.Skipped == ""
	}
	arg := n.Args
	if end := strings.LastIndexByte(arg, '>'); end >= 0 {
		arg = arg[:end]
	}
	arg, not := strings.CutPrefix(strings.TrimSpace(arg), "!")
	name, _ := syntax.Word(arg)
	holds, _ := w.holds(kind, name)
	switch kind {
	case "ifmodule":
		holds = w.loadedInHTTPD(name) && !w.loadedBelow(name, n)
	case "ifdefine":
		holds = holds || w.behind.defines[name]
	}
	return holds != not
}

// loadedInHTTPD reports whether the module with this source name or identifier
// would be there in httpd. A module that is not known has the source name that
// its identifier suggests.
func (w *walk) loadedInHTTPD(name string) bool {
	return slices.ContainsFunc(slices.Concat(w.modules.loaded, w.behind.modules), func(m Module) bool {
		return m.is(name)
	})
}

// is reports whether name is the module's identifier or source name.
func (m Module) is(name string) bool {
	return m.Ident == name || m.Source == name || m.Source == "" && sourceOf(m.Ident) == name
}

// loadedBelow reports whether the line that loads a module follows n in its
// file.
func (w *walk) loadedBelow(name string, n *syntax.Node) bool {
	at := n.Range()
	return slices.ContainsFunc(w.modules.loaded, func(m Module) bool {
		return m.is(name) && m.Range.Filename == at.Filename && m.Range.Start.Byte > at.Start.Byte
	})
}

// includeBehind looks into the files that an Include line names.
func (w *walk) includeBehind(n *syntax.Node, words []syntax.Arg) {
	if len(words) != 1 {
		return
	}
	path := w.rootRelative(words[0].Text)
	matches := []string{path}
	if isWildcard(path) {
		matches, _ = filepath.Glob(path) // a bad pattern matches nothing
	}
	for _, match := range matches {
		w.pathBehind(n, match)
	}
}

// pathBehind looks into a file, or a folder with all that is in it. What
// cannot be read would have stopped httpd.
func (w *walk) pathBehind(n *syntax.Node, path string) {
	if isDirectory(path) {
		entries, err := openDirectory(path)
		if err != nil {
			return
		}
		for _, e := range entries {
			w.pathBehind(n, filepath.Join(path, e.Name()))
		}
		return
	}
	for i := n; i != nil; i = i.Included {
		if i.Line.Filename() == path {
			return // a loop: what stands in it is being looked at
		}
	}
	text, err := readFile(path)
	if err != nil {
		return
	}
	if w.readBytes += len(text); w.readBytes > maxTotalSize {
		w.report(n, &problem{text: "the configuration is larger than " + strconv.Itoa(maxTotalSize) + " bytes"})
		return
	}
	w.keepSource(path, text)
	nodes, diags := syntax.Parse(path, text)
	w.diags = append(w.diags, diags...)
	adopt(nodes, n, n)
	w.nodesBehind(nodes)
}

// adopt puts nodes of an included file where its Include line stands.
func adopt(nodes []*syntax.Node, parent, include *syntax.Node) {
	for _, n := range nodes {
		n.Parent, n.Included = parent, include
		adopt(n.Children, n, include)
	}
}
