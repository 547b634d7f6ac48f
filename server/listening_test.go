package server

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketOptions: what the file says of sockets holds for the listener, and
// the buffers for those accepted from it, which inherit them.
func TestSocketOptions(t *testing.T) {
	l := serve(t, "ListenBacklog 7\nSendBufferSize 40000\nReceiveBufferSize 50000\n", nil)
	fd := l.listeners[0].fd
	if tcp := l.listeners[0].tcp; tcp != nil {
		file, err := tcp.File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fd = int(file.Fd())
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || info.Sacked != 7 { // of a listening socket that is its backlog (Linux, tcp_get_info)
		t.Errorf("the backlog is %d, %v; want 7", info.Sacked, err)
	}
	for name, want := range map[int]int{unix.SO_SNDBUF: 80000, unix.SO_RCVBUF: 100000} { // the kernel doubles them
		if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, name); got != want || err != nil {
			t.Errorf("option %d is %d, %v; want %d", name, got, err, want)
		}
	}
}
