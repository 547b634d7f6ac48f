package supervise

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// CommandLine is what httpd's options say.
type CommandLine struct {
	Program string   // last path element of argv[0], for messages
	Root    string   // -d
	File    string   // -f, relative to Root
	Defines []string // -D, in order
	Before  []string // -C
	After   []string // -c
	Level   string   // -e, level of messages at startup
	Test    bool     // -t
	Version bool     // -v
	Build   bool     // -V
	Help    bool     // -h
	Debug   bool     // -X
}

// ErrUsage is wrapped by errors that are answered with the usage text.
var ErrUsage = errors.New("usage")

// valueOptions and flagOptions are the options that httpd knows and this
// server has.
const (
	valueOptions = "DCcdfek"
	flagOptions  = "tvVhX"
)

// Parse reads the options the way getopt does: -DFOO is -D FOO, flags may
// share a dash, -- ends them. An operand, an unknown option and a missing
// value are errors that wrap ErrUsage; their text is httpd's, empty where
// httpd shows the usage only.
func Parse(argv []string) (*CommandLine, error) {
	c := &CommandLine{Program: filepath.Base(argv[0])}
	args := argv[1:]
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
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

func (c *CommandLine) setFlag(name byte) {
	switch name {
	case 't':
		c.Test = true
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
	case 'k':
		return c.setCommand(value)
	}
	return nil
}

// setCommand takes -k start, which is the default, and refuses the commands
// that speak to a running server: they come with the lifecycle of master and
// workers, until then a signal to the process does what they would.
func (c *CommandLine) setCommand(value string) error {
	signals := map[string]string{"stop": "TERM", "graceful-stop": "WINCH", "restart": "HUP", "graceful": "USR1"}
	if value == "start" {
		return nil
	}
	if signal, known := signals[value]; known {
		return fmt.Errorf("%s: -k %s is not available in this version; send %s to the process named in PidFile",
			c.Program, value, signal)
	}
	return fmt.Errorf("%w: %s: illegal option -- k", ErrUsage, c.Program)
}

var levels = map[string]bool{
	"emerg": true, "alert": true, "crit": true, "error": true, "warn": true, "notice": true, "info": true,
	"debug": true, "trace1": true, "trace2": true, "trace3": true, "trace4": true, "trace5": true,
	"trace6": true, "trace7": true, "trace8": true,
}

// Usage returns the help text.
func (c *CommandLine) Usage() string {
	return fmt.Sprintf(usage, c.Program, strings.Repeat(" ", len(c.Program)))
}

const usage = `Usage: %[1]s [-D name] [-d directory] [-f file]
       %[2]s [-C "directive"] [-c "directive"]
       %[2]s [-e level] [-k start] [-v] [-V] [-h] [-t] [-X]
Options:
  -D name            : define a name for use in <IfDefine name> directives
  -d directory       : specify an alternate initial ServerRoot
  -f file            : specify an alternate ServerConfigFile
  -C "directive"     : process directive before reading config files
  -c "directive"     : process directive after reading config files
  -e level           : show startup errors of level (see LogLevel)
  -k start           : start the server, which is what it does without -k
  -v                 : show version number
  -V                 : show compile settings
  -h                 : list available command line options (this page)
  -t                 : run syntax check for config files, plugins included
  -X                 : debug mode (one process, stays in the foreground)
`
