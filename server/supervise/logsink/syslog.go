package logsink

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// syslog sends a datagram a record, as syslog(3) does. Where nobody listens
// they are lost; each of them is tried.
type syslog struct {
	socket string
	tag    string
	fac    int

	conn net.Conn // the queue's; nil until it is there
}

// facilities are those that httpd knows, in its order: the first that begins
// with what is written counts (httpd 2.4 server/log.c, facilities). It is
// constant.
var facilities = []struct {
	name string
	code int
}{
	{"auth", 4}, {"authpriv", 10}, {"cron", 9}, {"daemon", 3}, {"ftp", 11}, {"kern", 0}, {"lpr", 6}, {"mail", 2}, {"news", 7}, {"syslog", 5}, {"user", 1}, {"uucp", 8},
	{"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23},
}

// Facilities that httpd falls back to: where none is named, and where it does
// not know the name.
const (
	facilityUser   = 1
	facilityLocal7 = 23
)

// IsSyslog reports whether the name of an error log is syslog's: syslog,
// syslog:facility, syslog:facility:tag (httpd 2.4 server/core.c, set_errorlog).
func IsSyslog(name string) bool { return name == "syslog" || strings.HasPrefix(name, "syslog:") }

func parseSyslog(name string) (facility int, tag string) {
	_, rest, _ := strings.Cut(name, ":")
	wanted, tag, _ := strings.Cut(rest, ":")
	if wanted == "" {
		return facilityLocal7, tag
	}
	for _, f := range facilities {
		if len(wanted) <= len(f.name) && strings.EqualFold(f.name[:len(wanted)], wanted) {
			return f.code, tag
		}
	}
	return facilityUser, tag
}

func openSyslog(name string, o Options) *syslog {
	s := &syslog{socket: cmp.Or(o.Socket, "/dev/log")}
	s.fac, s.tag = parseSyslog(name)
	s.tag = cmp.Or(s.tag, o.Tag)
	return s
}

// datagram makes one of a record, at one of httpd's levels: what is below debug
// is debug.
func (s *syslog) datagram(level int, record []byte) []byte {
	return fmt.Appendf(nil, "<%d>%s %s[%d]: %s", s.fac<<3|min(level, 7), time.Now().Format(time.Stamp), s.tag, os.Getpid(), bytes.TrimRight(record, "\n"))
}

// write sends a datagram, and tries once more on a new socket: whoever listens
// may have been started again. It is the queue's alone.
func (s *syslog) write(datagram []byte) (n int, err error) {
	for range 2 {
		if s.conn == nil {
			if s.conn, err = net.Dial("unixgram", s.socket); err != nil {
				s.conn = nil
				return 0, err
			}
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(drainTime)) // else the write itself fails
		if n, err = s.conn.Write(datagram); err == nil {
			return n, nil
		}
		_ = s.conn.Close() // it is of no use any more
		s.conn = nil
	}
	return 0, err
}

// close closes the socket, once the queue has ended.
func (s *syslog) close() {
	if s.conn != nil {
		_ = s.conn.Close() // datagrams: nothing is under way
	}
}
