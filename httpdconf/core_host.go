package httpdconf

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// hostCommands are the rows of the core by which a request finds its host.
func hostCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"ServerName":               row("name and port of the server or virtual host; `https://` in front makes its URLs begin so", (*walk).setServerName),
		"ServerAlias":              row("further names of a virtual host, `*` and `?` are wildcards", (*walk).setServerAlias),
		"ServerPath":               row("path by which requests without Host find a virtual host", (*walk).setServerPath),
		"MergeSlashes":             row("`Off` keeps `//` in paths, which Location then has to name", (*walk).setMergeSlashes),
		"AllowEncodedSlashes":      row("`On` decodes `%2F` in paths, `NoDecode` keeps it; else it is answered 404", (*walk).setEncodedSlashes),
		"StrictHostCheck":          row("`On` refuses requests whose Host names no host of the address", (*walk).setStrictHostCheck),
		"UseCanonicalName":         row("`On` names the host as ServerName does, `Off` as the client does; `DNS` refuses the start", (*walk).setUseCanonicalName),
		"UseCanonicalPhysicalPort": row("`On` has URLs name the port that a request came in at, where neither client nor ServerName gives one", (*walk).setPhysicalPort),
	}
}

// PathRules say how the path of a request is read. The zero value is httpd's
// default.
type PathRules struct {
	KeepSlashes    bool // MergeSlashes Off
	EncodedSlashes EncodedSlashes
}

// EncodedSlashes is the mode of AllowEncodedSlashes.
type EncodedSlashes int

// The modes of AllowEncodedSlashes.
const (
	SlashesRefused EncodedSlashes = iota // Off: 404
	SlashesDecoded                       // On
	SlashesKept                          // NoDecode: they stay encoded
)

// inheritPaths fills a virtual host's rules: MergeSlashes is that of the main
// server where it has none, AllowEncodedSlashes is not (httpd 2.4
// server/core.c, merge_core_server_configs).
func (w *walk) inheritPaths(h *Host) {
	if !w.mergesSlashes[h] {
		h.Paths.KeepSlashes = w.config.Main.Paths.KeepSlashes
	}
}

func (w *walk) setMergeSlashes(_ *syntax.Node, words []syntax.Arg) *problem {
	if w.mergesSlashes == nil {
		w.mergesSlashes = make(map[*Host]bool)
	}
	w.mergesSlashes[w.host] = true
	w.host.Paths.KeepSlashes = strings.EqualFold(words[0].Text, "off")
	return nil
}

// setEncodedSlashes is httpd 2.4 server/core.c, set_allow2f.
func (w *walk) setEncodedSlashes(n *syntax.Node, words []syntax.Arg) *problem {
	mode, known := map[string]EncodedSlashes{"off": SlashesRefused, "on": SlashesDecoded, "nodecode": SlashesKept}[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: n.Name + " must be On, Off, or NoDecode", at: words[0].Range}
	}
	w.host.Paths.EncodedSlashes = mode
	return nil
}

// setServerName is httpd 2.4 server/core.c, server_hostname_port.
func (w *walk) setServerName(n *syntax.Node, words []syntax.Arg) *problem {
	arg := words[0].Text
	if isPattern(arg) {
		return &problem{
			text: fmt.Sprintf("Invalid ServerName %q use ServerAlias to set multiple server names.", arg), at: words[0].Range,
			hint: "an IPv6 address in brackets is taken for a wildcard too",
		}
	}
	scheme, name, found := strings.Cut(arg, "://")
	if !found {
		scheme, name = "", arg
	}
	host, digits, hasPort := strings.Cut(name, ":")
	port, _ := leadingNumber(digits)
	if hasPort && (port < 1 || port > 65535) {
		return &problem{text: fmt.Sprintf("The port number %q is outside the appropriate range (i.e., 1..65535).", arg), at: words[0].Range}
	}
	w.host.Scheme, w.host.Name, w.host.Port, w.host.NameRange = strings.ToLower(scheme), host, int(port), n.Range()
	return nil
}

// isPattern reports whether s holds a wildcard, or a set in brackets (APR's
// apr_fnmatch_test).
func isPattern(s string) bool {
	_, set, opened := strings.Cut(s, "[")
	return strings.ContainsAny(s, "*?") || opened && strings.Contains(set, "]")
}

func (w *walk) setServerAlias(n *syntax.Node, _ []syntax.Arg) *problem {
	if w.host == w.config.Main {
		return &problem{text: "ServerAlias only used in <VirtualHost>", at: n.NameRange()}
	}
	for _, a := range n.Words() {
		w.host.Aliases = append(w.host.Aliases, a.Text)
		if w.host.AliasRanges == nil {
			w.host.AliasRanges = make(map[string]hcl.Range)
		}
		w.host.AliasRanges[a.Text] = n.Range()
	}
	return nil
}

func (w *walk) setServerPath(_ *syntax.Node, words []syntax.Arg) *problem {
	w.host.Path = words[0].Text
	return nil
}

func (w *walk) setStrictHostCheck(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.host.StrictHost = &on
	return nil
}

func (w *walk) setUseCanonicalName(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	switch {
	case strings.EqualFold(words[0].Text, "dns"):
		return &problem{text: "UseCanonicalName DNS" + notObeyed, at: words[0].Range, hint: "write On, and a ServerName"}
	case !on && !strings.EqualFold(words[0].Text, "off"):
		return &problem{text: "parameter must be 'on', 'off', or 'dns'", at: words[0].Range}
	}
	w.core().CanonicalName = &on
	return nil
}

func (w *walk) setPhysicalPort(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	if !on && !strings.EqualFold(words[0].Text, "off") {
		return &problem{text: "parameter must be 'on' or 'off'", at: words[0].Range}
	}
	w.core().PhysicalPort = &on
	return nil
}
