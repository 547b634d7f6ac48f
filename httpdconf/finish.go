package httpdconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// finish fills what has a default or is inherited, and checks what can only be
// checked once the tree has been processed.
func (w *walk) finish() {
	c := w.config
	w.finishCap()
	c.OriginCheckSource = w.fork
	if w.fork != nil {
		c.OriginCheckDefault = OriginSame
	}
	main := c.Main
	if main.DocumentRoot == "" {
		main.DocumentRoot = w.rootRelative("htdocs")
	}
	if main.ErrorLog == "" {
		main.ErrorLog = w.rootRelative("logs/error_log")
	}
	if main.TypesConfig == "" {
		main.TypesConfig = w.rootRelative("conf/mime.types")
	}
	for _, h := range append([]*Host{main}, c.Hosts...) {
		w.warnConds(h)
	}
	for _, h := range c.Hosts {
		inherit(h, main)
		w.inheritLimits(h)
		w.inheritPaths(h)
	}
	for _, h := range append([]*Host{main}, c.Hosts...) {
		orderDirectories(h)
		w.finishLogs(h)
		if !w.diags.HasErrors() {
			w.checkPairs(h)
			w.warnResets(h)
		}
	}
	w.checkSSL()
	w.warnSkipped(w.reader.nodes)
	w.noteOriginCheck()
	w.diags = append(w.diags, w.checks...)
	w.checkErrorLogs()
}

// inherit fills a virtual host from the main server. Its own sections come
// behind the main server's, in each of the walks.
func inherit(h, main *Host) {
	if h.DocumentRoot == "" {
		h.DocumentRoot, h.RootRange = main.DocumentRoot, main.RootRange
	}
	if h.ErrorLog == "" {
		h.ErrorLog = main.ErrorLog
	}
	if h.TypesConfig == "" {
		h.TypesConfig = main.TypesConfig
	}
	if h.Admin == "" {
		h.Admin = main.Admin
	}
	if h.Trace == TraceUnset {
		h.Trace = main.Trace
	}
	if h.RegisteredMethods == nil {
		h.RegisteredMethods = main.RegisteredMethods
	}
	if h.LogUpgrade == nil {
		h.LogUpgrade = main.LogUpgrade
	}
	if h.StrictHost == nil {
		h.StrictHost = main.StrictHost
	}
	if h.Timeout == 0 {
		h.Timeout = main.Timeout
	}
	h.SSL = inheritSSL(h.SSL, main.SSL)
	h.RemoteIP = inheritRemoteIP(h.RemoteIP, main.RemoteIP)
	h.Rewrite = inheritRewrite(h.Rewrite, main.Rewrite)
	h.LogLevels = main.LogLevels.Merge(h.LogLevels)
	h.ErrorFormats.inherit(main.ErrorFormats)
	h.Base = main.Base.Merge(h.Base)
	h.PathAliases = append(h.PathAliases, main.PathAliases...)
	h.HasLocationAlias = h.HasLocationAlias || main.HasLocationAlias
	h.Unserved = slices.Concat(main.Unserved, h.Unserved)
	h.Directories = slices.Concat(main.Directories, h.Directories)
	h.Files = slices.Concat(main.Files, h.Files)
	h.Locations = slices.Concat(main.Locations, h.Locations)
}

// orderDirectories puts the shortest path first, and expressions behind all
// paths: the one with the fewest slashes first, too (httpd 2.4 server/core.c,
// ap_core_reorder_directories).
func orderDirectories(h *Host) {
	depth := func(s *Section) int {
		slashes := strings.Count(s.Pattern, "/")
		if s.Regexp != nil {
			slashes += 1 << 30
		}
		return slashes
	}
	slices.SortStableFunc(h.Directories, func(a, b *Section) int { return depth(a) - depth(b) })
}

// noteOriginCheck says which default of the origin check holds, where one
// does.
func (w *walk) noteOriginCheck() {
	c := w.config
	if !c.HasModule("websocket_module") || len(c.Plugins) == 0 {
		return
	}
	text := "WebSocketOriginCheck is Off where no line sets it: any page may connect; consider WebSocketOriginCheck Same"
	rng := (*hcl.Range)(nil)
	if c.OriginCheckSource != nil {
		rng = c.OriginCheckSource
		text = "WebSocketOriginCheck is Same where no line sets it, since this line is one of the fork's"
	}
	w.fail(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: text, Subject: rng, Extra: &Place{Level: LevelNotice, Module: "websocket"}})
}

// checkErrorLogs finds logs in folders that are not there (httpd 2.4
// server/core.c, check_errorlog_dir).
func (w *walk) checkErrorLogs() {
	seen := make(map[string]bool)
	for _, h := range append([]*Host{w.config.Main}, w.config.Hosts...) {
		dir := filepath.Dir(h.ErrorLog)
		if seen[dir] || !isLogFile(h.ErrorLog) {
			continue
		}
		seen[dir] = true
		_, err := os.Stat(dir)
		switch {
		case err == nil:
		case h == w.config.Main:
			w.fail(checkError(fmt.Sprintf("(2)%s: AH02291: Cannot access directory '%s/' for main error log", errorText(err), dir),
				"make the folder, or name another one by ErrorLog"))
		default:
			w.fail(checkError(fmt.Sprintf("(2)%s: AH02291: Cannot access directory '%s/' for error log of vhost defined at %s:%d",
				errorText(err), dir, h.Range.Filename, h.Range.End.Line), "make the folder, or name another one by ErrorLog"))
		}
	}
}

// warnSkipped warns of sections that were meant to be true: WebSockets stand in
// them, and their module is loaded further down or misspelled.
func (w *walk) warnSkipped(list []*syntax.Node) {
	for _, n := range list {
		if n.Skipped == "" {
			w.warnSkipped(n.Children)
			continue
		}
		if !strings.EqualFold(n.Name, "IfModule") || strings.HasPrefix(n.Args, "!") || !mentionsWebSocket(n) {
			continue
		}
		name, _ := syntax.Word(strings.TrimSuffix(n.Args, ">"))
		later := slices.IndexFunc(w.config.Modules, func(m Module) bool { return m.Source == name || m.Ident == name })
		switch {
		case later >= 0 && w.modules.has(name):
			m := w.config.Modules[later]
			w.warn(n, n.Range(), "core", fmt.Sprintf("%s is false here: LoadModule %s follows on line %d", n.Opener(), m.Ident, m.Range.End.Line),
				"the section is skipped, the WebSockets in it are not served: move the LoadModule line above it")
		case !w.modules.stock[name]:
			w.warn(n, n.Range(), "core", fmt.Sprintf("%s is false: %s", n.Opener(), n.Skipped), "the section is skipped, the WebSockets in it are not served")
		}
	}
}

// mentionsWebSocket reports whether a WebSocket is configured in n.
func mentionsWebSocket(n *syntax.Node) bool {
	return strings.EqualFold(n.Name, "WebSocketHandler") || slices.ContainsFunc(n.Children, mentionsWebSocket)
}
