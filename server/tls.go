package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/eventloop"
)

// tlsSocket is a connection under TLS.
type tlsSocket struct {
	*tls.Conn
	tcp  eventloop.Socket
	host *httpdconf.Host // whose certificate the client got

	clients     *clientRules      // of host
	certificate *x509.Certificate // that the client got

	server *Server
	ready  bool   // the handshake is over
	verify string // SSL_CLIENT_VERIFY; empty until it is asked for
}

// newTLSSocket begins TLS on an accepted connection: the handshake comes with
// the first read.
func (s *Server) newTLSSocket(c eventloop.Socket) *tlsSocket {
	t := &tlsSocket{tcp: c, server: s}
	local := addrPortOf(c.LocalAddr())
	t.host = s.routes.find(local, "")
	t.Conn = tls.Server(c, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if h := s.routes.find(local, hello.ServerName); h.SpeaksTLS() {
				t.host = h
			}
			s.trace.certified(t.host, hello.ServerName)
			speaks := s.tlsHosts[t.host]
			if speaks == nil {
				return nil, errors.New("no host at this address speaks TLS")
			}
			t.clients, t.certificate = speaks.clients, chosen(hello, speaks.config.Certificates)
			return speaks.config, nil
		},
	})
	return t
}

// CloseWrite ends our half: that of TLS, and that of the socket.
func (t *tlsSocket) CloseWrite() error {
	_ = t.Conn.CloseWrite() // it fails before the handshake
	return t.tcp.CloseWrite()
}

// SyscallConn is the socket's.
func (t *tlsSocket) SyscallConn() (syscall.RawConn, error) { return t.tcp.SyscallConn() }

// chosen returns the certificate that crypto/tls takes for a handshake: the
// first that the client understands.
func chosen(hello *tls.ClientHelloInfo, certificates []tls.Certificate) *x509.Certificate {
	for i := range certificates {
		if len(certificates) == 1 || hello.SupportsCertificate(&certificates[i]) == nil {
			return certificates[i].Leaf
		}
	}
	return certificates[0].Leaf
}

// Read reads; with the first read comes the handshake.
func (t *tlsSocket) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if !t.ready {
		t.ready = true
		if err != nil && !t.ConnectionState().HandshakeComplete {
			t.handshakeFailed(err)
		}
	}
	return n, err
}

// handshakeFailed logs why, and tells a client that speaks HTTP to this port
// what it should do instead.
func (t *tlsSocket) handshakeFailed(err error) {
	log := t.server.log
	log.printf("ssl", httpdconf.LevelInfo, t.RemoteAddr().String(), "AH02008: SSL library error in handshake (server %s): %v", t.host.Name, err)
	refused, is := errors.AsType[tls.RecordHeaderError](err)
	if !is || refused.Conn == nil || !isHTTP(refused.RecordHeader[:]) {
		return
	}
	log.printf("ssl", httpdconf.LevelInfo, t.RemoteAddr().String(), "AH01996: SSL handshake failed: HTTP spoken on HTTPS port; trying to send HTML error page")
	r := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(r)
	t.server.setRefusal(r, fasthttp.StatusBadRequest, statusText(fasthttp.StatusBadRequest))
	r.SetBodyString(strings.Replace(string(r.Body()), statusText(fasthttp.StatusBadRequest), plainHTTP, 1))
	_, _ = r.WriteTo(refused.Conn) // a client that does not take it is closed all the same
}

// plainHTTP is said to who speaks HTTP without TLS (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_ReadReq).
const plainHTTP = `Your browser sent a request that this server could not understand.<br />
Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />
 Instead use the HTTPS scheme to access this URL, please.<br />
`

// isHTTP tells the beginning of a request (OpenSSL's ssl/record/ssl3_record.c,
// ssl3_get_record).
func isHTTP(p []byte) bool {
	return slices.ContainsFunc([]string{"GET ", "POST ", "HEAD ", "PUT "}, func(method string) bool { return strings.HasPrefix(string(p), method) })
}

