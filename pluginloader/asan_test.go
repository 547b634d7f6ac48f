package pluginloader

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestSanitizersSeeErrors: what make sanitize runs can fail. Each error ends a
// process of its own.
func TestSanitizersSeeErrors(t *testing.T) {
	if own, ok := debug.ReadBuildInfo(); !ok || setting(own, "-asan") != "true" {
		t.Skip("there is no sanitizer: make sanitize has one")
	}
	file := compile(t, "wrong.c")
	for _, tt := range []struct{ init, report string }{
		{"reads_kept_init", "heap-use-after-free"},
		{"wrong_init", "use-after-poison"}, // Go's memory: behind the zeros that stand behind a message
		{"overruns_init", "insufficient space"},
		{"overflows_init", "signed integer overflow"},
		{"leaks_init", "detected memory leaks"},
		{"right_init", ""},
	} {
		t.Run(tt.init, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"=wrong "+file+" "+tt.init)
			out, err := cmd.CombinedOutput()
			if tt.report == "" && err != nil || tt.report != "" && (err == nil || !strings.Contains(string(out), tt.report)) {
				t.Errorf("ends with %v, want %q in\n%s", err, tt.report, out)
			}
		})
	}
}

// childThatIsWrong serves a connection of the plugin wrong.c, and calls the init
// function then that the job names behind the file.
func childThatIsWrong(job string) {
	file, init, _ := strings.Cut(job, " ")
	l := New(func(level int, format string, args ...any) { fmt.Printf(format+"\n", args...) })
	p, err := l.Load(file, "right_init")
	if err != nil {
		panic(err)
	}
	s := p.Connect(newFakeConn())
	if init == "wrong_init" {
		room := make([]byte, 100+callbackPadding)
		s.Message(wsplugin.Text, room[:100])
	}
	s.Disconnect()
	if _, err := l.Load(file, init); err != nil {
		panic(err)
	}
	Exit(0)
}
