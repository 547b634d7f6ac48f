package httpdconf

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// webSocketCommands are the rows of mod_websocket, those of its fork included.
func webSocketCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_websocket.c", set, effect}
	}
	return map[string]command{
		"WebSocketHandler":                  row("plugin and its init function", (*walk).setWebSocketHandler),
		"MaxMessageSize":                    row("limit of a message in bytes, 33554432 by default", (*walk).setMaxMessageSize),
		"UserConfig":                        row("a text for the plugin's init function; one fork's", (*walk).setUserConfig),
		"WebSocketMaxMessageSize":           row("the same", (*walk).setMaxMessageSize),
		"WebSocketOriginCheck":              row("`Off`, `Same` or `Trusted`; the default is `Same` where any of these four is used, else `Off`", (*walk).setOriginCheck),
		"WebSocketTrustedOrigin":            row("origins that `Trusted` lets in; lines add up", (*walk).setTrustedOrigin),
		"WebSocketEventLoops":               row("event loops, 1 to 256; by default one up to two processors, else one less than there are; httpd does not know it", (*walk).setEventLoops),
		"WebSocketLogUpgrade":               row("`On` writes a WebSocket's line of the access logs when it opens too, besides that at its end; httpd does not know it", (*walk).setLogUpgrade),
		"WebSocketAllowReservedStatusCodes": row("whether a client may close with a reserved code", (*walk).setAllowReserved),
	}
}

// draft76Commands are the rows of mod_websocket_draft76.
func draft76Commands() map[string]command {
	return map[string]command{
		"WebSocketHandler": {"mod_websocket_draft76.c", (*walk).setDraft76Handler, "plugin and its init function"},
		"SupportDraft75":   {"mod_websocket_draft76.c", (*walk).setSupportDraft75, "whether draft-75 is spoken too"},
	}
}

// webSocket returns the section's record of mod_websocket; the first directive
// of the module makes it.
func (w *walk) webSocket(n *syntax.Node) *WebSocketDir {
	if w.records.WebSocket == nil {
		w.records.WebSocket = &WebSocketDir{Range: n.Range()}
	}
	return w.records.WebSocket
}

func (w *walk) draft76(n *syntax.Node) *Draft76Dir {
	if w.records.Draft76 == nil {
		w.records.Draft76 = &Draft76Dir{Range: n.Range()}
	}
	return w.records.Draft76
}

// ofFork notes that a directive is one that only the fork has: then its
// default of the origin check holds.
func (w *walk) ofFork(n *syntax.Node) {
	if w.fork == nil {
		w.fork = n.Range().Ptr()
	}
}

func (w *walk) setWebSocketHandler(n *syntax.Node, words []syntax.Arg) *problem {
	ref, p := w.plugin(n, words)
	if p == nil {
		d := w.webSocket(n)
		d.Plugin, ref.UserConfig = ref, d.UserConfig
	}
	return p
}

// setUserConfig takes the text for the section's plugin, in front of its line
// or behind it.
func (w *walk) setUserConfig(n *syntax.Node, words []syntax.Arg) *problem {
	d := w.webSocket(n)
	d.UserConfig = words[0].Text
	if d.Plugin != nil {
		d.Plugin.UserConfig = d.UserConfig
	}
	return nil
}

func (w *walk) setDraft76Handler(n *syntax.Node, words []syntax.Arg) *problem {
	ref, p := w.plugin(n, words)
	if p == nil {
		w.draft76(n).Plugin = ref
	}
	return p
}

// plugin returns the PluginRef of a line, which both modules share: INIT is
// called once for it.
func (w *walk) plugin(n *syntax.Node, words []syntax.Arg) (*PluginRef, *problem) {
	if list := w.config.Plugins; len(list) > 0 && list[len(list)-1].Range == n.Range() {
		return list[len(list)-1], nil
	}
	switch filepath.Base(words[0].Text) {
	case "mod_websocket.so", "mod_websocket_draft76.so":
		return nil, &problem{
			text: "Could not open WebSocket handler module", at: words[0].Range,
			hint: fmt.Sprintf("%s is the module, not a plugin: name the library that has %s", words[0].Text, words[1].Text),
		}
	}
	ref := &PluginRef{
		File: w.rootRelative(words[0].Text), Arg: words[0].Text, Init: words[1].Text,
		Range: n.Range(), FileRange: words[0].Range, InitRange: words[1].Range,
	}
	if parent := enclosing(n); parent != nil {
		ref.Section = parent.Opener()
	}
	w.config.Plugins = append(w.config.Plugins, ref)
	return ref, nil
}

