package load

import (
	"fmt"
	"runtime"
	"time"

	"github.com/wshttpd/wshttpd/bench/proc"
)

// Idle opens connections and leaves them alone. The server's memory is read when
// it has nothing more to do: after a tenth of the connections came and went,
// which leaves what its start left over behind; with one half open; with all.
// Then comes o.Time in which its CPU share is taken. One connection of each
// hundred must still echo afterwards.
func Idle(o Options, settle time.Duration) (*Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l, err := newLoop(o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	l.assign()
	if err := l.openTo(max(l.o.Conns/10, 1)); err != nil {
		return nil, err
	}
	l.resetAll()
	empty, err := l.settled(settle)
	if err != nil {
		return nil, err
	}
	half := l.o.Conns / 2
	if err := l.openTo(half); err != nil {
		return nil, err
	}
	middle, err := l.settled(settle)
	if err != nil {
		return nil, err
	}
	if err := l.openAll(); err != nil {
		return nil, err
	}
	full, err := l.settled(settle)
	if err != nil {
		return nil, err
	}
	r := &Result{Connections: l.o.Conns, RSSEmpty: empty.RSS, RSSHalf: middle.RSS, RSSFull: full.RSS, Threads: full.Threads}
	r.BytesEach = float64(full.RSS-empty.RSS) / float64(l.o.Conns)
	r.BytesMore = float64(full.RSS-middle.RSS) / float64(l.o.Conns-half)
	return r, l.rested(r, settle)
}

// settled waits and reads the server's status.
func (l *loop) settled(settle time.Duration) (proc.Status, error) {
	time.Sleep(settle)
	return proc.ReadStatus(l.o.PID)
}

// rested takes the server's CPU share and sees whether connections still echo.
func (l *loop) rested(r *Result, settle time.Duration) error {
	before, err := l.usage()
	if err != nil {
		return err
	}
	time.Sleep(l.o.Time)
	after, err := l.usage()
	if err != nil {
		return err
	}
	r.account(before, after, 0)
	for i := 0; i < len(l.conns); i += 100 {
		l.start(&l.conns[i])
	}
	if err := l.drain(); err != nil {
		return fmt.Errorf("after %v of rest: %w", settle+l.o.Time, err)
	}
	return nil
}
