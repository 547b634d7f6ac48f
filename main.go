// Command wshttpd takes the place of Apache httpd with mod_websocket: it reads
// the httpd.conf that is already there, listens by itself, and serves its
// WebSocket Locations with the plugins that are named there.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// Where the configuration is looked for unless -d and -f say otherwise.
const (
	defaultRoot = "/etc/httpd"
	defaultFile = "conf/httpd.conf"
)

func main() {
	code := run(os.Args)
	pluginloader.Exit(code)
}

// run is main with an exit status: httpd's, which knows 0 and 1.
func run(argv []string) int {
	c, err := supervise.Parse(argv)
	switch {
	case err != nil:
		c.Explain(os.Stderr, err)
		return 1
	case c.Help:
		fmt.Fprint(os.Stderr, c.Usage())
		return 1
	case c.Version, c.Build:
		server.PrintVersion(os.Stdout, c.Build, defaultRoot, defaultFile)
		return 0
	case c.BuiltIn:
		httpdconf.DumpBuiltIn(os.Stdout)
		return 0
	case c.List:
		httpdconf.DumpDirectives(os.Stdout)
		return 0
	}
	err = supervise.RedirectErrors(c.LogFile)
	switch {
	case err != nil:
		return failed(c, err)
	case c.Test:
		return check(c)
	case c.Command != "" && !supervise.IsDetached():
		return control(c)
	case !c.Foreground() && !supervise.IsDetached():
		return detach(c)
	}
	return start(c)
}

// start loads all, and serves.
func start(c *supervise.CommandLine) int {
	s, cfg, ok := load(c)
	if !ok {
		return 1
	}
	signals := supervise.Notify(c.Debug)
	pluginloader.NoteSignals()
	if err := supervise.Serve(c, signals, s, cfg.PidFile, cfg.Main.ErrorLog); err != nil {
		return failed(c, err)
	}
	return 0
}

// check is -t: it loads all as a start does, and dumps what -D asks for in
// place of the verdict.
func check(c *supervise.CommandLine) int {
	_, cfg, ok := load(c)
	if !ok {
		return 1
	}
	if !httpdconf.WriteDumps(os.Stdout, cfg, c.Defines) {
		fmt.Fprintln(os.Stderr, "Syntax OK")
	}
	return 0
}

// control is -k: no signal is sent while the file has errors.
func control(c *supervise.CommandLine) int {
	cfg, diags := httpdconf.Load(options(c))
	httpdconf.WriteDiagnostics(os.Stderr, c.Program, cfg, c.Level, diags)
	if diags.HasErrors() {
		return 1
	}
	starts, err := supervise.Control(os.Stdout, c.Command, cfg.PidFile)
	switch {
	case err != nil:
		return failed(c, err)
	case !starts:
		return 0
	case c.Foreground():
		return start(c)
	}
	return detach(c)
}

// detach starts the server in the background, and reports how that went.
func detach(c *supervise.CommandLine) int {
	if err := supervise.Detach(os.Args); err != nil {
		return failed(c, err)
	}
	return 0
}

// failed says why, unless the background process has done so.
func failed(c *supervise.CommandLine, err error) int {
	if !errors.Is(err, supervise.ErrSaid) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Program, err)
	}
	return 1
}

// options returns what Load is called with.
func options(c *supervise.CommandLine) (file string, o httpdconf.Options) {
	root := cmp.Or(c.Root, defaultRoot)
	if file = cmp.Or(c.File, defaultFile); !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	return file, httpdconf.Options{Program: c.Program, ServerRoot: root, Defines: c.Defines, Before: c.Before, After: c.After}
}

// load reads the configuration and loads the plugins. What there is to say
// about it goes to stderr.
func load(c *supervise.CommandLine) (*server.Server, *httpdconf.Config, bool) {
	cfg, diags := httpdconf.Load(options(c))
	var s *server.Server
	if !diags.HasErrors() {
		var more hcl.Diagnostics
		s, more = server.New(cfg, pluginloader.New(server.StartupLog(os.Stderr, c.Level)))
		diags = append(diags, more...)
	}
	httpdconf.WriteDiagnostics(os.Stderr, c.Program, cfg, c.Level, diags)
	return s, cfg, !diags.HasErrors()
}
