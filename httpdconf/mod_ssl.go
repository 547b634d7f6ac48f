package httpdconf

import (
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// SSLHost is mod_ssl's record of a host. Zero values have been filled from the
// main server.
type SSLHost struct {
	Engine             *bool
	Certificates, Keys []SSLFile // PEM; a key may stand in its certificate's file
	Chain              *SSLFile

	SSLSession
	Clients SSLClients
}

// SSLFile is a file or folder that a line names.
type SSLFile struct {
	Path  string // absolute
	Range hcl.Range
}

// PathOf returns where a file is, "" for none.
func (f *SSLFile) PathOf() string {
	if f == nil {
		return ""
	}
	return f.Path
}

// SpeaksTLS reports whether a host speaks TLS.
func (h *Host) SpeaksTLS() bool { return h.SSL != nil && h.SSL.Engine != nil && *h.SSL.Engine }

// sslRow makes a row of mod_ssl.
func sslRow(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
	return command{"mod_ssl.c", set, effect}
}

// sslCommands are the rows of mod_ssl about hosts, their certificates and their
// sessions.
func sslCommands() map[string]command {
	return map[string]command{
		"SSLEngine":                sslRow("`on` or `off`: TLS for the host; `optional` refuses the start", (*walk).sslEngine),
		"SSLCertificateFile":       sslRow("certificate and chain, PEM; several for several kinds of keys", (*walk).sslCertificate),
		"SSLCertificateKeyFile":    sslRow("private key, PEM, without a passphrase", (*walk).sslKey),
		"SSLCertificateChainFile":  sslRow("certificates between the server's and the root", (*walk).sslChain),
		"SSLPassPhraseDialog":      sslRow("no effect: a key with a passphrase refuses the start", (*walk).sslDialog),
		"SSLProtocol":              sslRow("versions from TLSv1 to TLSv1.3 that follow one another; those below TLSv1.2 only where SSLCipherSuite ends in `:@SECLEVEL=0`, as with OpenSSL 3", (*walk).sslProtocol),
		"SSLCipherSuite":           sslRow("OpenSSL's cipher strings, for versions up to TLSv1.2; those of TLSv1.3 are fixed; in a section it refuses the start", (*walk).sslCipherSuite),
		"SSLHonorCipherOrder":      sslRow("no effect: the server's order holds", (*walk).sslAccepted),
		"SSLOpenSSLConfCmd":        sslRow("`Protocol`, `MinProtocol`, `MaxProtocol`, `CipherString`, `Ciphersuites`, `Groups`, `Curves`, `ECDHParameters`; `DHParameters` has no effect; any other refuses the start", (*walk).sslConfCmd),
		"SSLSessionTickets":        sslRow("`off`: no session is taken up again", (*walk).sslTickets),
		"SSLSessionTicketKeyFile":  sslRow("48 bytes: servers of this kind that have the same take up each other's sessions", (*walk).sslTicketKey),
		"SSLStrictSNIVHostCheck":   sslRow("403 for clients that do not name the host in the handshake", (*walk).sslStrictSNI),
		"SSLVHostSNIPolicy":        sslRow("`strict`, `secure`, `authonly`, `insecure`: which other hosts a connection may be used for; else 421", (*walk).sslSNIPolicy),
		"SSLFIPS":                  sslRow("`off`, which is the default", (*walk).sslOnlyOff),
		"SSLInsecureRenegotiation": sslRow("`off`, which is the default; nothing is negotiated again", (*walk).sslOnlyOff),
		"SSLOCSPEnable":            sslRow("`off`, which is the default", (*walk).sslOnlyOff),
	}
}

// sslIdleCommands are the rows of what only matters to what is not here: no
// server is spoken to as a client, and no responder of OCSP is asked.
func sslIdleCommands() map[string]command {
	rows := make(map[string]command)
	for name := range strings.FieldsSeq(`SSLProxyCACertificateFile SSLProxyCACertificatePath SSLProxyCARevocationCheck SSLProxyCARevocationFile SSLProxyCARevocationPath SSLProxyCheckPeerCN
		SSLProxyCheckPeerExpire SSLProxyCheckPeerName SSLProxyCipherSuite SSLProxyEngine SSLProxyMachineCertificateChainFile SSLProxyMachineCertificateFile
		SSLProxyMachineCertificatePath SSLProxyProtocol SSLProxyVerify SSLProxyVerifyDepth`) {
		rows[name] = sslRow("no effect: requests are not passed on to other servers", (*walk).sslAccepted)
	}
	for name := range strings.FieldsSeq(`SSLOCSPDefaultResponder SSLOCSPNoVerify SSLOCSPOverrideResponder SSLOCSPProxyURL SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout
		SSLOCSPResponseMaxAge SSLOCSPResponseTimeSkew SSLOCSPUseRequestNonce`) {
		rows[name] = sslRow("no effect: `SSLOCSPEnable` refuses the start", (*walk).sslAccepted)
	}
	return rows
}

func (w *walk) ssl() *SSLHost {
	if w.host.SSL == nil {
		w.host.SSL = &SSLHost{}
	}
	return w.host.SSL
}

func (w *walk) sslEngine(_ *syntax.Node, words []syntax.Arg) *problem {
	switch strings.ToLower(words[0].Text) {
	case "on", "off":
		w.ssl().Engine = switched(words)
		return nil
	case "optional":
		return &problem{text: "SSLEngine optional" + notObeyed, at: words[0].Range, hint: "a connection cannot become TLS later; use on"}
	}
	return &problem{text: "Argument must be On or Off", at: words[0].Range}
}

// switched is the value of a switch whose word has been checked.
func switched(words []syntax.Arg) *bool {
	on := strings.EqualFold(words[0].Text, "on")
	return &on
}

// sslFile checks that a file is there and holds something (httpd 2.4
// modules/ssl/ssl_engine_config.c, ssl_cmd_check_file).
func (w *walk) sslFile(n *syntax.Node, word syntax.Arg) (*SSLFile, *problem) {
	f := &SSLFile{Path: w.rootRelative(word.Text), Range: n.Range()}
	if info, err := os.Stat(f.Path); err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return nil, &problem{text: n.Name + ": file '" + f.Path + "' does not exist or is empty", at: word.Range}
	}
	return f, nil
}

