package supervise

import (
	"fmt"
	"strings"
)

// Usage returns the help text, httpd's own.
func (c *CommandLine) Usage() string {
	return fmt.Sprintf(usage, c.Argv0, strings.Repeat(" ", len(c.Argv0)))
}

const usage = `Usage: %[1]s [-D name] [-d directory] [-f file]
       %[2]s [-C "directive"] [-c "directive"]
       %[2]s [-k start|restart|graceful|graceful-stop|stop]
       %[2]s explain URL [-H 'Name: value'] [-X METHOD] [--from ADDRESS] [--to ADDRESS:PORT] [--json]
       %[2]s [-v] [-V] [-h] [-l] [-L] [-t] [-T] [-S] [-X]
       %[2]s build-plugin|check-plugin|query ...
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
  -t                 : run syntax check for config files
  -t --report        : say what becomes of each directive and plugin; --json
  -T                 : start without DocumentRoot(s) check
  -X                 : debug mode (only one worker, do not detach)
`
