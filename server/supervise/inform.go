package supervise

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Inform does what the options ask for that need no configuration, -v, -V, -l,
// -L and -h, and reports the exit status and whether that was all.
func (c *CommandLine) Inform(stdout, stderr io.Writer, software, built string) (code int, done bool) {
	switch {
	case c.Help:
		fmt.Fprint(stderr, c.Usage())
		return 1, true
	case c.Version, c.Build:
		WriteVersion(stdout, software, built, c.Build)
	case c.Static:
		httpdconf.WriteStatic(stdout)
	case c.List:
		httpdconf.WriteDirectives(stdout)
	default:
		return 0, false
	}
	return 0, true
}

// Paths returns the initial ServerRoot and the main file, both absolute.
func (c *CommandLine) Paths() (root, file string) {
	root, file = cmp.Or(c.Root, DefaultRoot), cmp.Or(c.File, DefaultFile)
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	return root, file
}

// RedirectErrors has what is written to stderr go to the file of -E.
func (c *CommandLine) RedirectErrors() error {
	if c.Errors == "" {
		return nil
	}
	file, err := os.OpenFile(c.Errors, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("open -E %q: %w", c.Errors, err)
	}
	defer file.Close()
	return unix.Dup2(int(file.Fd()), syscall.Stderr)
}

// checkTime bounds the check of a configuration by a process of its own.
const checkTime = time.Minute

// CheckInChild has a process of its own check the configuration, as the same
// command line with -t does: init functions run there, and what a plugin
// breaks breaks there. It reports whether all is well, and not so when ctx ends
// before.
func CheckInChild(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	check := exec.CommandContext(ctx, executable(), append(os.Args[1:], "-t")...)
	check.Args[0] = os.Args[0]
	check.Stderr = os.Stderr
	return check.Run() == nil
}
