package httpdconf

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/logformat"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// AccessLog is one line of CustomLog, GlobalLog or TransferLog.
type AccessLog struct {
	File   string // absolute, or a program: see Host.ErrorLog
	Format []logformat.Item
	Env    string // of env=; empty logs every request
	Unless bool   // Env must not be set
	Expr   *expr.Expr
	Range  hcl.Range

	text     string // format, or the name of one
	transfer bool   // text is that of the last LogFormat without a name
	global   bool   // hosts with logs of their own have it too
}

// commonLogFormat is httpd's default, "common" of most files.
const commonLogFormat = `%h %l %u %t "%r" %>s %b`

// logConfigCommands are the rows of mod_log_config.
func logConfigCommands() map[string]command {
	return map[string]command{
		"CustomLog":    {"mod_log_config.c", (*walk).customLog, "a file, a format or its name, and `env=` or `expr=`; or a program (`|prog`, `|$shell`) in place of the file; a WebSocket is logged at its end"},
		"BufferedLogs": {"mod_log_config.c", (*walk).bufferedLogs, "lines are gathered up to 4096 bytes, for files"},
		"GlobalLog":    {"mod_log_config.c", (*walk).globalLog, "`CustomLog` for the main server and all virtual hosts, also for those with logs of their own"},
		"TransferLog":  {"mod_log_config.c", (*walk).transferLog, "a file or a program, in the format of the last `LogFormat` without a name"},
		"LogFormat":    {"mod_log_config.c", (*walk).logFormat, "a format, and a name for it; all of httpd's %-directives"},
	}
}

// logSettings are a host's formats while it is read.
type logSettings struct {
	formats map[string]string // by lower-cased name
	plain   string            // the last one without a name
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
	if _, p := w.parseLogFormat(words[0]); p != nil {
		return p
	}
	if len(words) == 1 {
		w.logs().plain = words[0].Text
		return nil
	}
	w.logs().formats[strings.ToLower(words[1].Text)] = words[0].Text
	return nil
}

func (w *walk) transferLog(n *syntax.Node, words []syntax.Arg) *problem {
	w.addLog(n, words[0], &AccessLog{transfer: true})
	return nil
}

// customLog is httpd 2.4 modules/loggers/mod_log_config.c, add_custom_log. A
// format that no LogFormat names is one by itself.
func (w *walk) customLog(n *syntax.Node, words []syntax.Arg) *problem {
	return w.formattedLog(n, words, &AccessLog{text: words[1].Text})
}

func (w *walk) bufferedLogs(_ *syntax.Node, words []syntax.Arg) *problem {
	w.config.BufferedLogs = strings.EqualFold(words[0].Text, "on")
	return nil
}

// globalLog is httpd 2.4 modules/loggers/mod_log_config.c, add_global_log.
func (w *walk) globalLog(n *syntax.Node, words []syntax.Arg) *problem {
	return w.formattedLog(n, words, &AccessLog{text: words[1].Text, global: true})
}

func (w *walk) formattedLog(n *syntax.Node, words []syntax.Arg, l *AccessLog) *problem {
	if strings.Contains(l.text, "%") {
		if _, p := w.parseLogFormat(words[1]); p != nil {
			return p
		}
	}
	if len(words) == 3 {
		if p := l.condition(w.exprOptions(), words[2]); p != nil {
			return p
		}
	}
	w.addLog(n, words[0], l)
	return nil
}

// condition reads env= and expr=.
func (l *AccessLog) condition(options expr.Options, word syntax.Arg) *problem {
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
	e, err := options.Parse(source)
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
	if l.File = file.Text; !strings.HasPrefix(l.File, "|") { // there is no syslog for these
		l.File = w.rootRelative(l.File)
	}
	w.host.AccessLogs = append(w.host.AccessLogs, l)
}

// finishLogs finds the formats that lines name: of the host, then of the main
// server. A host without a log of its own has the main server's; one that has
// some has those of GlobalLog besides (httpd 2.4
// modules/loggers/mod_log_config.c, open_multi_logs and multi_log_transaction).
func (w *walk) finishLogs(h *Host) {
	main := w.config.Main
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
			if named, is := s.formats[strings.ToLower(l.text)]; is && !l.transfer {
				text = named
				break
			}
		}
		if text == "" || strings.EqualFold(text, "CLF") { // the name that httpd gives its default
			text = commonLogFormat
		}
		l.Format, _ = w.parseLogFormat(syntax.Arg{Text: text}) // what has a directive was parsed before
	}
	if h == main {
		return
	}
	isOwn := len(h.AccessLogs) > 0
	for _, l := range main.AccessLogs {
		if !isOwn || l.global {
			h.AccessLogs = append(h.AccessLogs, l)
		}
	}
}

// parseLogFormat takes a format apart, with the directives of the modules that
// are loaded.
func (w *walk) parseLogFormat(format syntax.Arg) ([]logformat.Item, *problem) {
	items, err := logformat.Parse(format.Text, logformat.Modules{SSL: w.modules.isLoaded("mod_ssl.c")})
	if err != nil {
		return nil, &problem{text: err.Error(), at: format.Range}
	}
	return items, nil
}
