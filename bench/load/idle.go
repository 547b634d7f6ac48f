package load

import (
	"fmt"
	"runtime"
	"time"

	"github.com/wshttpd/wshttpd/bench/proc"
)

// Idle opens connections and leaves them alone: for settle first, then for
// o.Time, in which the server's CPU share is taken. One of each hundred must
// still echo afterwards.
func Idle(o Options, settle time.Duration) (*Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l, err := newLoop(o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	l.assign()
	empty, err := proc.ReadStatus(o.PID)
	if err != nil {
		return nil, err
	}
	if err := l.openAll(); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	before, err := l.usage()
	if err != nil {
		return nil, err
	}
	time.Sleep(l.o.Time)
	after, err := l.usage()
	if err != nil {
		return nil, err
	}
	full, err := proc.ReadStatus(o.PID)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(l.conns); i += 100 {
		l.start(&l.conns[i])
	}
	if err := l.drain(); err != nil {
		return nil, fmt.Errorf("after %v of rest: %w", settle+l.o.Time, err)
	}
	r := &Result{Connections: l.o.Conns, RSSBefore: empty.RSS, RSSAfter: full.RSS, Threads: full.Threads}
	r.account(before, after, 0)
	r.BytesEach = float64(full.RSS-empty.RSS) / float64(l.o.Conns)
	return r, nil
}
