package supervise_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestProgramsOfLogs: the master runs what logs are piped to. They get every
// line, are others after a graceful restart, outlive a worker that dies, are
// started again, and are gone at the end.
func TestProgramsOfLogs(t *testing.T) {
	s := newSite(t)
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(s.dir, name)) // not there yet
		return string(text)
	}
	program := func(name string) string {
		return fmt.Sprintf("|$echo start $$ $(id -u) >>%s/%s; exec cat >>%s/%s", s.dir, name, s.dir, name)
	}
	s.configure("one", fmt.Sprintf("ErrorLog \"%s\"\nCustomLog \"%s\" \"%%U %%s\"\n", program("errors"), program("lines")))
	s.want([]string{"-k", "start"}, 0, "", "")
	s.get()
	s.await("a line", func() bool { return strings.Contains(read("lines"), "/a.txt 200\n") })
	s.await("the master's word", func() bool { return strings.Contains(read("errors"), "resuming normal operations") })
	s.want([]string{"-k", "graceful"}, 0, "", "")
	s.await("another program", func() bool { return strings.Count(read("lines"), "start ") == 2 })
	s.await("the end of the first", func() bool { return running(read("lines")) == 1 })

	workers := serving(s)
	if len(workers) != 1 {
		t.Fatalf("workers %v", workers)
	}
	var worker, lines int
	if _, err := fmt.Sscan(workers[0], &worker); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("another worker", func() bool { w := serving(s); return len(w) == 1 && w[0] != workers[0] })
	before := strings.Count(read("lines"), "/a.txt")
	s.get()
	s.await("a line of the new worker", func() bool { return strings.Count(read("lines"), "/a.txt") > before })
	if n := strings.Count(read("lines"), "start "); n != 2 {
		t.Errorf("the program was started %d times", n)
	}

	last := read("lines")[strings.LastIndex(read("lines"), "start "):]
	if _, err := fmt.Sscanf(last, "start %d", &lines); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(lines, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("a third program", func() bool { return strings.Count(read("lines"), "start ") == 3 })
	before = strings.Count(read("lines"), "/a.txt")
	s.get()
	s.await("its line", func() bool { return strings.Count(read("lines"), "/a.txt") > before })
	for line := range strings.Lines(read("lines")) {
		if strings.HasPrefix(line, "start ") && !strings.HasSuffix(line, fmt.Sprintf(" %d\n", os.Getuid())) {
			t.Errorf("a program runs as another: %s", line)
		}
	}
	pid := s.pid()
	s.want([]string{"-k", "stop"}, 0, "", "")
	s.await("the end", func() bool {
		return syscall.Kill(pid, 0) != nil && running(read("lines")) == 0 && running(read("errors")) == 0
	})
	if !strings.Contains(read("errors"), "AH00491: caught SIGTERM") {
		t.Errorf("the error log holds %q", read("errors"))
	}
}

// serving returns the workers among the processes of the master.
func serving(s *site) (list []string) {
	for _, process := range s.workers() {
		comm, _ := os.ReadFile("/proc/" + strings.Fields(process)[0] + "/comm") // it may have ended
		if strings.HasPrefix(string(comm), "wshttpd") {
			list = append(list, process)
		}
	}
	return list
}

// running counts the programs that a log names and that run still.
func running(log string) (n int) {
	for line := range strings.Lines(log) {
		var pid int
		if _, err := fmt.Sscanf(line, "start %d", &pid); err == nil && syscall.Kill(pid, 0) == nil {
			n++
		}
	}
	return n
}

// TestProgramThatCannotStart ends the start, as in httpd.
func TestProgramThatCannotStart(t *testing.T) {
	s := newSite(t)
	s.configure("one", "CustomLog \"|/nonexistent/prog a\" common\n")
	s.want([]string{"-k", "start"}, 1, "", "(2)No such file or directory: AH00089: Couldn't start ErrorLog process '/nonexistent/prog a'.\nAH00015: Unable to open logs\n")
}
