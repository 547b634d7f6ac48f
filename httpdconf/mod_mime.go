package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// MimeDir is mod_mime's record: what the extensions of a file's name, without
// dot and in lower case, say of it.
type MimeDir struct {
	Types     Extensions // media types, over those of TypesConfig
	Charsets  Extensions
	Languages Extensions
	Encodings Extensions

	DefaultLanguage *string // of files whose extensions name none; nil inherits

	// Unserved names the handler of httpd that this server lacks, for the
	// extensions whose files it must not send.
	Unserved Extensions
}

// Extensions maps extensions to what they stand for; "" is what a Remove line
// leaves behind.
type Extensions map[string]string

// mergeMime merges extension by extension (httpd 2.4 modules/http/mod_mime.c,
// merge_mime_dir_configs).
func mergeMime(base, over *MimeDir) *MimeDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	return &MimeDir{
		Types: mergeMaps(base.Types, over.Types), Charsets: mergeMaps(base.Charsets, over.Charsets),
		Languages: mergeMaps(base.Languages, over.Languages), Encodings: mergeMaps(base.Encodings, over.Encodings),
		Unserved:        mergeMaps(base.Unserved, over.Unserved),
		DefaultLanguage: replace(base.DefaultLanguage, over.DefaultLanguage),
	}
}

// mimeCommands are the rows of mod_mime.
func mimeCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_mime.c", set, effect}
	}
	charsets := func(m *MimeDir) *Extensions { return &m.Charsets }
	languages := func(m *MimeDir) *Extensions { return &m.Languages }
	encodings := func(m *MimeDir) *Extensions { return &m.Encodings }
	types := func(m *MimeDir) *Extensions { return &m.Types }
	return map[string]command{
		"TypesConfig":     row("file with the media types, conf/mime.types by default", (*walk).setTypesConfig),
		"AddType":         row("media type of files by extension", (*walk).addType),
		"AddCharset":      row("their charset", addExtensions(charsets)),
		"AddLanguage":     row("their language, for Content-Language", addExtensions(languages)),
		"AddEncoding":     row("how they are packed, for Content-Encoding", addExtensions(encodings)),
		"DefaultLanguage": row("language of files whose extensions name none", (*walk).setDefaultLanguage),
		"RemoveType":      row("takes an extension's type away", removeExtensions(types)),
		"RemoveCharset":   row("the same for charsets", removeExtensions(charsets)),
		"RemoveLanguage":  row("the same for languages", removeExtensions(languages)),
		"RemoveEncoding":  row("the same for encodings", removeExtensions(encodings)),
		"AddHandler":      row("not for this server: such files are answered 501, never sent", (*walk).addHandler),
		"AddOutputFilter": row("files that would be filtered as INCLUDES are answered 501", (*walk).addOutputFilter),
	}
}

// set adds extensions, but for those that the same section has removed: that is
// done last (httpd 2.4 modules/http/mod_mime.c, remove_items).
func (e *Extensions) set(value string, extensions []syntax.Arg) {
	if *e == nil {
		*e = make(Extensions)
	}
	for _, a := range extensions {
		ext := extension(a.Text)
		if old, isSet := (*e)[ext]; !isSet || old != "" || value == "" {
			(*e)[ext] = value
		}
	}
}

// addExtensions makes the row of a directive that says something of extensions
// (add_extension_info).
func addExtensions(table func(*MimeDir) *Extensions) func(*walk, *syntax.Node, []syntax.Arg) *problem {
	return func(w *walk, _ *syntax.Node, words []syntax.Arg) *problem {
		table(w.mime()).set(strings.ToLower(words[0].Text), words[1:])
		return nil
	}
}

func removeExtensions(table func(*MimeDir) *Extensions) func(*walk, *syntax.Node, []syntax.Arg) *problem {
	return func(w *walk, _ *syntax.Node, words []syntax.Arg) *problem {
		table(w.mime()).set("", words)
		return nil
	}
}

func (w *walk) setDefaultLanguage(_ *syntax.Node, words []syntax.Arg) *problem {
	w.mime().DefaultLanguage = &words[0].Text
	return nil
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
	w.mime().Types.set(strings.ToLower(words[0].Text), words[1:])
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
	info := w.stock[tableName(n)][0]
	w.note(n, info)
	w.judge(n, info, true)
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
	w.mime().Unserved.set(handler, words[1:])
	w.fail(difference(n, n.NameRange(), LevelError, "mime",
		fmt.Sprintf("%s %s: wshttpd does not have it, such files are answered 501", n.Name, handler), ""))
	return nil
}