// sslFolder is sslFile for a folder (ssl_cmd_check_dir).
func (w *walk) sslFolder(n *syntax.Node, word syntax.Arg) (*SSLFile, *problem) {
	f := &SSLFile{Path: w.rootRelative(word.Text), Range: n.Range()}
	if info, err := os.Stat(f.Path); err != nil || !info.IsDir() {
		return nil, &problem{text: n.Name + ": directory '" + f.Path + "' does not exist", at: word.Range}
	}
	return f, nil
}

func (w *walk) sslCertificate(n *syntax.Node, words []syntax.Arg) *problem {
	f, p := w.sslFile(n, words[0])
	if p == nil {
		w.ssl().Certificates = append(w.ssl().Certificates, *f)
	}
	return p
}

func (w *walk) sslKey(n *syntax.Node, words []syntax.Arg) *problem {
	f, p := w.sslFile(n, words[0])
	if p == nil {
		w.ssl().Keys = append(w.ssl().Keys, *f)
	}
	return p
}

func (w *walk) sslChain(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.ssl().Chain, p = w.sslFile(n, words[0])
	return p
}

// sslDialog checks who would be asked for passphrases (httpd 2.4
// modules/ssl/ssl_engine_config.c, ssl_cmd_SSLPassPhraseDialog).
func (w *walk) sslDialog(_ *syntax.Node, words []syntax.Arg) *problem {
	who := words[0].Text
	program, runs := strings.CutPrefix(who, "exec:")
	if runs {
		program = w.rootRelative(program)
		if _, err := os.Stat(program); err != nil {
			return &problem{text: "SSLPassPhraseDialog: file '" + program + "' does not exist", at: words[0].Range}
		}
		return nil
	}
	if who != "builtin" && !strings.HasPrefix(who, "|") {
		return &problem{text: "SSLPassPhraseDialog: Invalid argument", at: words[0].Range}
	}
	return nil
}

func (w *walk) sslAccepted(*syntax.Node, []syntax.Arg) *problem { return nil }

func (w *walk) sslOnlyOff(n *syntax.Node, _ []syntax.Arg) *problem {
	if words := n.Words(); len(words) == 1 && strings.EqualFold(words[0].Text, "off") {
		return nil
	}
	return &problem{text: n.Name + " " + n.Args + notObeyed, at: n.ArgsRange(), hint: "off is obeyed"}
}

// inSection refuses what would need a second handshake once the path is known.
func inSection(n *syntax.Node) *problem {
	return &problem{
		text: n.Name + " in a section" + notObeyed, at: n.NameRange(),
		hint: "nothing is negotiated again once the path is known: write it for the whole host",
	}
}

// overlay takes a host's own files, and of the main server's those behind as
// many (modssl_ctx_cfg_merge_certkeys_array).
func overlay(main, own []SSLFile) []SSLFile {
	if len(own) >= len(main) {
		return own
	}
	return slices.Concat(own, main[len(own):])
}

// inheritSSL fills a host from the main server, field by field (httpd 2.4
// modules/ssl/ssl_engine_config.c, ssl_config_server_merge).
func inheritSSL(h, main *SSLHost) *SSLHost {
	if h == nil || main == nil {
		return replace(main, h)
	}
	m := *h
	m.Engine = replace(main.Engine, m.Engine)
	m.Certificates, m.Keys = overlay(main.Certificates, m.Certificates), overlay(main.Keys, m.Keys)
	m.Chain = replace(main.Chain, m.Chain)
	m.inherit(&main.SSLSession)
	m.Clients.inherit(&main.Clients)
	return &m
}
