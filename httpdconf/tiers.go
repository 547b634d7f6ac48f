package httpdconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// notObeyed is said of what httpd does and this server does not.
const notObeyed = " is not obeyed by this version of wshttpd"

// byTier deals with a directive that is known and has no row.
func (w *walk) byTier(n *syntax.Node, info *directiveInfo) *problem {
	lacked := !slices.Contains(provided, info.Module)
	switch {
	case info.Tier == tierB, info.Tier == tierC && w.harmless(n):
		w.note(n, info)
		return nil
	case lacked:
		return &problem{
			text: fmt.Sprintf("%s needs %s, which wshttpd does not have", info.Name, strings.TrimSuffix(info.Module, ".c")),
			at:   n.NameRange(),
			hint: refusedHint(info),
		}
	case info.Tier == tierA:
		w.warn(n, n.NameRange(), shortName(info.Module), info.Name+notObeyed, "")
		return nil
	}
	return &problem{text: info.Name + notObeyed, at: n.NameRange(), hint: refusedHint(info)}
}

func refusedHint(info *directiveInfo) string {
	if info.Tier == tierC {
		return "it narrows access or changes who is let in: rather than ignore it, the server does not start; remove the line if that is what you want"
	}
	return "remove the line, or keep httpd for this part of the site"
}

// note says once for each directive that it is accepted and without effect.
func (w *walk) note(n *syntax.Node, info *directiveInfo) {
	key := strings.ToLower(info.Name)
	if w.noted[key] {
		return
	}
	w.noted[key] = true
	w.fail(warning(n, n.NameRange(), LevelInfo, shortName(info.Module), "", info.Name+" has no effect in wshttpd", ""))
}

// lookBehind looks into a section that was skipped. Nothing in it counts, with
// one exception: what narrows access still does where the section is false
// only because this server lacks a module that is loaded.
func (w *walk) lookBehind(n, outer *syntax.Node) {
	if !w.falseForLackOf(outer) {
		return
	}
	for _, child := range n.Children {
		if isTransparent(child) || child.Section {
			if !strings.EqualFold(child.Name, "IfModule") || w.falseForLackOf(child) {
				w.lookBehind(child, outer)
			}
			continue
		}
		for _, info := range w.stock[tableName(child)] {
			if info.Tier == tierC && w.isOwner(info) && !w.harmless(child) {
				w.report(child, &problem{
					text: fmt.Sprintf("%s stands in a section that is skipped because wshttpd lacks a module", info.Name),
					at:   child.NameRange(),
					hint: fmt.Sprintf("%s on line %d: %s; what narrows access is not skipped: remove the section, or the LoadModule line", outer.Opener(), outer.Line.Last(), outer.Skipped),
				})
				break
			}
		}
	}
}

// falseForLackOf reports whether an IfModule section would be true in httpd.
func (w *walk) falseForLackOf(n *syntax.Node) bool {
	if !strings.EqualFold(n.Name, "IfModule") {
		return false
	}
	name, _ := syntax.Word(strings.TrimSuffix(n.Args, ">"))
	if strings.HasPrefix(name, "!") {
		return false
	}
	source := name
	if strings.HasSuffix(name, "_module") {
		source = sourceOf(name)
	}
	return w.modules.isLoaded(source) && !w.modules.has(name)
}

// harmless reports whether a directive of tier C is of a form that opens
// nothing when it is ignored.
func (w *walk) harmless(n *syntax.Node) bool {
	words := n.Words()
	first := ""
	if len(words) > 0 {
		first = strings.ToLower(words[0].Text)
	}
	switch strings.ToLower(n.Name) {
	case "allowoverride", "allowoverridelist":
		return first == "none"
	case "options", "traceenable", "httpprotocoloptions", "authmerging":
		return true
	case "sslengine", "rewriteengine":
		return first == "off"
	case "require":
		return first == "all" && len(words) == 2 && strings.EqualFold(words[1].Text, "granted")
	}
	return false
}
