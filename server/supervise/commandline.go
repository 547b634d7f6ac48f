package supervise

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// CommandLine is what httpd's options say.
type CommandLine struct {
	Argv0   string   // for the usage
	Program string   // last path element of it, for messages
	Root    string   // -d
	File    string   // -f, relative to Root
	Defines []string // -D, in order
	Before  []string // -C
	After   []string // -c
	Level   string   // -e, level of messages at startup
	Errors  string   // -E, file of messages at startup
	Command string   // -k; empty stands for start
	Test    bool     // -t, and what implies it: -S, -M
	NoRoots bool     // -T: DocumentRoot is not checked
	Version bool     // -v
	Build   bool     // -V
	Static  bool     // -l
	List    bool     // -L
	Help    bool     // -h
	Debug   bool     // -X
	Report  bool     // --report, with -t
	JSON    bool     // --json

	Explain *Explain // nil but for the command explain
}

// Explain is what the command explain is asked: how a request is answered.
type Explain struct {
	URL     string   // absolute, or a path for the first listener
	Headers []string // -H, "Name: value"
	Method  string   // -X; empty for GET
	From    string   // --from, the client's address
	To      string   // --to, the address at which the connection comes in
}

// ErrUsage is wrapped by errors that are answered with the usage text.
var ErrUsage = errors.New("usage")

// valueOptions and flagOptions are the options that httpd knows and this
// server has.
const (
	valueOptions = "DCcdfeEk"
	flagOptions  = "tTvVlLhXSM"
)

// Parse reads the options the way getopt does: -DFOO is -D FOO, flags may
// share a dash, -- ends them. An operand, an unknown option and a missing
// value are errors that wrap ErrUsage; their text is httpd's, empty where
// httpd shows the usage only.
func Parse(argv []string) (*CommandLine, error) {
	c := &CommandLine{Argv0: argv[0], Program: filepath.Base(argv[0])}
	args := argv[1:]
	if len(args) > 0 && args[0] == "explain" {
		return c, c.parseExplain(args[1:])
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if c.setLong(arg) {
			continue
		}
		if len(arg) < 2 || arg[0] != '-' {
			return c, ErrUsage
		}
		var err error
		if args, err = c.cluster(arg[1:], args); err != nil {
			return c, err
		}
	}
	if len(args) > 0 {
		return c, ErrUsage
	}
	return c, nil
}

// cluster takes the options behind one dash, and the next argument where the
// last of them needs a value.
func (c *CommandLine) cluster(options string, args []string) (rest []string, err error) {
	for i := range len(options) {
		name := options[i]
		if strings.IndexByte(flagOptions, name) >= 0 {
			c.setFlag(name)
			continue
		}
		if strings.IndexByte(valueOptions, name) < 0 {
			return nil, fmt.Errorf("%w: %s: illegal option -- %c", ErrUsage, c.Program, name)
		}
		value := options[i+1:]
		if value == "" {
			if len(args) == 0 {
				return nil, fmt.Errorf("%w: %s: option requires an argument -- %c", ErrUsage, c.Program, name)
			}
			value, args = args[0], args[1:]
		}
		return args, c.setValue(name, value)
	}
	return args, nil
}

// parseExplain reads the options of explain: the server's that say which
// configuration it is, and those of the request.
func (c *CommandLine) parseExplain(args []string) error {
	e := &Explain{}
	c.Explain = e
	values := map[string]func(string) error{
		"-H":     func(v string) error { e.Headers = append(e.Headers, v); return nil },
		"-X":     func(v string) error { e.Method = v; return nil },
		"--from": func(v string) error { e.From = v; return nil },
		"--to":   func(v string) error { e.To = v; return nil },
	}
	for _, name := range "DCcdfe" {
		values["-"+string(name)] = func(v string) error { return c.setValue(byte(name), v) }
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		set, takesValue := values[arg]
		switch {
		case takesValue && len(args) == 0:
			return fmt.Errorf("%w: %s: option requires an argument -- %s", ErrUsage, c.Program, strings.TrimLeft(arg, "-"))
		case takesValue:
			if err := set(args[0]); err != nil {
				return err
			}
			args = args[1:]
		case arg == "--json":
			c.JSON = true
		case len(arg) > 2 && arg[0] == '-' && values[arg[:2]] != nil:
			if err := values[arg[:2]](arg[2:]); err != nil {
				return err
			}
		case strings.HasPrefix(arg, "-"):
			return fmt.Errorf("%w: %s: illegal option -- %s", ErrUsage, c.Program, strings.TrimLeft(arg, "-"))
		case e.URL != "":
			return ErrUsage
		default:
			e.URL = arg
		}
	}
	if e.URL == "" {
		return ErrUsage
	}
	return nil
}

