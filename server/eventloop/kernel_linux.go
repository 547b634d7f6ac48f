package eventloop

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is what a loop asks of the system. Tests put another in the place of
// linux, which answers as no real one does on demand: short, late, or with an
// error.
type kernel interface {
	// wait is epoll_pwait; timeout in milliseconds, -1 for none.
	wait(epfd int, events []unix.EpollEvent, timeout int) (int, syscall.Errno)
	control(epfd, op, fd int, events uint32, data uint64) syscall.Errno
	recv(fd int, p []byte) (int, syscall.Errno)
	send(fd int, p []byte, more bool) (int, syscall.Errno) // with more, the kernel may wait for what follows
	send2(fd int, p, q []byte) (int, syscall.Errno)
	accept(fd int) (int, netip.AddrPort, syscall.Errno)
	shutdownWrite(fd int) syscall.Errno
	close(fd int)
}

// linux calls the kernel. Calls that cannot wait go past Go's scheduler, which
// saves a third of an echo's cost; the one that can wait does not, so that
// other goroutines get the processor meanwhile.
type linux struct{}

func (linux) wait(epfd int, events []unix.EpollEvent, timeout int) (int, syscall.Errno) {
	if timeout == 0 {
		n, _, err := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
		return int(n), err
	}
	n, _, err := syscall.Syscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(timeout), 0, 0)
	return int(n), err
}

func (linux) control(epfd, op, fd int, events uint32, data uint64) syscall.Errno {
	e := unix.EpollEvent{Events: events, Fd: int32(data), Pad: int32(data >> 32)}
	_, _, err := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	return err
}

func (linux) recv(fd int, p []byte) (int, syscall.Errno) {
	n, _, err := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT, 0, 0)
	return int(n), err
}

func (linux) send(fd int, p []byte, more bool) (int, syscall.Errno) {
	flags := syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	if more {
		flags |= unix.MSG_MORE
	}
	n, _, err := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
	return int(n), err
}

func (linux) send2(fd int, p, q []byte) (int, syscall.Errno) {
	v := [2]syscall.Iovec{{Base: unsafe.SliceData(p)}, {Base: unsafe.SliceData(q)}}
	v[0].SetLen(len(p))
	v[1].SetLen(len(q))
	n, _, err := syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v)), 2)
	return int(n), err
}

func (linux) accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	var from unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(from))
	n, _, err := syscall.RawSyscall6(syscall.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
	if err != 0 {
		return -1, netip.AddrPort{}, err
	}
	return int(n), addrPort(&from), 0
}

// addrPort reads an address of the kernel's, the zero value where it is none
// of the internet's.
func addrPort(a *unix.RawSockaddrAny) netip.AddrPort {
	port := func(p *uint16) uint16 { b := (*[2]byte)(unsafe.Pointer(p)); return uint16(b[0])<<8 | uint16(b[1]) }
	switch a.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), port(&in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(a))
		ip := netip.AddrFrom16(in.Addr).Unmap()
		if in.Scope_id != 0 {
			ip = ip.WithZone(zone(int(in.Scope_id)))
		}
		return netip.AddrPortFrom(ip, port(&in.Port))
	}
	return netip.AddrPort{}
}

// zone names a network interface as net does.
func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}

func (linux) shutdownWrite(fd int) syscall.Errno {
	_, _, err := syscall.RawSyscall(syscall.SYS_SHUTDOWN, uintptr(fd), syscall.SHUT_WR, 0)
	return err
}

func (linux) close(fd int) {
	syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
}
