package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
	"github.com/wshttpd/wshttpd/ws"
)

// Server serves one configuration. Make it with New, then call Listen, Serve
// and Shutdown, each once.
type Server struct {
	cfg *httpdconf.Config
	log *errorLog // of the main server

	hostLogs map[*httpdconf.Host]*errorLog

	accessLogs map[string]*logsink.Sink // by name; those of no host are not there
	logPipes   map[string]*os.File      // of programs that another process runs, by name; see AdoptLogs
	loader     *pluginloader.Loader
	plugins    map[*httpdconf.PluginRef]wsplugin.Plugin
	uses       map[*httpdconf.PluginRef]*pluginUse // those of plugins that are served
	calls      calls

	trace *trace // nil but for Explain

	http         *fasthttp.Server
	workers      workers
	routes       *routes
	types        map[string]mimeTypes // by TypesConfig
	maps         textMaps
	speaksHybi   bool // mod_websocket is loaded
	speaksDrafts bool // mod_websocket_draft76 is

	tlsHosts     map[*httpdconf.Host]*tlsHost // those that speak TLS
	listeners    []*listening
	loops        *eventloop.Group // nil where every connection has a goroutine
	reserve      reserve
	open         *openSet
	opened       counters
	inherited    map[string]*os.File // listening sockets that Adopt was given, by address
	maxConns     int
	accepting    sync.WaitGroup
	pauses       atomic.Int32  // accepts that failed one after the other for want of something
	acceptLogged atomic.Int64  // second in which that was last logged
	stopping     chan struct{} // closed when no connection is accepted any more
	stopOnce     sync.Once
	endOnce      sync.Once
	ended        bool // what Shutdown reports; set in endOnce
}

// New makes a server of a configuration and loads its plugins: their init
// functions run here. Every WebSocketHandler line that fails has a diagnostic;
// the server must then not be used.
func New(cfg *httpdconf.Config, loader *pluginloader.Loader) (*Server, hcl.Diagnostics) {
	diags := loadLibraries(cfg, loader)
	plugins, more := loadPlugins(cfg, loader)
	diags = append(diags, more...)
	s := &Server{
		routes:       newRoutes(cfg),
		cfg:          cfg,
		loader:       loader,
		plugins:      plugins,
		speaksHybi:   cfg.HasModule("websocket_module"),
		speaksDrafts: cfg.HasModule("websocket_draft76_module"),
		open:         newOpenSet(),
		stopping:     make(chan struct{}),
	}
	s.http = s.newHTTP()
	s.types, more = loadTypes(cfg)
	return s, append(diags, more...)
}

// StartErrors returns what -t does not look at, as httpd's does not, and what
// the start would fail of: certificates, and Listen lines that are not there.
func (s *Server) StartErrors() (errs []error) {
	if err := s.loadTLS(); err != nil {
		errs = append(errs, err)
	}
	if len(s.cfg.Listeners) == 0 {
		errs = append(errs, httpdconf.ErrNoListeners)
	}
	return errs
}

// Listen opens the error log and binds every Listen address.
func (s *Server) Listen() error {
	if err := s.openLogs(); err != nil {
		return err
	}
	s.loader.Identify(serverBanner(s.cfg.Tokens), Software(), BuildTime())
	s.loader.SetHosts(s.pluginHosts())
	s.nameCalls()
	if err := s.openAccessLogs(); err != nil {
		return err
	}
	if err := s.loadTLS(); err != nil {
		return err
	}
	if len(s.cfg.Listeners) == 0 {
		return httpdconf.ErrNoListeners
	}
	for _, l := range s.cfg.Listeners {
		if err := s.adoptOrBind(l); err != nil {
			s.closeListeners()
			return err
		}
	}
	s.closeInherited()
	s.limitConnections()
	s.reserve.take()
	if err := s.startLoops(); err != nil {
		return err
	}
	s.beginWatch()
	return nil
}

// otherThreads is how many threads of Go's are left to all but callbacks; beyond
// the sum the runtime ends the process.
const otherThreads = 2000

// startLoops starts the event loops, where this build has them.
func (s *Server) startLoops() (err error) {
	if !eventloop.Loops {
		return nil
	}
	n := s.cfg.EventLoops
	if n == 0 {
		n = eventloop.DefaultLoops()
	}
	debug.SetMaxThreads(eventloop.MostThreads(n) + pluginloader.MaxCallbacks + otherThreads)
	s.loops, err = eventloop.NewGroup(n, func(format string, args ...any) {
		s.log.printf("core", httpdconf.LevelWarn, "", format, args...)
	})
	if err != nil {
		s.closeListeners()
	}
	return err
}

// Addrs returns the addresses that Listen has bound, in file order.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, 0, len(s.listeners))
	for _, l := range s.listeners {
		addrs = append(addrs, l.addr)
	}
	return addrs
}

// URLs returns the roots of what is served, in file order: that of a listener
// to which clients have to speak TLS begins with https.
func (s *Server) URLs() []string {
	urls := make([]string, 0, len(s.listeners))
	for _, l := range s.listeners {
		scheme := "http"
		if l.isTLS {
			scheme = "https"
		}
		urls = append(urls, scheme+"://"+l.addr.String()+"/")
	}
	return urls
}

