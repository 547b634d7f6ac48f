package httpdconf

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// AccessLog is one line of CustomLog or TransferLog.
type AccessLog struct {
	File   string // absolute
	Format []LogItem
	Env    string // of env=; empty logs every request
	Unless bool   // Env must not be set
	Expr   *expr.Expr
	Range  hcl.Range

	text     string // format, or the name of one
	transfer bool   // text is that of the last LogFormat without a name
}

// LogItem is a piece of a log format: text as it is, or a %-directive.
type LogItem struct {
	Text      string
	Directive byte   // 0 for Text; '>' and '<' in front of it make no difference here
	Trailer   bool   // %^ti and %^to
	Arg       string // in braces
	Statuses  []int  // with which it is logged; none for all
	Not       bool   // Statuses are those without which
}

// commonLogFormat is httpd's default, "common" of most files.
const commonLogFormat = `%h %l %u %t "%r" %>s %b`

// logConfigCommands are the rows of mod_log_config.
func logConfigCommands() map[string]command {
	return map[string]command{
		"CustomLog":   {"mod_log_config.c", (*walk).customLog, "a file, a format or its name, and `env=` or `expr=`; a WebSocket is logged at its end. Programs (`|`) are not started, a warning"},
		"TransferLog": {"mod_log_config.c", (*walk).transferLog, "a file, in the format of the last `LogFormat` without a name"},
		"LogFormat":   {"mod_log_config.c", (*walk).logFormat, "a format, and a name for it; all of httpd's %-directives"},
	}
}

// logSettings are a host's formats while it is read.
type logSettings struct {
	formats map[string]string
	plain   string // the last one without a name
}

func (w *walk) logs() *logSettings {
	if w.logFormats == nil {
		w.logFormats = make(map[*Host]*logSettings)
	}
	if w.logFormats[w.host] == nil {
		w.logFormats[w.host] = &logSettings{formats: make(map[string]string)}
	}
	return w.logFormats[w.host]
}

func (w *walk) logFormat(_ *syntax.Node, words []syntax.Arg) *problem {
	if _, p := parseLogFormat(words[0]); p != nil {
		return p
	}
	if len(words) == 1 {
		w.logs().plain = words[0].Text
		return nil
	}
	w.logs().formats[words[1].Text] = words[0].Text
	return nil
}

func (w *walk) transferLog(n *syntax.Node, words []syntax.Arg) *problem {
	w.addLog(n, words[0], &AccessLog{transfer: true})
	return nil
}

// customLog is httpd 2.4 modules/loggers/mod_log_config.c, add_custom_log. A
// format that no LogFormat names is one by itself.
func (w *walk) customLog(n *syntax.Node, words []syntax.Arg) *problem {
	l := &AccessLog{text: words[1].Text}
	if strings.Contains(l.text, "%") {
		if _, p := parseLogFormat(words[1]); p != nil {
			return p
		}
	}
	if len(words) == 3 {
		if p := l.condition(words[2]); p != nil {
			return p
		}
	}
	w.addLog(n, words[0], l)
	return nil
}

// condition reads env= and expr=.
func (l *AccessLog) condition(word syntax.Arg) *problem {
	if name, is := strings.CutPrefix(word.Text, "env="); is {
		l.Env, l.Unless = strings.CutPrefix(name, "!")
		if l.Env == "" {
			return &problem{text: "missing environment variable name", at: word.Range}
		}
		return nil
	}
	source, is := strings.CutPrefix(word.Text, "expr=")
	if !is {
		return &problem{text: "error in condition clause", at: word.Range}
	}
	e, err := expr.Parse(source)
	e, p := checkedExpr(e, err, "")
	if p != nil {
		p.at = word.Range
		return p
	}
	l.Expr = e
	return nil
}

