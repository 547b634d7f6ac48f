package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// errorLog writes httpd's error log, a record a line:
//
//	[Tue Mar 01 10:17:31.710829 2022] [core:info] [pid 15552:tid 15552] [client 127.0.0.1:56484] text
//
// Several may share a file, and differ in their levels.
type errorLog struct {
	levels httpdconf.LogLevels
	file   *logsink.Sink
	trace  *trace // takes all records instead of file; nil but for Explain

	host *httpdconf.Host // whose formats hold; nil for httpd's default
	r    *route          // the request whose records these are; nil for none

	cause error // see because
}

// maxRecord bounds the text of a record in bytes; the rest is cut off.
const maxRecord = 16 << 10

// openErrorLog opens a log by its name, as ErrorLog writes it.
func openErrorLog(name string, levels httpdconf.LogLevels, o logsink.Options) (*errorLog, error) {
	o.Tag = logTag
	o.Lost = func(records int) []byte {
		return appendRecord(nil, "core", httpdconf.LevelError, "", fmt.Sprintf("%d records were lost: the log could not be written", records))
	}
	file, err := logsink.Open(name, o)
	return &errorLog{levels: levels, file: file}, err
}

// logTag is how syslog calls this server where ErrorLog says nothing.
const logTag = "wshttpd"

// within returns the log of a section that sets levels of its own.
func (l *errorLog) within(levels *httpdconf.LogLevels) *errorLog {
	if levels == nil {
		return l
	}
	inner := *l
	inner.levels = l.levels.Merge(*levels)
	return &inner
}

// enabled reports whether records of a module ("websocket") are written at a
// level.
func (l *errorLog) enabled(module string, level httpdconf.LogLevel) bool {
	return level <= l.levels.Of(module) || level == httpdconf.LevelNotice
}

// printf writes a record. client is host:port, or empty where there is no
// client. Control bytes and all that is not ASCII are escaped: a record stays
// one line, whatever it quotes.
func (l *errorLog) printf(module string, level httpdconf.LogLevel, client, format string, args ...any) {
	if l.trace != nil {
		l.trace.logged(module, level, fmt.Sprintf(format, args...), l.enabled(module, level))
		return
	}
	if !l.enabled(module, level) {
		return
	}
	l.write(module, level, pluginloader.Origin{Status: statusOf(l.cause)}, client, fmt.Sprintf(format, args...))
}

// because returns the log for a record of what err has led to, which httpd says
// by the system's number and words for it.
func (l *errorLog) because(err error) *errorLog {
	caused := *l
	caused.cause = err
	return &caused
}

// statusOf returns what the system calls an error, empty where it is none of
// its own (httpd 2.4 server/log.c, log_apr_status).
func statusOf(err error) string {
	number, is := errors.AsType[syscall.Errno](err)
	if !is {
		return ""
	}
	text := number.Error() // Go begins with a small letter, C does not
	return fmt.Sprintf("(%d)%s%s", int(number), strings.ToUpper(text[:1]), text[1:])
}

// write writes a record in the host's format, and the lines of a request in
// front of its first one.
func (l *errorLog) write(module string, level httpdconf.LogLevel, origin pluginloader.Origin, client, text string) {
	if l.host == nil {
		l.file.Write(int(level), appendRecordFrom(nil, module, level, origin, client, text))
		return
	}
	lines := l.appendFirstLines(nil, client)
	if l.host.ErrorFormats.Record == nil {
		if l.r != nil {
			text += l.r.referer()
		}
		l.file.Write(int(level), append(lines, appendRecordFrom(nil, module, level, origin, client, text)...))
		return
	}
	e := errorRecord{
		module: module, level: level, origin: origin, client: client, at: time.Now(), host: l.host, r: l.r,
		text: string(appendEscaped(nil, text[:min(len(text), maxRecord)])),
	}
	before := len(lines)
	if lines = appendErrorLine(lines, l.host.ErrorFormats.Record, &e); len(lines) > before {
		lines = append(lines, '\n')
	}
	if len(lines) > 0 {
		l.file.Write(int(level), lines)
	}
}

// appendFirstLines appends the lines that stand in front of the first record of
// a connection, and of a request (httpd 2.4 server/log.c, log_error_core).
func (l *errorLog) appendFirstLines(dst []byte, client string) []byte {
	if l.r == nil {
		return dst
	}
	e := errorRecord{level: -1, client: client, at: time.Now(), host: l.host, ctx: l.r.ctx}
	if id := connectionIDOf(l.r.ctx); *id == "" {
		*id = newLogID()
		dst = appendErrorLines(dst, l.host.ErrorFormats.Connection, &e)
	}
	if l.r.id == "" {
		e.r = l.r
		l.r.id = newLogID()
		dst = appendErrorLines(dst, l.host.ErrorFormats.Request, &e)
	}
	return dst
}

// record is printf for a record with an origin.
func (l *errorLog) record(module string, level httpdconf.LogLevel, origin pluginloader.Origin, client, text string) {
	if l.enabled(module, level) {
		l.write(module, level, origin, client, text)
	}
}

// referer is what a record in httpd's own format ends in (httpd 2.4
// server/log.c, do_errorlog_default).
func (r *route) referer() string {
	if sent := headerLines(r.ctx, "Referer"); len(sent) > 0 {
		return ", referer: " + strings.Join(sent, ", ")
	}
	return ""
}