// speaksTLS reports whether connections to a listener's address are TLS: as the
// first of the hosts at that address has it.
func (s *Server) speaksTLS(l httpdconf.Listener) bool {
	ip, err := netip.ParseAddr(l.Host)
	if err == nil {
		return s.routes.find(netip.AddrPortFrom(ip, uint16(l.Port)), "").SpeaksTLS()
	}
	for _, h := range s.cfg.Hosts { // a wildcard: whatever the address
		for _, a := range h.Addresses {
			if a.Port == l.Port || a.Port == 0 {
				return h.SpeaksTLS()
			}
		}
	}
	return s.cfg.Main.SpeaksTLS()
}

// overTLS returns a request's connection under TLS, nil if it is not.
func overTLS(ctx *fasthttp.RequestCtx) *tlsSocket {
	if c, is := ctx.Conn().(*netConn); is {
		t, _ := c.Socket.(*tlsSocket)
		return t
	}
	return nil
}

// sniFits answers a request on a connection under TLS that was made to another
// host than it is for: 421, unless the policy lets it, and 403 where the
// handshake had to name a host and did not (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_ReadReq).
func (s *Server) sniFits(t *tlsSocket, r *route) (refusal int) {
	switch {
	case t.ConnectionState().ServerName == "" && (isStrict(t.host) || isStrict(r.host)):
		s.log.printf("ssl", httpdconf.LevelInfo, r.client.String(), "AH02033: No hostname was provided via SNI for a name based virtual host")
		return fasthttp.StatusForbidden
	case misdirected(s.cfg.SNIPolicy, t.host, r.host):
		s.log.printf("ssl", httpdconf.LevelError, r.client.String(),
			"AH02032: Hostname %s provided via SNI and hostname %s provided via HTTP have no compatible SSL setup", t.host.Name, hostName(r.authority))
		return fasthttp.StatusMisdirectedRequest
	}
	return 0
}

func isStrict(h *httpdconf.Host) bool {
	return h.SSL != nil && h.SSL.StrictSNI != nil && *h.SSL.StrictSNI
}

// misdirected reports whether a request for a host must not come over a
// connection to another. What TLS a host without TLS would speak is not known.
func misdirected(policy httpdconf.SNIPolicy, connected, wanted *httpdconf.Host) bool {
	switch {
	case connected == wanted, policy == httpdconf.SNIInsecure:
		return false
	case policy == httpdconf.SNIStrict, !wanted.SpeaksTLS():
		return true
	case policy == httpdconf.SNIAuthOnly:
		return !sameClients(&connected.SSL.Clients, &wanted.SSL.Clients)
	}
	a, b := connected.SSL, wanted.SSL
	return a.MinVersion != b.MinVersion || a.Weak != b.Weak || a.MaxVersion != b.MaxVersion || !slices.Equal(a.Ciphers, b.Ciphers) ||
		!slices.EqualFunc(a.Certificates, b.Certificates, samePath) || !slices.EqualFunc(a.Keys, b.Keys, samePath) || !sameClients(&a.Clients, &b.Clients)
}

func samePath(a, b httpdconf.SSLFile) bool { return a.Path == b.Path }

// sameClients reports whether two hosts judge the certificates of clients in
// the same way.
func sameClients(a, b *httpdconf.SSLClients) bool {
	depth := func(c *httpdconf.SSLClients) int {
		if c.Depth == nil {
			return httpdconf.DefaultVerifyDepth
		}
		return *c.Depth
	}
	check := func(c *httpdconf.SSLClients) (k httpdconf.SSLCRLCheck) {
		if c.CRLCheck != nil {
			k.Leaf, k.Chain, k.MayLack = c.CRLCheck.Leaf, c.CRLCheck.Chain, c.CRLCheck.MayLack
		}
		return k
	}
	return a.Verify.Asks() == b.Verify.Asks() && (!a.Verify.Asks() || a.Verify == b.Verify) && depth(a) == depth(b) && check(a) == check(b) &&
		a.CAFile.PathOf() == b.CAFile.PathOf() && a.CAPath.PathOf() == b.CAPath.PathOf() && a.CRLFile.PathOf() == b.CRLFile.PathOf() && a.CRLPath.PathOf() == b.CRLPath.PathOf()
}

func addrPortOf(a net.Addr) netip.AddrPort {
	if t, is := a.(*net.TCPAddr); is {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
