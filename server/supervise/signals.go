package supervise

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Actions is what signals do, one at a time.
type Actions struct {
	// Check checks the configuration at USR1 and HUP, and changes nothing. It
	// is nil in a worker: there HUP is an end like TERM, by Restart.
	Check func(signal string)
	// Restart is Stop where another serves already.
	Restart func(context.Context)
	// Drain stops accepting at WINCH and returns when the last connection has
	// ended, or when a TERM or INT has ended the context.
	Drain func(context.Context)
	// DrainTime bounds Drain; 0 for no bound. That of a worker is its master's
	// to keep.
	DrainTime time.Duration
	// Stop tells every connection the end at TERM and INT, and after Drain.
	// It returns when all is over, or at once when another TERM or INT has
	// ended the context.
	Stop func(context.Context)
}

// Signals takes the signals of httpd from the moment it is made, so that none
// is lost before Run, and ignores others.
type Signals struct {
	incoming chan os.Signal
}

// Notify begins to take signals. In debug mode (-X) WINCH is left alone: a
// terminal sends it when its window changes its size.
func Notify(debug bool) *Signals {
	ignore()
	s := &Signals{incoming: make(chan os.Signal, 16)}
	signal.Notify(s.incoming, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP)
	if !debug {
		signal.Notify(s.incoming, syscall.SIGWINCH)
	}
	return s
}

// ignore ignores signals that would end or stop a process: a C plugin's thread
// that writes to a closed socket, whoever writes to a file that has become too
// large (httpd 2.4 server/mpm_unix.c, ap_unixd_mpm_set_signals), and a
// terminal that is another's.
func ignore() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ, syscall.SIGTTIN, syscall.SIGTTOU)
}

// EndWith has the signals end as HUP does once gone is closed.
func (s *Signals) EndWith(gone <-chan struct{}) {
	go func() {
		<-gone
		s.incoming <- syscall.SIGHUP
	}()
}

// Run obeys signals until one of them has ended the server.
func (s *Signals) Run(a Actions) {
	for sig := range s.incoming {
		switch sig {
		case syscall.SIGUSR1:
			if a.Check != nil {
				a.Check("USR1")
			}
			continue
		case syscall.SIGHUP:
			if a.Check == nil {
				s.during(a.Restart)
				return
			}
			a.Check("HUP")
			continue
		case syscall.SIGWINCH:
			s.during(within(a.DrainTime, a.Drain))
		}
		s.during(a.Stop)
		return
	}
}

// within bounds a step, unless d is 0.
func within(d time.Duration, step func(context.Context)) func(context.Context) {
	if d == 0 {
		return step
	}
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		step(ctx)
	}
}

// during runs a step and ends its context when TERM or INT comes meanwhile.
func (s *Signals) during(step func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		step(ctx)
	}()
	for {
		select {
		case <-done:
			return
		case sig := <-s.incoming:
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				cancel()
			}
		}
	}
}
