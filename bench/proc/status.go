package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Status is a part of /proc/PID/status.
type Status struct {
	RSS     int64 // bytes
	Threads int
}

// ReadStatus returns the status of a process; the zero Status for pid 0.
func ReadStatus(pid int) (Status, error) {
	var s Status
	if pid == 0 {
		return s, nil
	}
	name := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB"))
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "VmRSS":
			s.RSS = n << 10
		case "Threads":
			s.Threads = int(n)
		}
	}
	if s.Threads == 0 {
		return s, fmt.Errorf("%s: no number of threads", name)
	}
	return s, nil
}
