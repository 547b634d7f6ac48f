package supervise

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Progress is where a process says what it is about to do that may end it, or
// last for ever: a plugin's init function. Who has started it reads it: a line
// for each step, an empty one once it is done, and readyLine in the end. The
// zero value and nil tell nobody.
type Progress struct{ file *os.File }

const readyLine = "ready"

// Doing tells what the process does now; the empty text, that it is done.
func (p *Progress) Doing(what string) {
	if p != nil && p.file != nil {
		_, _ = io.WriteString(p.file, strings.ReplaceAll(what, "\n", " ")+"\n") // who has ended need not be told
	}
}

// end tells that all is done.
func (p *Progress) end() {
	p.Doing(readyLine)
	if p != nil && p.file != nil {
		_ = p.file.Close()
	}
}

// follow reads what a process says until it is ready. It returns the step that
// it has not come back from, "" where it was ready or has said why it is not.
func follow(r *os.File, within time.Duration) (step string, err error) {
	if err := r.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		switch line = strings.TrimSuffix(line, "\n"); {
		case err != nil:
			return step, err
		case line == readyLine:
			return "", nil
		}
		step = line
	}
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
	return &Progress{inherited(firstFile, "progress")}
}

// EndCheck tells that the check has come to its end, good or not.
func (p *Progress) EndCheck() { p.end() }

// CheckApart has a process of its own load the plugins for -t, since they may
// end it. It returns the exit status; what has ended it is said on stderr.
func CheckApart(stderr io.Writer, program string) int {
	fail := func(format string, args ...any) int {
		fmt.Fprintf(stderr, program+": "+format+"\n", args...)
		return 1
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fail("%v", err)
	}
	defer r.Close()
	cmd := exec.Command(executable(), os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), checkVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdin, os.Stdout, os.Stderr, []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	_ = w.Close() // the other process has it
	if err != nil {
		return fail("%v", err)
	}
	step, err := follow(r, readyTime)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return fail("%s does not return within %v", step, readyTime)
	}
	_ = cmd.Wait() // ProcessState says it
	if err != nil {
		return fail("%s has ended the process: %v", step, cmd.ProcessState)
	}
	return cmd.ProcessState.ExitCode()
}
