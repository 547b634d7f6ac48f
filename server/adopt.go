package server

import (
	"context"
	"net"
	"os"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/supervise/callpage"
	"github.com/wshttpd/wshttpd/ws"
)

// Adopt gives the server listening sockets that are open already, by
// Listener.Address, for Listen to take instead of binding the address. It
// closes those that no Listen line names.
func (s *Server) Adopt(files map[string]*os.File) { s.inherited = files }

// AdoptLogs gives the server the pipes of the programs that another process
// runs for its logs, by the names that ErrorLog and CustomLog have for them.
// Listen starts those that are not among them by itself.
func (s *Server) AdoptLogs(pipes map[string]*os.File) { s.logPipes = pipes }

// AdoptCalls gives the server the page in which it notes calls of plugins for
// another process; nil stands for one of its own. worn, if it is there, is
// called, again and again, while so many callbacks do not return that another
// process should take this one's place.
func (s *Server) AdoptCalls(page *callpage.Page, worn func()) {
	s.calls.page, s.calls.worn = page, worn
}

// adoptOrBind opens the socket of a Listen line. One that was inherited may
// have been opened under another Timeout, or by who knows none of our options.
func (s *Server) adoptOrBind(l httpdconf.Listener) error {
	file := s.inherited[l.Address()]
	if file == nil {
		return s.bind(l)
	}
	delete(s.inherited, l.Address())
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return err
	}
	tcp := listener.(*net.TCPListener)
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	controlErr := raw.Control(func(fd uintptr) { err = setSocketOptions(int(fd), s.cfg) })
	if controlErr != nil {
		return controlErr
	}
	if err != nil {
		return err
	}
	taken, err := newListening(s, tcp, s.speaksTLS(l))
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, taken)
	return nil
}

// Restart is Shutdown for a server in whose place another serves already:
// WebSockets are told 1012.
func (s *Server) Restart(ctx context.Context) bool {
	s.endOnce.Do(func() { s.ended = s.shutdown(ctx, ws.ServiceRestart) })
	return s.ended
}

func (s *Server) closeInherited() {
	for address, file := range s.inherited {
		_ = file.Close() // nobody is behind it
		delete(s.inherited, address)
	}
}
