package supervise

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// checkTime bounds the check of a configuration before a reload.
const checkTime = time.Minute

// CheckInChild has a process of its own check the configuration, as the same
// command line with -t does: init functions run there, and what a plugin
// breaks breaks there. It reports whether all is well.
func CheckInChild() bool {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	check := exec.CommandContext(ctx, "/proc/self/exe", append([]string{"-t"}, os.Args[1:]...)...)
	check.Args[0] = os.Args[0]
	check.Stderr = os.Stderr
	return check.Run() == nil
}
