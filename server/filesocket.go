package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fileSocket is a socket that has left a loop, for a goroutine to read and
// write. What can be done at once is: only where there is something to wait for
// does the socket become an os.File, whose poller takes more system calls than
// a short answer. A Conn of net's would need a copy of the descriptor, and a
// dozen more.
type fileSocket struct {
	local  net.Addr // nil until it is asked for, unless the listener has told
	remote net.Addr

	mu              sync.Mutex
	fd              int // -1 once file has it, or it is closed
	file            *os.File
	readBy, writeBy time.Time // what the deadlines are before there is a file
}

// newFileSocket takes over a connected, non-blocking socket.
func newFileSocket(fd int, local, remote netip.AddrPort) *fileSocket {
	s := &fileSocket{fd: fd, remote: net.TCPAddrFromAddrPort(remote)}
	if local.IsValid() {
		s.local = net.TCPAddrFromAddrPort(local)
	}
	return s
}

// now makes a call that does not block. It is not done where it would have, or
// where there is a file: then file does it.
func (s *fileSocket) now(call func(fd int) (int, error)) (n int, file *os.File, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.fd >= 0 {
		n, err := call(s.fd)
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, s.asFile(), nil
		}
		return n, nil, err
	}
	if s.file == nil {
		return 0, nil, net.ErrClosed
	}
	return 0, s.file, nil
}

// asFile has something wait for the socket. The caller holds mu.
func (s *fileSocket) asFile() *os.File {
	s.file = os.NewFile(uintptr(s.fd), "socket")
	s.fd = -1
	_ = s.file.SetReadDeadline(s.readBy) // a socket can be waited for
	_ = s.file.SetWriteDeadline(s.writeBy)
	return s.file
}

// Read reads once (net.Conn).
func (s *fileSocket) Read(p []byte) (int, error) {
	n, file, err := s.now(func(fd int) (int, error) { return unix.Read(fd, p) })
	switch {
	case file != nil:
		return file.Read(p)
	case err == nil && n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return max(n, 0), err
}

// Write writes all of p (net.Conn).
func (s *fileSocket) Write(p []byte) (int, error) { return s.write(p, unix.Write) }

// WriteLast is Write for bytes behind which others, or Close, come at once: they
// leave together.
func (s *fileSocket) WriteLast(p []byte) (int, error) { return s.write(p, sendMore) }

// sendMore keeps back what does not fill a packet, until something follows.
func sendMore(fd int, p []byte) (int, error) {
	return unix.SendmsgN(fd, p, nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
}

func (s *fileSocket) write(p []byte, send func(fd int, p []byte) (int, error)) (int, error) {
	sent, file, err := s.now(func(fd int) (int, error) { return send(fd, p) })
	if err != nil || file == nil && sent == len(p) {
		return max(sent, 0), err
	}
	if file == nil {
		file, err = s.wait()
	}
	if err != nil {
		return sent, err
	}
	n, err := file.Write(p[sent:])
	return sent + n, err
}

// wait returns the socket as a file.
func (s *fileSocket) wait() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.file != nil:
		return s.file, nil
	case s.fd < 0:
		return nil, net.ErrClosed
	}
	return s.asFile(), nil
}

// SetDeadline, SetReadDeadline and SetWriteDeadline bound what is waited for
// (net.Conn).
func (s *fileSocket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *fileSocket) SetReadDeadline(t time.Time) error {
	return s.setDeadline(t, &s.readBy, (*os.File).SetReadDeadline)
}

func (s *fileSocket) SetWriteDeadline(t time.Time) error {
	return s.setDeadline(t, &s.writeBy, (*os.File).SetWriteDeadline)
}

func (s *fileSocket) setDeadline(t time.Time, by *time.Time, set func(*os.File, time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return set(s.file, t)
	}
	*by = t
	return nil
}

// Close closes the socket, whoever waits for it (net.Conn).
func (s *fileSocket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return s.file.Close()
	}
	fd := s.fd
	if s.fd = -1; fd < 0 {
		return net.ErrClosed
	}
	return unix.Close(fd)
}

// SyscallConn is for those who wait by themselves (syscall.Conn).
func (s *fileSocket) SyscallConn() (syscall.RawConn, error) {
	file, err := s.wait()
	if err != nil {
		return nil, err
	}
	return file.SyscallConn()
}

// control makes a call that does not block, and is told of no more than that it
// failed.
func (s *fileSocket) control(call func(fd int) error) error {
	_, file, err := s.now(func(fd int) (int, error) { return 0, call(fd) })
	if err != nil || file == nil {
		return err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	controlErr := raw.Control(func(fd uintptr) { err = call(int(fd)) })
	return errors.Join(controlErr, err)
}

// RemoteAddr is the client's address (net.Conn).
func (s *fileSocket) RemoteAddr() net.Addr { return s.remote }

// LocalAddr is the address at which the connection came in (net.Conn).
func (s *fileSocket) LocalAddr() net.Addr {
	if s.local == nil {
		_ = s.control(func(fd int) error {
			s.local = net.TCPAddrFromAddrPort(localAddrOf(fd))
			return nil
		})
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
func (s *fileSocket) CloseWrite() error {
	return s.control(func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) })
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
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	all := min(limited.N, piece.end-piece.at)
	var sent int64
	var sendErr error
	err = raw.Write(func(out uintptr) bool {
		for sent < all {
			n, err := unix.Sendfile(int(out), piece.fd, &piece.at, int(min(all-sent, 1<<30)))
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
	switch {
	case err == nil && sent == 0 && (sendErr == unix.EINVAL || sendErr == unix.ENOSYS || sendErr == unix.EOPNOTSUPP):
		return io.Copy(struct{ io.Writer }{s}, r) // a file system that does not send
	case err == nil:
		err = sendErr
	}
	return sent, err
}
