package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// controlSignals are what -k sends to a server that runs. It is constant.
var controlSignals = map[string]syscall.Signal{
	"stop": syscall.SIGTERM, "graceful-stop": syscall.SIGWINCH, "restart": syscall.SIGHUP, "graceful": syscall.SIGUSR1,
}

// Control obeys -k for the server whose id stands in a PidFile. It reports
// whether this process has to start one: for start, and for restart and
// graceful where none runs (httpd 2.4 os/unix/unixd.c, ap_signal_server).
func Control(w io.Writer, command, pidFile string) (start bool, err error) {
	pid, noted := readPidFile(pidFile)
	runs := noted && isRunning(pid)
	status := ""
	switch {
	case runs:
		status = fmt.Sprintf("httpd (pid %d) already running", pid)
	case noted:
		status = fmt.Sprintf("httpd (pid %d?) not running", pid)
	default:
		status = "httpd (no pid file) not running"
	}
	switch command {
	case "start":
		if runs {
			fmt.Fprintln(w, status)
		}
		return !runs, nil
	case "stop", "graceful-stop":
		if !runs {
			fmt.Fprintln(w, status)
			return false, nil
		}
	case "restart", "graceful":
		if !runs {
			fmt.Fprintln(w, "httpd not running, trying to start")
			return true, nil
		}
	}
	if err := syscall.Kill(pid, controlSignals[command]); err != nil {
		return false, fmt.Errorf("sending signal to server: %w", err)
	}
	return false, nil
}

func readPidFile(path string) (pid int, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return pid, err == nil && pid > 1
}

// isRunning reports whether there is such a process, and that it is not this
// one: containers give out the same numbers again.
func isRunning(pid int) bool {
	if pid == os.Getpid() {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
