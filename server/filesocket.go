package server

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSocket is a socket that has left a loop, for a goroutine to read and
// write. A Conn of net's would need a copy of the descriptor and a dozen more
// system calls.
type fileSocket struct {
	*os.File
	raw    syscall.RawConn
	local  net.Addr // nil until it is asked for, unless the listener has told
	remote net.Addr
}

// newFileSocket takes over a connected, non-blocking socket.
func newFileSocket(fd int, local, remote netip.AddrPort) (*fileSocket, error) {
	f := os.NewFile(uintptr(fd), "socket")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s := &fileSocket{File: f, raw: raw, remote: net.TCPAddrFromAddrPort(remote)}
	if local.IsValid() {
		s.local = net.TCPAddrFromAddrPort(local)
	}
	return s, nil
}

// RemoteAddr is the client's address (net.Conn).
func (s *fileSocket) RemoteAddr() net.Addr { return s.remote }

// LocalAddr is the address at which the connection came in (net.Conn).
func (s *fileSocket) LocalAddr() net.Addr {
	if s.local == nil {
		_ = s.raw.Control(func(fd uintptr) { s.local = net.TCPAddrFromAddrPort(localAddrOf(int(fd))) })
	}
	if s.local == nil {
		return &net.TCPAddr{} // it is closed
	}
	return s.local
}

// localAddrOf asks the kernel; the answer is the zero value after an error.
func localAddrOf(fd int) netip.AddrPort {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// CloseWrite ends the writing half.
func (s *fileSocket) CloseWrite() (err error) {
	controlErr := s.raw.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), unix.SHUT_WR) })
	if controlErr != nil {
		return controlErr
	}
	return err
}

// ReadFrom sends a file, or a first part of one, without copying it; all else
// is copied (io.ReaderFrom).
func (s *fileSocket) ReadFrom(r io.Reader) (int64, error) {
	limited, isLimited := r.(*io.LimitedReader)
	if !isLimited {
		return io.Copy(struct{ io.Writer }{s}, r)
	}
	piece, isPiece := limited.R.(*filePiece)
	if !isPiece {
		return io.Copy(struct{ io.Writer }{s}, r)
	}
	var sent int64
	var sendErr error
	err := s.raw.Write(func(out uintptr) bool {
		for sent < limited.N {
			n, err := unix.Sendfile(int(out), piece.fd, &piece.at, int(min(limited.N-sent, 1<<30)))
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				return false
			case err != nil:
				sendErr = err
				return true
			case n == 0:
				return true
			}
			sent += int64(n)
		}
		return true
	})
	if err == nil {
		err = sendErr
	}
	return sent, err
}
