package supervise

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// sockets are the listening sockets of all generations, by address. The one
// who holds them accepts nothing.
type sockets map[string]*os.File

// bind returns the sockets that a configuration wants: those that are there,
// and new ones.
func (old sockets) bind(list []httpdconf.Listener) (sockets, error) {
	if len(list) == 0 {
		return nil, httpdconf.ErrNoListeners
	}
	wanted := make(sockets)
	for _, l := range list {
		address := l.Address()
		if wanted[address] = old[address]; wanted[address] != nil {
			continue
		}
		file, err := listen(address)
		if err != nil {
			delete(wanted, address)
			wanted.closeBut(old)
			return nil, bindError(address, err)
		}
		wanted[address] = file
	}
	return wanted, nil
}

// closeBut closes the sockets that others does not have.
func (s sockets) closeBut(others sockets) {
	for address, file := range s {
		if others[address] != file {
			_ = file.Close() // nobody is behind it
		}
	}
}

// addresses returns the addresses in an order that stays.
func (s sockets) addresses() []string {
	var list []string
	for address := range s {
		list = append(list, address)
	}
	slices.Sort(list)
	return list
}

// listen opens a listening socket. Its options are set by who serves on it,
// which is why it is no multipath one: that has not all of them.
func listen(address string) (*os.File, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return staysNonblocking(file)
}

// staysNonblocking is the file under a descriptor of its own, of which os.File
// does not know that it does not block: Fd, which exec calls for each new
// worker, would make it block, and so hold up those that accept on it already,
// since the mode is not the descriptor's but the socket's.
func staysNonblocking(file *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(file.Fd(), syscall.F_DUPFD_CLOEXEC, 0) // Fd has made it block
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	own := os.NewFile(uintptr(fd), file.Name())
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = own.Close()
		return nil, os.NewSyscallError("fcntl", err)
	}
	return own, nil
}

// bindError is httpd's message (httpd 2.4 server/listen.c, make_sock and
// open_listeners).
func bindError(address string, err error) error {
	cause := err.Error()
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		cause = fmt.Sprintf("(%d)%s", int(errno), capital(errno.Error()))
	}
	host, port, _ := net.SplitHostPort(address) // it was joined
	if host == "" {
		host = "[::]"
	} else if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		host = "[" + host + "]"
	}
	return fmt.Errorf("%s: AH00072: make_sock: could not bind to address %s:%s\n%w", cause, host, port, httpdconf.ErrNoListeners)
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
