package httpdconf

import (
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/logformat"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// ErrorFormats are the lines of ErrorLogFormat of a host.
type ErrorFormats struct {
	Record     []logformat.ErrorItem   // of a record; nil for httpd's default
	Request    [][]logformat.ErrorItem // of what stands in front of a request's first record
	Connection [][]logformat.ErrorItem // of what stands in front of a connection's
}

// setErrorLogFormat is httpd 2.4 server/core.c, set_errorlog_format.
func (w *walk) setErrorLogFormat(_ *syntax.Node, words []syntax.Arg) *problem {
	kind, format := "", words[0]
	if len(words) == 2 {
		kind, format = strings.ToLower(words[0].Text), words[1]
	}
	items, err := logformat.ParseError(format.Text, kind == "")
	if kind != "" && kind != "request" && kind != "connection" {
		return &problem{text: "ErrorLogFormat type must be one of request, connection", at: words[0].Range}
	}
	if err != nil {
		return &problem{text: err.Error(), at: format.Range}
	}
	formats := &w.host.ErrorFormats
	switch kind {
	case "":
		formats.Record = items
	case "request":
		addFirstLine(&formats.Request, items)
	case "connection":
		addFirstLine(&formats.Connection, items)
	}
	return nil
}

// addFirstLine adds a line to a list; "" makes one that is empty.
func addFirstLine(list *[][]logformat.ErrorItem, items []logformat.ErrorItem) {
	switch {
	case len(items) > 0:
		*list = append(*list, items)
	case *list == nil:
		*list = [][]logformat.ErrorItem{}
	}
}

// inherit fills in what a virtual host does not set (httpd 2.4 server/core.c,
// merge_core_server_configs).
func (f *ErrorFormats) inherit(main ErrorFormats) {
	if f.Record == nil {
		f.Record = main.Record
	}
	if f.Request == nil {
		f.Request = main.Request
	}
	if f.Connection == nil {
		f.Connection = main.Connection
	}
}
