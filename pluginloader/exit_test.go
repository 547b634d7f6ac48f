package pluginloader

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// child ends this process as a server ends that has loaded a plugin. job is
// the exit code, the file and its init function.
func child(job string) {
	if job == "without APR" {
		childWithoutAPR()
	}
	if job, is := strings.CutPrefix(job, "wrong "); is {
		childThatIsWrong(job)
	}
	var code int
	var file, init string
	if _, err := fmt.Sscan(job, &code, &file, &init); err != nil {
		panic(err)
	}
	l := New(func(level int, format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if _, err := l.Load(file, init); err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	Exit(code)
	fmt.Println("Exit has returned")
	os.Exit(98)
}

func TestExit(t *testing.T) {
	file := compile(t, "exits.c")
	tests := []struct {
		name, init, output string
		code               int
		least, most        time.Duration
	}{
		{"runs atexit functions and destructors", "orderly_init", "atexit\ndestructor\n", 3, 0, exitTime - 100*time.Millisecond},
		{"does not wait for ever", "hanging_init", "hanging\n", 4, exitTime, exitTime + 10*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{fmt.Sprint(tt.code), file, tt.init}, " "))
			begin := time.Now()
			out, err := cmd.Output()
			took := time.Since(begin)
			if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != tt.code || string(out) != tt.output {
				t.Errorf("ends with %v and %q; want %d and %q", err, out, tt.code, tt.output)
			}
			if took < tt.least || took > tt.most {
				t.Errorf("took %v, want %v to %v", took, tt.least, tt.most)
			}
		})
	}
}
