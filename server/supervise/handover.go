package supervise

import (
	"os"
	"strconv"
	"syscall"
)

// Handover is what a worker has from the process that executed it.
type Handover struct {
	Listeners map[string]*os.File // by address, as Listener.Address writes it

	Logs map[string]*os.File // pipes of programs, by the names that the configuration has for them

	progress *Progress
	detached bool
	errors   *os.File        // the error log, for stderr; nil until OpenErrors, or where it is no file
	Gone     <-chan struct{} // closed when that process has ended
}

// Descriptors of a worker: two of its Progress, what ends with the other
// process, and from there on the listeners, then the pipes of logs.
const (
	progressFile = firstFile + iota
	_
	lifeFile
	listenerFile
)

// TakeOver returns what this process was handed, nil if it is no worker.
// Nothing of it reaches what plugins execute.
func TakeOver() *Handover {
	list, is := os.LookupEnv(workerVariable)
	if !is {
		return nil
	}
	_ = os.Unsetenv(workerVariable)
	h := &Handover{Listeners: make(map[string]*os.File), Logs: make(map[string]*os.File), progress: inheritedProgress(progressFile), detached: IsDetached()}
	_ = os.Unsetenv(detachedVariable)
	addresses := splitList(list)
	for i, address := range addresses {
		h.Listeners[address] = inherited(listenerFile+i, address)
	}
	for i, name := range splitNames(os.Getenv(logsVariable)) {
		fd := listenerFile + len(addresses) + i
		_ = syscall.SetNonblock(fd, true) // so that a write to it can be given up
		h.Logs[name] = inherited(fd, "log")
	}
	_ = os.Unsetenv(logsVariable)
	gone := make(chan struct{})
	life := inherited(lifeFile, "life")
	go func() {
		_, _ = life.Read(make([]byte, 1)) // its end is what it says
		close(gone)
	}()
	h.Gone = gone
	return h
}

func inherited(fd int, name string) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name+" "+strconv.Itoa(fd))
}

// Progress is where this process tells how far it is; nil of a process that is
// no worker: nobody listens.
func (h *Handover) Progress() *Progress {
	if h == nil {
		return nil
	}
	return h.progress
}

// OpenErrors opens the error log for what will be written to stderr: what the
// runtime says as the process ends, and what plugins write there. It takes the
// rights with which logs are opened.
func (h *Handover) OpenErrors(errorLog string) { h.errors = openErrors(errorLog) }

// Ready reports that this process serves, and leaves the terminal for the
// error log.
func (h *Handover) Ready() {
	_ = leaveTerminal(h.errors, h.detached) // stderr then stays where it is
	h.progress.say(saysReady)               // if nobody hears it, Gone tells
}

// Worn reports that so many callbacks do not return that another process should
// take this one's place, and this one drain. It may be said again.
func (h *Handover) Worn() { h.progress.say(saysWorn) }

// EndInOrder reports that this process ends because it has come to its end.
func (h *Handover) EndInOrder() { h.progress.calls.EndInOrder() }
