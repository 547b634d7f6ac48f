package httpdconf

import (
	"fmt"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Sockets are options of the listening sockets, and of those accepted from
// them; 0 leaves each to the system.
type Sockets struct {
	Backlog                   int // of connections that wait to be accepted
	SendBuffer, ReceiveBuffer int // bytes
}

// socketCommands are the rows of an MPM about sockets and their end.
func socketCommands(mpm string) map[string]command {
	return map[string]command{
		"ListenBacklog":           {mpm, (*walk).setBacklog, "how many connections may wait to be accepted; the system's bound where no line says so"},
		"SendBufferSize":          {mpm, (*walk).setSendBuffer, "bytes of a socket's buffer for what is sent; 0 for the system's"},
		"ReceiveBufferSize":       {mpm, (*walk).setReceiveBuffer, "bytes of a socket's buffer for what comes; 0 for the system's"},
		"GracefulShutdownTimeout": {mpm, (*walk).setGracefulTimeout, "seconds after which a graceful stop cuts what is still open; 0, the default, for never"},
	}
}

// setBacklog is httpd 2.4 server/listen.c, ap_set_listenbacklog.
func (w *walk) setBacklog(_ *syntax.Node, words []syntax.Arg) *problem {
	n, _ := leadingNumber(words[0].Text)
	if n < 1 {
		return &problem{text: "ListenBacklog must be > 0", at: words[0].Range}
	}
	w.config.Sockets.Backlog = int(min(n, 1<<30))
	return nil
}

func (w *walk) setSendBuffer(n *syntax.Node, words []syntax.Arg) *problem {
	return bufferSize(n, words, &w.config.Sockets.SendBuffer)
}

func (w *walk) setReceiveBuffer(n *syntax.Node, words []syntax.Arg) *problem {
	return bufferSize(n, words, &w.config.Sockets.ReceiveBuffer)
}

// bufferSize is httpd 2.4 server/listen.c, ap_set_send_buffer_size.
func bufferSize(n *syntax.Node, words []syntax.Arg, size *int) *problem {
	bytes, _ := leadingNumber(words[0].Text)
	if bytes < 512 && bytes != 0 {
		return &problem{text: fmt.Sprintf("%s must be >= 512 bytes, or 0 for system default.", n.Name), at: words[0].Range}
	}
	*size = int(min(bytes, 1<<30))
	return nil
}

// setGracefulTimeout is httpd 2.4 server/mpm_common.c,
// ap_mpm_set_graceful_shutdown.
func (w *walk) setGracefulTimeout(_ *syntax.Node, words []syntax.Arg) *problem {
	seconds, _ := leadingNumber(words[0].Text)
	w.config.GracefulTimeout = time.Duration(min(max(seconds, 0), 1<<31)) * time.Second
	return nil
}
