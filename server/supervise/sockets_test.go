package supervise

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketsStayNonblocking: a worker that dies before it serves must not
// leave the socket so that the accept of another waits.
func TestSocketsStayNonblocking(t *testing.T) {
	f, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		flags, err := unix.FcntlInt(f.Fd(), syscall.F_GETFL, 0) // as exec asks for it
		if err != nil || flags&syscall.O_NONBLOCK == 0 {
			t.Errorf("flags %#x, %v: it blocks", flags, err)
		}
	}
	if flags, err := unix.FcntlInt(f.Fd(), syscall.F_GETFD, 0); err != nil || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v: plugins' programs inherit it", flags, err)
	}
}