// bind opens one listening socket. What is set on it holds for the sockets
// accepted from it: a peer that is gone without a word is found within 120 s,
// and one that acknowledges nothing soon after Timeout.
func (s *Server) bind(l httpdconf.Listener) error {
	config := net.ListenConfig{
		KeepAlive: -1, // inherited from the listener, rather than set for each connection
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			controlErr := raw.Control(func(fd uintptr) { err = setSocketOptions(int(fd), s.cfg) })
			if controlErr != nil {
				return controlErr
			}
			return err
		},
	}
	address := net.JoinHostPort(l.Host, strconv.Itoa(l.Port))
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("could not bind to address %s (%s:%d): %w", address, l.Range.Filename, l.Range.Start.Line, err)
	}
	taken, err := newListening(s, listener.(*net.TCPListener), s.speaksTLS(l))
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, taken)
	return nil
}

// userTimeoutMargin keeps the kernel behind our own timers, which say in the
// log what has happened.
const userTimeoutMargin = 5 * time.Second

// A silent peer is asked after keepAliveIdle, and then keepAliveCount times.
const (
	keepAliveIdle     = 60 * time.Second
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 4
)

func setSocketOptions(fd int, cfg *httpdconf.Config) error {
	type option struct{ level, name, value int }
	options := []option{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAliveIdle.Seconds())},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepAliveInterval.Seconds())},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveCount},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int((cfg.Main.Timeout + userTimeoutMargin).Milliseconds())},
	}
	if n := cfg.Sockets.SendBuffer; n > 0 {
		options = append(options, option{unix.SOL_SOCKET, unix.SO_SNDBUF, n})
	}
	if n := cfg.Sockets.ReceiveBuffer; n > 0 {
		options = append(options, option{unix.SOL_SOCKET, unix.SO_RCVBUF, n})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

// setBacklog changes how many connections may wait at a listening socket: it is
// listened on once more.
func setBacklog(l *net.TCPListener, n int) error {
	raw, err := l.SyscallConn()
	if n == 0 || err != nil {
		return err
	}
	if controlErr := raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), n) }); controlErr != nil {
		return controlErr
	}
	return err
}

// raiseDescriptorLimit raises the soft limit to the hard one and returns how
// many connections leave enough for files, logs and plugins: a quarter of the
// limit is kept free, 64 at most.
func raiseDescriptorLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // the soft limit then stays
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	n := int(min(limit.Cur, 1<<30))
	return n - min(n/4, 64)
}

// Serve accepts connections until StopAccepting or Shutdown.
func (s *Server) Serve() {
	for _, l := range s.listeners {
		if s.loops == nil || l.isTLS {
			s.accepting.Go((&acceptor{server: s, listener: l}).run)
			continue
		}
		if err := s.loops.Listen(l.fd, l); err != nil {
			s.log.printf("core", httpdconf.LevelError, "", "no connection is accepted on %v: %v", l.addr, err)
		}
	}
	<-s.stopping
	s.accepting.Wait()
}

// StopAccepting closes the listeners; open connections go on.
func (s *Server) StopAccepting() {
	s.stopOnce.Do(func() {
		close(s.stopping)
		if s.loops != nil {
			s.loops.StopListening()
		}
		s.closeListeners()
		s.reserve.release()
	})
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		l.close()
	}
}

// stopTime bounds the end of connections; cutTime is the part of it that is left
// to callbacks once they are cut. Plugins may take until endTime over destroy,
// which leaves a margin for the process to end within 5 s.
const (
	stopTime = 4200 * time.Millisecond
	cutTime  = 300 * time.Millisecond
	endTime  = 4600 * time.Millisecond
)

// Shutdown ends the server in order: no connection is accepted, every
// WebSocket is told 1001, requests under way are answered, and what is left
// when ctx ends, or after 3.9 s, is cut. Then the plugins are destroyed, but for
// those that have a callback still running. It reports whether all had ended.
// Further calls wait for the first one.
func (s *Server) Shutdown(ctx context.Context) bool {
	s.endOnce.Do(func() { s.ended = s.shutdown(ctx, ws.GoingAway) })
	return s.ended
}

func (s *Server) shutdown(ctx context.Context, code ws.CloseCode) bool {
	begun := time.Now()
	s.StopAccepting()
	s.accepting.Wait() // whom they have accepted last is counted in
	for _, c := range s.open.end(code) {
		c.shutdown(code)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime-cutTime)
	defer cancel()
	ended := s.open.await(ctx)
	if !ended {
		for _, c := range s.open.all() {
			c.cut()
		}
		last, cancelLast := context.WithTimeout(context.Background(), cutTime)
		defer cancelLast()
		ended = s.open.await(last)
	}
	if s.loops != nil {
		s.loops.Close()
	}
	s.workers.end()
	s.logCounters()
	s.destroyPlugins(time.Until(begun.Add(endTime)))
	s.calls.end()
	s.closeLogs()
	return ended
}

// Drain stops accepting and waits until the last connection has ended by
// itself, or until ctx ends. Requests under way are answered, idle HTTP
// connections closed, and WebSockets go on.
func (s *Server) Drain(ctx context.Context) {
	s.StopAccepting()
	s.accepting.Wait() // whom they have accepted last is counted in
	for _, c := range s.open.stop() {
		c.closeIdle()
	}
	s.open.await(ctx)
}

// pause waits for d and reports false when the server stops meanwhile.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stopping:
		return false
	}
}
