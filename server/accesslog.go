package server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/logformat"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// accessEntry is a request that will stand in the access logs, once its answer
// is written, or its WebSocket ends. All but its counts is settled when it is
// made.
type accessEntry struct {
	lines []accessLine
	began time.Time
	in    atomic.Int64 // bytes of the request, and of a WebSocket's frames
	out   atomic.Int64 // bytes that were written since
	from  int64        // of a netConn's count, where out begins
	fate  fate         // of the connection

	hasBody bool // behind the head, and is counted although nobody reads it
	twice   bool // a WebSocket's, which is written when it opens too
}

// accessLine is an entry's line in one log: text with gaps.
type accessLine struct {
	file *logsink.Sink
	text []byte
	gaps []accessGap
}

// accessGap is what is put into a line at its end.
type accessGap struct {
	at   int
	item *logformat.Item
}

// newAccessEntry makes the entry of a request that was answered, nil if no log
// wants it.
func (s *Server) newAccessEntry(ctx *fasthttp.RequestCtx, r *route, status int, began time.Time) *accessEntry {
	var e *accessEntry
	for _, l := range r.host.AccessLogs {
		if !wantsEntry(ctx, r, l) {
			continue
		}
		if e == nil {
			e = &accessEntry{began: began, fate: fateOf(ctx, r, status), hasBody: declaresBody(ctx), twice: status == fasthttp.StatusSwitchingProtocols && r.host.LogUpgrade != nil && *r.host.LogUpgrade}
			e.in.Store(takenBy(ctx))
		}
		line := accessLine{file: s.accessLogs[l.File]}
		facts := accessFacts{ctx: ctx, r: r, status: status, began: began}
		for i := range l.Format {
			item := &l.Format[i]
			switch {
			case item.Directive == 0:
				line.text = append(line.text, item.Text...)
			case !item.Logs(status):
				line.text = append(line.text, '-')
			case isGap(item):
				line.gaps = append(line.gaps, accessGap{len(line.text), item})
			default:
				line.text = appendLogItem(line.text, facts.of(item))
			}
		}
		e.lines = append(e.lines, line)
	}
	return e
}

func wantsEntry(ctx *fasthttp.RequestCtx, r *route, l *httpdconf.AccessLog) bool {
	if l.Env != "" {
		return r.isSet(l.Env) != l.Unless
	}
	if l.Expr == nil {
		return true
	}
	holds, err := l.Expr.Bool(exprEnv{ctx, r})
	return err == nil && holds
}

// takenBy returns how many bytes of a connection a request has taken that no
// request had before it.
func takenBy(ctx *fasthttp.RequestCtx) int64 {
	if c, is := ctx.Conn().(*netConn); is {
		return c.took
	}
	h := &ctx.Request.Header
	line := len(h.Method()) + len(h.RequestURI()) + len(h.Protocol()) + len("  \r\n")
	fields := max(len(receivedHeader(ctx)), len("\r\n")) // fasthttp leaves the blank line out where it has none
	return int64(line + fields + len(ctx.Request.Body()))
}

// isGap reports whether an item is known at the end only.
func isGap(item *logformat.Item) bool {
	switch item.Directive {
	case 'I', 'O', 'S', 'D', 'T', 'X':
		return true
	case 't':
		atEnd, _ := item.Time()
		return atEnd
	}
	return false
}

// opened writes the entry of a WebSocket that has opened, as far as it has come,
// where WebSocketLogUpgrade wants that.
func (e *accessEntry) opened() {
	if e != nil && e.twice {
		e.write()
	}
}

// write writes the entry, whose counts are final, into its logs.
func (e *accessEntry) write() {
	if e == nil {
		return
	}
	for _, l := range e.lines {
		record := make([]byte, 0, len(l.text)+64)
		at := 0
		for _, gap := range l.gaps {
			record = append(record, l.text[at:gap.at]...)
			record = e.appendGap(record, gap.item)
			at = gap.at
		}
		l.file.Write(0, append(append(record, l.text[at:]...), '\n'))
	}
}

func (e *accessEntry) appendGap(dst []byte, item *logformat.Item) []byte {
	took := time.Since(e.began)
	switch item.Directive {
	case 'I':
		return strconv.AppendInt(dst, e.in.Load(), 10)
	case 'O':
		return strconv.AppendInt(dst, e.out.Load(), 10)
	case 'S':
		return strconv.AppendInt(dst, e.in.Load()+e.out.Load(), 10)
	case 'D':
		return strconv.AppendInt(dst, took.Microseconds(), 10)
	case 'T':
		unit := time.Second
		switch item.Arg {
		case "ms":
			unit = time.Millisecond
		case "us":
			unit = time.Microsecond
		case "", "s":
		default:
			return append(dst, item.Arg...)
		}
		return strconv.AppendInt(dst, int64(took/unit), 10)
	}
	if item.Directive == 'X' {
		return append(dst, byte(e.fate))
	}
	_, format := item.Time()
	return append(dst, formatLogTime(time.Now(), format)...)
}

