package httpdconf

import (
	"fmt"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// HeadersDir is mod_headers' record: what becomes of header fields, in order.
type HeadersDir struct {
	Success []*HeaderEdit // Header, Header onsuccess
	Always  []*HeaderEdit // Header always
	Request []*HeaderEdit // RequestHeader
}

// HeaderEdit is one Header or RequestHeader line.
type HeaderEdit struct {
	Action HeaderAction
	Name   string       // of the field
	Regexp *expr.Regexp // of edit: over values; of echo: over names
	Value  []HeaderPart // new value, replacement of edit, name of note
	Text   *expr.Expr   // in place of Value where it is written "expr=..."

	Early bool       // before anything else; only outside of sections
	Env   string     // "" or the variable that has to be set, with "!" not to be set
	If    *expr.Expr // nil or the condition
}

// HeaderAction is what a line does.
type HeaderAction string

// The actions, as they are written.
const (
	HeaderSet        HeaderAction = "set"
	HeaderSetIfEmpty HeaderAction = "setifempty"
	HeaderAdd        HeaderAction = "add"
	HeaderAppend     HeaderAction = "append"
	HeaderMerge      HeaderAction = "merge"
	HeaderUnset      HeaderAction = "unset"
	HeaderEcho       HeaderAction = "echo"
	HeaderEditOnce   HeaderAction = "edit"
	HeaderEditAll    HeaderAction = "edit*"
	HeaderNote       HeaderAction = "note"
)

// HeaderPart is a piece of a value: text, or a format.
type HeaderPart struct {
	Text   string // literal, or the name of %{...}e and %{...}s
	Format byte   // 0 for literal text; 't', 'D', 'l', 'e', 's'
}

// headersCommands are the rows of mod_headers.
func headersCommands() map[string]command {
	return map[string]command{
		"Header": {"mod_headers.c", (*walk).setHeader,
			"`always`, `onsuccess`; `set`, `setifempty`, `add`, `append`, `merge`, `unset`, `echo`, `edit`, `edit*`, `note`; not on the 101 of a WebSocket"},
		"RequestHeader": {"mod_headers.c", (*walk).setHeader, "changes the header that plugins and expressions see; also `early`"},
	}
}

const headerActions = "first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', 'note', 'edit', or 'edit*'."

// setHeader reads both directives (httpd 2.4 modules/metadata/mod_headers.c,
// header_cmd and header_inout_cmd).
func (w *walk) setHeader(n *syntax.Node, _ []syntax.Arg) *problem {
	isRequest := strings.EqualFold(n.Name, "RequestHeader")
	word, rest := syntax.Word(n.Args)
	always := !isRequest && strings.EqualFold(word, "always")
	if always || !isRequest && strings.EqualFold(word, "onsuccess") {
		word, rest = syntax.Word(rest)
	}
	var args [4]string // name, value, substitution, condition
	var given int
	for ; given < len(args) && (rest != "" || given == 0); given++ {
		args[given], rest = syntax.Word(rest)
	}
	if rest != "" {
		return &problem{text: n.Name + " has too many arguments"}
	}
	e, p := w.headerEdit(isRequest, HeaderAction(strings.ToLower(word)), args[:given])
	if p != nil {
		return p
	}
	if w.records.Headers == nil {
		w.records.Headers = &HeadersDir{}
	}
	d := w.records.Headers
	list := &d.Success
	switch {
	case isRequest:
		list = &d.Request
	case always:
		list = &d.Always
	}
	*list = append(*list, e)
	return nil
}

// headerEdit reads what stands behind the action: how many words it takes
// depends on that.
func (w *walk) headerEdit(isRequest bool, action HeaderAction, args []string) (*HeaderEdit, *problem) {
	e := &HeaderEdit{Action: action}
	e.Name, _, _ = strings.Cut(args[0], ":")
	args = args[1:]
	takes := 1 // words in front of the condition
	switch action {
	case HeaderSet, HeaderSetIfEmpty, HeaderAdd, HeaderAppend, HeaderMerge:
	case HeaderNote:
		if isRequest {
			return nil, &problem{text: "RequestHeader does not support the 'note' action"}
		}
	case HeaderEditOnce, HeaderEditAll:
		takes = 2
		if len(args) < 2 {
			return nil, &problem{text: "Header edit requires a match and a substitution"}
		}
		if p := e.compile(args[0], "Header edit"); p != nil {
			return nil, p
		}
	case HeaderUnset, HeaderEcho:
		takes = 0
		if action == HeaderUnset {
			break
		}
		if isRequest {
			return nil, &problem{text: "Header echo only valid on Header directives"}
		}
		if p := e.compile(e.Name, "Header echo"); p != nil {
			return nil, p
		}
	default:
		return nil, &problem{text: headerActions, hint: hintNearest(string(action), strings.Fields("add set setifempty append merge unset echo note edit edit*"))}
	}
	switch {
	case len(args) < takes:
		return nil, &problem{text: "Header requires three arguments"}
	case takes < 2 && len(args) > 2, len(args) > takes+1:
		return nil, &problem{text: "Too many arguments to directive"}
	}
	if len(args) > takes {
		if p := w.headerCondition(e, args[takes]); p != nil {
			return nil, p
		}
	}
	if takes == 0 {
		return e, nil
	}
	return e, w.headerValue(e, args[takes-1])
}

func (e *HeaderEdit) compile(pattern, who string) *problem {
	re, err := expr.CompileRegexp(pattern, false)
	if err != nil {
		return &problem{text: who + " regex could not be compiled", hint: err.Error()}
	}
	e.Regexp = re
	return nil
}

// headerCondition reads the last word.
func (w *walk) headerCondition(e *HeaderEdit, word string) (p *problem) {
	lower := strings.ToLower(word)
	switch {
	case lower == "early":
		e.Early = true
	case strings.HasPrefix(lower, "env="):
		e.Env = word[len("env="):]
		if e.Env == "" || e.Env == "!" {
			return &problem{text: "error: missing environment variable name. envclause should be in the form env=envar "}
		}
	case strings.HasPrefix(lower, "expr="):
		e.If, p = w.condition(word[len("expr="):], "Can't parse envclause/expression: ")
	default:
		return &problem{text: "Unknown parameter: " + word}
	}
	return p
}

// headerValue reads a value (httpd 2.4 modules/metadata/mod_headers.c,
// parse_format_string).
func (w *walk) headerValue(e *HeaderEdit, value string) (p *problem) {
	if text, is := strings.CutPrefix(value, "expr="); is {
		e.Text, p = w.textExpr(text, "Can't parse value expression : ")
		return p
	}
	for value != "" {
		text, rest, found := strings.Cut(value, "%")
		if text != "" {
			e.Value = append(e.Value, HeaderPart{Text: text})
		}
		if !found {
			return nil
		}
		var part HeaderPart
		if part, value, p = headerFormat(rest); p != nil {
			return p
		}
		e.Value = append(e.Value, part)
	}
	return nil
}

// headerFormat reads what stands behind a percent sign.
func headerFormat(s string) (part HeaderPart, rest string, p *problem) {
	if s == "" || s[0] == '%' {
		return HeaderPart{Text: "%"}, strings.TrimPrefix(s, "%"), nil
	}
	if s[0] == '{' {
		name, behind, closed := strings.Cut(s[1:], "}")
		if !closed {
			return part, "", &problem{text: "Unrecognized header format %"}
		}
		part.Text, s = name, behind
		if s == "" {
			return part, "", &problem{text: "Unrecognized header format %"}
		}
	}
	switch part.Format = s[0]; part.Format {
	case 't', 'D', 'l', 'e', 's':
		return part, s[1:], nil
	case 'i', 'b':
		return part, "", &problem{
			text: fmt.Sprintf("Header with %%%c is not obeyed by this version of wshttpd", s[0]), hint: "idle and busy workers are httpd's own",
		}
	}
	return part, "", &problem{text: fmt.Sprintf("Unrecognized header format %%%c", s[0])}
}

// mergeHeaders puts earlier sections' lines first (httpd 2.4
// modules/metadata/mod_headers.c, merge_headers_config).
func mergeHeaders(base, over *HeadersDir) *HeadersDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	return &HeadersDir{
		Success: append(base.Success[:len(base.Success):len(base.Success)], over.Success...),
		Always:  append(base.Always[:len(base.Always):len(base.Always)], over.Always...),
		Request: append(base.Request[:len(base.Request):len(base.Request)], over.Request...),
	}
}
