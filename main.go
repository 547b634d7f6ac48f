// Command wshttpd takes the place of Apache httpd with mod_websocket: it reads
// the httpd.conf that is already there, listens by itself, and serves its
// WebSocket Locations with the plugins that are named there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

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
	if err != nil {
		if text := strings.TrimPrefix(err.Error(), supervise.ErrUsage.Error()); text != "" {
			fmt.Fprintln(os.Stderr, strings.TrimPrefix(text, ": "))
		}
		if errors.Is(err, supervise.ErrUsage) {
			fmt.Fprint(os.Stderr, c.Usage())
		}
		return 1
	}
	switch {
	case c.Help:
		fmt.Fprint(os.Stderr, c.Usage())
		return 1
	case c.Version, c.Build:
		printVersion(c.Build)
		return 0
	}
	s, cfg, ok := load(c)
	switch {
	case !ok:
		return 1
	case c.Test:
		fmt.Fprintln(os.Stderr, "Syntax OK")
		return 0
	}
	return serve(c, s, cfg)
}

// load reads the configuration and loads the plugins. What there is to say
// about it goes to stderr.
func load(c *supervise.CommandLine) (*server.Server, *httpdconf.Config, bool) {
	root := c.Root
	if root == "" {
		root = defaultRoot
	}
	file := c.File
	if file == "" {
		file = defaultFile
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{
		Program: c.Program, ServerRoot: root, Defines: c.Defines, Before: c.Before, After: c.After,
	})
	var s *server.Server
	if !diags.HasErrors() {
		var more hcl.Diagnostics
		s, more = server.New(cfg, pluginloader.New(server.StartupLog(os.Stderr, c.Level)))
		diags = append(diags, more...)
	}
	httpdconf.WriteDiagnostics(os.Stderr, c.Program, cfg, c.Level, diags)
	return s, cfg, !diags.HasErrors()
}

// serve runs the server until a signal ends it.
func serve(c *supervise.CommandLine, s *server.Server, cfg *httpdconf.Config) int {
	signals := supervise.Notify(c.Debug)
	pluginloader.NoteSignals()
	if err := s.Listen(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Program, err)
		return 1
	}
	if cfg.PidFile != "" {
		if err := supervise.WritePidFile(cfg.PidFile); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", c.Program, err)
			return 1
		}
		defer os.Remove(cfg.PidFile)
	}
	for _, addr := range s.Addrs() {
		fmt.Fprintf(os.Stderr, "%s: serving http://%s/\n", c.Program, addr)
	}
	go s.Serve()
	signals.Run(supervise.Actions{
		Check: func(signal string) {
			s.LogCheck(signal, checkInChild())
		},
		Drain: s.Drain,
		Stop:  func(ctx context.Context) { s.Shutdown(ctx) },
	})
	return 0
}

// checkTime bounds the check of a configuration before a reload.
const checkTime = time.Minute

// checkInChild has a process of its own check the configuration, as the same
// command line with -t does: init functions run there, and what a plugin
// breaks breaks there. It reports whether all is well.
func checkInChild() bool {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	check := exec.CommandContext(ctx, "/proc/self/exe", append(os.Args[1:], "-t")...)
	check.Args[0] = os.Args[0]
	check.Stderr = os.Stderr
	return check.Run() == nil
}

// printVersion prints what httpd -v prints, and with build what -V adds.
func printVersion(build bool) {
	fmt.Printf("Server version: Apache/%s (Unix) wshttpd/%s\n", httpdconf.ClaimedVersion, server.Version)
	fmt.Printf("Server built:   %s\n", server.BuildTime())
	if !build {
		return
	}
	fmt.Printf("Architecture:   %d-bit\nServer MPM:     event\n  threaded:     yes (fixed thread count)\n    forked:     no\n",
		32<<(^uint(0)>>63))
	fmt.Printf("Server compiled with....\n -D HTTPD_ROOT=%q\n -D SERVER_CONFIG_FILE=%q\n", defaultRoot, defaultFile)
	fmt.Printf(" -D DEFAULT_PIDLOG=%q\n -D DEFAULT_ERRORLOG=%q\n -D GO_VERSION=%q\n", "run/httpd.pid", "logs/error_log", runtime.Version())
}
