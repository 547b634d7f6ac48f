package server

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// clientRules judge the certificates of a host's clients as OpenSSL does for
// mod_ssl (httpd 2.4 modules/ssl/ssl_engine_kernel.c, ssl_callback_SSLVerify):
// only who has signed himself is trusted, others of the authorities' files are
// just links of the chain.
type clientRules struct {
	mode  httpdconf.SSLVerify
	depth int
	roots *x509.CertPool
	links []*x509.Certificate
	crls  []*x509.RevocationList
	check httpdconf.SSLCRLCheck
	now   func() time.Time
}

// loadClientRules reads whom a host takes certificates of, and has clients
// asked for one (httpd 2.4 modules/ssl/ssl_engine_init.c, ssl_init_ctx_verify
// and ssl_init_ctx_crl).
func (t *tlsHost) loadClientRules(h *httpdconf.Host) error {
	c := &h.SSL.Clients
	rules := &clientRules{mode: c.Verify, depth: httpdconf.DefaultVerifyDepth, roots: x509.NewCertPool(), now: time.Now}
	if c.Depth != nil {
		rules.depth = *c.Depth
	}
	authorities, err := readAll(c.CAFile, c.CAPath, isHashed, "CERTIFICATE", x509.ParseCertificate)
	if err != nil {
		return fmt.Errorf("AH01895: Unable to configure verify locations for client authentication: %w", err)
	}
	for _, a := range authorities {
		rules.trust(a)
	}
	t.clients = rules
	t.completeChains(authorities)
	if err := rules.loadLists(h); err != nil {
		return err
	}
	if !c.Verify.Asks() {
		return nil
	}
	names := authorities
	if c.NamesFile != nil || c.NamesPath != nil {
		if names, err = readAll(c.NamesFile, c.NamesPath, nil, "CERTIFICATE", x509.ParseCertificate); err != nil {
			return fmt.Errorf("AH01896: Unable to determine list of acceptable CA certificates for client authentication: %w", err)
		}
	}
	t.config.ClientCAs = x509.NewCertPool() // of which only the names are used
	for _, name := range names {
		t.config.ClientCAs.AddCert(name)
	}
	t.config.ClientAuth = tls.RequestClientCert
	if c.Verify == httpdconf.SSLVerifyRequire {
		t.config.ClientAuth = tls.RequireAnyClientCert
	}
	t.config.VerifyConnection = rules.verifyConnection
	return nil
}

// trust takes a certificate of an authority.
func (c *clientRules) trust(a *x509.Certificate) {
	if string(a.RawSubject) == string(a.RawIssuer) {
		c.roots.AddCert(a)
		return
	}
	c.links = append(c.links, a)
}

// loadLists reads what the authorities have revoked.
func (c *clientRules) loadLists(h *httpdconf.Host) (err error) {
	config := &h.SSL.Clients
	switch has := config.CRLFile != nil || config.CRLPath != nil; {
	case config.CRLCheck == nil, !config.CRLCheck.Leaf:
		return nil
	case !has:
		return at(config.CRLCheck.Range, fmt.Errorf("AH01899: Host %s: CRL checking has been enabled, but neither SSLCARevocationFile nor SSLCARevocationPath is configured", h.Name))
	}
	c.check = *config.CRLCheck
	c.crls, err = readAll(config.CRLFile, config.CRLPath, isHashedList, "X509 CRL", x509.ParseRevocationList)
	if err != nil {
		return fmt.Errorf("AH01901: Host %s: unable to configure X.509 CRL storage for certificate revocation: %w", h.Name, err)
	}
	return nil
}

// The names by which OpenSSL finds certificates and lists in a folder
// (openssl-rehash(1)).
var (
	hashedName     = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)
	hashedListName = regexp.MustCompile(`^[0-9a-f]{8}\.r[0-9]+$`)
)

func isHashed(name string) bool     { return hashedName.MatchString(name) }
func isHashedList(name string) bool { return hashedListName.MatchString(name) }

// readAll parses the blocks of a kind in a file, and in those files of a folder
// whose name is wanted: all for nil.
func readAll[T any](file, folder *httpdconf.SSLFile, wanted func(name string) bool, kind string, parse func([]byte) (T, error)) (list []T, err error) {
	if file != nil {
		if list, err = readBlocks(file.Path, kind, parse); err == nil && len(list) == 0 {
			err = fmt.Errorf("%s holds no %s", file.Path, kind)
		}
		if err != nil {
			return nil, at(file.Range, err)
		}
	}
	if folder == nil {
		return list, nil
	}
	entries, err := os.ReadDir(folder.Path)
	if err != nil {
		return nil, at(folder.Range, err)
	}
	for _, entry := range entries {
		if wanted != nil && !wanted(entry.Name()) || entry.IsDir() {
			continue
		}
		more, err := readBlocks(filepath.Join(folder.Path, entry.Name()), kind, parse)
		if err != nil {
			return nil, at(folder.Range, err)
		}
		list = append(list, more...)
	}
	return list, nil
}

