package server

import (
	"fmt"
	"os"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// LogBeside writes a record to the main server's error log from a process that
// does not serve, and opens the file for it. Where the log is no file, or
// cannot be written, stderr takes it.
func LogBeside(cfg *httpdconf.Config, level httpdconf.LogLevel, text string) {
	if !(&errorLog{levels: cfg.Main.LogLevels}).enabled("mpm_event", level) {
		return
	}
	record := appendRecord(nil, "mpm_event", level, "", text)
	file, err := os.OpenFile(cfg.Main.ErrorLog, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err == nil {
		defer file.Close()
		_, err = file.Write(record)
	}
	if err != nil {
		_, _ = os.Stderr.Write(record) // there is nothing else
	}
}

// Software is how the server calls itself where httpd does so by its version.
func Software() string {
	return fmt.Sprintf("Apache/%s (Unix) wshttpd/%s", httpdconf.ClaimedVersion, Version)
}