func appendRecord(dst []byte, module string, level httpdconf.LogLevel, client, text string) []byte {
	return appendRecordFrom(dst, module, level, pluginloader.Origin{}, client, text)
}

func appendRecordFrom(dst []byte, module string, level httpdconf.LogLevel, origin pluginloader.Origin, client, text string) []byte {
	dst = time.Now().AppendFormat(append(dst, '['), "Mon Jan 02 15:04:05.000000 2006")
	dst = fmt.Appendf(dst, "] [%s:%s] [pid %d:tid %d] ", module, level, os.Getpid(), unix.Gettid())
	if level >= httpdconf.LevelDebug && origin.Source != "" {
		dst = append(appendEscaped(dst, origin.Source), ": "...)
	}
	if origin.Status != "" {
		dst = append(appendEscaped(dst, origin.Status), ": "...)
	}
	if client != "" {
		dst = fmt.Appendf(dst, "[client %s] ", client)
	}
	if len(text) > maxRecord {
		text = text[:maxRecord]
	}
	return append(appendEscaped(dst, text), '\n')
}

// appendEscaped escapes as httpd does (httpd 2.4 server/util.c,
// ap_escape_errorlog_item).
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			dst = append(dst, `\\`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\v':
			dst = append(dst, `\v`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c < ' ' || c >= 0x7f:
			dst = fmt.Appendf(dst, `\x%02x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// openLogs opens the error logs of the main server and of the virtual hosts;
// those that name the same file share it.
func (s *Server) openLogs() error {
	files := make(map[string]*logsink.Sink)
	s.hostLogs = make(map[*httpdconf.Host]*errorLog)
	for _, h := range append([]*httpdconf.Host{s.cfg.Main}, s.cfg.Hosts...) {
		if file := files[h.ErrorLog]; file != nil {
			s.hostLogs[h] = &errorLog{levels: h.LogLevels, file: file, host: h}
			continue
		}
		l, err := openErrorLog(h.ErrorLog, h.LogLevels, s.sinkOptions(h.ErrorLog))
		if err != nil {
			return err
		}
		l.host = h
		files[h.ErrorLog], s.hostLogs[h] = l.file, l
	}
	s.log = s.hostLogs[s.cfg.Main]
	return nil
}

// sinkOptions are those of any log: a program that another process runs has its
// pipe from there. s.log may not be open yet when it is called, nor be by the
// time that a program ends.
func (s *Server) sinkOptions(name string) logsink.Options {
	pipe := s.logPipes[name]
	delete(s.logPipes, name)
	return logsink.Options{Pipe: pipe, Complain: func(text string) {
		if log := s.log; log != nil {
			log.printf("core", httpdconf.LevelError, "", "%s", text)
		}
	}}
}

// sinks returns all logs, each once.
func (s *Server) sinks() []*logsink.Sink {
	var list []*logsink.Sink
	for _, sink := range s.accessLogs {
		list = append(list, sink)
	}
	for _, l := range s.hostLogs {
		if !slices.Contains(list, l.file) {
			list = append(list, l.file)
		}
	}
	return list
}

// closeLogs writes what waits and ends the programs, those of errors last.
func (s *Server) closeLogs() {
	for _, sink := range s.sinks() {
		sink.Close()
	}
}

// logOf returns the log of a request's records, which ends with the request.
func (s *Server) logOf(r *route) *errorLog {
	r.log = *s.lastingLogOf(r)
	if r.ctx != nil {
		r.log.r = r
	}
	return &r.log
}

// lastingLogOf returns the log of a request's host, at the levels of its path.
func (s *Server) lastingLogOf(r *route) *errorLog {
	l := s.hostLogs[r.host]
	if r.settings.Core == nil {
		return l
	}
	return l.within(r.settings.Core.LogLevels)
}

// StartupLog returns a log for the time before the error log is open: records
// down to level, a name of LogLevel, go to w; the empty name stands for notice.
// The function takes httpd's numbers of levels.
func StartupLog(w io.Writer, level string) func(level int, format string, args ...any) {
	threshold, known := httpdconf.ParseLogLevel(level)
	if !known {
		threshold = httpdconf.LevelNotice
	}
	return func(level int, format string, args ...any) {
		if l := httpdconf.LogLevel(level); l <= threshold {
			_, _ = w.Write(appendRecord(nil, "websocket", l, "", fmt.Sprintf(format, args...)))
		}
	}
}

// LogCheck logs what came of a signal that asks for a reload. The logs are
// opened anew before: whoever rotates them sends such a signal.
func (s *Server) LogCheck(signal string, ok bool) {
	s.logCounters()
	for _, sink := range s.sinks() {
		if err := sink.Reopen(); err != nil {
			s.log.printf("core", httpdconf.LevelError, "", "%v", err)
		}
	}
	if ok {
		s.log.printf("core", httpdconf.LevelNotice, "",
			"%s: the configuration is good; this version does not reload it, stop and start the server for that", signal)
		return
	}
	s.log.printf("core", httpdconf.LevelError, "", "%s: the configuration has errors; nothing has changed", signal)
}

// httpLog takes what fasthttp reports by itself.
type httpLog struct{ server *Server }

// Printf logs at debug: what a client did wrong is answered, and what fasthttp
// says of it quotes the request.
func (l httpLog) Printf(format string, args ...any) {
	l.server.log.printf("http", httpdconf.LevelDebug, "", "%s", strings.TrimSpace(fmt.Sprintf(format, args...)))
}
