package httpdconf

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// defaultTimeout is Timeout where no line sets it.
const defaultTimeout = 60 * time.Second

// coreCommands are the rows of the core that are no sections.
func coreCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"DocumentRoot":    row("folder of the static files", (*walk).setDocumentRoot),
		"SetHandler":      row("`websocket-handler` makes a Location a WebSocket, `None` takes a handler away", (*walk).setHandler),
		"Options":         row("`FollowSymLinks` and `SymLinksIfOwnerMatch` for static files; the others are accepted", (*walk).setOptions),
		"AllowOverride":   row("`None`; anything else refuses the start, since no .htaccess file is read", (*walk).setAllowOverride),
		"ErrorLog":        row("a file, `/dev/stderr` and its like, a program (`|prog`, `|$shell`), or `syslog:facility:tag`", (*walk).setErrorLog),
		"ErrorLogFormat":  row("a format of records, or of `request` and `connection` lines in front of the first record of a request, of a connection that has a request", (*walk).setErrorLogFormat),
		"LogLevel":        row("level of the error log, also by module", (*walk).setLogLevel),
		"Timeout":         row("how long a client may take nothing of what is to be written, in seconds", (*walk).setTimeout),
		"Error":           row("refuses the start with this message", setError),
		"NameVirtualHost": row("no effect, as in httpd 2.4; a warning", (*walk).nameVirtualHost),
		"SetOutputFilter": row("no effect; `INCLUDES` refuses the start", (*walk).outputFilter),
		"DefaultType":     row("no effect, as in httpd 2.4; a warning", (*walk).defaultType),
		"Port":            row("refuses the start, as in httpd 2.4", portIsListen),
	}
}

func (w *walk) setDocumentRoot(n *syntax.Node, words []syntax.Arg) *problem {
	dir := w.rootRelative(words[0].Text)
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole // below a ServerRoot of -d that is relative
	}
	switch {
	case isDirectory(dir), w.options.NoRoots:
	case w.host != w.config.Main:
		w.fail(warning(n, words[0].Range, LevelWarn, "core", "AH00112",
			fmt.Sprintf("Warning: DocumentRoot [%s] does not exist", dir), nearestFile(dir)))
	default:
		return &problem{
			text: fmt.Sprintf("DocumentRoot '%s' is not a directory, or is not readable", dir),
			at:   words[0].Range, hint: nearestFile(dir),
		}
	}
	w.host.DocumentRoot, w.host.RootRange = dir, n.Range()
	return nil
}

func (w *walk) core() *CoreDir {
	if w.records.Core == nil {
		w.records.Core = &CoreDir{}
	}
	return w.records.Core
}

func (w *walk) setHandler(n *syntax.Node, words []syntax.Arg) *problem {
	handler := strings.ToLower(words[0].Text)
	w.core().Handler = &handler
	w.core().HandlerRange = n.Range()
	switch handler {
	case "websocket-handler", "none", "default-handler":
	default:
		w.fail(difference(n, words[0].Range, LevelError, "core",
			fmt.Sprintf("SetHandler %s: wshttpd does not have this handler, what it governs is answered 501", words[0].Text), ""))
	}
	return nil
}

// optionNames are the names of Options' flags. It is constant.
var optionNames = map[string]OptionFlags{
	"indexes": OptIndexes, "includes": OptIncludes, "includesnoexec": OptIncludesNoExec,
	"followsymlinks": OptFollowSymLinks, "symlinksifownermatch": OptSymLinksIfOwnerMatch,
	"execcgi": OptExecCGI, "multiviews": OptMultiViews, "runscripts": OptMultiViews, "none": 0,
	"all": OptIndexes | OptIncludes | OptFollowSymLinks | OptExecCGI,
}

func (w *walk) setOptions(n *syntax.Node, _ []syntax.Arg) *problem {
	o := w.core().Options
	if o == nil {
		o = &OptionSet{}
		w.core().Options = o
	}
	return o.add(n.Words())
}