// accessFacts is what the items of a log are taken from.
type accessFacts struct {
	ctx    *fasthttp.RequestCtx
	r      *route
	status int
	began  time.Time
}

// of returns an item of a request (httpd 2.4
// modules/loggers/mod_log_config.c, log_* functions). "-" stands for nothing.
func (f *accessFacts) of(item *logformat.Item) string {
	if item.Long {
		return "-" // no trailers are read or sent, and LogIOTrackTTFB has no effect
	}
	r := f.r
	if !item.Original {
		r = f.r.last()
	}
	switch item.Directive {
	case 'a', 'h':
		if item.Arg == "c" {
			return remoteOf(f.ctx).Addr().String()
		}
		return r.client.Addr().String()
	case 'A':
		return localAddr(f.ctx).Addr().Unmap().String()
	case 'b', 'B':
		if r != f.r.answering() {
			return noBody(item.Directive)
		}
		return f.body(item.Directive)
	case 'C':
		return orDash(cookieOf(f.ctx, item.Arg))
	case 'o':
		if r != f.r.answering() {
			return "-"
		}
		return orDash(f.sent(item.Arg))
	case 'i':
		return orDash(strings.Join(headerLines(f.ctx, item.Arg), ", "))
	case 'k':
		return strconv.Itoa(max(keepAlivesOf(f.ctx)-1, 0))
	case 'P':
		return processID(item.Arg)
	case 's':
		return strconv.Itoa(f.status)
	case 't':
		_, format := item.Time()
		return formatLogTime(f.began, format)
	case 'x', 'c':
		return orDash(exprEnv{f.ctx, r}.sslLogItem(item))
	}
	return f.ofRoute(r, item)
}

// ofRoute returns an item that differs between the request as it came and what
// an ErrorDocument or a rewrite has made of it.
func (f *accessFacts) ofRoute(r *route, item *logformat.Item) string {
	h := &f.ctx.Request.Header
	if f.r.bad != nil && (r == f.r || item.Directive != 'm') { // an ErrorDocument is asked for by GET
		if text, is := f.r.bad.of(item.Directive); is {
			return orDash(text)
		}
	}
	switch item.Directive {
	case 'e':
		value, _ := r.env.get(item.Arg)
		return orDash(value)
	case 'f':
		if r.place.dir == "" { // nobody has looked
			return orDash(r.filename)
		}
		return r.place.name()
	case 'H':
		return string(h.Protocol())
	case 'L':
		if item.Arg == "c" {
			return orDash(*connectionIDOf(f.ctx))
		}
		return orDash(r.id)
	case 'm':
		if r != f.r && r.isDocument {
			return fasthttp.MethodGet
		}
		return string(h.Method())
	case 'n':
		value, _ := r.notes.get(item.Arg)
		return orDash(value)
	case 'p':
		return f.port(item.Arg)
	case 'q':
		if r.query != "" {
			return "?" + r.query
		}
		return ""
	case 'r':
		return string(h.Method()) + " " + string(h.RequestURI()) + " " + string(h.Protocol())
	case 'R':
		if r.isTyped && r.handler() == "" && r.place.what == isFolder {
			return "httpd/unix-directory" // httpd 2.4 modules/http/mod_mime.c, find_ct
		}
		return orDash(r.chosenHandler())
	case 'u':
		if r.user == "" && r.hasUser {
			return `""`
		}
		return orDash(r.user)
	case 'U':
		return orDash(r.path)
	case 'v':
		return r.host.Name
	case 'V':
		return r.serverName()
	}
	return "-" // %l: nobody sets it
}

// unanswered reports whether the client has gone, or was sent away, before it
// had asked for anything.
func (f *accessFacts) unanswered() bool { return f.r.bad != nil && f.r.bad.unanswered }

// sent returns a header of the answer; the type of the content is without its
// parameters (httpd 2.4 modules/loggers/mod_log_config.c, log_header_out).
func (f *accessFacts) sent(name string) string {
	if f.unanswered() {
		return ""
	}
	if f.status == fasthttp.StatusSwitchingProtocols {
		return strings.Join(rawLines(openedBy(f.ctx), name), ", ")
	}
	response := &f.ctx.Response
	value := string(response.Header.Peek(name))
	if value == "" && strings.EqualFold(name, "Content-Length") && f.status != fasthttp.StatusNotModified && !response.IsBodyStream() {
		return strconv.Itoa(len(response.Body())) // as fasthttp will say
	}
	if strings.EqualFold(name, "Content-Type") {
		value, _, _ = strings.Cut(value, ";")
	}
	return value
}

