package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	pool *x509.CertPool
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir, pool: x509.NewCertPool()}
	a.cert, a.key = a.issue("ca", true)
	a.pool.AddCert(a.cert)
	return a
}

// under returns an authority of its own name that this one has signed.
func (a *authority) under(name string) *authority {
	a.t.Helper()
	template := certificateOf(name)
	template.IsCA = true
	lower := &authority{t: a.t, dir: a.dir, pool: a.pool}
	lower.cert, lower.key = a.sign(name, template, newKey(a.t))
	return lower
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificateOf(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// issue writes NAME.pem and NAME.key for a host or a client of this name.
func (a *authority) issue(name string, isCA bool) (*x509.Certificate, crypto.Signer) {
	a.t.Helper()
	template := certificateOf(name)
	template.IsCA = isCA
	return a.sign(name, template, newKey(a.t))
}

// issueRSA is issue for the other kind of keys.
func (a *authority) issueRSA(file, name string) {
	a.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	a.sign(file, certificateOf(name), key)
}

// issueTo writes a certificate with a long name.
func (a *authority) issueTo(name string) {
	a.t.Helper()
	email := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: name + "@example.com"}
	template := certificateOf(name)
	template.SerialNumber = big.NewInt(0xabcdef)
	template.EmailAddresses = []string{name + "@example.com"}
	template.Subject = pkix.Name{
		Country: []string{"DE"}, Province: []string{"Berlin"}, Locality: []string{"Mitte"}, Organization: []string{"A, B+C"}, OrganizationalUnit: []string{"one", "two"},
		CommonName: `J\ü"rg `, ExtraNames: []pkix.AttributeTypeAndValue{email},
	}
	a.sign(name, template, newKey(a.t))
}

// sign writes NAME.pem and NAME.key. An authority without a certificate signs
// itself.
func (a *authority) sign(name string, template *x509.Certificate, key crypto.Signer) (*x509.Certificate, crypto.Signer) {
	a.t.Helper()
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", private)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) write(file, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// revoke writes a list with the certificates of these names, good until an age
// from now.
func (a *authority) revoke(file string, age time.Duration, names ...string) {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(age)}
	for _, name := range names {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: a.read(name).SerialNumber, RevocationTime: time.Now().Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(file, "X509 CRL", der)
}

// forge writes an empty list in the name of an authority whose key is another.
func (a *authority) forge(file string) {
	a.t.Helper()
	issuer := *a.cert
	issuer.PublicKey = a.key.Public()
	list := &x509.RevocationList{Number: big.NewInt(2), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	der, err := x509.CreateRevocationList(rand.Reader, list, &issuer, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(file, "X509 CRL", der)
}

func (a *authority) read(name string) *x509.Certificate {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, name+".pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// join writes the files of a list behind one another.
func (a *authority) join(file string, parts ...string) {
	a.t.Helper()
	var all []byte
	for _, part := range parts {
		text, err := os.ReadFile(filepath.Join(a.dir, part))
		if err != nil {
			a.t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(filepath.Join(a.dir, file), all, 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// run runs openssl in the authority's folder.
func (a *authority) run(args ...string) {
	a.t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = a.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("openssl %q: %v (apt-get install openssl)\n%s", args, err, out)
	}
}

// encrypt writes a key under a passphrase.
func (a *authority) encrypt(key, file string) {
	a.t.Helper()
	a.run("pkey", "-in", key, "-out", file, "-aes256", "-passout", "pass:x")
}

// folder makes a folder of files, by their hashes if told.
func (a *authority) folder(name string, hashed bool, files ...string) {
	a.t.Helper()
	if err := os.Mkdir(filepath.Join(a.dir, name), 0o755); err != nil {
		a.t.Fatal(err)
	}
	for _, file := range files {
		a.join(filepath.Join(name, file), file)
	}
	if hashed {
		a.run("rehash", name)
	}
}
