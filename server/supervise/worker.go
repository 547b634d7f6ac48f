package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wshttpd/wshttpd/server/supervise/callpage"
)

// readyTime bounds the start of a worker.
const readyTime = 60 * time.Second

// worker is a process that serves: one generation of the configuration.
type worker struct {
	cmd     *exec.Cmd
	life    *os.File // what ends with this process, and so tells the worker
	follows *follower
	sockets sockets
	logs    programs
	started time.Time
	ended   chan struct{} // closed when it has
	told    bool          // that it is to end: nobody takes its place
	killed  bool          // by this process
}

func splitList(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// startWorker executes this program as a worker, which may not serve yet.
func startWorker(s sockets, logs programs) (*worker, error) {
	files, follows, err := newProgress()
	if err != nil {
		return nil, err
	}
	lifeEnd, life, err := os.Pipe()
	if err != nil {
		closeAll(files)
		follows.close()
		return nil, err
	}
	files = append(files, lifeEnd)
	addresses := s.addresses()
	cmd := exec.Command(executable(), os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	names := logs.names()
	cmd.Env = append(workerEnviron(), workerVariable+"="+strings.Join(addresses, ","), logsVariable+"="+joinNames(names))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what a terminal sends is the master's to pass on
	cmd.ExtraFiles = slices.Clone(files)
	for _, address := range addresses {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s[address])
	}
	for _, name := range names {
		cmd.ExtraFiles = append(cmd.ExtraFiles, logs[name].Input)
	}
	err = cmd.Start()
	closeAll(files) // the worker has them
	if err != nil {
		_ = life.Close()
		follows.close()
		return nil, err
	}
	w := &worker{cmd: cmd, life: life, follows: follows, sockets: s, logs: logs, started: time.Now(), ended: make(chan struct{})}
	go w.wait()
	return w, nil
}

// workerEnviron is the environment without what concerns this process alone.
func workerEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NOTIFY_SOCKET=") })
}

func (w *worker) wait() {
	_ = w.cmd.Wait() // ProcessState says it
	_ = w.life.Close()
	close(w.ended)
}

// errNotReady is of a worker that has ended; it has said why.
var errNotReady = errors.New("the new process ended before it served")

// awaitReady waits until the worker serves.
func (w *worker) awaitReady() error {
	err := w.follows.ready(readyTime)
	what := w.follows.loading()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && what != "":
		return fmt.Errorf("%s does not return within %v", what, readyTime)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the new process did not serve within %v", readyTime)
	case what != "":
		<-w.ended
		return fmt.Errorf("%s has ended the process: %v", what, w.cmd.ProcessState)
	}
	return errNotReady
}

func (w *worker) signal(sig syscall.Signal) { _ = w.cmd.Process.Signal(sig) } // one that has ended needs none

// kill ends it without asking.
func (w *worker) kill() {
	w.told, w.killed = true, true
	w.signal(syscall.SIGKILL)
	<-w.ended
}

// tell asks it to end, by TERM, HUP or WINCH.
func (w *worker) tell(sig syscall.Signal) {
	w.told = true
	w.signal(sig)
}

// endedAsTold reports whether a worker has ended because it was told to, and
// after all that it had to do.
func (w *worker) endedAsTold() bool {
	return w.told && !w.killed && w.cmd.ProcessState.Success() && w.follows.calls.EndedInOrder()
}

// howEnded says how a worker has ended, with how many connections that are lost,
// and in which callbacks of plugins.
func (w *worker) howEnded() string {
	calls := w.follows.calls
	return fmt.Sprintf("worker %d ended after %v with %d connections: %v, %s", w.cmd.Process.Pid, time.Since(w.started).Round(time.Millisecond),
		calls.Connections(), w.cmd.ProcessState, callpage.Describe(calls.Calls()))
}