func (w *walk) setMaxMessageSize(n *syntax.Node, words []syntax.Arg) *problem {
	if strings.EqualFold(n.Name, "WebSocketMaxMessageSize") {
		w.ofFork(n)
	}
	size, rest := leadingNumber(words[0].Text)
	if size <= 0 {
		return &problem{text: "Invalid maximum message size", at: words[0].Range, hint: "a number of bytes above 0, without a unit"}
	}
	if rest != "" {
		w.warn(n, words[0].Range, "websocket", fmt.Sprintf("%s %s is %d bytes: reading stops at %q", n.Name, words[0].Text, size, rest),
			hintAtUnit(size, rest))
	}
	if size < 125 {
		w.warn(n, words[0].Range, "websocket", fmt.Sprintf("a limit of %d bytes cuts off control frames too, which may have 125", size), "")
	}
	w.webSocket(n).MaxMessageSize = size
	return nil
}

// maxEventLoops bounds WebSocketEventLoops: each is a thread and two descriptors.
const maxEventLoops = 256

func (w *walk) setEventLoops(_ *syntax.Node, words []syntax.Arg) *problem {
	n, rest := leadingNumber(words[0].Text)
	if rest != "" || n < 1 || n > maxEventLoops {
		return &problem{text: "Invalid number of event loops", at: words[0].Range, hint: fmt.Sprintf("a number from 1 to %d", maxEventLoops)}
	}
	w.config.EventLoops = int(n)
	return nil
}

func (w *walk) setLogUpgrade(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.host.LogUpgrade = &on
	return nil
}

// hintAtUnit says what a unit behind a number was meant to give.
func hintAtUnit(n int64, unit string) string {
	factor := map[string]int64{"k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}[strings.ToLower(unit)]
	if factor == 0 || n > 1<<32 {
		return ""
	}
	return fmt.Sprintf("write %d", n*factor)
}

func (w *walk) setOriginCheck(n *syntax.Node, words []syntax.Arg) *problem {
	w.ofFork(n)
	modes := map[string]OriginCheck{"off": OriginOff, "same": OriginSame, "trusted": OriginTrusted}
	mode, known := modes[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: "WebSocketOriginCheck must be Off, Same, or Trusted", at: words[0].Range}
	}
	w.webSocket(n).OriginCheck, w.webSocket(n).OriginRange = &mode, n.Range()
	return nil
}

func (w *walk) setTrustedOrigin(n *syntax.Node, words []syntax.Arg) *problem {
	w.ofFork(n)
	for _, a := range words {
		w.webSocket(n).TrustedOrigins = append(w.webSocket(n).TrustedOrigins, a.Text)
	}
	return nil
}

func (w *walk) setAllowReserved(n *syntax.Node, words []syntax.Arg) *problem {
	w.ofFork(n)
	w.webSocket(n).AllowReservedStatus = strings.EqualFold(words[0].Text, "on")
	return nil
}

func (w *walk) setSupportDraft75(n *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.draft76(n).SupportDraft75 = on
	if on {
		w.fail(warning(n, n.Range(), LevelNotice, "websocket_draft76", "",
			"SupportDraft75 On lets clients in that prove nothing: draft-75 has no challenge, so that a page of another site can make a browser's request look like one", ""))
	}
	return nil
}

// checkWebSocketSection warns of settings that have no effect, and refuses in a
// WebSocket's section what else would only have the rest of it answered 501.
func (w *walk) checkWebSocketSection(n *syntax.Node, s *Section, unserved []*syntax.Node) {
	if s.Records.isWebSocket() {
		for _, u := range unserved {
			w.report(u, &problem{
				text: fmt.Sprintf("%s stands in a section with the WebSocket handler, and wshttpd does not have what it names", u.Name),
				at:   u.NameRange(), hint: "remove the line: it does nothing for WebSockets",
			})
		}
	}
	if d := s.Records.WebSocket; d != nil && len(d.TrustedOrigins) > 0 && (d.OriginCheck == nil || *d.OriginCheck != OriginTrusted) {
		w.warn(n, d.Range, "websocket", "WebSocketTrustedOrigin has no effect without WebSocketOriginCheck Trusted in the same section", "")
	}
}

// isWebSocket reports whether records name the handler or a plugin.
func (r Records) isWebSocket() bool {
	return r.Core != nil && r.Core.Handler != nil && *r.Core.Handler == "websocket-handler" ||
		r.WebSocket != nil && r.WebSocket.Plugin != nil || r.Draft76 != nil && r.Draft76.Plugin != nil
}

