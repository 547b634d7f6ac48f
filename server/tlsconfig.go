package server

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// tlsHost is how a host speaks TLS.
type tlsHost struct {
	config  *tls.Config
	clients *clientRules
}

// loadTLS reads the certificates of all hosts.
func (s *Server) loadTLS() error {
	s.tlsHosts = make(map[*httpdconf.Host]*tlsHost)
	for _, h := range append([]*httpdconf.Host{s.cfg.Main}, s.cfg.Hosts...) {
		if !h.SpeaksTLS() {
			continue
		}
		t := &tlsHost{config: newTLSConfig(h.SSL)}
		for _, load := range []func(*httpdconf.Host) error{t.loadCertificates, t.loadTicketKey, t.loadClientRules} {
			if err := load(h); err != nil {
				return err
			}
		}
		s.tlsHosts[h] = t
	}
	return nil
}

// newTLSConfig makes what a host answers a handshake with. Each host has its
// own keys of tickets, so that no session is taken up again at another host,
// whose clients may need a certificate.
func newTLSConfig(h *httpdconf.SSLHost) *tls.Config {
	config := &tls.Config{
		MinVersion: h.Lowest(), MaxVersion: h.MaxVersion, CipherSuites: h.Ciphers, CurvePreferences: h.Groups,
		NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: h.Tickets != nil && !*h.Tickets,
	}
	config.WrapSession, config.UnwrapSession = config.EncryptTicket, config.DecryptTicket
	return config
}

// loadCertificates reads the host's own certificates (httpd 2.4
// modules/ssl/ssl_engine_init.c, ssl_init_server_certs).
func (t *tlsHost) loadCertificates(h *httpdconf.Host) error {
	if len(h.SSL.Certificates) == 0 {
		return at(h.Range, fmt.Errorf("AH02572: Failed to configure at least one certificate and key for %s: no SSLCertificateFile", h.Name))
	}
	for i, file := range h.SSL.Certificates {
		key := file
		if i < len(h.SSL.Keys) {
			key = h.SSL.Keys[i]
		}
		certificate, err := loadCertificate(file, key, h.SSL.Chain)
		if err != nil {
			return err
		}
		t.config.Certificates = append(t.config.Certificates, certificate)
	}
	// crypto/tls takes the first that the client understands; most understand
	// all, and OpenSSL then prefers the smaller keys.
	isRSA := func(c tls.Certificate) int {
		if c.Leaf.PublicKeyAlgorithm == x509.RSA {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(t.config.Certificates, func(a, b tls.Certificate) int { return isRSA(a) - isRSA(b) })
	return nil
}

// at puts file and line behind what is wrong with them.
func at(place hcl.Range, err error) error {
	if place.Filename == "" {
		return err
	}
	return fmt.Errorf("%w (%s:%d)", err, place.Filename, place.End.Line)
}

// loadCertificate reads a certificate with what is to be sent behind it, and
// its key.
func loadCertificate(file, key httpdconf.SSLFile, chain *httpdconf.SSLFile) (tls.Certificate, error) {
	text, err := os.ReadFile(file.Path)
	if err != nil {
		return tls.Certificate{}, at(file.Range, err)
	}
	if !holdsBlock(text, "CERTIFICATE") {
		return tls.Certificate{}, at(file.Range, fmt.Errorf("AH02562: Failed to configure certificate, check %s: it holds no certificate", file.Path))
	}
	if chain != nil {
		more, err := os.ReadFile(chain.Path)
		if err != nil {
			return tls.Certificate{}, at(chain.Range, err)
		}
		text = append(append(text, '\n'), more...)
	}
	private, err := os.ReadFile(key.Path)
	switch {
	case err != nil:
		return tls.Certificate{}, at(key.Range, err)
	case isEncrypted(private):
		return tls.Certificate{}, at(key.Range, fmt.Errorf("AH02564: Failed to configure encrypted private key, check %s: "+
			"nobody is asked for its passphrase, write it without one (openssl pkey -in FILE -out FILE)", key.Path))
	}
	certificate, err := tls.X509KeyPair(text, private)
	switch {
	case err == nil:
		return certificate, nil
	case strings.Contains(err.Error(), "private key does not match"), strings.Contains(err.Error(), "private key type does not match"):
		return certificate, at(key.Range, fmt.Errorf("AH02565: Certificate and private key from %s and %s do not match", file.Path, key.Path))
	}
	return certificate, at(key.Range, fmt.Errorf("certificate from %s and private key from %s: %w", file.Path, key.Path, err))
}

// holdsBlock reports whether a text in PEM has a block of a type.
func holdsBlock(text []byte, kind string) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			return true
		}
	}
	return false
}

func isEncrypted(text []byte) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

// completeChains adds to a certificate for which no line names others those of
// authorities that lead to a root, as OpenSSL does (ssl/statem/statem_lib.c,
// ssl_add_cert_chain).
func (t *tlsHost) completeChains(authorities []*x509.Certificate) {
	for i := range t.config.Certificates {
		own := &t.config.Certificates[i]
		if len(own.Certificate) > 1 {
			continue
		}
		for at := own.Leaf; string(at.RawSubject) != string(at.RawIssuer); {
			above := slices.IndexFunc(authorities, func(a *x509.Certificate) bool {
				return string(a.RawSubject) == string(at.RawIssuer) && at.CheckSignatureFrom(a) == nil
			})
			if above < 0 || len(own.Certificate) > len(authorities) {
				break
			}
			at = authorities[above]
			own.Certificate = append(own.Certificate, at.Raw)
		}
	}
}

// loadTicketKey takes the key of tickets from a file, for it to be the same in
// several servers (httpd 2.4 modules/ssl/ssl_engine_init.c,
// ssl_init_ticket_key). What stands in tickets is this server's own.
func (t *tlsHost) loadTicketKey(h *httpdconf.Host) error {
	file := h.SSL.TicketKey
	if file == nil {
		return nil
	}
	const size = 48
	text, err := os.ReadFile(file.Path)
	if err == nil && len(text) < size {
		err = errors.New("end of file found")
	}
	if err != nil {
		return at(file.Range, fmt.Errorf("AH02287: Failed to read %d bytes from %s: %w", size, file.Path, err))
	}
	t.config.SetSessionTicketKeys([][32]byte{sha256.Sum256(text[:size])})
	return nil
}
