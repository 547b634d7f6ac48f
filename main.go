// Command wshttpd takes the place of Apache httpd with mod_websocket: it reads
// the httpd.conf that is already there, listens by itself, and serves its
// WebSocket Locations with the plugins that are named there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/apxs"
	"github.com/wshttpd/wshttpd/server/doctor"
	"github.com/wshttpd/wshttpd/server/supervise"
)

func main() {
	code := run(os.Args)
	pluginloader.Exit(code)
}

// run is main with an exit status: httpd's, which knows 0 and 1.
func run(argv []string) int {
	if code, done := apxs.Run(argv); done {
		return code
	}
	c, err := supervise.Parse(argv)
	if err != nil {
		if text := strings.TrimPrefix(err.Error(), supervise.ErrUsage.Error()); text != "" {
			fmt.Fprintln(os.Stderr, strings.TrimPrefix(text, ": "))
		}
		if errors.Is(err, supervise.ErrUsage) {
			fmt.Fprint(os.Stderr, c.Usage())
		}
		return 1
	}
	if code, done := c.Inform(os.Stdout, os.Stderr, server.Software(), server.BuildTime()); done {
		return code
	}
	if err := c.RedirectErrors(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Program, err)
		return 1
	}
	if code, done := doctor.Run(os.Stdout, os.Stderr, c); done {
		return code
	}
	handover, checking := supervise.TakeOver(), supervise.Checking()
	var loader *pluginloader.Loader // nil in processes that load no plugin
	switch {
	case checking != nil:
		loader = newLoader(c, checking)
	case handover != nil, c.OneProcess() && !c.Test:
		loader = newLoader(c, handover.Progress())
	}
	cfg, ok := configure(c, loader, handover == nil && checking == nil && !supervise.IsDetached())
	switch {
	case !ok:
		checking.EndCheck() // the reason has been said
		cfg.DumpBroken(os.Stdout, c.Defines)
		return 1
	case c.Test:
		return check(c, cfg, loader, checking)
	case handover != nil:
		return serve(c, cfg, loader, handover)
	case !supervise.IsDetached():
		if start, code := c.Control(cfg.PidFileOrDefault(), os.Stdout, os.Stderr); !start {
			return code
		}
	}
	switch {
	case c.OneProcess():
		return serve(c, cfg, loader, nil)
	case !c.Foreground() && !supervise.IsDetached():
		return supervise.Detach(os.Stderr)
	}
	m := supervise.Master{
		Name: server.Software(), Log: server.LogBeside,
		Load: func() (*httpdconf.Config, bool) { return configure(c, nil, true) },
	}
	return m.Run(cfg)
}

// configure reads the configuration. What there is to say about it goes to
// stderr; only errors, unless aloud. Directives of modules that a plugin brings
// along are known where there is a loader, and else left to those who have one.
func configure(c *supervise.CommandLine, loader *pluginloader.Loader, aloud bool) (*httpdconf.Config, bool) {
	_, file := c.Paths()
	o := c.Options()
	if o.LeaveUnknown = loader == nil; loader != nil {
		o.LoadModule = server.LoadModule(loader)
	}
	cfg, diags := httpdconf.Load(file, o)
	if aloud || diags.HasErrors() {
		httpdconf.WriteDiagnostics(os.Stderr, c.Program, cfg, c.Level, diags)
	}
	return cfg, !diags.HasErrors()
}

// newLoader makes a loader that tells which plugin is being loaded.
func newLoader(c *supervise.CommandLine, progress *supervise.Progress) *pluginloader.Loader {
	loader := pluginloader.New(server.StartupLog(os.Stderr, c.Level))
	loader.Doing = progress.Doing
	return loader
}

// load makes the server and loads the plugins.
func load(c *supervise.CommandLine, cfg *httpdconf.Config, loader *pluginloader.Loader) (*server.Server, bool) {
	s, diags := server.New(cfg, loader)
	httpdconf.WriteDiagnostics(os.Stderr, c.Program, cfg, c.Level, diags)
	return s, !diags.HasErrors()
}

// check is -t: plugins are loaded too, unless a dump is asked for, and by a
// process of their own.
func check(c *supervise.CommandLine, cfg *httpdconf.Config, loader *pluginloader.Loader, checking *supervise.Progress) int {
	if cfg.Dump(os.Stdout, c.Defines) {
		return 0
	}
	switch {
	case checking == nil && cfg.LoadsPlugins():
		return supervise.CheckApart(os.Stderr, c.Program)
	case checking == nil:
		loader = newLoader(c, nil)
	}
	defer checking.EndCheck()
	if _, ok := load(c, cfg, loader); !ok {
		return 1
	}
	fmt.Fprintln(os.Stderr, "Syntax OK")
	return 0
}

// serve runs the server until a signal ends it, by itself or as a worker.
func serve(c *supervise.CommandLine, cfg *httpdconf.Config, loader *pluginloader.Loader, handover *supervise.Handover) int {
	s, ok := load(c, cfg, loader)
	if !ok {
		return 1
	}
	fail := func(err error) int {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Program, err)
		return 1
	}
	signals := supervise.Notify(c.Debug)
	pluginloader.NoteSignals()
	actions := supervise.Actions{
		Drain:   s.Drain,
		Stop:    func(ctx context.Context) { s.Shutdown(ctx) },
		Restart: func(ctx context.Context) { s.Restart(ctx) },
	}
	if handover != nil {
		s.Adopt(handover.Listeners)
		s.AdoptLogs(handover.Logs)
		signals.EndWith(handover.Gone)
	} else {
		actions.DrainTime = cfg.GracefulTimeout
		actions.Check = func(signal string) { s.LogCheck(signal, supervise.CheckInChild()) }
	}
	if err := s.Listen(); err != nil {
		return fail(err)
	}
	if handover == nil && cfg.PidFile != "" {
		if err := supervise.WritePidFile(cfg.PidFile); err != nil {
			return fail(err)
		}
		defer os.Remove(cfg.PidFile)
	}
	if err := supervise.DropRoot(cfg.Run); err != nil {
		return fail(err)
	}
	go s.Serve()
	if handover != nil {
		handover.Ready(cfg.Main.ErrorLog)
	}
	for _, url := range s.URLs() {
		fmt.Fprintf(os.Stderr, "%s: serving %s\n", c.Program, url)
	}
	signals.Run(actions)
	return 0
}
