package supervise

import (
	"context"
	"fmt"
	"net"
	"os"
)

// Service is what is served.
type Service interface {
	Listen() error // opens logs and sockets
	Serve()
	Addrs() []net.Addr
	LogCheck(signal string, good bool) // logs are opened anew, and what a check has found is logged
	Drain(context.Context)
	Shutdown(context.Context) bool
}

// Serve runs a service until a signal ends it. It writes and removes the
// PidFile, if one is named; standard error goes to errorLog once a process in
// the background serves.
func Serve(c *CommandLine, signals *Signals, s Service, pidFile, errorLog string) error {
	if err := s.Listen(); err != nil {
		return err
	}
	if pidFile != "" {
		if err := WritePidFile(pidFile); err != nil {
			return err
		}
		defer os.Remove(pidFile)
	}
	if IsDetached() {
		if err := Ready(errorLog); err != nil {
			return err
		}
	} else {
		for _, addr := range s.Addrs() {
			fmt.Fprintf(os.Stderr, "%s: serving http://%s/\n", c.Program, addr)
		}
	}
	go s.Serve()
	signals.Run(Actions{
		Check: func(signal string) { s.LogCheck(signal, CheckInChild()) },
		Drain: s.Drain,
		Stop:  func(ctx context.Context) { s.Shutdown(ctx) },
	})
	return nil
}
