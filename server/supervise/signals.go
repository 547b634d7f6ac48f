package supervise

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Actions is what signals do, one at a time.
type Actions struct {
	// Check checks the configuration at USR1 and HUP, and changes nothing; it
	// ends soon when a TERM or INT has ended the context. It is nil in a worker:
	// there HUP is an end like TERM, by Restart.
	Check func(ctx context.Context, signal string)
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
	later    []os.Signal // that came during a check
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
	for !s.obey(s.next(), a) {
	}
}

// next returns the signal that is to be obeyed next.
func (s *Signals) next() os.Signal {
	if len(s.later) == 0 {
		return <-s.incoming
	}
	sig := s.later[0]
	s.later = s.later[1:]
	return sig
}

// obey reports whether all is over.
func (s *Signals) obey(sig os.Signal, a Actions) bool {
	switch {
	case a.Check == nil && sig == syscall.SIGUSR1:
		return false
	case a.Check == nil && sig == syscall.SIGHUP:
		s.during(a.Restart)
		return true
	case sig == syscall.SIGUSR1, sig == syscall.SIGHUP:
		name := strings.TrimPrefix(unix.SignalName(sig.(syscall.Signal)), "SIG")
		others, ended := s.during(func(ctx context.Context) { a.Check(ctx, name) })
		s.later = append(s.later, others...)
		if !ended {
			return false
		}
	case sig == syscall.SIGWINCH:
		s.during(within(a.DrainTime, a.Drain))
	}
	s.during(a.Stop)
	return true
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

// during runs a step and ends its context when TERM or INT comes meanwhile,
// which it reports, as it does the other signals.
func (s *Signals) during(step func(context.Context)) (others []os.Signal, ended bool) {
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
			return others, ended
		case sig := <-s.incoming:
			if isEnd(sig) {
				ended = true
				cancel()
			} else if !slices.Contains(others, sig) {
				others = append(others, sig)
			}
		}
	}
}
