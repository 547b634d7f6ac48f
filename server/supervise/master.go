package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Master is the process whose id stands in the pid file: it holds the
// listening sockets, takes the signals, and has workers serve. It stays root,
// loads no plugin and reads nothing from the network.
//
//	master              pid file, signals, listening sockets
//	  |-- worker        serves, as User and Group
//	  `-- worker        of an older configuration: serves on the WebSockets it has
type Master struct {
	// Name is how the server calls itself, in the log.
	Name string
	// Load reads the configuration anew, and writes what there is to say about
	// it to stderr. It reports whether it can be served.
	Load func() (*httpdconf.Config, bool)
	// Log writes a record to the error log of a configuration; where that is a
	// program, pipe is its input.
	Log func(cfg *httpdconf.Config, pipe *os.File, level httpdconf.LogLevel, text string)

	cfg     *httpdconf.Config
	pidFile string
	sockets sockets
	logs    programs // of cfg
	serving *worker
	older   []*worker
	ended   chan *worker
	worn    chan *worker     // ask for another in their place
	retry   time.Duration    // before a worker that has died is replaced
	respawn <-chan time.Time // when that is; nil where a worker serves
	signals chan os.Signal
	later   []os.Signal // that came while a worker started, each once
}

// What bounds the end: a worker may take its own time to end (server.Shutdown),
// and is killed some time after that.
const (
	endTime     = 7 * time.Second
	maxOlder    = 8 // generations that may still have WebSockets
	maxRetry    = 30 * time.Second
	shortLived  = 10 * time.Second
	signalQueue = 16
)

// Run serves cfg until a signal ends it, and returns the exit status.
func (m *Master) Run(cfg *httpdconf.Config) int {
	m.signals = make(chan os.Signal, signalQueue)
	ignore()
	signal.Notify(m.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGWINCH)
	if IsDetached() {
		syscall.CloseOnExec(firstFile)
	}
	m.cfg, m.pidFile, m.ended, m.worn = cfg, cfg.PidFileOrDefault(), make(chan *worker), make(chan *worker)
	if err := m.start(); err != nil {
		if !errors.Is(err, errNotReady) {
			fmt.Fprintln(os.Stderr, err)
		}
		return 1
	}
	m.logConfigured()
	tellSystemd(systemdReady())
	for !m.turn() {
	}
	m.logs.end()
	return 0
}

// turn does the next thing that there is to do, and reports whether all is over.
func (m *Master) turn() bool {
	if len(m.later) > 0 {
		sig := m.later[0]
		m.later = m.later[1:]
		return m.obey(sig)
	}
	select {
	case sig := <-m.signals:
		return m.obey(sig)
	case w := <-m.ended:
		m.buried(w)
	case w := <-m.worn:
		m.renew(w)
	case <-m.respawn:
		m.replace()
	}
	return false
}

// start is what has to go well before the server is said to run.
func (m *Master) start() (err error) {
	if m.sockets, err = sockets(nil).bind(m.cfg.Listeners); err != nil {
		return err
	}
	if m.logs, err = startPrograms(m.cfg, m.complain); err != nil {
		return fmt.Errorf("%w\nAH00015: Unable to open logs", err)
	}
	if m.serving, err = m.newWorker(m.sockets, m.logs); err != nil {
		m.logs.end()
		return err
	}
	if err := m.claimPidFile(); err != nil {
		m.serving.kill()
		m.logs.end()
		return err
	}
	err = leaveTerminal(openErrors(m.cfg.Main.ErrorLog), IsDetached())
	if err == nil && IsDetached() {
		err = release()
	}
	if err != nil {
		m.serving.kill()
		m.logs.end()
	}
	return err
}

// say writes a record to the error log.
func (m *Master) say(level httpdconf.LogLevel, text string) {
	m.Log(m.cfg, m.logs.input(m.cfg.Main.ErrorLog), level, text)
}

// complain says something of a program, from a goroutine of its own: to stderr,
// since the error log may be what it is about.
func (m *Master) complain(text string) { fmt.Fprintln(os.Stderr, text) }

func (m *Master) logConfigured() {
	m.say(httpdconf.LevelNotice, fmt.Sprintf("AH00489: %s configured -- resuming normal operations", m.Name))
	m.say(httpdconf.LevelNotice, fmt.Sprintf("AH00094: Command line: '%s'", strings.Join(os.Args, " ")))
}

// claimPidFile writes the pid file. Without PidFile, and without a folder for
// what stands for it, the server runs and cannot be found.
func (m *Master) claimPidFile() error {
	if _, err := os.Stat(filepath.Dir(m.pidFile)); err != nil && m.cfg.PidFile == "" {
		m.say(httpdconf.LevelWarn, fmt.Sprintf("no PidFile is set, and there is no folder for %s: -k will not find this server", m.pidFile))
		m.pidFile = ""
		return nil
	}
	if text := CheckPidFile(m.pidFile); text != "" {
		m.say(httpdconf.LevelWarn, text)
	}
	return WritePidFile(m.pidFile)
}

