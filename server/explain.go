package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Question is a request that is to be explained.
type Question struct {
	Head       []byte         // request line and header, with the blank line
	From, To   netip.AddrPort // the ends of the connection
	TLS        bool           // the client speaks it
	ServerName string         // what it says in the TLS handshake; "" for nothing
}

// Explanation is how a request is answered, and what has decided that.
type Explanation struct {
	Decisions []Decision

	// What the request was found to mean; zero where its head is refused.
	Host     *httpdconf.Host
	Path     string // decoded and normalised
	Filename string
	Handler  string               // of SetHandler; "" for none
	Sections []*httpdconf.Section // that cover it, in the order of merging
	Plugin   *httpdconf.PluginRef // that is asked; nil for none

	// Answer is what the client gets, but for the body. Status 0 stands for
	// none: the connection is refused, or TLS fails. A handshake that comes as
	// far as its plugin has 101, which the plugin may still turn into 403.
	Status  int
	Header  []byte // lines, with the status line
	Refused error  // why there is no answer
}

// explainTime bounds one explanation: names of hosts may have to be looked up.
const explainTime = 30 * time.Second

// Explain answers a request by the code that serves all others, and says what
// has decided the answer. Nothing is listened on, no log is written, and a
// plugin is not asked. The server must have been made for this: it cannot serve
// any more.
func (s *Server) Explain(q *Question) *Explanation {
	t := &trace{}
	e := &Explanation{}
	s.trace = t
	s.log = &errorLog{levels: s.cfg.Main.LogLevels, trace: t}
	s.hostLogs = map[*httpdconf.Host]*errorLog{s.cfg.Main: s.log}
	for _, h := range s.cfg.Hosts {
		s.hostLogs[h] = &errorLog{levels: h.LogLevels, trace: t}
	}
	if e.Refused = s.exchange(q, t, e); e.Refused == nil && t.route != nil {
		r := t.route
		e.Host, e.Path, e.Filename, e.Handler = r.host, r.path, r.filename, r.handler()
	}
	e.Decisions, e.Sections, e.Plugin = t.decisions, t.covering, t.plugin
	return e
}

// listenerOf returns the Listen line by which a connection to an address comes
// in, nil for none: an exact address before one for all.
func (s *Server) listenerOf(to netip.AddrPort) *httpdconf.Listener {
	var found *httpdconf.Listener
	for i := range s.cfg.Listeners {
		l := &s.cfg.Listeners[i]
		ip, err := netip.ParseAddr(l.Host)
		switch {
		case l.Port != int(to.Port()):
		case err == nil && ip.Unmap() == to.Addr().Unmap():
			return l
		case err != nil || ip.IsUnspecified() && ip.Is6() || ip.IsUnspecified() && to.Addr().Unmap().Is4():
			found = l
		}
	}
	return found
}

var errNotListening = errors.New("no Listen line has this address: the connection is refused")

// exchange has one connection served, over a pipe.
func (s *Server) exchange(q *Question, t *trace, e *Explanation) error {
	l := s.listenerOf(q.To)
	if l == nil {
		return fmt.Errorf("%v: %w", q.To, errNotListening)
	}
	isTLS := s.speaksTLS(*l)
	t.add(StepConnection, fmt.Sprintf("comes in at %v from %v, %s", q.To, q.From, map[bool]string{true: "where TLS is spoken", false: "without TLS"}[isTLS]), l.Range)
	client, served := net.Pipe()
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(explainTime))
	socket := &pipeSocket{Conn: served, local: net.TCPAddrFromAddrPort(q.To), remote: net.TCPAddrFromAddrPort(q.From)}
	nc := newNetConn(socket, s.open, s.cfg.Main)
	if isTLS {
		if err := s.loadTLS(); err != nil {
			return err
		}
		nc = newNetConn(s.newTLSSocket(socket), s.open, s.cfg.Main)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serveConn(nc)
	}()
	err := ask(client, q, e)
	client.Close()
	<-done
	return err
}

// ask sends the request as a client does, and reads the answer's head.
func ask(c net.Conn, q *Question, e *Explanation) error {
	if q.TLS {
		// Whose certificate it is plays no part: it is the server that is asked.
		t := tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: q.ServerName})
		if err := t.Handshake(); err != nil {
			return fmt.Errorf("the TLS handshake fails: %w", err)
		}
		c = t
	}
	go func() { _, _ = c.Write(q.Head) }() // a server that has enough of it answers
	answer := bufio.NewReader(c)
	for {
		line, err := answer.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("there is no answer: %w", err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		e.Header = append(e.Header, line...)
	}
	if _, err := fmt.Sscanf(string(e.Header), "HTTP/1.%d %d", new(int), &e.Status); err != nil {
		return fmt.Errorf("the answer %q has no status", e.Header)
	}
	return nil
}

// pipeSocket is one end of a pipe as a socket with addresses of its own.
type pipeSocket struct {
	net.Conn
	local, remote *net.TCPAddr
}

func (p *pipeSocket) LocalAddr() net.Addr  { return p.local }
func (p *pipeSocket) RemoteAddr() net.Addr { return p.remote }
func (p *pipeSocket) CloseWrite() error    { return nil }

// SyscallConn fails: there is no descriptor.
func (p *pipeSocket) SyscallConn() (syscall.RawConn, error) { return nil, syscall.EBADF }

// explainUpgrade answers a handshake that has come as far as its plugin, which
// is not asked.
func (s *Server) explainUpgrade(ctx *fasthttp.RequestCtx, r *route, by speaker, plugin *httpdconf.PluginRef) {
	r.trace.handshake(by, plugin)
	ctx.SetStatusCode(fasthttp.StatusSwitchingProtocols)
	ctx.SetConnectionClose()
}
