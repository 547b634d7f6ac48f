package httpdconf

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// IndexDir is mod_dir's record: what stands for a folder.
type IndexDir struct {
	DirectoryIndex []string  // nil inherits; empty after "DirectoryIndex disabled"
	Slash          *bool     // DirectorySlash; nil inherits, and stands for On
	Redirect       *int      // status by which clients are sent to the index; 0 serves it; nil inherits
	Range          hcl.Range // of the last DirectoryIndex
	Fallback       *string   // FallbackResource, a URL's path; nil inherits, "disabled" is none
}

// Names returns the names of the files that stand for a folder. The record may
// be nil.
func (d *IndexDir) Names() []string {
	if d == nil || d.DirectoryIndex == nil {
		return defaultIndex
	}
	return d.DirectoryIndex
}

// defaultIndex is httpd's AP_DEFAULT_INDEX. It is constant.
var defaultIndex = []string{"index.html"}

// AddsSlash reports whether a client is sent to a folder's path with a slash.
func (d *IndexDir) AddsSlash() bool { return d == nil || d.Slash == nil || *d.Slash }

// FallbackPath returns what is served in the place of what is not there, "" for
// nothing.
func (d *IndexDir) FallbackPath() string {
	if d == nil || d.Fallback == nil || strings.EqualFold(*d.Fallback, "disabled") {
		return ""
	}
	return *d.Fallback
}

// mergeIndex merges field by field (httpd 2.4 modules/mappers/mod_dir.c,
// merge_dir_configs).
func mergeIndex(base, over *IndexDir) *IndexDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := *base
	if over.DirectoryIndex != nil {
		m.DirectoryIndex, m.Range = over.DirectoryIndex, over.Range
	}
	m.Slash = replace(base.Slash, over.Slash)
	m.Redirect = replace(base.Redirect, over.Redirect)
	m.Fallback = replace(base.Fallback, over.Fallback)
	return &m
}

// dirCommands are the rows of mod_dir.
func dirCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_dir.c", set, effect}
	}
	return map[string]command{
		"DirectoryIndex":         row("files that stand for a folder, or `disabled`", (*walk).setDirectoryIndex),
		"DirectoryIndexRedirect": row("sends the client to that file, instead of serving it", (*walk).setDirectoryIndexRedirect),
		"DirectorySlash":         row("`Off` sends nobody from a folder's path without a slash to the one with it", (*walk).setDirectorySlash),
		"FallbackResource":       row("a path that is served where nothing is there, or `disabled`", (*walk).setFallbackResource),
	}
}

func (w *walk) index() *IndexDir {
	if w.records.Index == nil {
		w.records.Index = &IndexDir{}
	}
	return w.records.Index
}

// setDirectoryIndex adds to the names; "disabled" alone forgets them (httpd
// 2.4 modules/mappers/mod_dir.c, add_index).
func (w *walk) setDirectoryIndex(n *syntax.Node, _ []syntax.Arg) *problem {
	d := w.index()
	d.Range = n.Range()
	words := n.Words()
	if len(words) == 1 && strings.EqualFold(words[0].Text, "disabled") {
		d.DirectoryIndex = []string{}
		return nil
	}
	for _, a := range words {
		d.DirectoryIndex = append(d.DirectoryIndex, a.Text)
	}
	return nil
}

// setDirectoryIndexRedirect is httpd 2.4 modules/mappers/mod_dir.c,
// configure_redirect.
func (w *walk) setDirectoryIndexRedirect(_ *syntax.Node, words []syntax.Arg) *problem {
	word := strings.ToLower(words[0].Text)
	status, isWord := map[string]int{"on": 302, "off": 0, "permanent": 301, "temp": 302, "seeother": 303}[word]
	if !isWord {
		if word == "" || word[0] < '0' || word[0] > '9' {
			return &problem{text: "DirectoryIndexRedirect ON|OFF|permanent|temp|seeother|3xx", at: words[0].Range}
		}
		if status, _ = strconv.Atoi(word); !isRedirection(status) { // 0 where it is no number
			return &problem{text: "DirectoryIndexRedirect only accepts values between 300 and 399", at: words[0].Range}
		}
	}
	w.index().Redirect = &status
	return nil
}

func (w *walk) setDirectorySlash(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.index().Slash = &on
	return nil
}

func (w *walk) setFallbackResource(_ *syntax.Node, words []syntax.Arg) *problem {
	w.index().Fallback = &words[0].Text
	return nil
}
