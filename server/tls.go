package server

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
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
}

// newTLSSocket begins TLS on an accepted connection: the handshake comes with
// the first read.
func (s *Server) newTLSSocket(c eventloop.Socket) *tlsSocket {
	t := &tlsSocket{tcp: c}
	local := addrPortOf(c.LocalAddr())
	t.host = s.routes.find(local, "")
	t.Conn = tls.Server(c, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if h := s.routes.find(local, hello.ServerName); h.SpeaksTLS() {
				t.host = h
			}
			s.trace.certified(t.host, hello.ServerName)
			return s.tlsConfigs.Load().of[t.host], nil
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

// Read reads, and tells a client that speaks HTTP to this port what it should
// do instead (httpd 2.4 modules/ssl/ssl_engine_kernel.c,
// ssl_hook_http_cleanup).
func (t *tlsSocket) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if refused, is := errors.AsType[tls.RecordHeaderError](err); is && refused.Conn != nil && isLetters(refused.RecordHeader[:4]) {
		r := fasthttp.AcquireResponse()
		defer fasthttp.ReleaseResponse(r)
		setError(r, fasthttp.StatusBadRequest, "You are speaking plain HTTP to a TLS port. Use the HTTPS scheme instead.")
		r.Header.SetServer(serverToken)
		r.SetConnectionClose()
		_, _ = r.WriteTo(refused.Conn) // a client that does not take it is closed all the same
	}
	return n, err
}

func isLetters(p []byte) bool {
	return !slices.ContainsFunc(p, func(c byte) bool { return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != ' ' && c != '/' })
}

// tlsConfigs are those of the hosts that speak TLS.
type tlsConfigs struct {
	of map[*httpdconf.Host]*tls.Config
}

// loadTLS reads the certificates of all hosts. When that fails those that were
// read before stay.
func (s *Server) loadTLS() error {
	configs := &tlsConfigs{of: make(map[*httpdconf.Host]*tls.Config)}
	for _, h := range append([]*httpdconf.Host{s.cfg.Main}, s.cfg.Hosts...) {
		if !h.SpeaksTLS() {
			continue
		}
		config, err := newTLSConfig(h.SSL)
		if err != nil {
			place := h.Range
			if len(h.SSL.Certificates) > 0 {
				place = h.SSL.Certificates[0].Range
			}
			return fmt.Errorf("AH02572: Failed to configure at least one certificate and key for %s (%s:%d): %w", h.Name, place.Filename, place.Start.Line, err)
		}
		configs.of[h] = config
	}
	s.tlsConfigs.Store(configs)
	return nil
}

func newTLSConfig(h *httpdconf.SSLHost) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: cmp.Or(h.MinVersion, tls.VersionTLS12), MaxVersion: h.MaxVersion, CipherSuites: h.Ciphers, NextProtos: []string{"http/1.1"},
	}
	if len(h.Certificates) == 0 {
		return nil, errors.New("no SSLCertificateFile")
	}
	for i, file := range h.Certificates {
		certificate, err := loadCertificate(file.Path, keyFor(h, i), h.Chain)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		config.Certificates = append(config.Certificates, certificate)
	}
	switch h.Verify {
	case httpdconf.SSLVerifyOptional:
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case httpdconf.SSLVerifyRequire:
		config.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return config, nil
	}
	config.ClientCAs = x509.NewCertPool()
	if h.CAFile != nil {
		text, err := os.ReadFile(h.CAFile.Path)
		if err != nil {
			return nil, err
		}
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", h.CAFile.Path)
		}
	}
	depth := max(h.VerifyDepth, 1)
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || slices.ContainsFunc(state.VerifiedChains, func(chain []*x509.Certificate) bool { return len(chain)-1 <= depth }) {
			return nil
		}
		return errors.New("the client's certificate is further from the CA's than SSLVerifyDepth allows")
	}
	return config, nil
}

// keyFor returns the file of a certificate's key: of the key line with the same
// number, else the certificate's own.
func keyFor(h *httpdconf.SSLHost, i int) string {
	if i < len(h.Keys) {
		return h.Keys[i].Path
	}
	return h.Certificates[i].Path
}

func loadCertificate(file, key string, chain *httpdconf.SSLFile) (tls.Certificate, error) {
	certificate, err := os.ReadFile(file)
	if err != nil {
		return tls.Certificate{}, err
	}
	if chain != nil {
		more, err := os.ReadFile(chain.Path)
		if err != nil {
			return tls.Certificate{}, err
		}
		certificate = append(append(certificate, '\n'), more...)
	}
	private, err := os.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if isEncrypted(private) {
		return tls.Certificate{}, fmt.Errorf("the key in %s has a passphrase, which nobody is asked for: write it without one (openssl pkey)", key)
	}
	return tls.X509KeyPair(certificate, private)
}

func isEncrypted(text []byte) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
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

// misdirected reports whether a request is for another host than the client has
// made the connection to, and one with other certificates or rules (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_ReadReq, under SSLVHostSNIPolicy
// secure).
func misdirected(t *tlsSocket, h *httpdconf.Host) bool {
	if t == nil || h == t.host || !h.SpeaksTLS() {
		return false
	}
	a, b := t.host.SSL, h.SSL
	return a.Verify != b.Verify || a.VerifyDepth != b.VerifyDepth || a.MinVersion != b.MinVersion || a.MaxVersion != b.MaxVersion || !slices.Equal(a.Ciphers, b.Ciphers) ||
		!slices.Equal(filesOf(a), filesOf(b))
}

// filesOf names the files of a host's certificates, and of those by which it
// judges clients'.
func filesOf(h *httpdconf.SSLHost) []string {
	var paths []string
	for _, list := range [][]httpdconf.SSLFile{h.Certificates, h.Keys} {
		for _, f := range list {
			paths = append(paths, f.Path)
		}
		paths = append(paths, "")
	}
	if h.CAFile != nil {
		paths = append(paths, h.CAFile.Path)
	}
	return paths
}

func addrPortOf(a net.Addr) netip.AddrPort {
	if t, is := a.(*net.TCPAddr); is {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}

// secured answers what SSLRequireSSL forbids (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_Access).
func (s *Server) secured(ctx *fasthttp.RequestCtx, r *route) (refusal int) {
	if r.settings.SSL == nil || !r.settings.SSL.RequireSSL || r.isTLS {
		return 0
	}
	r.trace.at(StepAccess, "the client does not speak TLS: 403", r.settings.SSL.Range)
	s.logOf(r).printf("ssl", httpdconf.LevelError, r.client.String(), "AH02219: access to %s failed, reason: SSL connection required", r.filename)
	return fasthttp.StatusForbidden
}