// warnResets warns of Location sections that take back what an earlier one has
// set for their path: records are replaced whole. What a virtual host inherits
// comes before its own.
func (w *walk) warnResets(h *Host) {
	for i, s := range h.Locations {
		if h != w.config.Main && slices.Contains(w.config.Main.Locations, s) {
			continue // said of the main server
		}
		var before Records
		for _, earlier := range h.Locations[:i] {
			if earlier.coversAll(s) {
				before = before.Merge(earlier.Records)
			}
		}
		w.warnReset(s, before)
		w.warnDraftReset(s, before)
	}
}

// coversAll reports whether a Location section covers every path that another
// one does, as far as their patterns tell.
func (s *Section) coversAll(other *Section) bool {
	if s.Kind == other.Kind && s.Pattern == other.Pattern {
		return true
	}
	return s.Kind == LocationSection && other.Kind == LocationSection && !isWildcard(other.Pattern) && s.Covers(other.Pattern)
}

func (w *walk) warnReset(s *Section, before Records) {
	d, e := s.Records.WebSocket, before.WebSocket
	if d == nil || e == nil {
		return
	}
	from := fmt.Sprintf("that %s:%d sets for %s", e.Range.Filename, e.Range.Start.Line, s.Pattern)
	if e.Plugin != nil && d.Plugin == nil {
		w.warnAt(d.Range, "this section takes away the plugin "+from, "repeat WebSocketHandler here, or handshakes are answered 500")
	}
	if e.MaxMessageSize != 0 && d.MaxMessageSize == 0 {
		w.warnAt(d.Range, "this section resets the message limit "+from, "the last section with any directive of the module is its whole record: repeat the limit here")
	}
	if e.OriginCheck != nil && *e.OriginCheck != w.config.OriginCheckDefault && d.OriginCheck == nil {
		w.warnAt(d.Range, "this section resets the origin check "+from, "repeat WebSocketOriginCheck here, and WebSocketTrustedOrigin")
	}
}

// warnDraftReset says nothing of SupportDraft75: that it is not repeated cannot
// be told from Off, and closes rather than opens.
func (w *walk) warnDraftReset(s *Section, before Records) {
	d, e := s.Records.Draft76, before.Draft76
	if d != nil && e != nil && e.Plugin != nil && d.Plugin == nil {
		w.warnAt(d.Range, fmt.Sprintf("this section takes away the plugin of the old drafts that %s:%d sets for %s", e.Range.Filename, e.Range.Start.Line, s.Pattern),
			"repeat WebSocketHandler here")
	}
}

// checkPairs warns of a SetHandler without a plugin anywhere for the path, and
// of a plugin without the handler.
func (w *walk) checkPairs(h *Host) {
	for _, s := range h.Locations {
		r := s.Records
		isHandler := r.Core != nil && r.Core.Handler != nil && *r.Core.Handler == "websocket-handler"
		hasPlugin := r.WebSocket != nil && r.WebSocket.Plugin != nil || r.Draft76 != nil && r.Draft76.Plugin != nil
		switch {
		case isHandler && !hasPlugin && !w.leftSection && !w.pathHas(h, s, func(r Records) bool {
			return r.WebSocket != nil && r.WebSocket.Plugin != nil || r.Draft76 != nil && r.Draft76.Plugin != nil
		}):
			w.warnAt(r.Core.HandlerRange, "SetHandler websocket-handler without a WebSocketHandler: handshakes are answered 500", "")
		case hasPlugin && !isHandler && !w.pathHas(h, s, func(r Records) bool { return r.Core != nil && r.Core.Handler != nil }):
			w.warnAt(pluginRange(r), "WebSocketHandler without SetHandler websocket-handler has no effect", "")
		}
	}
}

func pluginRange(r Records) hcl.Range {
	if r.WebSocket != nil && r.WebSocket.Plugin != nil {
		return r.WebSocket.Plugin.Range
	}
	return r.Draft76.Plugin.Range
}

// pathHas reports whether another section, or the host's own directives, may
// give a section's path what holds asks for. Wildcards and expressions count
// as covering it.
func (w *walk) pathHas(h *Host, s *Section, holds func(Records) bool) bool {
	if slices.ContainsFunc(w.ifs, func(s *Section) bool { return holds(s.Records) }) {
		return true
	}
	hosts := []*Host{h, w.config.Main}
	for _, host := range hosts {
		if holds(host.Base) {
			return true
		}
		for _, list := range [][]*Section{host.Directories, host.Files, host.Locations} {
			for _, other := range list {
				if other != s && holds(other.Records) && (other.Kind != LocationSection || other.Covers(s.Pattern) || s.Regexp != nil || isWildcard(s.Pattern)) {
					return true
				}
			}
		}
	}
	return false
}

func (w *walk) warnAt(rng hcl.Range, text, hint string) {
	w.fail(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: text, Detail: hint, Subject: &rng, Extra: &Place{Level: LevelWarn, Module: "websocket"}})
}