func readBlocks[T any](file, kind string, parse func([]byte) (T, error)) (list []T, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != kind {
			continue
		}
		parsed, err := parse(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, parsed)
	}
	return list, nil
}

// verifyConnection ends a handshake whose certificate is not good. It runs for
// sessions that are taken up again too: what was good then may be revoked.
func (c *clientRules) verifyConnection(state tls.ConnectionState) error {
	if _, err := c.judge(state.PeerCertificates); err != nil {
		return fmt.Errorf("AH02276: Certificate Verification: Error: %w [subject: %s]", err, state.PeerCertificates[0].Subject)
	}
	return nil
}

// judge says what SSL_CLIENT_VERIFY does of the certificates that a client has
// sent. An error is one of a certificate that ends the handshake.
func (c *clientRules) judge(sent []*x509.Certificate) (verdict string, err error) {
	if len(sent) == 0 {
		return "NONE", nil
	}
	_, err = c.verify(sent, c.depth)
	switch {
	case err == nil:
		return "SUCCESS", nil
	case c.mode == httpdconf.SSLVerifyOptionalNoCA && errors.As(err, new(x509.UnknownAuthorityError)):
		return "GENEROUS", nil
	}
	return "FAILED:" + err.Error(), err
}

// verify finds a good chain from a client's certificate, which is the first of
// what it has sent, to an authority at most depth certificates above, and
// returns it. An error of type x509.UnknownAuthorityError says that there is
// none to an authority of ours.
func (c *clientRules) verify(sent []*x509.Certificate, depth int) (chain []*x509.Certificate, err error) {
	options := x509.VerifyOptions{
		Roots: c.roots, Intermediates: x509.NewCertPool(), CurrentTime: c.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, link := range slices.Concat(c.links, sent[1:]) {
		options.Intermediates.AddCert(link)
	}
	chains, err := sent[0].Verify(options)
	if err != nil {
		return nil, err
	}
	for _, chain = range chains {
		if len(chain)-1 > depth {
			err = fmt.Errorf("AH02040: Certificate Verification: Certificate Chain too long (chain has %d certificates, but maximum allowed are only %d)", len(chain)-1, depth)
		} else if err = c.checkLists(chain); err == nil {
			return chain, nil
		}
	}
	return nil, err
}

// checkLists looks the certificates of a chain up in their authorities' lists;
// a root is its own authority (OpenSSL's crypto/x509/x509_vfy.c,
// check_revocation).
func (c *clientRules) checkLists(chain []*x509.Certificate) error {
	checked := chain[:0]
	switch {
	case c.check.Chain:
		checked = chain
	case c.check.Leaf:
		checked = chain[:1]
	}
	for i, certificate := range checked {
		if err := c.checkList(certificate, chain[min(i+1, len(chain)-1)]); err != nil {
			return err
		}
	}
	return nil
}

func (c *clientRules) checkList(certificate, issuer *x509.Certificate) error {
	list, err := c.listOf(issuer)
	switch {
	case err != nil:
		return err
	case list == nil && c.check.MayLack:
		return nil
	case list == nil:
		return fmt.Errorf("no certificate revocation list of %s", issuer.Subject)
	}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(certificate.SerialNumber) == 0 && entry.ReasonCode != removeFromCRL {
			return errors.New("certificate revoked")
		}
	}
	return nil
}

// removeFromCRL takes a certificate out of a list (RFC 5280, section 5.3.1).
const removeFromCRL = 8

// listOf returns the newest list that an authority has signed, nil for none. A
// list that is not yet or no longer good is an error.
func (c *clientRules) listOf(issuer *x509.Certificate) (newest *x509.RevocationList, err error) {
	for _, list := range c.crls {
		if string(list.RawIssuer) != string(issuer.RawSubject) || newest != nil && list.ThisUpdate.Before(newest.ThisUpdate) {
			continue
		}
		if err = list.CheckSignatureFrom(issuer); err == nil {
			newest = list
		}
	}
	switch {
	case newest == nil:
		return nil, err
	case slices.ContainsFunc(newest.Extensions, func(e pkix.Extension) bool { return e.Critical }):
		return nil, fmt.Errorf("the certificate revocation list of %s has a critical extension that is not known", issuer.Subject)
	case c.now().Before(newest.ThisUpdate):
		return nil, fmt.Errorf("the certificate revocation list of %s is not yet valid", issuer.Subject)
	case !newest.NextUpdate.IsZero() && c.now().After(newest.NextUpdate):
		return nil, fmt.Errorf("the certificate revocation list of %s has expired", issuer.Subject)
	}
	return newest, nil
}
