package server

import (
	"fmt"
	"os"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// LogBeside writes a record to the main server's error log from a process that
// does not serve, and opens the file for it; pipe is the input of the program
// that the log is, nil if it is none. What cannot be written stderr takes.
func LogBeside(cfg *httpdconf.Config, pipe *os.File, level httpdconf.LogLevel, text string) {
	if !(&errorLog{levels: cfg.Main.LogLevels}).enabled("mpm_event", level) {
		return
	}
	record := appendRecord(nil, "mpm_event", level, "", text)
	if err := writeBeside(cfg.Main.ErrorLog, pipe, level, record); err != nil {
		_, _ = os.Stderr.Write(record) // there is nothing else
	}
}

// besideTime bounds how long a record waits for a program that does not read.
const besideTime = time.Second

func writeBeside(name string, pipe *os.File, level httpdconf.LogLevel, record []byte) error {
	switch {
	case pipe != nil:
		_ = pipe.SetWriteDeadline(time.Now().Add(besideTime)) // else the write waits
		_, err := pipe.Write(record)
		return err
	case logsink.IsSyslog(name):
		sink, err := logsink.Open(name, logsink.Options{Tag: logTag})
		if err != nil {
			return err
		}
		sink.Write(int(level), record)
		sink.Close()
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(record)
	return err
}

// Software is how the server calls itself where httpd does so by its version.
func Software() string {
	return fmt.Sprintf("Apache/%s (Unix) wshttpd/%s", httpdconf.ClaimedVersion, Version)
}
