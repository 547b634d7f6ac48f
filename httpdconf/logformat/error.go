package logformat

import (
	"errors"
	"strings"
)

// ErrorItem is a piece of an error log's format: text as it is, or a
// %-directive. The zero value is an empty text.
type ErrorItem struct {
	Text      string
	Directive byte   // 0 for Text; 'M' is the message
	Arg       string // in braces
	Field     bool   // begins a field: where one of its items is empty all of it is left out
	Required  bool   // where it is empty the whole line is left out
	Hyphen    bool   // where it is empty - stands there
	MinLevel  int    // below this level its field is left out: 7 is debug
}

// errorDirectives are those of ErrorLogFormat (httpd 2.4 server/core.c,
// register_hooks, ap_register_errorlog_handler). It is constant.
const errorDirectives = "aAeEFiklLmMnPtTvV"

var (
	//lint:ignore ST1005 httpd's words
	errErrorRanOff = errors.New("Ran off end of error log format parsing args to some directive")
	errNoMessage   = errors.New("main ErrorLogFormat must contain message format string '%M'")
	errMessage     = errors.New("%M cannot be used in once-per-request or once-per-connection formats")
)

// ParseError takes a format of ErrorLogFormat apart. One of messages must have a
// place for the message; those of connections and requests have none. Its
// errors are in httpd's words (httpd 2.4 server/core.c, parse_errorlog_string).
func ParseError(format string, ofMessages bool) (items []ErrorItem, err error) {
	hasMessage := false
	for s := format; s != ""; {
		var item ErrorItem
		if item, s, err = parseErrorItem(s); err != nil {
			return nil, err
		}
		hasMessage = hasMessage || item.Directive == 'M'
		items = append(items, item)
	}
	switch {
	case ofMessages && !hasMessage:
		return nil, errNoMessage
	case !ofMessages && hasMessage:
		return nil, errMessage
	}
	return items, nil
}

// parseErrorItem reads an item (httpd 2.4 server/core.c, parse_errorlog_item).
func parseErrorItem(s string) (item ErrorItem, rest string, err error) {
	for strings.HasPrefix(s, "% ") { // a field begins, and no space stands there
		item.Field, s = true, s[2:]
	}
	switch {
	case s == "":
		return item, "", nil
	case s[0] != '%':
		item.Field = item.Field || s[0] == ' '
		item.Text, rest = errorText(s)
		return item, rest, nil
	case strings.HasPrefix(s, "%%"):
		item.Text = "%"
		return item, s[2:], nil
	}
	for s = s[1:]; s != ""; {
		switch c := s[0]; {
		case c == '{':
			item.Arg, s = inBraces(s)
		case c == '+':
			item.Required, s = true, s[1:]
		case c == '-':
			item.Hyphen, s = true, s[1:]
		case isDigit(c):
			item.MinLevel, s = leadingNumber(s)
		case strings.IndexByte(errorDirectives, c) >= 0:
			item.Directive = c
			return item, s[1:], nil
		default:
			return item, "", errors.New("Unrecognized error log format directive %" + s[:1])
		}
	}
	return item, "", errErrorRanOff
}

// errorText reads text up to the next field or directive: a space that is not
// at its begin ends it (httpd 2.4 server/core.c, parse_errorlog_misc_string).
func errorText(s string) (text, rest string) {
	var b strings.Builder
	atStart := true
	for s != "" && s[0] != '%' && (s[0] != ' ' || atStart) {
		atStart = atStart && s[0] == ' '
		if s[0] != '\\' || len(s) == 1 {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		switch s[1] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		default:
			b.WriteByte(s[1])
		}
		s = s[2:]
	}
	return b.String(), s
}

// Time takes the argument of %t apart: microseconds, and the shorter form of a
// time (httpd 2.4 server/log.c, log_ctime).
func (i *ErrorItem) Time() (micro, compact, zone bool) {
	return strings.Contains(i.Arg, "u"), strings.Contains(i.Arg, "c"), strings.Contains(i.Arg, "z")
}
