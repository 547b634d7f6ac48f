package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Environment variables by which a process of this program tells the one that
// it executes what it is. They hold no more than numbers, addresses and names of logs.
const (
	detachedVariable = "WSHTTPD_DETACHED" // set in the process that has detached
	workerVariable   = "WSHTTPD_WORKER"   // addresses of the listeners that a worker is handed
	logsVariable     = "WSHTTPD_LOGS"     // names of the logs whose pipes it is handed, see joinNames
)

// firstFile is the descriptor of the first of exec.Cmd's ExtraFiles.
const firstFile = 3

// executable is this program, also when its file has been replaced: then what
// is at its place counts, as after a package was upgraded.
func executable() string {
	if path, err := os.Executable(); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "/proc/self/exe"
}

// Detach executes this program again in a session of its own, and waits until
// that serves or has failed: it has written its errors to the same stderr. It
// returns the exit status.
func Detach(stderr *os.File) int {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintf(stderr, "could not detach: %v\n", err)
		return 1
	}
	defer r.Close()
	cmd := exec.Command(executable(), os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), detachedVariable+"=1")
	cmd.Stderr, cmd.Stdout = stderr, os.Stdout
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = w.Close() // the child has it
	if err != nil {
		fmt.Fprintf(stderr, "could not detach: %v\n", err)
		return 1
	}
	if n, _ := r.Read(make([]byte, 1)); n == 1 {
		return 0
	}
	if _, failed := errors.AsType[*exec.ExitError](cmd.Wait()); failed {
		return max(cmd.ProcessState.ExitCode(), 1)
	}
	return 0
}

// IsDetached reports whether this process was executed by Detach.
func IsDetached() bool { return os.Getenv(detachedVariable) != "" }

// openErrors opens the error log once more, for what is written to stderr; nil
// where it is no file, but a program or syslog.
func openErrors(errorLog string) *os.File {
	file, err := os.OpenFile(errorLog, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil
	}
	return file
}

// leaveTerminal has what is written to stderr go to the error log, where that
// is a file, as httpd does; also after the log was rotated. A process that is
// detached has nothing else to write to, nor to read from. The file is closed.
func leaveTerminal(file *os.File, detached bool) error {
	if file == nil && !detached {
		return nil
	}
	null, nullErr := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if nullErr != nil {
		return nullErr
	}
	defer null.Close()
	if file == nil {
		file = null
	}
	defer file.Close()
	if err := unix.Dup2(int(file.Fd()), syscall.Stderr); err != nil || !detached {
		return err
	}
	if err := unix.Dup2(int(null.Fd()), syscall.Stdin); err != nil {
		return err
	}
	return unix.Dup2(int(null.Fd()), syscall.Stdout)
}

// release tells the process that waits in Detach that all is well.
func release() error {
	_ = os.Unsetenv(detachedVariable)
	ready := os.NewFile(firstFile, "readiness")
	defer ready.Close()
	_, err := ready.Write([]byte{1})
	return err
}
