package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/logformat"
)

// sslVariable returns a variable of mod_ssl, in any case, "" where there is none
// (httpd 2.4 modules/ssl/ssl_engine_vars.c, ssl_var_lookup_ssl).
func (e exprEnv) sslVariable(name string) string {
	name, is := strings.CutPrefix(strings.ToUpper(name), "SSL_")
	if !is {
		return ""
	}
	switch name {
	case "VERSION_INTERFACE":
		return "mod_ssl/" + httpdconf.ClaimedVersion
	case "VERSION_LIBRARY", "VERSION_LIBRARY_INTERFACE":
		return "Go/" + strings.TrimPrefix(runtime.Version(), "go")
	}
	t := overTLS(e.ctx)
	if t == nil {
		return ""
	}
	state := t.ConnectionState()
	if rest, is := strings.CutPrefix(name, "SERVER_"); is {
		return e.certificateVariable(t.certificate, rest)
	}
	if rest, is := strings.CutPrefix(name, "CLIENT_"); is {
		return e.clientVariable(t, state.PeerCertificates, rest)
	}
	if variable := sessionVariables[name]; variable != nil {
		return variable(&state)
	}
	return ""
}

// sessionVariables are those of a session, without SSL_. It is constant.
var sessionVariables = map[string]func(*tls.ConnectionState) string{
	"PROTOCOL":          func(s *tls.ConnectionState) string { return protocolName(s.Version) },
	"CIPHER":            func(s *tls.ConnectionState) string { return httpdconf.CipherName(s.CipherSuite) },
	"CIPHER_EXPORT":     func(*tls.ConnectionState) string { return "false" },
	"CIPHER_USEKEYSIZE": func(s *tls.ConnectionState) string { return keySize(s.CipherSuite) },
	"CIPHER_ALGKEYSIZE": func(s *tls.ConnectionState) string { return keySize(s.CipherSuite) },
	"COMPRESS_METHOD":   func(*tls.ConnectionState) string { return "NULL" },
	"SECURE_RENEG":      func(s *tls.ConnectionState) string { return strconv.FormatBool(s.Version < tls.VersionTLS13) }, // RFC 5746
	"TLS_SNI":           func(s *tls.ConnectionState) string { return s.ServerName },
	"SESSION_RESUMED": func(s *tls.ConnectionState) string {
		if s.DidResume {
			return "Resumed"
		}
		return "Initial"
	},
}

// protocolName is OpenSSL's name of a version.
func protocolName(version uint16) string {
	if version == tls.VersionTLS10 {
		return "TLSv1"
	}
	return strings.Replace(tls.VersionName(version), " ", "v", 1)
}

// keySize is how many bits a suite's key has.
func keySize(suite uint16) string {
	if name := tls.CipherSuiteName(suite); strings.Contains(name, "AES_128") || strings.Contains(name, "RC4_128") {
		return "128"
	}
	return "256"
}

// clientVariable returns a variable of the client's certificate, without
// SSL_CLIENT_.
func (e exprEnv) clientVariable(t *tlsSocket, sent []*x509.Certificate, name string) string {
	if name == "VERIFY" {
		return t.verdict()
	}
	if len(sent) == 0 {
		return ""
	}
	if n, is := strings.CutPrefix(name, "CERT_CHAIN_"); is {
		// As with OpenSSL the certificate itself is not in a server's chain.
		if i, err := strconv.ParseUint(n, 10, 16); err == nil && int(i)+1 < len(sent) {
			return pemOf(sent[i+1])
		}
		return ""
	}
	return e.certificateVariable(sent[0], name)
}

// certificateVariable returns what a certificate says (httpd 2.4
// modules/ssl/ssl_engine_vars.c, ssl_var_lookup_ssl_cert).
func (e exprEnv) certificateVariable(c *x509.Certificate, name string) string {
	switch name {
	case "M_VERSION":
		return strconv.Itoa(c.Version)
	case "M_SERIAL":
		return serialOf(c)
	case "V_START":
		return c.NotBefore.UTC().Format(certificateTime)
	case "V_END":
		return c.NotAfter.UTC().Format(certificateTime)
	case "V_REMAIN":
		return strconv.Itoa(max(int(time.Until(c.NotAfter)/(24*time.Hour)), 0))
	case "A_SIG":
		return signatureName(c.SignatureAlgorithm)
	case "A_KEY":
		return publicKeyName(c.PublicKeyAlgorithm)
	case "CERT":
		return pemOf(c)
	case "S_DN":
		return e.nameOf(c.RawSubject)
	case "I_DN":
		return e.nameOf(c.RawIssuer)
	}
	if part, is := strings.CutPrefix(name, "S_DN_"); is {
		return nameParts(c.RawSubject)[part]
	}
	if part, is := strings.CutPrefix(name, "I_DN_"); is {
		return nameParts(c.RawIssuer)[part]
	}
	return alternativeNames(c)[name]
}

// certificateTime is the form of ASN1_TIME_print.
const certificateTime = "Jan _2 15:04:05 2006 GMT"

