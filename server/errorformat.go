package server

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/logformat"
	"github.com/wshttpd/wshttpd/pluginloader"
)

// errorRecord is what a record of the error log is made of.
type errorRecord struct {
	module string             // empty for a line of a request
	level  httpdconf.LogLevel // -1 for a line of a request
	client string             // host:port; empty where there is none
	text   string             // escaped
	at     time.Time
	host   *httpdconf.Host
	r      *route               // the request that it is of, nil for none
	ctx    *fasthttp.RequestCtx // what it is of without being a request's: a line of a connection; else nil
	origin pluginloader.Origin
}

// appendErrorLine appends a record in a format of ErrorLogFormat, and no
// newline. A field is what begins with a space: where one of its items is empty
// all of it is left out. It returns dst as it was where an item that is required
// is empty (httpd 2.4 server/log.c, do_errorlog_format).
func appendErrorLine(dst []byte, format []logformat.ErrorItem, e *errorRecord) []byte {
	begin, field, skipping := len(dst), len(dst), false
	for i := range format {
		item := &format[i]
		if item.Field {
			field, skipping = len(dst), false
		}
		if item.Directive == 'M' {
			dst = append(dst, e.text...)
			continue
		}
		if skipping {
			continue
		}
		before := len(dst)
		if e.level < 0 || item.MinLevel <= int(e.level) {
			dst = e.append(dst, item)
		}
		switch {
		case len(dst) > before, item.Directive == 0:
		case e.level >= 0 && item.MinLevel > int(e.level):
			dst, skipping = dst[:field], true
		case item.Required:
			return dst[:begin]
		case item.Hyphen:
			dst = append(dst, '-')
		default:
			dst, skipping = dst[:field], true
		}
	}
	return dst
}

// append appends an item (httpd 2.4 server/log.c, log_* functions).
func (e *errorRecord) append(dst []byte, item *logformat.ErrorItem) []byte {
	switch item.Directive {
	case 0:
		return append(dst, item.Text...)
	case 'a':
		if item.Arg == "c" && e.r != nil {
			return append(dst, remoteOf(e.r.ctx).String()...)
		}
		return append(dst, e.client...)
	case 'E':
		return appendEscaped(dst, e.origin.Status)
	case 'F':
		switch {
		case e.origin.Source != "":
			return appendEscaped(dst, e.origin.Source)
		case e.level < 0:
			return dst
		}
		return append(dst, sourceLine()...)
	case 'l':
		return append(dst, levelName(e.level)...)
	case 'm':
		return append(dst, e.module...)
	case 'P':
		return strconv.AppendInt(dst, int64(os.Getpid()), 10)
	case 't':
		return appendErrorTime(dst, e.at, item)
	case 'T':
		return strconv.AppendInt(dst, int64(unix.Gettid()), 10)
	case 'v':
		return append(dst, e.host.Name...)
	}
	switch {
	case e.r == nil && e.ctx != nil:
		return append(dst, ofConnection(e.ctx, item)...)
	case e.r == nil:
		return dst
	}
	return appendEscaped(dst, e.ofRequest(item))
}

// ofConnection returns an item of a connection, in a line of its own.
func ofConnection(ctx *fasthttp.RequestCtx, item *logformat.ErrorItem) string {
	switch {
	case item.Directive == 'A':
		return localAddr(ctx).String()
	case item.Directive == 'k':
		return strconv.Itoa(keepAlivesOf(ctx))
	case item.Directive == 'L' && strings.EqualFold(item.Arg, "c"):
		return *connectionIDOf(ctx)
	}
	return ""
}

// ofRequest returns an item that a record without a request lacks.
func (e *errorRecord) ofRequest(item *logformat.ErrorItem) (value string) {
	r := e.r
	switch item.Directive {
	case 'A', 'k':
		return ofConnection(r.ctx, item)
	case 'e':
		value, _ = r.env.get(item.Arg)
	case 'i':
		value = strings.Join(headerLines(r.ctx, item.Arg), ", ")
	case 'L':
		switch item.Arg {
		case "c":
			return *connectionIDOf(r.ctx)
		case "C":
			return "" // once only: the line of the connection has it
		}
		return r.id
	case 'n':
		value, _ = r.notes.get(item.Arg)
	case 'V':
		return r.serverName()
	}
	return value
}

// levelName is empty for a line of a request.
func levelName(l httpdconf.LogLevel) string {
	if l < 0 {
		return ""
	}
	return l.String()
}

// appendErrorTime is %t (httpd 2.4 server/util_time.c, ap_recent_ctime_ex).
func appendErrorTime(dst []byte, at time.Time, item *logformat.ErrorItem) []byte {
	micro, compact, zone := item.Time()
	layout, year := "Mon Jan 02 15:04:05", " 2006"
	if compact {
		layout, year = "2006-01-02 15:04:05", ""
	}
	if micro {
		layout += ".000000"
	}
	if layout += year; zone {
		layout += " -0700"
	}
	return at.AppendFormat(dst, layout)
}

// sourceLine is where the record was written from: the first caller that is not
// of the log itself.
func sourceLine() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		name := filepath.Base(frame.File)
		if name != "errorformat.go" && name != "errorlog.go" {
			return fmt.Sprintf("%s(%d)", name, frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// connectionIDOf returns what the records of a connection have in common, made
// with the first of them; the access log has it too (httpd 2.4 server/core.c,
// core_generate_log_id).
func connectionIDOf(ctx *fasthttp.RequestCtx) *string {
	switch c := ctx.Conn().(type) {
	case *memConn:
		return &c.front.logID
	case *netConn:
		return &c.logID
	}
	return new(string)
}

// appendErrorLines appends those of the lines that are not empty.
func appendErrorLines(dst []byte, formats [][]logformat.ErrorItem, e *errorRecord) []byte {
	for _, format := range formats {
		before := len(dst)
		if dst = appendErrorLine(dst, format, e); len(dst) > before {
			dst = append(dst, '\n')
		}
	}
	return dst
}

// newLogID makes an id of the length of httpd's, 64 bits.
func newLogID() string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	bits := rand.Uint64()
	var id [11]byte
	for i := range id {
		id[i] = digits[bits&63]
		bits >>= 6
	}
	return string(id[:])
}
