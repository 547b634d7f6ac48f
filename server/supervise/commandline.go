package supervise

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
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
	BuiltIn bool     // -l
	List    bool     // -L
	Command string   // -k
	LogFile string   // -E
}

// ErrUsage is wrapped by errors that are answered with the usage text.
var ErrUsage = errors.New("usage")

// valueOptions and flagOptions are the options that httpd knows and this
// server has.
const (
	valueOptions = "DCcdfekE"
	flagOptions  = "tvVhXSMlLT"
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
	case 'S':
		c.Test = true
		c.Defines = append(c.Defines, "DUMP_VHOSTS", "DUMP_RUN_CFG")
	case 'M':
		c.Test = true
		c.Defines = append(c.Defines, "DUMP_MODULES")
	case 'l':
		c.BuiltIn = true
	case 'L':
		c.List = true
	case 'T': // DocumentRoot is looked at all the same
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
	case 'E':
		c.LogFile = value
	case 'k':
		return c.setCommand(value)
	}
	return nil
}

// setCommand takes -k.
func (c *CommandLine) setCommand(value string) error {
	if _, known := controlSignals[value]; !known && value != "start" {
		return fmt.Errorf("%w: %s: illegal option -- k", ErrUsage, c.Program)
	}
	c.Command = value
	return nil
}

// Foreground reports whether the server stays with who starts it.
func (c *CommandLine) Foreground() bool {
	for _, name := range []string{"FOREGROUND", "NO_DETACH", "ONE_PROCESS", "DEBUG"} {
		if slices.Contains(c.Defines, name) {
			return true
		}
	}
	return c.Debug
}

var levels = map[string]bool{
	"emerg": true, "alert": true, "crit": true, "error": true, "warn": true, "notice": true, "info": true,
	"debug": true, "trace1": true, "trace2": true, "trace3": true, "trace4": true, "trace5": true,
	"trace6": true, "trace7": true, "trace8": true,
}

// Explain writes an error of Parse, and the usage text where httpd shows it.
func (c *CommandLine) Explain(w io.Writer, err error) {
	if text := strings.TrimPrefix(err.Error(), ErrUsage.Error()); text != "" {
		fmt.Fprintln(w, strings.TrimPrefix(text, ": "))
	}
	if errors.Is(err, ErrUsage) {
		fmt.Fprint(w, c.Usage())
	}
}

// Usage returns the help text.
func (c *CommandLine) Usage() string {
	return fmt.Sprintf(usage, c.Program, strings.Repeat(" ", len(c.Program)))
}

const usage = `Usage: %[1]s [-D name] [-d directory] [-f file]
       %[2]s [-C "directive"] [-c "directive"]
       %[2]s [-k start|restart|graceful|graceful-stop|stop]
       %[2]s [-v] [-V] [-h] [-l] [-L] [-t] [-T] [-S] [-X]
Options:
  -D name            : define a name for use in <IfDefine name> directives
  -d directory       : specify an alternate initial ServerRoot
  -f file            : specify an alternate ServerConfigFile
  -C "directive"     : process directive before reading config files
  -c "directive"     : process directive after reading config files
  -e level           : show startup errors of level (see LogLevel)
  -E file            : log startup errors to file
  -v                 : show version number
  -V                 : show compile settings
  -h                 : list available command line options (this page)
  -l                 : list compiled in modules
  -L                 : list available configuration directives
  -t -D DUMP_VHOSTS  : show parsed vhost settings
  -t -D DUMP_RUN_CFG : show parsed run settings
  -S                 : a synonym for -t -D DUMP_VHOSTS -D DUMP_RUN_CFG
  -t -D DUMP_MODULES : show all loaded modules
  -M                 : a synonym for -t -D DUMP_MODULES
  -t -D DUMP_INCLUDES: show all included configuration files
  -t                 : run syntax check for config files, plugins included
  -T                 : start without DocumentRoot(s) check
  -X                 : debug mode (one process, stays in the foreground)
`