func (w *walk) addLog(n *syntax.Node, file syntax.Arg, l *AccessLog) {
	l.Range = n.Range()
	if strings.HasPrefix(file.Text, "|") {
		w.differs(n, file.Range, LevelWarn, "log_config", n.Name+" to a program"+notObeyed, "name a file, and rotate that")
		return
	}
	l.File = w.rootRelative(file.Text)
	w.host.AccessLogs = append(w.host.AccessLogs, l)
}

// finishLogs finds the formats that lines name: of the host, then of the main
// server. A host without a log of its own has the main server's.
func (w *walk) finishLogs(h *Host) {
	main := w.config.Main
	if len(h.AccessLogs) == 0 && h != main {
		h.AccessLogs = main.AccessLogs
		return
	}
	for _, l := range h.AccessLogs {
		text := l.text
		for _, of := range []*Host{h, main} {
			s := w.logFormats[of]
			if s == nil {
				continue
			}
			if l.transfer && text == "" {
				text = s.plain
			}
			if named, is := s.formats[l.text]; is && !l.transfer {
				text = named
				break
			}
		}
		if text == "" || text == "CLF" { // the name that httpd gives its default
			text = commonLogFormat
		}
		l.Format, _ = parseLogFormat(syntax.Arg{Text: text}) // what has a directive was parsed before
	}
}

// logDirectives are those that stand behind %. It is constant.
const logDirectives = "aABbCDefhHiIklLmnoOpPqrRsStTuUvVX"

// parseLogFormat takes a format apart (httpd 2.4
// modules/loggers/mod_log_config.c, parse_log_string).
func parseLogFormat(format syntax.Arg) (items []LogItem, p *problem) {
	text := ""
	flush := func() {
		if text != "" {
			items = append(items, LogItem{Text: text})
			text = ""
		}
	}
	for s := format.Text; s != ""; {
		switch {
		case s[0] == '\\' && len(s) > 1:
			switch s[1] {
			case 'n':
				text += "\n"
			case 't':
				text += "\t"
			case 'r':
				text += "\r"
			case '"', '\\':
				text += s[1:2]
			default:
				text += s[:2]
			}
			s = s[2:]
		case s[0] == '%' && strings.HasPrefix(s, "%%"):
			text, s = text+"%", s[2:]
		case s[0] == '%':
			item, rest, why := parseLogItem(s[1:])
			if why != "" {
				return nil, &problem{text: why, at: format.Range}
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

// parseLogItem reads a directive behind its % (httpd 2.4
// modules/loggers/mod_log_config.c, parse_log_item).
func parseLogItem(s string) (item LogItem, rest, why string) {
	for s != "" {
		switch c := s[0]; {
		case c == '!':
			item.Not, s = !item.Not, s[1:]
		case c == '<', c == '>', c == ',':
			s = s[1:]
		case c >= '0' && c <= '9':
			n := 0
			for n < len(s) && s[n] >= '0' && s[n] <= '9' {
				n++
			}
			status, _ := strconv.Atoi(s[:n]) // too large a number is no status
			item.Statuses, s = append(item.Statuses, status), s[n:]
		case c == '{':
			end := strings.IndexByte(s, '}')
			if end < 0 {
				return item, "", ranOff
			}
			item.Arg, s = s[1:end], s[end+1:]
		case c == '^' && (strings.HasPrefix(s, "^ti") || strings.HasPrefix(s, "^to")):
			item.Directive, item.Trailer = s[2], true
			return item, s[3:], ""
		case strings.IndexByte(logDirectives, c) >= 0:
			item.Directive = c
			return item, s[1:], ""
		default:
			return item, "", "Unrecognized LogFormat directive %" + s[:1]
		}
	}
	return item, "", ranOff
}

const ranOff = "Ran off end of LogFormat parsing args to some directive"

// Logs reports whether the item is logged with a status.
func (i *LogItem) Logs(status int) bool {
	return len(i.Statuses) == 0 || slices.Contains(i.Statuses, status) != i.Not
}
