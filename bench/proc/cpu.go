package proc

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the user and system time of all threads that a process has or
// had, to the nanosecond; 0 for pid 0. It is the clock that
// clock_getcpuclockid(3) names: the pid's complement above the clock's kind,
// CPUCLOCK_SCHED (Linux include/linux/posix-timers_types.h, make_process_cpuclock).
func CPU(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	const sched = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|sched, &t); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// OwnCPU returns the same of this process.
func OwnCPU() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("own CPU clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
