package httpdconf

import (
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// dirCommands are the rows of mod_dir.
func dirCommands() map[string]command {
	return map[string]command{
		"DirectoryIndex": {"mod_dir.c", (*walk).setDirectoryIndex, "files that stand for a folder, or `disabled`"},
	}
}

// setDirectoryIndex adds to the names; "disabled" alone forgets them (httpd
// 2.4 modules/mappers/mod_dir.c, add_index).
func (w *walk) setDirectoryIndex(n *syntax.Node, _ []syntax.Arg) *problem {
	if w.records.Index == nil {
		w.records.Index = &IndexDir{}
	}
	w.records.Index.Range = n.Range()
	words := n.Words()
	if len(words) == 1 && strings.EqualFold(words[0].Text, "disabled") {
		w.records.Index.DirectoryIndex = []string{}
		return nil
	}
	for _, a := range words {
		w.records.Index.DirectoryIndex = append(w.records.Index.DirectoryIndex, a.Text)
	}
	return nil
}
