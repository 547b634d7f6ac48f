package runner

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine says where and when something was measured.
type machine struct {
	Date    string `json:"date"`
	Kernel  string `json:"kernel"`
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Go      string `json:"go"`
	Source  string `json:"source"` // the server's commit
	Command string `json:"command"`
}

func thisMachine(root, command string) machine {
	m := machine{Date: time.Now().Format(time.RFC3339), CPU: "unknown", Cores: runtime.NumCPU(), Go: runtime.Version(), Command: command}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.Kernel = unix.ByteSliceToString(uts.Release[:])
	}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	out, err := exec.Command("git", "-C", root, "describe", "--always", "--dirty").Output()
	if m.Source = strings.TrimSpace(string(out)); err != nil {
		m.Source = "not a repository"
	}
	return m
}