// setLong takes the options that httpd does not have, which are words.
func (c *CommandLine) setLong(arg string) bool {
	switch arg {
	case "--report":
		c.Test, c.Report = true, true
	case "--json":
		c.JSON = true
	default:
		return false
	}
	return true
}

func (c *CommandLine) setFlag(name byte) {
	switch name {
	case 't':
		c.Test = true
	case 'S':
		c.Test = true
		c.Defines = append(c.Defines, "DUMP_VHOSTS", "DUMP_RUN_CFG")
	case 'M':
		c.Test = true
		c.Defines = append(c.Defines, "DUMP_MODULES")
	case 'T':
		c.NoRoots = true
	case 'l':
		c.Static = true
	case 'L':
		c.List = true
	case 'v':
		c.Version = true
	case 'V':
		c.Build = true
	case 'h':
		c.Help = true
	case 'X':
		c.Debug = true
	}
}

func (c *CommandLine) setValue(name byte, value string) error {
	switch name {
	case 'D':
		c.Defines = append(c.Defines, value)
		c.Test = c.Test || httpdconf.IsDump(value) // httpd 2.4 server/main.c: as -S and -M
	case 'C':
		c.Before = append(c.Before, value)
	case 'c':
		c.After = append(c.After, value)
	case 'd':
		c.Root = value
	case 'f':
		c.File = value
	case 'e':
		if !levels[strings.ToLower(value)] {
			return ErrUsage
		}
		c.Level = strings.ToLower(value)
	case 'E':
		c.Errors = value
	case 'k':
		return c.setCommand(value)
	}
	return nil
}

// commands are what -k takes, and the signal that each sends.
var commands = map[string]syscall.Signal{
	"start": 0, "stop": syscall.SIGTERM, "graceful-stop": syscall.SIGWINCH, "restart": syscall.SIGHUP, "graceful": syscall.SIGUSR1,
}

func (c *CommandLine) setCommand(value string) error {
	if _, known := commands[value]; !known {
		return fmt.Errorf("%w: %s: illegal option -- k", ErrUsage, c.Program)
	}
	c.Command = value
	return nil
}

// Options are those of Load that the command line has.
func (c *CommandLine) Options() httpdconf.Options {
	root, _ := c.Paths()
	return httpdconf.Options{
		Program: c.Program, ServerRoot: root, Defines: c.Defines, Before: c.Before, After: c.After, NoRoots: c.NoRoots,
	}
}

// Defined reports whether -D names one of these.
func (c *CommandLine) Defined(names ...string) bool {
	return slices.ContainsFunc(c.Defines, func(d string) bool { return slices.Contains(names, d) })
}

// OneProcess reports whether one process in the foreground is asked for, by -X
// or by what it defines in httpd (httpd 2.4 server/mpm/event/event.c,
// event_pre_config).
func (c *CommandLine) OneProcess() bool { return c.Debug || c.Defined("DEBUG", "ONE_PROCESS") }

// Foreground reports whether the process stays with who has started it.
func (c *CommandLine) Foreground() bool {
	return c.OneProcess() || c.Defined("FOREGROUND", "NO_DETACH")
}

var levels = map[string]bool{
	"emerg": true, "alert": true, "crit": true, "error": true, "warn": true, "notice": true, "info": true,
	"debug": true, "trace1": true, "trace2": true, "trace3": true, "trace4": true, "trace5": true,
	"trace6": true, "trace7": true, "trace8": true,
}
