package process

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// serve serves until a signal ends it, as a worker or alone, and returns the
// exit status. Listening sockets and logs are opened as root.
func (p *process) serve(cfg *httpdconf.Config) int {
	s, ok := p.newServer(cfg)
	if !ok {
		return 1
	}
	signals := p.takeSignals()
	p.adopt(s)
	if err := s.Listen(); err != nil {
		return p.fail(err)
	}
	if p.worker == nil && cfg.PidFile != "" {
		if err := supervise.WritePidFile(cfg.PidFile); err != nil {
			return p.fail(err)
		}
		defer os.Remove(cfg.PidFile)
	}
	if p.worker != nil {
		p.worker.OpenErrors(cfg.Main.ErrorLog)
	}
	if err := supervise.DropRoot(cfg.Run); err != nil {
		return p.fail(err)
	}
	go s.Serve()
	p.announce(s)
	signals.Run(p.actions(s, cfg))
	if p.worker != nil {
		p.worker.EndInOrder()
	}
	return 0
}

// takeSignals begins to take signals: plugins have been loaded, and their
// handlers give way to ours.
func (p *process) takeSignals() *supervise.Signals {
	signals := supervise.Notify(p.Debug)
	pluginloader.NoteSignals()
	if p.worker != nil {
		signals.EndWith(p.worker.Gone)
		close(p.loaded)
	}
	return signals
}

// adopt gives the server what the master has opened.
func (p *process) adopt(s *server.Server) {
	if p.worker != nil {
		s.Adopt(p.worker.Listeners)
		s.AdoptLogs(p.worker.Logs)
		s.AdoptCalls(p.worker.Progress().Calls(), p.worker.Worn)
	}
}

// announce says that the server serves, and where, while there is a terminal.
func (p *process) announce(s *server.Server) {
	for _, url := range s.URLs() {
		fmt.Fprintf(os.Stderr, "%s: serving %s\n", p.Program, url)
	}
	if p.worker != nil {
		p.worker.Ready()
	}
}

// actions are what signals do. To a worker its master says what becomes of the
// configuration, and how long it may drain.
func (p *process) actions(s *server.Server, cfg *httpdconf.Config) supervise.Actions {
	within := func(end func(context.Context) bool) func(context.Context) {
		return func(ctx context.Context) {
			pluginloader.ExitAfter(0, lastTime)
			end(ctx)
		}
	}
	a := supervise.Actions{Drain: s.Drain, Stop: within(s.Shutdown), Restart: within(s.Restart)}
	if p.worker == nil {
		a.DrainTime = cfg.GracefulTimeout
		a.Check = func(ctx context.Context, signal string) { s.LogCheck(signal, supervise.CheckInChild(ctx)) }
	}
	return a
}

// lastTime is until when a process that is told to end has ended, whatever its
// plugins do, their destructors included: within 5 s.
const lastTime = 4900 * time.Millisecond

// fail says why the process ends.
func (p *process) fail(err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", p.Program, err)
	return 1
}
