package httpdconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Trace is the mode of TraceEnable.
type Trace int

// The modes of TraceEnable. TraceUnset is that of the main server, and there
// TraceOn.
const (
	TraceUnset Trace = iota
	TraceOn
	TraceOff
	TraceExtended // with the body, of which none is read here
)

// methodCommands are the rows of the core that say which methods and which
// requests are taken.
func methodCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"TraceEnable":         row("whether TRACE is answered, as it is where no line says `off`; one with a body never is, not under `extended` either", (*walk).setTrace),
		"HttpProtocolOptions": row("`RegisteredMethods` refuses methods that httpd does not know whatever the path; requests are read strictly under `Unsafe` and `Allow0.9` too", (*walk).setProtocolOptions),
		"RegisterHttpMethod":  row("a method that files refuse with 405, not 501", (*walk).registerMethod),
	}
}

// setTrace is httpd 2.4 server/core.c, set_trace_enable.
func (w *walk) setTrace(_ *syntax.Node, words []syntax.Arg) *problem {
	mode := map[string]Trace{"on": TraceOn, "off": TraceOff, "extended": TraceExtended}[strings.ToLower(words[0].Text)]
	if mode == TraceUnset {
		return &problem{text: "TraceEnable must be one of 'on', 'off', or 'extended'", at: words[0].Range}
	}
	w.host.Trace = mode
	return nil
}

// setProtocolOptions is httpd 2.4 server/core.c, set_http_protocol_options.
func (w *walk) setProtocolOptions(n *syntax.Node, _ []syntax.Arg) *problem {
	pairs := [][2]string{{"Allow0.9", "Require1.0"}, {"Strict", "Unsafe"}, {"RegisteredMethods", "LenientMethods"}}
	said := make([]string, len(pairs))
	for _, a := range n.Words() {
		i := slices.IndexFunc(pairs, func(p [2]string) bool { return strings.EqualFold(a.Text, p[0]) || strings.EqualFold(a.Text, p[1]) })
		if i < 0 {
			return &problem{
				text: "HttpProtocolOptions accepts 'Unsafe' or 'Strict' (default), 'RegisteredMethods' or 'LenientMethods' (default), and 'Require1.0' or 'Allow0.9' (default)",
				at:   a.Range,
			}
		}
		if said[i] != "" && !strings.EqualFold(said[i], a.Text) {
			return &problem{text: fmt.Sprintf("HttpProtocolOptions '%s' and '%s' are mutually exclusive", pairs[i][0], pairs[i][1]), at: a.Range}
		}
		said[i] = a.Text
	}
	if said[2] != "" {
		registered := strings.EqualFold(said[2], "RegisteredMethods")
		w.host.RegisteredMethods = &registered
	}
	return nil
}

func (w *walk) registerMethod(n *syntax.Node, _ []syntax.Arg) *problem {
	for _, a := range n.Words() {
		w.config.Methods = append(w.config.Methods, a.Text)
	}
	return nil
}
