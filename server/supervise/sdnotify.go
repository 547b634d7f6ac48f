package supervise

import (
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// tellSystemd tells systemd a state, where it has asked to be told
// (Type=notify). It is no reason to end where that fails.
func tellSystemd(state string) { _, _ = daemon.SdNotify(false, state) }

// The states that systemd is told.
func systemdReady() string {
	return fmt.Sprintf("READY=1\nMAINPID=%d\nSTATUS=serving", os.Getpid())
}

// systemdReloading carries the time, without which Type=notify-reload does not
// count it (sd_notify(3)).
func systemdReloading() string {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // this clock is always there
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000)
}

const systemdStopping = "STOPPING=1"
