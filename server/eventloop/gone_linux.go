package eventloop

import "golang.org/x/sys/unix"

// IsPeerGone reports whether the peer has ended its half of the connection, or
// reset it, although what it has sent before may not have been read yet; or
// whether the socket is closed.
func (c *Conn) IsPeerGone() bool {
	if c.own == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.closed || hasEnd(int(c.fd))
	}
	raw, err := c.own.socket.SyscallConn()
	if err != nil {
		return true
	}
	gone := true
	_ = raw.Control(func(fd uintptr) { gone = hasEnd(int(fd)) }) // it fails once the socket is closed
	return gone
}

func hasEnd(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}
