package logsink

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// await waits until a file holds text, and returns what it holds.
func await(t *testing.T, path, text string) string {
	t.Helper()
	var held []byte
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		if held, _ = os.ReadFile(path); strings.Contains(string(held), text) {
			return string(held)
		}
	}
	t.Fatalf("%s does not hold %q but %q", path, text, held)
	return ""
}

func open(t *testing.T, name string, o Options) *Sink {
	t.Helper()
	s, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestProgramIsStartedAgain: a program that is killed is replaced, and nothing
// that was written meanwhile is lost.
func TestProgramIsStartedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for _, name := range []string{"|/bin/sh -c 'echo pid $$ >>%s; exec /bin/cat >>%s'", "|| /bin/sh -c 'echo pid $$ >>%s; exec /bin/cat >>%s'", "|$echo pid $$ >>%s; exec cat >>%s"} {
		path := file + fmt.Sprint(len(name))
		said := make(chan string, 8)
		s := open(t, fmt.Sprintf(name, path, path), Options{Complain: func(text string) { said <- text }})
		s.Write(3, []byte("one\n"))
		var pid int
		if _, err := fmt.Sscanf(await(t, path, "one\n"), "pid %d", &pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if text := <-said; !strings.Contains(text, "AH00106: piped log program '") || !strings.Contains(text, "killed") {
			t.Errorf("said %q", text)
		}
		s.Write(3, []byte("two\n"))
		if text := await(t, path, "two\n"); strings.Count(text, "pid ") != 2 {
			t.Errorf("%s wrote %q", name, text)
		}
		s.Write(3, []byte("three\n"))
		s.Close()
		if text, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(text), "three\n") {
			t.Errorf("at the end the log holds %q, %v", text, err)
		}
	}
}

// TestProgramThatDoesNotRead costs its records, and no time.
func TestProgramThatDoesNotRead(t *testing.T) {
	goAhead := filepath.Join(t.TempDir(), "go")
	path := goAhead + ".log"
	var told []int
	s := open(t, "|$while ! test -e "+goAhead+"; do sleep 0.01; done; exec cat >>"+path, Options{
		Lost: func(n int) []byte { return []byte(fmt.Sprintf("lost %d\n", n)) },
		Told: func(n int) { told = append(told, n) },
	})
	record := []byte(strings.Repeat("x", 1023) + "\n")
	began := time.Now()
	const sent = 2000
	for range sent {
		s.Write(3, record)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("%d records took %v", sent, took)
	}
	if err := os.WriteFile(goAhead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(told)
	for begin := time.Now(); len(told) == before && time.Since(begin) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		s.Write(3, []byte("late\n"))
	}
	s.Close()
	text, err := os.ReadFile(path)
	if err != nil || len(told) == before {
		t.Fatalf("nobody was told: %v", err)
	}
	kept := strings.Count(string(text), "x\n")
	lost := 0
	for _, n := range told {
		lost += n
	}
	late := strings.Count(string(text), "late\n")
	if !strings.Contains(string(text), fmt.Sprintf("lost %d\n", told[0])) || kept < maxQueued/1024 || late != 1 || kept+lost < sent {
		t.Errorf("kept %d, told of %v, sent %d; late %d", kept, told, sent, late)
	}
}

// TestStalledProgramIsLeft: the end of the server does not wait for it.
func TestStalledProgramIsLeft(t *testing.T) {
	s := open(t, "|/bin/sleep 60", Options{})
	for range 300 {
		s.Write(3, []byte(strings.Repeat("x", 1023)+"\n"))
	}
	began := time.Now()
	s.Close()
	if took := time.Since(began); took > drainTime+2*endTime {
		t.Errorf("Close took %v", took)
	}
	s.Write(3, []byte("later\n")) // must not block
}

