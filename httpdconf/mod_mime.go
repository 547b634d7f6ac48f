package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// mimeCommands are the rows of mod_mime.
func mimeCommands() map[string]command {
	return map[string]command{
		"TypesConfig":     {"mod_mime.c", (*walk).setTypesConfig, "file with the media types, conf/mime.types by default"},
		"AddType":         {"mod_mime.c", (*walk).addType, "media type of files by extension"},
		"AddHandler":      {"mod_mime.c", (*walk).addHandler, "not for this server: such files are answered 501, never sent"},
		"AddOutputFilter": {"mod_mime.c", (*walk).addOutputFilter, "files that would be filtered as INCLUDES are answered 501"},
	}
}

func (w *walk) setTypesConfig(n *syntax.Node, words []syntax.Arg) *problem {
	w.host.TypesConfig = w.rootRelative(words[0].Text)
	return nil
}

func (w *walk) mime() *MimeDir {
	if w.records.Mime == nil {
		w.records.Mime = &MimeDir{}
	}
	return w.records.Mime
}

// extension is a file's extension as the tables know it.
func extension(s string) string { return strings.ToLower(strings.TrimPrefix(s, ".")) }

func (w *walk) addType(n *syntax.Node, words []syntax.Arg) *problem {
	m := w.mime()
	if m.Types == nil {
		m.Types = make(map[string]string)
	}
	for _, a := range words[1:] {
		m.Types[extension(a.Text)] = strings.ToLower(words[0].Text)
	}
	return nil
}

// addHandler notes which files a handler of httpd would have run: their source
// must not be sent.
func (w *walk) addHandler(n *syntax.Node, words []syntax.Arg) *problem {
	return w.unservedFiles(n, words, words[0].Text)
}

func (w *walk) addOutputFilter(n *syntax.Node, words []syntax.Arg) *problem {
	for filter := range strings.SplitSeq(words[0].Text, ";") {
		if strings.EqualFold(filter, "INCLUDES") {
			return w.unservedFiles(n, words, words[0].Text)
		}
	}
	return nil
}

func (w *walk) unservedFiles(n *syntax.Node, words []syntax.Arg, handler string) *problem {
	if strings.EqualFold(handler, "websocket-handler") {
		return &problem{text: n.Name + " websocket-handler is not obeyed by this version of wshttpd", at: words[0].Range, hint: "write SetHandler websocket-handler in a Location"}
	}
	m := w.mime()
	if m.Unserved == nil {
		m.Unserved = make(map[string]string)
	}
	for _, a := range words[1:] {
		m.Unserved[extension(a.Text)] = handler
	}
	w.fail(warning(n, n.NameRange(), LevelError, "mime", "",
		fmt.Sprintf("%s %s: wshttpd does not have it, such files are answered 501", n.Name, handler), ""))
	return nil
}
