package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
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
	retry   time.Duration    // before a worker that has died is replaced
	respawn <-chan time.Time // when that is; nil where a worker serves
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
	signals := make(chan os.Signal, signalQueue)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGWINCH)
	if IsDetached() {
		syscall.CloseOnExec(firstFile)
	}
	m.cfg, m.pidFile, m.ended = cfg, cfg.PidFileOrDefault(), make(chan *worker)
	if err := m.start(); err != nil {
		if !errors.Is(err, errNotReady) {
			fmt.Fprintln(os.Stderr, err)
		}
		return 1
	}
	m.logConfigured()
	tellSystemd(systemdReady())
	for {
		select {
		case sig := <-signals:
			if m.obey(sig, signals) {
				m.logs.end()
				return 0
			}
		case w := <-m.ended:
			m.buried(w)
		case <-m.respawn:
			m.replace()
		}
	}
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
	err = leaveTerminal(m.cfg.Main.ErrorLog, IsDetached())
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

func (m *Master) newWorker(s sockets, logs programs) (*worker, error) {
	w, err := startWorker(s, logs)
	if err == nil {
		go func() {
			<-w.ended
			m.ended <- w
		}()
	}
	return w, err
}

// obey does what a signal asks for, and reports whether all is over.
func (m *Master) obey(sig os.Signal, signals <-chan os.Signal) bool {
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
		if m.drain(signals) {
			return true
		}
	default:
		m.say(httpdconf.LevelNotice, "AH00491: caught SIGTERM, shutting down")
		m.leave()
	}
	m.stop(signals)
	return true
}

// restart has a new worker serve the configuration as it is now, and then the
// old ones told by a signal. When anything fails all stays as it is.
func (m *Master) restart(tell syscall.Signal) {
	tellSystemd(systemdReloading())
	defer tellSystemd(systemdReady())
	_ = leaveTerminal(m.cfg.Main.ErrorLog, false) // stderr then stays where it is
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
	if m.serving != nil {
		m.older = append(m.older, m.serving)
	} else {
		go m.logs.end()
	}
	m.cfg, m.sockets, m.logs, m.serving, m.retry, m.respawn = cfg, wanted, logs, w, 0, nil
	for _, old := range m.older {
		if !old.told || tell == syscall.SIGHUP {
			old.tell(tell)
		}
	}
	if n := len(m.older); n > maxOlder {
		m.older[0].tell(syscall.SIGHUP)
	}
	m.logConfigured()
}

func (m *Master) keep(why string) {
	m.say(httpdconf.LevelError, why+"; nothing has changed")
}

// buried takes note of a worker that has ended. One that nobody has told to
// end is replaced: at once, or later and later where it did not live long
// (reliability.md, section 4.5).
func (m *Master) buried(w *worker) {
	m.older = slices.DeleteFunc(m.older, func(o *worker) bool { return o == w })
	if w != m.serving {
		go w.logs.end() // those of an older configuration
		return
	}
	m.serving = nil
	m.say(httpdconf.LevelError, w.howEnded())
	if time.Since(w.started) >= shortLived {
		m.retry = 0
		m.replace()
		return
	}
	m.replaceLater()
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

// leave closes the listening sockets and takes the pid file away.
func (m *Master) leave() {
	tellSystemd(systemdStopping)
	m.sockets.closeBut(nil)
	if m.pidFile != "" && os.Remove(m.pidFile) == nil {
		m.say(httpdconf.LevelInfo, fmt.Sprintf("removed PID file %s (pid=%d)", m.pidFile, os.Getpid()))
	}
}

// workers returns those that have not ended.
func (m *Master) workers() []*worker {
	list := slices.Clone(m.older)
	if m.serving != nil {
		list = append(list, m.serving)
	}
	return list
}

// drain has the workers end when their last connection does, and reports
// whether they have; TERM or INT ends the waiting, and GracefulShutdownTimeout
// does.
func (m *Master) drain(signals <-chan os.Signal) bool {
	for _, w := range m.workers() {
		if !w.told {
			w.tell(syscall.SIGWINCH)
		}
	}
	var timeout <-chan time.Time
	if d := m.cfg.GracefulTimeout; d > 0 {
		timeout = time.After(d)
	}
	return m.await(signals, func(sig os.Signal) bool { return sig == syscall.SIGTERM || sig == syscall.SIGINT }, timeout)
}

// stop has the workers end, and kills what is left after endTime. A second
// TERM or INT hurries them.
func (m *Master) stop(signals <-chan os.Signal) {
	for _, w := range m.workers() {
		w.tell(syscall.SIGTERM)
	}
	hurry := func(sig os.Signal) bool {
		if sig == syscall.SIGTERM || sig == syscall.SIGINT {
			for _, w := range m.workers() {
				w.tell(syscall.SIGTERM)
			}
		}
		return false
	}
	if m.await(signals, hurry, time.After(endTime)) {
		return
	}
	for _, w := range m.workers() {
		w.signal(syscall.SIGKILL)
	}
}

// await waits until no worker is left. It reports false when a signal for
// which ends is true came before, or the time has passed.
func (m *Master) await(signals <-chan os.Signal, ends func(os.Signal) bool, timeout <-chan time.Time) bool {
	for len(m.workers()) > 0 {
		select {
		case w := <-m.ended:
			m.older = slices.DeleteFunc(m.older, func(o *worker) bool { return o == w })
			if w == m.serving {
				m.serving = nil
			}
		case sig := <-signals:
			if ends(sig) {
				return false
			}
		case <-timeout:
			return false
		}
	}
	return true
}
