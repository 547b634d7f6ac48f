// Command wshttpd takes the place of Apache httpd with mod_websocket: it reads
// the httpd.conf that is already there, listens by itself, and serves its
// WebSocket Locations with the plugins that are named there.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/apxs"
	"github.com/wshttpd/wshttpd/server/doctor"
	"github.com/wshttpd/wshttpd/server/process"
	"github.com/wshttpd/wshttpd/server/supervise"
)

func main() {
	code := run(os.Args)
	pluginloader.Exit(code)
}

// run is main with an exit status: httpd's, which knows 0 and 1, but for the
// commands of apxs.
func run(argv []string) int {
	if code, done := apxs.Run(argv); done {
		return code
	}
	c, err := supervise.Parse(argv)
	if err != nil {
		return misused(c, err)
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
	return process.Run(c)
}

// misused says what is wrong with the command line; the usage, where it is not
// understood.
func misused(c *supervise.CommandLine, err error) int {
	if text := strings.TrimPrefix(err.Error(), supervise.ErrUsage.Error()); text != "" {
		fmt.Fprintln(os.Stderr, strings.TrimPrefix(text, ": "))
	}
	if errors.Is(err, supervise.ErrUsage) {
		fmt.Fprint(os.Stderr, c.Usage())
	}
	return 1
}