// isEnd reports whether a signal ends the server.
func isEnd(sig os.Signal) bool { return sig == syscall.SIGTERM || sig == syscall.SIGINT }

// obey does what a signal asks for, and reports whether all is over.
func (m *Master) obey(sig os.Signal) bool {
	switch sig {
	case syscall.SIGUSR1:
		m.say(httpdconf.LevelNotice, "AH00493: SIGUSR1 received.  Doing graceful restart")
		m.restart(syscall.SIGWINCH)
		return false
	case syscall.SIGHUP:
		m.say(httpdconf.LevelNotice, "AH00494: SIGHUP received.  Attempting to restart")
		m.restart(syscall.SIGHUP)
		return false
	case syscall.SIGWINCH:
		m.say(httpdconf.LevelNotice, "AH00492: caught SIGWINCH, shutting down gracefully")
		m.leave()
		if m.drain() {
			return true
		}
	default:
		m.say(httpdconf.LevelNotice, "AH00491: caught SIGTERM, shutting down")
		m.leave()
	}
	m.stop()
	return true
}

// restart has a new worker serve the configuration as it is now, and then the
// old ones told by a signal. When anything fails all stays as it is.
func (m *Master) restart(tell syscall.Signal) {
	tellSystemd(systemdReloading())
	defer tellSystemd(systemdReady())
	_ = leaveTerminal(openErrors(m.cfg.Main.ErrorLog), false) // stderr then stays where it is
	cfg, ok := m.Load()
	if !ok {
		m.keep("the configuration has errors")
		return
	}
	wanted, err := m.sockets.bind(cfg.Listeners)
	if err != nil {
		m.keep(err.Error())
		return
	}
	logs, err := startPrograms(cfg, m.complain)
	if err != nil {
		wanted.closeBut(m.sockets)
		m.keep(err.Error())
		return
	}
	w, err := m.newWorker(wanted, logs)
	if err != nil {
		wanted.closeBut(m.sockets)
		logs.end()
		m.keep(err.Error())
		return
	}
	m.sockets.closeBut(wanted)
	old, oldLogs := m.serving, m.logs
	m.cfg, m.sockets, m.logs, m.serving, m.retry, m.respawn = cfg, wanted, logs, w, 0, nil
	for _, o := range m.older {
		if !o.told || tell == syscall.SIGHUP {
			o.tell(tell)
		}
	}
	if old != nil {
		m.retire(old, tell)
	} else {
		m.endLogs(oldLogs)
	}
	m.logConfigured()
}

func (m *Master) keep(why string) {
	m.say(httpdconf.LevelError, why+"; nothing has changed")
}

// leave closes the listening sockets and takes the pid file away.
func (m *Master) leave() {
	tellSystemd(systemdStopping)
	m.sockets.closeBut(nil)
	if m.pidFile != "" && os.Remove(m.pidFile) == nil {
		m.say(httpdconf.LevelInfo, fmt.Sprintf("removed PID file %s (pid=%d)", m.pidFile, os.Getpid()))
	}
}

// drain has the workers end when their last connection does, and reports
// whether they have; TERM or INT ends the waiting, and GracefulShutdownTimeout
// does.
func (m *Master) drain() bool {
	for _, w := range m.workers() {
		if !w.told {
			w.tell(syscall.SIGWINCH)
		}
	}
	var timeout <-chan time.Time
	if d := m.cfg.GracefulTimeout; d > 0 {
		timeout = time.After(d)
	}
	return m.await(isEnd, timeout)
}

// stop has the workers end, and kills what is left after endTime. A second
// TERM or INT hurries them.
func (m *Master) stop() {
	for _, w := range m.workers() {
		w.tell(syscall.SIGTERM)
	}
	hurry := func(sig os.Signal) bool {
		if isEnd(sig) {
			for _, w := range m.workers() {
				w.tell(syscall.SIGTERM)
			}
		}
		return false
	}
	if m.await(hurry, time.After(endTime)) {
		return
	}
	for _, w := range m.workers() {
		w.kill()
		m.say(httpdconf.LevelError, w.howEnded())
	}
}

// await waits until no worker is left. It reports false when a signal for
// which ends is true came before, or the time has passed.
func (m *Master) await(ends func(os.Signal) bool, timeout <-chan time.Time) bool {
	for len(m.workers()) > 0 {
		select {
		case w := <-m.ended:
			m.forget(w)
			if !w.endedAsTold() {
				m.say(httpdconf.LevelError, w.howEnded())
			}
			w.follows.close()
		case <-m.worn: // it ends anyway
		case sig := <-m.signals:
			if ends(sig) {
				return false
			}
		case <-timeout:
			return false
		}
	}
	return true
}
