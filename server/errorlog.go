package server

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// errorLog writes httpd's error log, a record a line:
//
//	[Tue Mar 01 10:17:31.710829 2022] [core:info] [pid 15552:tid 15552] [client 127.0.0.1:56484] text
type errorLog struct {
	levels httpdconf.LogLevels
	path   string

	mu   sync.Mutex
	file *os.File // guarded by mu
}

// maxRecord bounds the text of a record in bytes; the rest is cut off.
const maxRecord = 16 << 10

func openErrorLog(path string, levels httpdconf.LogLevels) (*errorLog, error) {
	l := &errorLog{levels: levels, path: path}
	return l, l.reopen()
}

// reopen opens the file anew, after a rotation. When that fails the old one
// stays.
func (l *errorLog) reopen() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("could not open error log file %s: %w", l.path, err)
	}
	l.mu.Lock()
	old := l.file
	l.file = file
	l.mu.Unlock()
	if old != nil {
		_ = old.Close() // nothing of it is left to write
	}
	return nil
}

// enabled reports whether records of a module ("websocket") are written at a
// level.
func (l *errorLog) enabled(module string, level httpdconf.LogLevel) bool {
	return level <= l.levels.Of(module) || level == httpdconf.LevelNotice
}

// printf writes a record. client is host:port, or empty where there is no
// client. Control bytes, quotes of other encodings and newlines are escaped: a
// record stays one line, whatever it quotes.
func (l *errorLog) printf(module string, level httpdconf.LogLevel, client, format string, args ...any) {
	if !l.enabled(module, level) {
		return
	}
	record := appendRecord(nil, module, level, client, fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.file.Write(record) // a full disk is nothing to end a connection for
}

func appendRecord(dst []byte, module string, level httpdconf.LogLevel, client, text string) []byte {
	dst = time.Now().AppendFormat(append(dst, '['), "Mon Jan 02 15:04:05.000000 2006")
	dst = fmt.Appendf(dst, "] [%s:%s] [pid %d:tid %d] ", module, level, os.Getpid(), unix.Gettid())
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
		case c < ' ' || c >= 0x7f:
			dst = fmt.Appendf(dst, `\x%02x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// openLogs opens the error log of the main server.
func (s *Server) openLogs() (err error) {
	s.log, err = openErrorLog(s.cfg.Main.ErrorLog, s.cfg.Main.LogLevels)
	return err
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

// LogCheck logs what came of a signal that asks for a reload.
func (s *Server) LogCheck(signal string, ok bool) {
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
