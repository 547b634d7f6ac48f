package logformat

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Item is a piece of an access log's format: text as it is, or a %-directive.
// The zero value is an empty text.
type Item struct {
	Text      string
	Directive byte   // 0 for Text
	Long      bool   // of ^ti and ^to, the trailers, and of ^FB: Directive is the last letter
	Arg       string // in braces
	Statuses  []int  // with which it is logged; none for all
	Not       bool   // Statuses are those without which

	// Original says that the directive means the request as it came, rather
	// than what an ErrorDocument or a rewrite has made of it.
	Original bool
}

// Modules are those whose directives a format may have besides those of
// mod_log_config and mod_logio.
type Modules struct {
	SSL bool // mod_ssl: %{...}x and %{...}c
}

// directives are those that stand behind %, of mod_log_config and mod_logio. It
// is constant.
const directives = "aABbCDefhHiIklLmnoOpPqrRsStTuUvVX"

// ofOriginal are the directives that mean the original request where neither <
// nor > says otherwise (httpd 2.4 modules/loggers/mod_log_config.c,
// log_pre_config).
const ofOriginal = "DrRsTU"

//lint:ignore ST1005 httpd's words
var errRanOff = errors.New("Ran off end of LogFormat parsing args to some directive")

// Parse takes a format apart. Its errors are in httpd's words (httpd 2.4
// modules/loggers/mod_log_config.c, parse_log_string).
func Parse(format string, loaded Modules) (items []Item, err error) {
	text := ""
	flush := func() {
		if text != "" {
			items = append(items, Item{Text: text})
			text = ""
		}
	}
	for s := format; s != ""; {
		switch {
		case s[0] == '\\':
			plain, n := unescape(s)
			text, s = text+plain, s[n:]
		case strings.HasPrefix(s, "%%"):
			text, s = text+"%", s[2:]
		case s[0] == '%':
			item, rest, err := parseItem(s[1:], loaded)
			if err != nil {
				return nil, err
			}
			flush()
			items, s = append(items, item), rest
		default:
			text, s = text+s[:1], s[1:]
		}
	}
	flush()
	return items, nil
}

// unescape returns what the backslash at the begin of s stands for, with the
// byte behind it, and how many bytes that were (httpd 2.4
// modules/loggers/mod_log_config.c, parse_log_misc_string).
func unescape(s string) (plain string, n int) {
	if len(s) == 1 {
		return s, 1
	}
	switch s[1] {
	case 'n':
		return "\n", 2
	case 't':
		return "\t", 2
	case 'r':
		return "\r", 2
	case '"', '\\':
		return s[1:2], 2
	}
	return s[:2], 2
}

// parseItem reads a directive behind its % (httpd 2.4
// modules/loggers/mod_log_config.c, parse_log_item).
func parseItem(s string, loaded Modules) (item Item, rest string, err error) {
	chosen := false
	for s != "" {
		switch c := s[0]; {
		case c == '!':
			item.Not, s = !item.Not, s[1:]
		case c == '<', c == '>':
			item.Original, chosen, s = c == '<', true, s[1:]
		case c == ',':
			s = s[1:]
		case isDigit(c):
			var status int
			status, s = leadingNumber(s)
			item.Statuses = append(item.Statuses, status)
		case c == '{':
			item.Arg, s = inBraces(s)
		default:
			n := item.setDirective(s, loaded)
			if n == 0 {
				return item, "", errors.New("Unrecognized LogFormat directive %" + s[:1])
			}
			if !chosen {
				item.Original = !item.Long && strings.IndexByte(ofOriginal, item.Directive) >= 0
			}
			return item, s[n:], nil
		}
	}
	return item, "", errRanOff
}

// setDirective takes the directive at the begin of s and returns its length, 0
// if there is none of that name.
func (i *Item) setDirective(s string, loaded Modules) (n int) {
	for _, long := range []string{"^ti", "^to", "^FB"} {
		if strings.HasPrefix(s, long) {
			i.Long, i.Directive = true, long[2]
			return len(long)
		}
	}
	isSSL := loaded.SSL && (s[0] == 'x' || s[0] == 'c')
	if !isSSL && strings.IndexByte(directives, s[0]) < 0 {
		return 0
	}
	i.Directive = s[0]
	return 1
}

// Logs reports whether the item is logged with a status.
func (i *Item) Logs(status int) bool {
	return len(i.Statuses) == 0 || slices.Contains(i.Statuses, status) != i.Not
}

// Time takes the argument of %t apart: whether it means the end of the request
// rather than its begin, and the format (httpd 2.4
// modules/loggers/mod_log_config.c, log_request_time).
func (i *Item) Time() (atEnd bool, format string) {
	for _, prefix := range []string{"begin", "end"} {
		if rest, is := strings.CutPrefix(i.Arg, prefix); is && (rest == "" || rest[0] == ':') {
			return prefix == "end", strings.TrimPrefix(rest, ":")
		}
	}
	return false, i.Arg
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// leadingNumber reads the digits at the begin of s. Too large a number is no
// status, nor a level.
func leadingNumber(s string) (number int, rest string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	number, _ = strconv.Atoi(s[:n]) // the largest number then
	return number, s[n:]
}

// inBraces reads what stands between the brace at the begin of s and the next
// closing one, or the end (httpd 2.4 server/util.c, ap_getword).
func inBraces(s string) (arg, rest string) {
	arg, rest, _ = strings.Cut(s[1:], "}")
	return arg, rest
}