func TestProgramThatIsNotThere(t *testing.T) {
	_, err := Open("|/nonexistent/prog arg", Options{})
	if want := "(2)No such file or directory: AH00089: Couldn't start ErrorLog process '/nonexistent/prog arg'."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, name := range []string{"|", "||", "| "} {
		if _, err := Open(name, Options{}); err == nil {
			t.Errorf("%q is opened", name)
		}
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"a b": {"a", "b"}, " a\t 'b c' ": {"a", "b c"}, `a "b 'c'"d`: {"a", "b 'c'd"}, `a\ b \"c`: {"a b", `"c`}, `a ''`: {"a", ""}, "": nil,
	} {
		if got := words(line); !reflect.DeepEqual(got, want) {
			t.Errorf("words(%q) = %q, want %q", line, got, want)
		}
	}
}

// TestSyslog against a socket as /dev/log is one.
func TestSyslog(t *testing.T) {
	tests := []struct {
		name  string
		level int
		want  string // the priority and the tag
	}{
		{"syslog", 3, "<187>.*own"},
		{"syslog:local1", 4, "<140>.*own"},
		{"syslog:user:chat", 12, "<15>.*chat"},
		{"syslog::chat", 5, "<189>.*chat"},
		{"syslog:mail:", 3, "<19>.*own"},
		{"syslog:none", 3, "<11>.*own"},
		{"syslog:LOCAL", 3, "<131>.*own"},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "log")
		listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, tt.name, Options{Socket: path, Tag: "own"})
		s.Write(tt.level, []byte("[core:error] text\n"))
		if err := listener.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		var buf [1024]byte
		n, err := listener.Read(buf[:])
		form := regexp.MustCompile(fmt.Sprintf(`^%s\[%d\]: \[core:error\] text$`, strings.Replace(tt.want, ".*", `[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d `, 1), os.Getpid()))
		if err != nil || !form.Match(buf[:n]) {
			t.Errorf("%s sends %q, %v; want %v", tt.name, buf[:n], err, form)
		}
		listener.Close()
	}
}

// TestSyslogThatIsNotThere: what is lost is told once somebody listens.
func TestSyslogThatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, "syslog", Options{Socket: path, Lost: func(n int) []byte { return []byte(fmt.Sprintf("lost %d\n", n)) }})
	s.Write(3, []byte("one\n"))
	for begin := time.Now(); time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
		s.queue.mu.Lock()
		lost := s.queue.lost
		s.queue.mu.Unlock()
		if lost == 1 {
			break
		}
	}
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s.Write(3, []byte("two\n"))
	var text string
	for range 2 {
		_ = listener.SetReadDeadline(time.Now().Add(5 * time.Second)) // a read fails in time
		var buf [1024]byte
		n, err := listener.Read(buf[:])
		if err != nil {
			t.Fatal(err)
		}
		text += string(buf[:n]) + "\n"
	}
	if !strings.Contains(text, ": lost 1\n") || !strings.HasSuffix(text, ": two\n") {
		t.Errorf("syslog has %q", text)
	}
}

// TestBuffered: lines wait until there are enough of them, and for a rotation.
func TestBuffered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path, Options{Buffered: true})
	size := func(path string) int {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return len(text)
	}
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range 40 {
		s.Write(0, line)
	}
	if n := size(path); n != 0 {
		t.Errorf("%d bytes are written", n)
	}
	s.Write(0, line)
	if n := size(path); n != 4000 {
		t.Errorf("%d bytes are written, want 4000", n)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	if n := size(path + ".1"); n != 4100 {
		t.Errorf("the old file has %d bytes, want 4100", n)
	}
	s.Write(0, line)
	s.Close()
	if n := size(path); n != 100 {
		t.Errorf("at the end %d bytes are written, want 100", n)
	}
}

// TestNamedPipeDoesNotStall: a file may be one.
func TestNamedPipeDoesNotStall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	s := open(t, path, Options{})
	began := time.Now()
	for range 3000 {
		s.Write(3, []byte(strings.Repeat("x", 1023)+"\n"))
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	s.Close()
}
