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

// isHandlerType reports whether a media type is one of those by which httpd's
// modules know what they run: without a handler the type of a file takes its
// place (httpd 2.4 server/config.c, ap_invoke_handler).
func isHandlerType(mediaType string) bool {
	switch t := strings.ToLower(mediaType); t {
	case "application/x-type-map", "httpd/send-as-is":
		return true
	default:
		return strings.HasPrefix(t, "application/x-httpd-") || strings.HasPrefix(t, "text/x-server-parsed-html")
	}
}

func (w *walk) addType(n *syntax.Node, words []syntax.Arg) *problem {
	if isHandlerType(words[0].Text) {
		return w.unservedFiles(n, words, words[0].Text)
	}
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
	if hasIncludes(words[0].Text) {
		return w.unservedFiles(n, words, words[0].Text)
	}
	return nil
}

// hasIncludes reports whether a list of filters has the one that would have
// replaced what stands in a page for the server alone.
func hasIncludes(filters string) bool {
	for filter := range strings.SplitSeq(filters, ";") {
		if strings.EqualFold(filter, "INCLUDES") {
			return true
		}
	}
	return false
}

func (w *walk) unservedFiles(n *syntax.Node, words []syntax.Arg, handler string) *problem {
	if strings.EqualFold(handler, "websocket-handler") {
		return &problem{text: n.Name + " websocket-handler is not obeyed by this version of wshttpd", at: words[0].Range, hint: "write SetHandler websocket-handler in a Location"}
	}
	w.unserved = append(w.unserved, n)
	m := w.mime()
	if m.Unserved == nil {
		m.Unserved = make(map[string]string)
	}
	for _, a := range words[1:] {
		m.Unserved[extension(a.Text)] = handler
	}
	w.fail(difference(n, n.NameRange(), LevelError, "mime",
		fmt.Sprintf("%s %s: wshttpd does not have it, such files are answered 501", n.Name, handler), ""))
	return nil
}
