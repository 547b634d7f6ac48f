package examples

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// certify makes an authority and a certificate of this machine's by openssl, as
// an operator may, and returns their folder.
func certify(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "names"), []byte("basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	key := "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
	for _, line := range []string{
		"req -x509 " + key + " -keyout ca.key -out ca.pem -days 2 -subj /CN=authority",
		"req " + key + " -keyout server.key -out server.csr -subj /CN=localhost",
		"x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
	} {
		cmd := exec.Command("openssl", strings.Fields(line)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", line, err, out)
		}
	}
	return dir
}

// keyDigest is how Chromium calls a key that it is to trust.
func keyDigest(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(digest[:])
}

// TestForeignClientsOverTLS: browsers and libraries echo on wss, each with its
// own TLS; all but Chromium check the certificate.
func TestForeignClientsOverTLS(t *testing.T) {
	dir := certify(t)
	conf := fmt.Sprintf("LoadModule ssl_module modules/mod_ssl.so\nSSLEngine on\nSSLCertificateFile %[1]s/server.pem\nSSLCertificateKeyFile %[1]s/server.key\n", dir)
	p := serve(t, readConf(t, "httpd.conf")+conf)
	wss, https := strings.Replace(p.url("/echo"), "ws:", "wss:", 1), strings.Replace(p.http("/client.html"), "http:", "https:", 1)
	if log := p.log.String(); !strings.Contains(log, "serving https://127.0.0.1:") {
		t.Errorf("the server does not say where it serves:\n%s", log)
	}
	t.Setenv("SSL_CERT_FILE", filepath.Join(dir, "ca.pem"))
	t.Setenv("NODE_EXTRA_CA_CERTS", filepath.Join(dir, "ca.pem"))
	t.Run("python3-websockets", func(t *testing.T) { client(t, python, "testdata/clients/echo.py", wss) })
	t.Run("node ws", func(t *testing.T) { client(t, "node", "testdata/clients/ws.js", wss) })
	t.Run("node websocket", func(t *testing.T) { client(t, "node", "testdata/clients/websocket.js", wss) })
	t.Run("chromium", func(t *testing.T) {
		trusts := "--ignore-certificate-errors-spki-list=" + keyDigest(t, filepath.Join(dir, "server.pem"))
		browse(t, append([]string{trusts}, echoSteps(https)...)...)
	})
}
