package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// readyEnv tells a process that it is the one which serves: its descriptor 3
// takes a word once the sockets are bound.
const readyEnv = "WSHTTPD_READY_FD"

const readyFD = 3

// ErrSaid stands for what another process has reported already.
var ErrSaid = errors.New("reported by the process in the background")

// Detach has a copy of this process serve in the background, and returns when
// that has bound its sockets: with ErrSaid when it has ended before.
func Detach(argv []string) error {
	ready, report, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	child := exec.Command("/proc/self/exe")
	child.Args = argv
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", readyEnv, readyFD))
	child.Stderr = os.Stderr
	child.ExtraFiles = []*os.File{report}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	_ = report.Close() // the child has its own
	if word, err := io.ReadAll(ready); err == nil && len(word) > 0 {
		return nil
	}
	_ = child.Wait() // what it had to say is said
	return ErrSaid
}

// IsDetached reports whether this process is Detach's copy.
func IsDetached() bool { return os.Getenv(readyEnv) != "" }

// Ready tells the process that waits in Detach that the sockets are bound.
// From then on what is written to the standard error goes to log, and nothing
// is read from a terminal.
func Ready(log string) error {
	report := os.NewFile(readyFD, "ready")
	_ = os.Unsetenv(readyEnv)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	stderr, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		stderr = null
	} else {
		defer stderr.Close()
	}
	for fd, file := range map[int]*os.File{0: null, 1: null, 2: stderr} {
		if err := syscall.Dup3(int(file.Fd()), fd, 0); err != nil {
			return err
		}
	}
	_, err = report.WriteString("ready")
	return errors.Join(err, report.Close())
}

// RedirectErrors has what is written to the standard error go to a file (-E),
// if one is named.
func RedirectErrors(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", path, err)
	}
	defer file.Close()
	return syscall.Dup3(int(file.Fd()), 2, 0)
}
