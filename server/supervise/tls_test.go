package supervise_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"strings"
	"syscall"
	"testing"
	"time"
)

// certify writes a certificate with a serial number and its key.
func (s *site) certify(serial int64) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func (s *site) dialTLS() *tls.Conn {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// serial is the number of the certificate that new clients get.
func (s *site) serial() int64 {
	c := s.dialTLS()
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestCertificatesAreReadAgain: by a graceful restart, at which open WebSockets
// go on, and by a restart; not where the new ones are bad.
func TestCertificatesAreReadAgain(t *testing.T) {
	s := newSite(t)
	s.certify(1)
	s.configure("one", "LoadModule ssl_module x\nSSLEngine on\nSSLCertificateFile cert.pem\nSSLCertificateKeyFile key.pem\n")
	s.want([]string{"-k", "start"}, 0, "", "")
	c := s.dialTLS()
	fmt.Fprintf(c, "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(c)
	for line := "x"; strings.TrimSpace(line) != ""; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	echoes := func() {
		t.Helper()
		echo := make([]byte, 3)
		_, _ = c.Write([]byte("\x81\x81\x00\x00\x00\x00x")) // the read says whether it went
		if _, err := io.ReadFull(r, echo); err != nil || string(echo) != "\x81\x01x" {
			t.Fatalf("echoed %q, %v", echo, err)
		}
	}
	echoes()

	s.certify(2)
	if got := s.serial(); got != 1 {
		t.Errorf("before the restart: certificate %d", got)
	}
	s.want([]string{"-k", "graceful"}, 0, "", "")
	s.await("the new certificate", func() bool { return s.serial() == 2 })
	echoes()

	s.certify(3)
	s.write("key.pem", "no key")
	if err := syscall.Kill(s.pid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	s.await("a refusal", func() bool { return strings.Contains(s.log(), "key.pem") })
	if got := s.serial(); got != 2 {
		t.Errorf("with a bad key: certificate %d", got)
	}
	s.certify(4)
	s.want([]string{"-k", "restart"}, 0, "", "")
	s.await("the fourth certificate", func() bool {
		c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true}) // whoever is in its handshake then is cut
		if err != nil {
			return false
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 4
	})
}
