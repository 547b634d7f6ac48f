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
		w.judge(n, info, true)
		return nil
	case lacked:
		return &problem{
			text: fmt.Sprintf("%s needs %s, which wshttpd does not have", info.Name, strings.TrimSuffix(info.Module, ".c")),
			at:   n.NameRange(),
			hint: refusedHint(info),
		}
	case info.Tier == tierA:
		w.differs(n, n.NameRange(), LevelWarn, shortName(info.Module), info.Name+notObeyed, warnedHint(info))
		return nil
	}
	return &problem{text: info.Name + notObeyed, at: n.NameRange(), hint: refusedHint(info)}
}

// plainForm is byTier for a directive of which only some forms have a row.
func (w *walk) plainForm(n *syntax.Node) *problem { return w.byTier(n, w.stock[tableName(n)][0]) }

func refusedHint(info *directiveInfo) string {
	if info.Tier == tierC {
		return "it narrows access or changes who is let in: rather than ignore it, the server does not start; remove the line if that is what you want"
	}
	return "remove the line, or keep httpd for this part of the site"
}

// warnedHint says what is not missed.
func warnedHint(info *directiveInfo) string {
	if info.Name == "RequestReadTimeout" {
		return "WebSockets do not need it: no timeout for reading a request cuts them"
	}
	return ""
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

// harmless reports whether a directive of tier C is of a form that opens
// nothing when it is ignored.
func (w *walk) harmless(n *syntax.Node) bool {
	words := n.Words()
	first := ""
	if len(words) > 0 {
		first = strings.ToLower(words[0].Text)
	}
	name := strings.ToLower(n.Name)
	if strings.HasPrefix(name, "sslproxy") {
		return true // it is for connections to other servers, which a ProxyPass would make
	}
	switch name {
	case "allowoverride", "allowoverridelist":
		return first == "none"
	case "authtype":
		return first == "none"
	case "traceenable", "httpprotocoloptions":
		return true
	case "sslengine", "authmerging":
		return first == "off"
	case "options":
		return !takesLinksAway(words)
	case "require":
		return first == "all" && len(words) == 2 && strings.EqualFold(words[1].Text, "granted")
	}
	return false
}

// takesLinksAway reports whether an Options line forbids links, which are
// followed where no line says anything.
func takesLinksAway(words []syntax.Arg) bool {
	var o OptionSet
	return o.add(words) != nil || o.Flags()&OptFollowSymLinks == 0
}