// add reads one line of Options into o (httpd 2.4 server/core.c, set_options):
// plain names set exactly these, names with signs change what is set.
func (o *OptionSet) add(words []syntax.Arg) *problem {
	for i, a := range words {
		name, sign := a.Text, byte(0)
		if name != "" && (name[0] == '+' || name[0] == '-') {
			sign, name = name[0], name[1:]
		}
		first := words[0].Text
		if signed := first != "" && (first[0] == '+' || first[0] == '-'); signed != (sign != 0) {
			return &problem{text: "Either all Options must start with + or -, or no Option may.", at: a.Range}
		}
		flag, known := optionNames[strings.ToLower(name)]
		if !known {
			return &problem{text: "Illegal option " + name, at: a.Range, hint: hintNearest(name, slices.Collect(maps.Keys(optionNames)))}
		}
		switch {
		case sign == '+':
			o.Add, o.Remove, o.Set = o.Add|flag, o.Remove&^flag, o.Set|flag
		case sign == '-':
			o.Add, o.Remove, o.Set = o.Add&^flag, o.Remove|flag, o.Set&^flag
		case i == 0:
			*o = OptionSet{Set: flag, Absolute: true}
		default:
			o.Set |= flag
		}
	}
	return nil
}

func hintNearest(name string, candidates []string) string {
	if near := nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

// setAllowOverride accepts None: no .htaccess file is read, and one that would
// have been obeyed must not be ignored.
func (w *walk) setAllowOverride(n *syntax.Node, _ []syntax.Arg) *problem {
	if parent := enclosing(n); parent == nil || !strings.HasPrefix(strings.ToLower(parent.Name), "directory") {
		w.fail(warning(n, n.NameRange(), LevelWarn, "core", "AH00114",
			fmt.Sprintf("Useless use of AllowOverride in line %d of %s.", n.Line.Last(), n.Line.Filename()), ""))
		return nil
	}
	for _, a := range n.Words() {
		name, _, _ := strings.Cut(strings.ToLower(a.Text), "=")
		switch name {
		case "none":
		case "all", "authconfig", "fileinfo", "indexes", "limit", "options", "nonfatal":
			return &problem{
				text: fmt.Sprintf("AllowOverride %s: wshttpd does not read .htaccess files", a.Text), at: a.Range,
				hint: "move what they contain into this file, and write AllowOverride None",
			}
		default:
			return &problem{text: "Illegal override option " + a.Text, at: a.Range}
		}
	}
	return nil
}

func (w *walk) setErrorLog(n *syntax.Node, words []syntax.Arg) *problem {
	w.host.ErrorLog = words[0].Text
	if isLogFile(w.host.ErrorLog) {
		w.host.ErrorLog = w.rootRelative(w.host.ErrorLog)
	}
	return nil
}

// isLogFile reports whether the name of a log is that of a file: neither a
// program nor syslog.
func isLogFile(name string) bool {
	return !strings.HasPrefix(name, "|") && name != "syslog" && !strings.HasPrefix(name, "syslog:")
}

// setLogLevel reads LogLevel (httpd 2.4 server/core.c, set_loglevel).
func (w *walk) setLogLevel(n *syntax.Node, words []syntax.Arg) *problem {
	const sentence = "Log level keyword must be one of emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8"
	levels := &w.host.LogLevels
	if w.section != nil {
		if w.core().LogLevels == nil {
			w.core().LogLevels = &LogLevels{Default: -1}
		}
		levels = w.core().LogLevels
	}
	for _, a := range words {
		name, level, hasModule := strings.Cut(a.Text, ":")
		if !hasModule {
			l, known := ParseLogLevel(name)
			if !known {
				return &problem{text: sentence, at: a.Range, hint: hintNearest(name, levelNames)}
			}
			levels.Default = l
			levels.Modules = nil // a default forgets the modules before it
			continue
		}
		l, known := ParseLogLevel(level)
		if !known {
			return &problem{text: a.Text + ": " + sentence, at: a.Range, hint: hintNearest(level, levelNames)}
		}
		module, known := w.logModule(name)
		if !known {
			return &problem{text: "Cannot find module " + name, at: a.Range}
		}
		if levels.Modules == nil {
			levels.Modules = make(map[string]LogLevel)
		}
		levels.Modules[module] = l
	}
	return nil
}

// logModule returns how a module is named in the log: LogLevel takes the
// identifier, the source name, and both without their decoration.
func (w *walk) logModule(name string) (short string, known bool) {
	for _, m := range w.modules.loaded {
		source := m.Source
		if source == "" {
			source = sourceOf(m.Ident)
		}
		switch name {
		case m.Ident, source, shortName(source), m.Ident[:max(len(m.Ident)-len("_module"), 0)]:
			return shortName(source), true
		}
	}
	return "", false
}

func (w *walk) setTimeout(n *syntax.Node, words []syntax.Arg) *problem {
	seconds, rest := leadingNumber(words[0].Text)
	if rest != "" || seconds <= 0 {
		w.warn(n, words[0].Range, "core", fmt.Sprintf("Timeout %s is no number of seconds above 0: %v stays", words[0].Text, w.host.Timeout), "")
		return nil
	}
	w.host.Timeout = time.Duration(min(seconds, 1<<31)) * time.Second
	return nil
}

// leadingNumber reads a number as strtoll does in base 10: blanks and a sign,
// then digits up to the first other byte; too many saturate.
func leadingNumber(s string) (n int64, rest string) {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	if end < len(s) && (s[end] == '+' || s[end] == '-') {
		end++
	}
	digits := end
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == digits {
		return 0, s
	}
	n, _ = strconv.ParseInt(s[:end], 10, 64) // out of range: the nearest bound
	return n, s[end:]
}

// setError is Error: the rest of the line, without the quotes around its
// whole (httpd 2.4 server/core.c, generate_error).
func setError(_ *walk, n *syntax.Node, _ []syntax.Arg) *problem {
	text := n.Args
	if text == "" {
		return &problem{text: "The Error directive was used with no message."}
	}
	if last := len(text) - 1; last > 0 && (text[0] == '"' || text[0] == '\'') && text[last] == text[0] {
		text = text[1:last]
	}
	return &problem{text: text}
}

func (w *walk) nameVirtualHost(n *syntax.Node, _ []syntax.Arg) *problem {
	w.fail(warning(n, n.NameRange(), LevelWarn, "core", "AH00548",
		fmt.Sprintf("NameVirtualHost has no effect and will be removed in the next release %s:%d", n.Line.Filename(), n.Line.Last()), ""))
	return nil
}

// soCommands and mpmCommands are the rows of these modules for the second pass.
func soCommands() map[string]command { return nil }

func mpmCommands() map[string]command {
	return map[string]command{
		"Listen":  {"event.c", (*walk).setListen, "addresses and ports to listen on"},
		"PidFile": {"core.c", (*walk).setPidFile, "file with the number of the process"},
	}
}

func (w *walk) setPidFile(n *syntax.Node, words []syntax.Arg) *problem {
	w.config.PidFile = w.rootRelative(words[0].Text)
	if dir := filepath.Dir(w.config.PidFile); !isDirectory(dir) {
		w.warn(n, words[0].Range, "core", fmt.Sprintf("PidFile %s: no such folder: %s", words[0].Text, dir), "")
	}
	return nil
}

// outputFilter refuses the filter without which a page's directives for the
// server would be sent.
func (w *walk) outputFilter(n *syntax.Node, words []syntax.Arg) *problem {
	if !hasIncludes(words[0].Text) {
		return w.plainForm(n)
	}
	return &problem{
		text: fmt.Sprintf("%s %s%s", n.Name, words[0].Text, notObeyed), at: words[0].Range,
		hint: "the source of the pages would be sent; keep httpd for this part of the site",
	}
}

// defaultType repeats httpd's warning (httpd 2.4 server/core.c,
// set_default_type).
func (w *walk) defaultType(n *syntax.Node, words []syntax.Arg) *problem {
	if !strings.EqualFold(words[0].Text, "none") {
		w.fail(warning(n, n.NameRange(), LevelWarn, "core", "AH00117",
			fmt.Sprintf("Ignoring deprecated use of DefaultType in line %d of %s.", n.Line.Last(), n.Line.Filename()), ""))
	}
	return nil
}

// portIsListen is a directive that only says what took its place.
func portIsListen(_ *walk, n *syntax.Node, words []syntax.Arg) *problem {
	return &problem{text: "Port was replaced with Listen in Apache 2.0", at: n.NameRange(), hint: "write Listen " + words[0].Text}
}
