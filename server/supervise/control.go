package supervise

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// Control does what -k asks for, as far as it concerns a server that runs
// already, which the pid file tells. It reports whether a server is to be
// started, else the exit status (httpd 2.4 server/mpm_unix.c,
// ap_signal_server).
func (c *CommandLine) Control(pidFile string, stdout, stderr io.Writer) (start bool, code int) {
	pid, err := readPidFile(pidFile)
	if err != nil {
		fmt.Fprintf(stderr, "%v: AH00058: Error retrieving pid file %s\nAH00059: Remove it before continuing if it is corrupted.\n", err, pidFile)
		return false, 1
	}
	running := pid != 0 && isAlive(pid)
	switch c.Command {
	case "", "start":
		if running {
			fmt.Fprintf(stdout, "httpd (pid %d) already running\n", pid)
		}
		return !running, 0
	case "stop", "graceful-stop":
		switch {
		case running:
			return false, send(pid, commands[c.Command], stdout)
		case pid != 0:
			fmt.Fprintf(stdout, "httpd (pid %d?) not running\n", pid)
		default:
			fmt.Fprintln(stdout, "httpd (no pid file) not running")
		}
		return false, 0
	}
	if !running {
		fmt.Fprintln(stdout, "httpd not running, trying to start")
		return true, 0
	}
	return false, send(pid, commands[c.Command], stdout)
}

func send(pid int, sig syscall.Signal, stdout io.Writer) (code int) {
	if err := syscall.Kill(pid, sig); err != nil {
		fmt.Fprintf(stdout, "sending signal to server: %v\n", err)
		return 1
	}
	return 0
}

// CheckPidFile returns what is to be said in the log of a pid file that a
// server has left behind (httpd 2.4 server/log.c, ap_log_pid).
func CheckPidFile(path string) string {
	pid, err := readPidFile(path)
	if err != nil || pid == 0 || pid == os.Getpid() {
		return ""
	}
	return fmt.Sprintf("AH00098: pid file %s overwritten -- Unclean shutdown of previous Apache run?", path)
}
