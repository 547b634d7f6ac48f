package supervise

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// newWorker starts a worker and returns once it serves.
func (m *Master) newWorker(s sockets, logs programs) (*worker, error) {
	w, err := startWorker(s, logs)
	if err != nil {
		return nil, err
	}
	if err := m.awaitReady(w); err != nil {
		w.kill()
		w.follows.close()
		return nil, err
	}
	go m.listen(w)
	go func() {
		<-w.ended
		m.ended <- w
	}()
	return w, nil
}

// listen takes what a worker says until it has ended. What it has forked may
// have the other end for longer.
func (m *Master) listen(w *worker) {
	for {
		what, err := w.follows.next()
		if err != nil {
			return
		}
		if what != saysWorn {
			continue
		}
		select {
		case m.worn <- w:
		case <-w.ended:
		}
	}
}

// lastChance is for a worker that is about to serve when the server is to end:
// then it ends in order.
const lastChance = time.Second

// awaitReady waits until a worker serves. TERM and INT end that soon; whatever
// comes meanwhile is obeyed afterwards.
func (m *Master) awaitReady(w *worker) error {
	ready := make(chan error, 1)
	go func() { ready <- w.awaitReady() }()
	ended := w.ended
	var end <-chan time.Time
	for {
		select {
		case err := <-ready:
			return err
		case <-ended: // what it has forked may have the other end for longer
			_ = w.follows.file.Close()
			ended = nil
		case sig := <-m.signals:
			if !slices.Contains(m.later, sig) {
				m.later = append(m.later, sig)
			}
			if isEnd(sig) && end == nil {
				end = time.After(lastChance)
			}
		case <-end:
			w.kill()
			<-ready
			return errors.New("the server was told to end before the new process served")
		}
	}
}

// forget takes a worker that has ended off the lists, and reports whether it
// was the one that serves.
func (m *Master) forget(w *worker) (served bool) {
	m.older = slices.DeleteFunc(m.older, func(o *worker) bool { return o == w })
	if served = w == m.serving; served {
		m.serving = nil
	}
	return served
}

// buried takes note of a worker that has ended. One that nobody has told to
// end is replaced: at once, or later and later where it did not live long
// (reliability.md, section 4.5).
func (m *Master) buried(w *worker) {
	served := m.forget(w)
	if !w.endedAsTold() {
		m.say(httpdconf.LevelError, w.howEnded())
	}
	w.follows.close()
	switch {
	case !served:
		m.endLogs(w.logs)
	case time.Since(w.started) >= shortLived:
		m.retry = 0
		m.replace()
	default:
		m.replaceLater()
	}
}

// endLogs ends the programs of a configuration unless a worker has them.
func (m *Master) endLogs(logs programs) {
	if !m.uses(logs) {
		go logs.end()
	}
}

// uses reports whether the programs are those of the configuration that is
// served, or of a worker.
func (m *Master) uses(logs programs) bool {
	return logs.same(m.logs) || slices.ContainsFunc(m.workers(), func(w *worker) bool { return logs.same(w.logs) })
}

// renewLeast is how long a worker has to have served before another takes its
// place: none has a reason to ask earlier.
const renewLeast = 5 * time.Second

// renew has another worker serve in the place of one that asks for it, which
// goes on with the connections that it has.
func (m *Master) renew(w *worker) {
	if w != m.serving || w.told || time.Since(w.started) < renewLeast {
		return
	}
	m.say(httpdconf.LevelWarn, fmt.Sprintf("worker %d has too many callbacks of plugins that do not return: another takes its place", w.cmd.Process.Pid))
	next, err := m.newWorker(m.sockets, m.logs)
	if err != nil {
		m.keep(err.Error())
		return
	}
	m.serving = next
	m.retire(w, syscall.SIGWINCH)
}

// retire has a worker in whose place another serves end, told by a signal. The
// oldest does at once where there are too many such.
func (m *Master) retire(w *worker, tell syscall.Signal) {
	m.older = append(m.older, w)
	w.tell(tell)
	if len(m.older) > maxOlder {
		m.older[0].tell(syscall.SIGHUP)
	}
}

func (m *Master) replaceLater() {
	m.retry = min(max(2*m.retry, time.Second), maxRetry)
	m.respawn = time.After(m.retry)
}

// replace starts a worker in the place of one that has died.
func (m *Master) replace() {
	m.respawn = nil
	w, err := m.newWorker(m.sockets, m.logs)
	if err != nil {
		m.say(httpdconf.LevelAlert, "no worker serves: "+err.Error())
		m.replaceLater()
		return
	}
	m.serving = w
}

// workers returns those that have not ended.
func (m *Master) workers() []*worker {
	list := slices.Clone(m.older)
	if m.serving != nil {
		list = append(list, m.serving)
	}
	return list
}
