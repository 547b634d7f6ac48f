package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cores are the ones that servers and generator are pinned to.
type cores struct {
	server, client int
}

// pickCores returns the first two cores that this process may use.
func pickCores() (cores, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return cores{}, fmt.Errorf("cores: %w", err)
	}
	var usable []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			usable = append(usable, i)
		}
	}
	if len(usable) < 2 {
		return cores{}, errors.New("a server and its client need a core each, there is only one")
	}
	return cores{usable[0], usable[1]}, nil
}

// pinned starts a command on one core. The affinity of this thread is what the
// child inherits; it must be the locked main thread, see Pdeathsig.
func pinned(c *exec.Cmd, core int) error {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	// Kill even if this process is killed itself.
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	err := c.Start()
	if back := unix.SchedSetaffinity(0, &before); back != nil {
		return errors.Join(err, fmt.Errorf("affinity: %w", back))
	}
	return err
}

// process is a server that runs.
type process struct {
	name string
	addr string
	cmd  *exec.Cmd
	log  string // file with what it prints
	done chan struct{}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// argv is the command line of a server that is to listen at addr.
type argv func(addr string) ([]string, error)

// startServer starts a server and waits until it answers.
func startServer(ctx context.Context, dir, name string, core int, command argv) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, addr: addr, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args, err := command(addr)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := pinned(p.cmd, core); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.answers(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// answers waits until the server's port accepts.
func (p *process) answers(ctx context.Context) error {
	deadline := time.After(20 * time.Second)
	for {
		if c, err := net.DialTimeout("tcp", p.addr, time.Second); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			text, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended: %v: %s", p.name, p.cmd.ProcessState, last(text, 600))
		case <-deadline:
			return fmt.Errorf("%s does not answer at %s", p.name, p.addr)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server: politely first.
func (p *process) stop() {
	if p == nil {
		return
	}
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = p.cmd.Process.Signal(s)
		select {
		case <-p.done:
			return
		case <-time.After(3 * time.Second):
		}
	}
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func last(p []byte, n int) []byte { return p[max(len(p)-n, 0):] }
