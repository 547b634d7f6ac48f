package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// WritePidFile writes this process's id, in place of a file that is there
// already, so that a reader never sees half of one.
func WritePidFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write PidFile %q: %w", path, err)
	}
	_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error tells more
		return fmt.Errorf("write PidFile %q: %w", path, err)
	}
	return nil
}

// errPidFile is of a pid file that holds no number.
var errPidFile = errors.New("it holds no process id")

// maxPidFile bounds a pid file in bytes.
const maxPidFile = 32

// readPidFile returns the id that is written in a pid file, and 0 where there
// is no file (httpd 2.4 server/log.c, ap_read_pid).
func readPidFile(path string) (pid int, err error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case len(text) > maxPidFile:
		return 0, errPidFile
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0, errPidFile
	}
	return pid, nil
}

// isAlive reports whether a process has this id. A container may give a new
// server the id of the one before: this process is not meant (httpd 2.4
// server/mpm_unix.c, ap_signal_server).
func isAlive(pid int) bool {
	if pid == os.Getpid() {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
