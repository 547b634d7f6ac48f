package server

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// TestRecord is httpd's form (httpd-conf.md, section 18), on one line whatever
// is quoted (reliability.md, hazard 27).
func TestRecord(t *testing.T) {
	form := regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{6} \d{4}\] \[core:info\] \[pid \d+:tid \d+\] \[client 127\.0\.0\.1:56484\] AH00128: text\n$`)
	if got := appendRecord(nil, "core", httpdconf.LevelInfo, "127.0.0.1:56484", "AH00128: text"); !form.Match(got) {
		t.Errorf("the record is %q", got)
	}
	if got := appendRecord(nil, "core", httpdconf.LevelInfo, "", "text"); bytes.Contains(got, []byte("client")) {
		t.Errorf("without a client the record is %q", got)
	}
	for text, want := range map[string]string{
		"a\nb": `a\nb`, "a\r\tb": `a\r\tb`, "\b\v": `\b\v`, "\x00\x1b[31m": `\x00\x1b[31m`, "\x7f\xe4\u0085": `\x7f\xe4\xc2\x85`,
		`C:\x "y"`: `C:\\x "y"`,
	} {
		if got := string(appendEscaped(nil, text)); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
	long := appendRecord(nil, "core", httpdconf.LevelInfo, "", strings.Repeat("x", 10*maxRecord))
	if len(long) > maxRecord+200 {
		t.Errorf("a record of %d bytes", len(long))
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, c := range appendEscaped(nil, string(every)) {
		if c < ' ' || c > '~' {
			t.Errorf("byte %d of an escaped text is %#x", i, c)
		}
	}
}

func TestLevels(t *testing.T) {
	l := &errorLog{levels: httpdconf.LogLevels{Default: httpdconf.LevelWarn, Modules: map[string]httpdconf.LogLevel{"websocket": httpdconf.LevelDebug}}}
	inner := l.within(&httpdconf.LogLevels{Default: -1, Modules: map[string]httpdconf.LogLevel{"core": httpdconf.LevelTrace1}})
	tests := []struct {
		log    *errorLog
		module string
		level  httpdconf.LogLevel
		want   bool
	}{
		{l, "core", httpdconf.LevelError, true},
		{l, "core", httpdconf.LevelWarn, true},
		{l, "core", httpdconf.LevelInfo, false},
		{l, "core", httpdconf.LevelNotice, true}, // never held back
		{l, "websocket", httpdconf.LevelDebug, true},
		{l, "websocket", httpdconf.LevelTrace1, false},
		{inner, "core", httpdconf.LevelTrace1, true},
		{inner, "websocket", httpdconf.LevelDebug, true},
		{inner, "mime", httpdconf.LevelInfo, false},
	}
	for _, tt := range tests {
		if got := tt.log.enabled(tt.module, tt.level); got != tt.want {
			t.Errorf("%s at %v: %v, want %v", tt.module, tt.level, got, tt.want)
		}
	}
	if l.within(nil) != l {
		t.Error("a section without levels has a log of its own")
	}
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "error.log")
	if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := openErrorLog(path, httpdconf.LogLevels{Default: httpdconf.LevelWarn}, logsink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	for range 4 {
		writing.Go(func() {
			for range 100 {
				l.printf("core", httpdconf.LevelError, "", "one %s", strings.Repeat("x", 1000))
				l.printf("core", httpdconf.LevelDebug, "", "not written")
			}
		})
	}
	writing.Wait()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.printf("core", httpdconf.LevelError, "", "last")
	if err := l.file.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.printf("core", httpdconf.LevelError, "", "first")
	old, _ := os.ReadFile(path + ".1") // compared below
	lines := strings.Split(strings.TrimSuffix(string(old), "\n"), "\n")
	if len(lines) != 402 || lines[0] != "old" || !strings.HasSuffix(lines[401], "last") {
		t.Errorf("the old file has %d lines, ends in %q", len(lines), lines[len(lines)-1])
	}
	for _, line := range lines[1:401] {
		if !strings.HasSuffix(line, "xxx") || strings.Count(line, "[core:error]") != 1 {
			t.Fatalf("records are mixed: %q", line)
		}
	}
	if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n") != 1 || !strings.HasSuffix(string(text), "first\n") {
		t.Errorf("the new file holds %q, %v", text, err)
	}
	if _, err := openErrorLog(filepath.Join(path, "x"), httpdconf.LogLevels{}, logsink.Options{}); err == nil {
		t.Error("a log below a file is opened")
	}
}

// TestFullDisk: what is lost is counted, and said (hazard 47).
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "error.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	l, err := openErrorLog(path, httpdconf.LogLevels{Default: httpdconf.LevelWarn}, logsink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.printf("core", httpdconf.LevelError, "", "lost")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := l.file.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.printf("core", httpdconf.LevelError, "", "kept")
	l.printf("core", httpdconf.LevelError, "", "kept")
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "3 records were lost") != 1 || strings.Count(string(text), "kept\n") != 2 {
		t.Errorf("the log holds %q, %v", text, err)
	}
}

// TestLogsOfHosts: a virtual host's own file, and the level of a Location.
func TestLogsOfHosts(t *testing.T) {
	l := serve(t, `ServerName main
<Location />
Require all denied
</Location>
<Location /quiet>
LogLevel crit
</Location>
<VirtualHost *:*>
ServerName first
</VirtualHost>
<VirtualHost *:*>
ServerName own
ErrorLog own.log
</VirtualHost>
`, nil)
	ask := func(host, path string) {
		if r := l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n").receive("GET"); r.status != 403 {
			t.Fatalf("%s%s is answered %d", host, path, r.status)
		}
	}
	own := filepath.Join(filepath.Dir(l.log), "own.log")
	ask("own", "/to-own")
	ask("own", "/quiet/x")
	ask("first", "/to-main")
	l.logged(t, "/to-main")
	main, _ := os.ReadFile(l.log)
	text, err := os.ReadFile(own)
	if err != nil || !strings.Contains(string(text), "/to-own") || strings.Contains(string(text), "/to-main") || strings.Contains(string(main), "/to-own") {
		t.Errorf("own.log holds %q, %v; the other %q", text, err, main)
	}
	if strings.Contains(string(text), "/quiet") {
		t.Errorf("LogLevel of a Location is not obeyed: %q", text)
	}
	if err := os.Rename(own, own+".1"); err != nil {
		t.Fatal(err)
	}
	l.LogCheck("USR1", true)
	ask("own", "/after")
	if text, err := os.ReadFile(own); err != nil || !strings.Contains(string(text), "/after") {
		t.Errorf("after a rotation own.log holds %q, %v", text, err)
	}
	l.logged(t, "USR1: the configuration is good")
}
