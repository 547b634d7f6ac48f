package httpdconf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// SSLClients says which certificates a host takes from its clients.
type SSLClients struct {
	Verify SSLVerify
	Depth  *int // how many certificates may stand above the client's; nil for DefaultVerifyDepth

	CAFile, CAPath       *SSLFile // who may have signed them
	NamesFile, NamesPath *SSLFile // whose names clients are told, in place of the former's

	CRLFile, CRLPath *SSLFile
	CRLCheck         *SSLCRLCheck
}

// DefaultVerifyDepth is the depth where no SSLVerifyDepth stands: a client's
// certificate is signed by the authority itself.
const DefaultVerifyDepth = 1

// SSLVerify says whether clients need a certificate.
type SSLVerify int

// The modes of SSLVerifyClient.
const (
	SSLVerifyUnset SSLVerify = iota
	SSLVerifyNone
	SSLVerifyOptionalNoCA // any, whoever has signed it
	SSLVerifyOptional
	SSLVerifyRequire
)

func (v SSLVerify) String() string {
	return [...]string{"none", "none", "optional_no_ca", "optional", "require"}[v]
}

// Asks reports whether clients are asked for a certificate at all.
func (v SSLVerify) Asks() bool { return v > SSLVerifyNone }

// SSLCRLCheck is what SSLCARevocationCheck sets.
type SSLCRLCheck struct {
	Leaf, Chain bool // the client's certificate, and those above it too
	MayLack     bool // a certificate of an authority without a list is good
	Range       hcl.Range
}

// sslClientCommands are the rows of mod_ssl about clients' certificates.
func sslClientCommands() map[string]command {
	return map[string]command{
		"SSLVerifyClient":      sslRow("`none`, `optional`, `optional_no_ca` or `require`; in a section no more than what the whole host asks for, and `require` where the host has `optional`", (*walk).sslVerifyClient),
		"SSLVerifyDepth":       sslRow("how many certificates may stand above the client's", (*walk).sslVerifyDepth),
		"SSLCACertificateFile": sslRow("certificates by which clients' are judged, and which complete the server's own chain; in a section it refuses the start, as with httpd", (*walk).sslCAFile),
		"SSLCACertificatePath": sslRow("the same, a folder as `openssl rehash` makes it", (*walk).sslCAPath),
		"SSLCADNRequestFile":   sslRow("certificates whose names clients are told", (*walk).sslNamesFile),
		"SSLCADNRequestPath":   sslRow("the same, a folder: all certificates in it", (*walk).sslNamesPath),
		"SSLCARevocationFile":  sslRow("lists of revoked certificates, PEM; read again on a restart", (*walk).sslCRLFile),
		"SSLCARevocationPath":  sslRow("the same, a folder as `openssl rehash` makes it", (*walk).sslCRLPath),
		"SSLCARevocationCheck": sslRow("`leaf`, `chain` or `none`, and `no_crl_for_cert_ok`", (*walk).sslCRLCheck),
	}
}

// sslClients is the record that a line changes.
func (w *walk) sslClients() *SSLClients { return &w.ssl().Clients }

func (w *walk) sslCAFile(n *syntax.Node, words []syntax.Arg) *problem {
	f, p := w.sslFile(n, words[0])
	return w.setCA(n, f, p, &w.sslClients().CAFile)
}

func (w *walk) sslCAPath(n *syntax.Node, words []syntax.Arg) *problem {
	f, p := w.sslFolder(n, words[0])
	return w.setCA(n, f, p, &w.sslClients().CAPath)
}

// setCA sets who may have signed, which is the same for a whole host (httpd 2.4
// modules/ssl/ssl_engine_config.c, no_per_dir_SSL_CA).
func (w *walk) setCA(n *syntax.Node, f *SSLFile, p *problem, field **SSLFile) *problem {
	switch {
	case p != nil:
		return p
	case w.section != nil:
		return &problem{text: "Your SSL library does not have support for per-directory CA", at: n.NameRange(), hint: "certificates are judged before the path is known: write it for the whole host"}
	}
	*field = f
	return nil
}

func (w *walk) sslNamesFile(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.sslClients().NamesFile, p = w.sslFile(n, words[0])
	return p
}

func (w *walk) sslNamesPath(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.sslClients().NamesPath, p = w.sslFolder(n, words[0])
	return p
}

func (w *walk) sslCRLFile(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.sslClients().CRLFile, p = w.sslFile(n, words[0])
	return p
}

func (w *walk) sslCRLPath(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.sslClients().CRLPath, p = w.sslFolder(n, words[0])
	return p
}

// sslCRLCheck is httpd 2.4 modules/ssl/ssl_engine_config.c,
// ssl_cmd_crlcheck_parse.
func (w *walk) sslCRLCheck(n *syntax.Node, _ []syntax.Arg) *problem {
	mode, rest := syntax.Word(n.Args)
	c := &SSLCRLCheck{Range: n.Range()}
	switch strings.ToLower(mode) {
	case "none":
	case "leaf":
		c.Leaf = true
	case "chain":
		c.Leaf, c.Chain = true, true
	default:
		return &problem{text: "SSLCARevocationCheck: Invalid argument '" + mode + "'", at: n.ArgsRange()}
	}
	for rest != "" {
		var word string
		if word, rest = syntax.Word(rest); !strings.EqualFold(word, "no_crl_for_cert_ok") {
			return &problem{text: "SSLCARevocationCheck: Invalid argument '" + word + "'", at: n.ArgsRange()}
		}
		c.MayLack = true
	}
	w.sslClients().CRLCheck = c
	return nil
}