// openedBy returns the head of the answer that has opened a WebSocket, as far as
// it is made: that of draft-76 waits for the client's key 3.
func openedBy(ctx *fasthttp.RequestCtx) []byte {
	switch c := ctx.Conn().(type) {
	case *memConn:
		return c.head
	case *netConn:
		return c.head
	}
	return nil
}

// body returns the size of the answer's body.
func (f *accessFacts) body(directive byte) string {
	size := 0
	switch response := &f.ctx.Response; {
	case f.unanswered():
	case f.status == fasthttp.StatusSwitchingProtocols, f.status == fasthttp.StatusNotModified, f.status == fasthttp.StatusNoContent,
		string(f.ctx.Method()) == fasthttp.MethodHead:
	case response.IsBodyStream():
		size = max(response.Header.ContentLength(), 0)
	default:
		size = len(response.Body())
	}
	if size == 0 {
		return noBody(directive)
	}
	return strconv.Itoa(size)
}

func noBody(directive byte) string {
	if directive == 'b' {
		return "-"
	}
	return "0"
}

// port is %p. What the client has in its Host plays no part (httpd 2.4
// modules/loggers/mod_log_config.c, log_server_port).
func (f *accessFacts) port(which string) string {
	switch which {
	case "", "canonical":
	case "local":
		return strconv.Itoa(int(localAddr(f.ctx).Port()))
	case "remote":
		return strconv.Itoa(int(f.r.client.Port()))
	default:
		return which
	}
	if f.r.host.Port != 0 {
		return strconv.Itoa(f.r.host.Port)
	}
	return strconv.Itoa(f.r.defaultPort())
}

func processID(format string) string {
	switch format {
	case "tid":
		return strconv.Itoa(unix.Gettid())
	case "hextid":
		return strconv.FormatInt(int64(unix.Gettid()), 16)
	case "", "pid":
		return strconv.Itoa(os.Getpid())
	}
	return format
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// cookieOf returns a cookie that the client sent.
func cookieOf(ctx *fasthttp.RequestCtx, name string) string {
	for _, line := range headerLines(ctx, "Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if n, value, has := strings.Cut(strings.TrimSpace(pair), "="); has && strings.EqualFold(strings.TrimSpace(n), name) {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}

// appendLogItem escapes what a client may have chosen: a line stays a line, and
// a quoted item in its quotes (httpd 2.4 server/util.c, ap_escape_logitem).
func appendLogItem(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '"':
			dst = append(dst, `\"`...)
		default:
			dst = appendEscaped(dst, s[i:i+1])
		}
	}
	return dst
}

// formatLogTime is %t: httpd's own format, a number, or strftime's.
func formatLogTime(t time.Time, format string) string {
	switch format {
	case "":
		return t.Format("[02/Jan/2006:15:04:05 -0700]")
	case "sec":
		return strconv.FormatInt(t.Unix(), 10)
	case "msec":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "usec":
		return strconv.FormatInt(t.UnixMicro(), 10)
	case "msec_frac":
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6)
	case "usec_frac":
		return fmt.Sprintf("%06d", t.Nanosecond()/1e3)
	}
	return strftime(t, format)
}

// strftimes are the layouts of strftime's directives. It is constant.
var strftimes = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02",
	'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05",
	'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func strftime(t time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch layout, known := strftimes[format[i]]; {
		case known:
			b.WriteString(t.Format(layout))
		case format[i] == 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case format[i] == 'n':
			b.WriteByte('\n')
		case format[i] == 't':
			b.WriteByte('\t')
		case format[i] == '%':
			b.WriteByte('%')
		default:
			b.WriteString(format[i-1 : i+1])
		}
	}
	return b.String()
}

// openAccessLogs opens what CustomLog and TransferLog name; lines that name the
// same file or program share it.
func (s *Server) openAccessLogs() error {
	s.accessLogs = make(map[string]*logsink.Sink)
	for _, h := range append([]*httpdconf.Host{s.cfg.Main}, s.cfg.Hosts...) {
		for _, l := range h.AccessLogs {
			if s.accessLogs[l.File] != nil {
				continue
			}
			o := s.sinkOptions(l.File)
			o.Buffered, o.Told = s.cfg.BufferedLogs, s.tellLostLines(l.File)
			sink, err := logsink.Open(l.File, o)
			if err != nil {
				return fmt.Errorf("%w (%s:%d)", err, l.Range.Filename, l.Range.Start.Line)
			}
			s.accessLogs[l.File] = sink
		}
	}
	return nil
}

// tellLostLines has the error log say what an access log has lost.
func (s *Server) tellLostLines(name string) func(int) {
	return func(lines int) {
		s.log.printf("log_config", httpdconf.LevelError, "", "%d lines were lost: %s could not be written, or is not read as fast", lines, name)
	}
}
