package process

import (
	"fmt"
	"os"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// process is this process: what the operator asks for, and what the process
// that has executed it wants of it.
type process struct {
	*supervise.CommandLine
	worker *supervise.Handover  // nil if it is no worker
	loaded chan struct{}        // closed when signals are taken: plugins have been loaded
	check  *supervise.Progress  // nil if it does not load plugins for another's -t
	loader *pluginloader.Loader // nil if it loads none
}

// Run does what this process is there for and returns its exit status, which is
// httpd's: 0 or 1. It may be called once: what the process was handed is taken.
func Run(c *supervise.CommandLine) int {
	p := &process{CommandLine: c, worker: supervise.TakeOver(), check: supervise.Checking(), loaded: make(chan struct{})}
	if p.worker != nil {
		go p.endWithMaster()
	}
	if p.worker != nil || p.check != nil || c.OneProcess() && !c.Test {
		p.loader = p.newLoader()
	}
	cfg, ok := p.configure(p.isFirst())
	switch {
	case !ok:
		p.check.EndCheck() // the reason has been said
		cfg.DumpBroken(os.Stdout, c.Defines)
		return 1
	case c.Test:
		return p.test(cfg)
	case p.worker != nil:
		return p.serve(cfg)
	case p.isFirst():
		if start, code := c.Control(cfg.PidFileOrDefault(), os.Stdout, os.Stderr); !start {
			return code
		}
	}
	switch {
	case c.OneProcess():
		return p.serve(cfg)
	case p.isFirst() && !c.Foreground():
		return supervise.Detach(os.Stderr)
	}
	return p.master().Run(cfg)
}

// endWithMaster ends a worker whose master is gone before it serves: no signal
// is taken yet, and an init function may never return.
func (p *process) endWithMaster() {
	select {
	case <-p.worker.Gone:
		pluginloader.ExitAfter(1, 0)
	case <-p.loaded: // what has been taken as a signal goes on from here
	}
}

// isFirst reports whether the operator has started this process.
func (p *process) isFirst() bool {
	return p.worker == nil && p.check == nil && !supervise.IsDetached()
}

// master makes the one that has workers serve. It loads no plugin.
func (p *process) master() *supervise.Master {
	return &supervise.Master{
		Name: server.Software(),
		Log:  server.LogBeside,
		Load: func() (*httpdconf.Config, bool) { return p.configure(true) },
	}
}

// test is -t: plugins are loaded too, by a process of their own, unless a dump
// is asked for.
func (p *process) test(cfg *httpdconf.Config) int {
	switch {
	case cfg.Dump(os.Stdout, p.Defines):
		return 0
	case p.check == nil && cfg.LoadsPlugins():
		return supervise.CheckApart(os.Stderr, p.Program)
	case p.check == nil:
		p.loader = p.newLoader() // for what is not a plugin
	}
	defer p.check.EndCheck()
	if _, ok := p.newServer(cfg); !ok {
		return 1
	}
	fmt.Fprintln(os.Stderr, "Syntax OK")
	return 0
}
