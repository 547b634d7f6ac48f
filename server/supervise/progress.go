package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/wshttpd/wshttpd/server/supervise/callpage"
)

// Progress is what a process tells the one that has executed it: by bytes, how
// far it is, and in memory that both have, what it is about to do that may end
// it or last for ever: calls of plugins. Nil tells nobody.
type Progress struct {
	file  *os.File
	calls *callpage.Page
}

// What is told, each by a byte. Whoever reads it believes no more than that.
const (
	saysReady = 'r' // it serves, or all is done
	saysWorn  = 'w' // too many callbacks do not return: another is to take its place
)

// Calls is where calls of plugins are noted; nil where nobody would read it.
func (p *Progress) Calls() *callpage.Page {
	if p == nil {
		return nil
	}
	return p.calls
}

func (p *Progress) say(what byte) {
	if p != nil {
		_, _ = p.file.Write([]byte{what}) // who has ended need not be told
	}
}

// follower reads what another process tells.
type follower struct {
	file  *os.File
	calls *callpage.Page
}

// newProgress makes a Progress for a process that is to be executed, whose
// files it inherits in this order, and what follows it. The caller closes the
// files once the other process has them.
func newProgress() (files []*os.File, follows *follower, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	page, memory, err := callpage.New()
	if err != nil {
		_, _ = r.Close(), w.Close()
		return nil, nil, err
	}
	return []*os.File{w, memory}, &follower{r, page}, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing was written
	}
}

// inheritedProgress is the Progress that this process was executed with.
func inheritedProgress(first int) *Progress {
	p := &Progress{file: inherited(first, "progress")}
	memory := inherited(first+1, "calls")
	defer memory.Close()
	p.calls, _ = callpage.Map(memory) // without it nothing is noted
	return p
}

// ready waits until the other process is ready, or has failed.
func (f *follower) ready(within time.Duration) error {
	if err := f.file.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	switch what, err := f.next(); {
	case err != nil:
		return err
	case what != saysReady:
		return fmt.Errorf("the new process says %q", what)
	}
	return f.file.SetReadDeadline(time.Time{})
}

// next waits for the next byte; at its end the other process has no more to
// say.
func (f *follower) next() (byte, error) {
	var what [1]byte
	_, err := io.ReadFull(f.file, what[:])
	return what[0], err
}

// loading says what the other process was loading, "" if it was not.
func (f *follower) loading() string {
	for _, c := range f.calls.Calls() {
		if c.Callback == callpage.Load {
			return c.String()
		}
	}
	return ""
}

// close gives up what was followed. The other process may go on.
func (f *follower) close() {
	_ = f.file.Close() // it was read from
	f.calls.Close()
}

// checkVariable is set in the process that loads plugins for -t.
const checkVariable = "WSHTTPD_CHECK"

// Checking returns the progress of the process that loads plugins for -t, and
// nil in any other. Nothing of it reaches what plugins execute.
func Checking() *Progress {
	if _, is := os.LookupEnv(checkVariable); !is {
		return nil
	}
	_ = os.Unsetenv(checkVariable)
	return inheritedProgress(firstFile)
}

// EndCheck tells that the check has come to its end, good or not.
func (p *Progress) EndCheck() { p.say(saysReady) }

// CheckApart has a process of its own load the plugins for -t, since they may
// end it. It returns the exit status; what has ended it is said on stderr.
func CheckApart(stderr io.Writer, program string) int {
	fail := func(format string, args ...any) int {
		fmt.Fprintf(stderr, program+": "+format+"\n", args...)
		return 1
	}
	files, follows, err := newProgress()
	if err != nil {
		return fail("%v", err)
	}
	defer follows.close()
	cmd := exec.Command(executable(), os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), checkVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdin, os.Stdout, os.Stderr, files
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	closeAll(files) // the other process has them
	if err != nil {
		return fail("%v", err)
	}
	err = follows.ready(readyTime)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return fail("%s does not return within %v", follows.loading(), readyTime)
	}
	_ = cmd.Wait() // ProcessState says it
	if err != nil {
		return fail("%s has ended the process: %v", follows.loading(), cmd.ProcessState)
	}
	return cmd.ProcessState.ExitCode()
}