func (w *walk) sslVerifyClient(n *syntax.Node, words []syntax.Arg) *problem {
	mode := map[string]SSLVerify{
		"none": SSLVerifyNone, "off": SSLVerifyNone, "optional": SSLVerifyOptional, "optional_no_ca": SSLVerifyOptionalNoCA, "require": SSLVerifyRequire, "on": SSLVerifyRequire,
	}[strings.ToLower(words[0].Text)]
	switch {
	case mode == SSLVerifyUnset:
		return &problem{text: "SSLVerifyClient: Invalid argument '" + words[0].Text + "'", at: words[0].Range}
	case w.section == nil:
		w.sslClients().Verify = mode
	default:
		w.sslDir(n).Verify = mode
		w.sslAsked = append(w.sslAsked, sslAsked{n, mode, w.host})
	}
	return nil
}

func (w *walk) sslVerifyDepth(n *syntax.Node, words []syntax.Arg) *problem {
	depth, err := strconv.Atoi(words[0].Text)
	if err != nil {
		depth = 0 // as atoi
	}
	switch {
	case depth < 0:
		return &problem{text: "SSLVerifyDepth: Invalid argument '" + words[0].Text + "'", at: words[0].Range}
	case w.section == nil:
		w.sslClients().Depth = &depth
	default:
		w.sslDir(n).Depth = &depth
	}
	return nil
}

// sslAsked is a section's line that asks clients of a host for a certificate.
type sslAsked struct {
	node *syntax.Node
	mode SSLVerify
	host *Host // the main server's lines are for all
}

// checkSSL finds what hosts and sections say of clients' certificates that does
// not fit.
func (w *walk) checkSSL() {
	for _, h := range append([]*Host{w.config.Main}, w.config.Hosts...) {
		if !h.SpeaksTLS() {
			continue
		}
		if last := h.SSL.MaxVersion; last != 0 && last < h.SSL.Lowest() {
			w.warnOfHost(h, "", "no version of TLS is left for "+h.Name+": those below TLSv1.2 are spoken only where SSLCipherSuite ends in :@SECLEVEL=0")
		}
		switch c := &h.SSL.Clients; {
		case c.Verify.Asks() && c.CAFile == nil && c.CAPath == nil:
			w.warnOfHost(h, "AH01897", "Init: Oops, you want to request client authentication, but no CAs are known for verification!?  [Hint: SSLCACertificate*]")
		case (c.CRLFile != nil || c.CRLPath != nil) && (c.CRLCheck == nil || !c.CRLCheck.Leaf):
			w.warnOfHost(h, "AH01902", "Host "+h.Name+": X.509 CRL storage locations configured, but CRL checking (SSLCARevocationCheck) is not enabled")
		}
	}
	w.checkAsked()
}

// warnOfHost warns in mod_ssl's name of a host as a whole.
func (w *walk) warnOfHost(h *Host, code, text string) {
	d := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: text, Extra: &Place{Level: LevelWarn, Module: "ssl", Code: code}}
	if h != w.config.Main {
		d.Subject = h.Range.Ptr()
	}
	w.fail(d)
}

// checkAsked refuses lines of sections that ask for what the handshake has not:
// httpd would begin another one there, or ask within TLS 1.3.
func (w *walk) checkAsked() {
	for _, asked := range w.sslAsked {
		if !asked.mode.Asks() {
			continue
		}
		for _, h := range append([]*Host{w.config.Main}, w.config.Hosts...) {
			if !h.SpeaksTLS() || h.SSL.Clients.Verify.Asks() || asked.host != w.config.Main && asked.host != h {
				continue
			}
			where := "the main server"
			if h != w.config.Main {
				where = fmt.Sprintf("<VirtualHost> of %s:%d", shownFile(h.Range.Filename), h.Range.End.Line)
			}
			w.report(asked.node, &problem{
				text: fmt.Sprintf("SSLVerifyClient %s in a section%s: clients are asked before the path is known", asked.mode, notObeyed), at: asked.node.ArgsRange(),
				hint: fmt.Sprintf("write SSLVerifyClient optional for %s as well: clients may then have a certificate, and have to have one here", where),
			})
			break
		}
	}
}

// inherit fills what is not set from the main server (httpd 2.4
// modules/ssl/ssl_engine_config.c, modssl_ctx_cfg_merge).
func (c *SSLClients) inherit(main *SSLClients) {
	if c.Verify == SSLVerifyUnset {
		c.Verify = main.Verify
	}
	c.Depth = replace(main.Depth, c.Depth)
	c.CAFile, c.CAPath = replace(main.CAFile, c.CAFile), replace(main.CAPath, c.CAPath)
	c.NamesFile, c.NamesPath = replace(main.NamesFile, c.NamesFile), replace(main.NamesPath, c.NamesPath)
	c.CRLFile, c.CRLPath = replace(main.CRLFile, c.CRLFile), replace(main.CRLPath, c.CRLPath)
	c.CRLCheck = replace(main.CRLCheck, c.CRLCheck)
}
