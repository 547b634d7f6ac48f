package httpdconf

import (
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// filterCommands are the rows of mod_filter.
func filterCommands() map[string]command {
	return map[string]command{
		"AddOutputFilterByType": {"mod_filter.c", (*walk).outputFilterByType, "no effect; `INCLUDES` refuses the start"},
	}
}

// outputFilterByType has no number of words that is wrong: httpd asks for none
// (httpd 2.4 modules/filters/mod_filter.c, filter_bytype).
func (w *walk) outputFilterByType(n *syntax.Node, _ []syntax.Arg) *problem {
	words := n.Words()
	if len(words) == 0 {
		return w.plainForm(n)
	}
	return w.outputFilter(n, words)
}
