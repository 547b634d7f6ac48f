package supervise

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOptionsAreReadAsGetoptDoes(t *testing.T) {
	tests := map[string]struct {
		args []string
		want CommandLine
	}{
		"value apart":                  {[]string{"-f", "a.conf", "-d", "/root"}, CommandLine{File: "a.conf", Root: "/root"}},
		"value attached":               {[]string{"-fa.conf"}, CommandLine{File: "a.conf"}},
		"-DFOREGROUND is -D":           {[]string{"-DFOREGROUND", "-D", "X"}, CommandLine{Defines: []string{"FOREGROUND", "X"}}},
		"flags share a dash":           {[]string{"-tX"}, CommandLine{Test: true, Debug: true}},
		"a flag and a value share one": {[]string{"-tf", "x"}, CommandLine{Test: true, File: "x"}},
		"options repeat in order":      {[]string{"-c", "A", "-C", "B", "-c", "D"}, CommandLine{After: []string{"A", "D"}, Before: []string{"B"}}},
		"a value may look like one":    {[]string{"-D", "-t"}, CommandLine{Defines: []string{"-t"}}},
		"dashes end the options":       {[]string{"-t", "--"}, CommandLine{Test: true}},
		"levels ignore case":           {[]string{"-e", "DEBUG"}, CommandLine{Level: "debug"}},
		"-k start is the default":      {[]string{"-k", "start"}, CommandLine{Command: "start"}},
		"the other flags":              {[]string{"-v", "-V", "-h"}, CommandLine{Version: true, Build: true, Help: true}},
		"-S is two dumps":              {[]string{"-S"}, CommandLine{Test: true, Defines: []string{"DUMP_VHOSTS", "DUMP_RUN_CFG"}}},
		"-M is one dump":               {[]string{"-M"}, CommandLine{Test: true, Defines: []string{"DUMP_MODULES"}}},
		"-T is no test":                {[]string{"-T"}, CommandLine{NoRoots: true}},
		"lists and a file for errors":  {[]string{"-lL", "-E", "x"}, CommandLine{Static: true, List: true, Errors: "x"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Argv0, test.want.Program = "/usr/sbin/httpd", "httpd"
			got, err := Parse(append([]string{"/usr/sbin/httpd"}, test.args...))
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("Parse(%q) = %+v, %v, want %+v", test.args, *got, err, test.want)
			}
		})
	}
}

func TestWrongOptionsAreAnsweredInHttpdsWords(t *testing.T) {
	tests := []struct {
		args  []string
		text  string
		usage bool
	}{
		{[]string{"-Z"}, "httpd: illegal option -- Z", true},
		{[]string{"-tZ"}, "httpd: illegal option -- Z", true},
		{[]string{"-f"}, "httpd: option requires an argument -- f", true},
		{[]string{"-k", "fly"}, "httpd: illegal option -- k", true},
		{[]string{"-e", "loud"}, "", true},
		{[]string{"operand"}, "", true},
		{[]string{"-"}, "", true},
		{[]string{"--", "operand"}, "", true},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			_, err := Parse(append([]string{"httpd"}, test.args...))
			if err == nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, ErrUsage) != test.usage {
				t.Errorf("Parse(%q) = %v, want %q, with usage %v", test.args, err, test.text, test.usage)
			}
		})
	}
}

func TestPidFileReplacesAnOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "httpd.pid")
	if err := os.WriteFile(path, []byte("1234567890\nold"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WritePidFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := strconv.Itoa(os.Getpid()) + "\n"; string(got) != want || err != nil {
		t.Errorf("pid file = %q, %v, want %q", got, err, want)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 || err != nil {
		t.Errorf("beside the pid file: %v, %v", entries, err)
	}
}

func TestPidFileInMissingFolderIsAnErrorThatNamesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "httpd.pid")
	if err := WritePidFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("WritePidFile = %v", err)
	}
}

// run runs signals to their end and returns what they did, in order.
func run(t *testing.T, s *Signals, a Actions) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		s.Run(a)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("Run goes on")
	}
}

func TestSignalsAreObeyedInTurn(t *testing.T) {
	s := &Signals{incoming: make(chan os.Signal, 16)}
	for _, sig := range []os.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGWINCH} {
		s.incoming <- sig
	}
	var did []string
	run(t, s, Actions{
		Check: func(_ context.Context, sig string) { did = append(did, "check "+sig) },
		Drain: func(context.Context) { did = append(did, "drain") },
		Stop:  func(context.Context) { did = append(did, "stop") },
	})
	if want := []string{"check USR1", "check HUP", "drain", "stop"}; !reflect.DeepEqual(did, want) {
		t.Errorf("did %q, want %q", did, want)
	}
}

func TestSecondTermEndsTheWaiting(t *testing.T) {
	for _, first := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := &Signals{incoming: make(chan os.Signal, 16)}
		s.incoming <- first
		hurried := false
		run(t, s, Actions{
			Stop: func(ctx context.Context) {
				s.incoming <- syscall.SIGTERM
				<-ctx.Done()
				hurried = true
			},
		})
		if !hurried {
			t.Errorf("after %v: Stop was not hurried", first)
		}
	}
}

func TestTermDuringACheckStops(t *testing.T) {
	s := &Signals{incoming: make(chan os.Signal, 16)}
	s.incoming <- syscall.SIGHUP
	stopped := false
	run(t, s, Actions{
		Check: func(ctx context.Context, _ string) {
			s.incoming <- syscall.SIGTERM
			<-ctx.Done()
		},
		Stop: func(ctx context.Context) { stopped = ctx.Err() == nil },
	})
	if !stopped {
		t.Error("Stop did not run after the check, or was hurried by the signal that ended it")
	}
}

func TestTermDuringDrainStops(t *testing.T) {
	s := &Signals{incoming: make(chan os.Signal, 16)}
	s.incoming <- syscall.SIGWINCH
	stopped := false
	run(t, s, Actions{
		Drain: func(ctx context.Context) {
			s.incoming <- syscall.SIGUSR1 // nothing that ends it
			s.incoming <- syscall.SIGTERM
			<-ctx.Done()
		},
		Stop: func(ctx context.Context) { stopped = ctx.Err() == nil },
	})
	if !stopped {
		t.Error("Stop did not run after Drain, or was hurried by the signal that ended Drain")
	}
}

func TestNotifyTakesRealSignals(t *testing.T) {
	s := Notify(true)
	if err := syscall.Kill(os.Getpid(), syscall.SIGPIPE); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil { // ignored by -X
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	stopped := false
	run(t, s, Actions{
		Drain: func(context.Context) { t.Error("WINCH is obeyed in debug mode") },
		Stop:  func(context.Context) { stopped = true },
	})
	if !stopped {
		t.Error("TERM did not stop")
	}
}