func serialOf(c *x509.Certificate) string {
	digits := strings.ToUpper(c.SerialNumber.Text(16))
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	return sign + digits
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// signatureName is OpenSSL's long name of an algorithm.
func signatureName(a x509.SignatureAlgorithm) string {
	hash, kind := "", ""
	switch a {
	case x509.PureEd25519:
		return "ED25519"
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return "rsassaPss"
	}
	if kind, hash, _ = strings.Cut(a.String(), "-"); kind == "ECDSA" {
		return "ecdsa-with-" + hash
	}
	if before, after, is := strings.Cut(a.String(), "-"); is && after == "RSA" {
		return strings.ToLower(before) + "WithRSAEncryption"
	}
	return "UNKNOWN"
}

// publicKeyName is OpenSSL's long name of a kind of key.
func publicKeyName(a x509.PublicKeyAlgorithm) string {
	switch a {
	case x509.RSA:
		return "rsaEncryption"
	case x509.ECDSA:
		return "id-ecPublicKey"
	case x509.Ed25519:
		return "ED25519"
	}
	return "UNKNOWN"
}

// alternativeNames are the variables of a certificate's other names, numbered
// from 0 (httpd 2.4 modules/ssl/ssl_engine_vars.c, extract_san_array).
func alternativeNames(c *x509.Certificate) map[string]string {
	names := make(map[string]string)
	for i, address := range c.EmailAddresses {
		names[fmt.Sprintf("SAN_EMAIL_%d", i)] = address
	}
	for i, name := range c.DNSNames {
		names[fmt.Sprintf("SAN_DNS_%d", i)] = name
	}
	return names
}

// anyVariable is what %{...}x of access logs and %{...}s of Header have: not those of
// mod_ssl alone (ssl_var_lookup).
func (e exprEnv) anyVariable(name string) string { return e.Variable(strings.ToUpper(name)) }

// oldSSLNames are what %{...}c calls variables (httpd 2.4
// modules/ssl/ssl_engine_vars.c, ssl_var_log_handler_c). It is constant.
var oldSSLNames = map[string]string{
	"version": "SSL_PROTOCOL", "cipher": "SSL_CIPHER", "subjectdn": "SSL_CLIENT_S_DN", "clientcert": "SSL_CLIENT_S_DN",
	"issuerdn": "SSL_CLIENT_I_DN", "cacert": "SSL_CLIENT_I_DN",
}

// sslLogItem is %{...}x and %{...}c of mod_ssl.
func (e exprEnv) sslLogItem(item *logformat.Item) string {
	if item.Directive == 'c' {
		return e.sslVariable(oldSSLNames[item.Arg])
	}
	return e.anyVariable(item.Arg)
}

// standardVariables are those that SSLOptions StdEnvVars puts into the
// environment, beside the parts of names (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_Fixup_vars). It is constant.
var standardVariables = strings.Fields(`SSL_VERSION_INTERFACE SSL_VERSION_LIBRARY SSL_PROTOCOL SSL_SECURE_RENEG SSL_COMPRESS_METHOD SSL_CIPHER SSL_CIPHER_EXPORT SSL_CIPHER_USEKEYSIZE
	SSL_CIPHER_ALGKEYSIZE SSL_CLIENT_VERIFY SSL_CLIENT_M_VERSION SSL_CLIENT_M_SERIAL SSL_CLIENT_V_START SSL_CLIENT_V_END SSL_CLIENT_V_REMAIN SSL_CLIENT_S_DN SSL_CLIENT_I_DN
	SSL_CLIENT_A_KEY SSL_CLIENT_A_SIG SSL_SERVER_M_VERSION SSL_SERVER_M_SERIAL SSL_SERVER_V_START SSL_SERVER_V_END SSL_SERVER_S_DN SSL_SERVER_I_DN SSL_SERVER_A_KEY
	SSL_SERVER_A_SIG SSL_SESSION_RESUMED`)

// setSSLEnv puts into the environment what SSLOptions says (httpd 2.4
// modules/ssl/ssl_engine_kernel.c, ssl_hook_Fixup).
func (e exprEnv) setSSLEnv() {
	t := overTLS(e.ctx)
	if t == nil {
		return
	}
	d, sent := e.r.settings.SSL, t.ConnectionState().PeerCertificates
	e.r.env.set("HTTPS", "on")
	if name := t.ConnectionState().ServerName; name != "" {
		e.r.env.set("SSL_TLS_SNI", name)
	}
	set := func(name string) {
		if value := e.sslVariable(name); value != "" {
			e.r.env.set(name, value)
		}
	}
	if d.Has(httpdconf.SSLStdEnvVars) {
		for _, name := range standardVariables {
			set(name)
		}
		e.setNames("SSL_SERVER_", t.certificate)
		if len(sent) > 0 {
			e.setNames("SSL_CLIENT_", sent[0])
		}
	}
	if d.Has(httpdconf.SSLExportCert) {
		e.r.env.set("SSL_SERVER_CERT", e.sslVariable("SSL_SERVER_CERT"))
		e.r.env.set("SSL_CLIENT_CERT", e.sslVariable("SSL_CLIENT_CERT"))
		for i := range sent {
			set("SSL_CLIENT_CERT_CHAIN_" + strconv.Itoa(i))
		}
	}
}

// setNames puts the parts of a certificate's names, and its other names, into
// the environment.
func (e exprEnv) setNames(prefix string, c *x509.Certificate) {
	for of, raw := range map[string][]byte{"S_DN_": c.RawSubject, "I_DN_": c.RawIssuer} {
		eachPart(raw, func(variable string, n int, value string) {
			if n > 0 {
				variable += "_" + strconv.Itoa(n)
			}
			e.r.env.set(prefix+of+variable, value)
		})
	}
	for name, value := range alternativeNames(c) {
		e.r.env.set(prefix+name, value)
	}
}
