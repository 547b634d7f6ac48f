package runner

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/bench/load"
)

// rawServer builds and starts the yardstick.
func rawServer(t *testing.T) (*process, cores) {
	t.Helper()
	t.Chdir("..")
	c, err := pickCores()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{bench: ".", out: t.TempDir()}
	if err := tr.buildRawEcho(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	p, err := startServer(t.Context(), t.TempDir(), rawName, c.server, func(addr string) ([]string, error) {
		_, port, err := net.SplitHostPort(addr)
		return []string{tr.file("rawecho"), port}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p, c
}

func TestServerIsPinnedAndStopped(t *testing.T) {
	p, c := rawServer(t)
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid()) + "/status")
	if err != nil || !strings.Contains(string(status), "Cpus_allowed_list:\t"+strconv.Itoa(c.server)+"\n") {
		t.Errorf("%v: not pinned to core %d: %s", err, c.server, status)
	}
	if mine, err := pickCores(); err != nil || mine != c {
		t.Errorf("cores of this thread afterwards: %v, %v", mine, err)
	}
	p.stop()
	if err := syscall.Kill(p.pid(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after stop: %v", p.pid(), err)
	}
}

// The yardstick must be right too: with more under way than the sockets hold.
func TestRawEchoEchoes(t *testing.T) {
	p, _ := rawServer(t)
	for _, size := range []int{1, 64, 8 << 20} {
		o := load.Options{Addr: p.addr, Protocol: load.Raw, Conns: 20, Size: size, PID: p.pid(), Warm: 1, Time: 20 * time.Millisecond}
		if r, err := load.Echo(o); err != nil || r.ServerCPU <= 0 || r.Threads != 1 {
			t.Errorf("size %d: %+v, %v", size, r, err)
		}
	}
}

func TestServerThatEndsIsAnError(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, err := startServer(context.Background(), t.TempDir(), "broken", 0, func(string) ([]string, error) {
		return []string{"sh", "-c", "echo no such module; exit 3"}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "no such module") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}
