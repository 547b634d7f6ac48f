package httpdconf

import (
	"crypto/tls"
	"os"
	"slices"
	"strconv"
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
	MinVersion         uint16   // tls.VersionTLS12; 0 leaves it to the server
	MaxVersion         uint16   // the same
	Ciphers            []uint16 // up to TLS 1.2; nil leaves them to the server
	Verify             SSLVerify
	VerifyDepth        int // certificates above the client's; 0 for 1, httpd's default
	CAFile             *SSLFile
}

// SSLFile is a file that a line names.
type SSLFile struct {
	Path  string // absolute
	Range hcl.Range
}

// SSLVerify says whether clients need a certificate.
type SSLVerify int

// The modes of SSLVerifyClient.
const (
	SSLVerifyUnset SSLVerify = iota
	SSLVerifyNone
	SSLVerifyOptional
	SSLVerifyRequire
)

// SSLDir is mod_ssl's record of a section.
type SSLDir struct {
	RequireSSL bool
	Range      hcl.Range
}

// SpeaksTLS reports whether a host speaks TLS.
func (h *Host) SpeaksTLS() bool { return h.SSL != nil && h.SSL.Engine != nil && *h.SSL.Engine }

// sslCommands are the rows of mod_ssl.
func sslCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"mod_ssl.c", set, effect}
	}
	return map[string]command{
		"SSLEngine":                row("`on` or `off`: TLS for the host; `optional` refuses the start", (*walk).sslEngine),
		"SSLCertificateFile":       row("certificate and chain, PEM; several for several kinds of keys", (*walk).sslCertificate),
		"SSLCertificateKeyFile":    row("private key, PEM, without a passphrase", (*walk).sslKey),
		"SSLCertificateChainFile":  row("certificates between the server's and the root", (*walk).sslChain),
		"SSLProtocol":              row("versions from TLSv1 to TLSv1.3 that follow one another", (*walk).sslProtocol),
		"SSLCipherSuite":           row("OpenSSL's cipher strings, for versions up to TLSv1.2; those of TLSv1.3 are fixed", (*walk).sslCipherSuite),
		"SSLHonorCipherOrder":      row("no effect: the server's order holds", (*walk).sslAccepted),
		"SSLVerifyClient":          row("`none`, `optional` or `require` for a host; in a section only `none`", (*walk).sslVerifyClient),
		"SSLVerifyDepth":           row("how many certificates may stand above the client's", (*walk).sslVerifyDepth),
		"SSLCACertificateFile":     row("certificates by which clients' are judged", (*walk).sslCAFile),
		"SSLRequireSSL":            row("403 without TLS", (*walk).sslRequireSSL),
		"SSLOptions":               row("`FakeBasicAuth` refuses the start, the others have no effect", (*walk).sslOptions),
		"SSLStrictSNIVHostCheck":   row("`off`, which is the default", (*walk).sslOnlyOff),
		"SSLFIPS":                  row("`off`, which is the default", (*walk).sslOnlyOff),
		"SSLInsecureRenegotiation": row("`off`, which is the default; nothing is negotiated again", (*walk).sslOnlyOff),
	}
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
		on := strings.EqualFold(words[0].Text, "on")
		w.ssl().Engine = &on
		return nil
	case "optional":
		return &problem{text: "SSLEngine optional" + notObeyed, at: words[0].Range, hint: "a connection cannot become TLS later; use on"}
	}
	return &problem{text: "Argument must be On or Off", at: words[0].Range}
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

func (w *walk) sslCAFile(n *syntax.Node, words []syntax.Arg) (p *problem) {
	if w.section != nil {
		return inSection(n)
	}
	w.ssl().CAFile, p = w.sslFile(n, words[0])
	return p
}

// inSection refuses what would need a second handshake once the path is known.
func inSection(n *syntax.Node) *problem {
	return &problem{
		text: n.Name + " in a section" + notObeyed, at: n.NameRange(),
		hint: "certificates are asked for before the path is known: write it for the whole host",
	}
}

// sslVersions are the versions in their order. It is constant.
var sslVersions = []struct {
	name  string
	value uint16
}{{"tlsv1", tls.VersionTLS10}, {"tlsv1.1", tls.VersionTLS11}, {"tlsv1.2", tls.VersionTLS12}, {"tlsv1.3", tls.VersionTLS13}}

// sslProtocol reads SSLProtocol (httpd 2.4 modules/ssl/ssl_engine_config.c,
// ssl_cmd_protocol_parse). SSLv3 is spoken by nobody here.
func (w *walk) sslProtocol(n *syntax.Node, _ []syntax.Arg) *problem {
	var on [4]bool
	for _, word := range n.Words() {
		name, sign := strings.ToLower(word.Text), byte(0)
		if name != "" && (name[0] == '+' || name[0] == '-') {
			sign, name = name[0], name[1:]
		}
		var set [4]bool
		switch i := slices.IndexFunc(sslVersions, func(v struct {
			name  string
			value uint16
		}) bool {
			return v.name == name
		}); {
		case i >= 0:
			set[i] = true
		case name == "all":
			set = [4]bool{true, true, true, true}
		case name == "sslv3":
		case name == "sslv2":
			if sign != '-' {
				return &problem{text: "SSLProtocol: SSLv2 is no longer supported", at: word.Range}
			}
		default:
			return &problem{text: "SSLProtocol: Illegal protocol '" + strings.TrimLeft(word.Text, "+-") + "'", at: word.Range}
		}
		for i := range on {
			switch sign {
			case '+':
				on[i] = on[i] || set[i]
			case '-':
				on[i] = on[i] && !set[i]
			default:
				on[i] = set[i]
			}
		}
	}
	first, last := slices.Index(on[:], true), -1
	for i, spoken := range on {
		if spoken {
			last = i
		}
	}
	if first < 0 || slices.Contains(on[first:last+1], false) {
		return &problem{text: "SSLProtocol " + n.Args + notObeyed, at: n.ArgsRange(), hint: "name versions from TLSv1 to TLSv1.3 that follow one another"}
	}
	w.ssl().MinVersion, w.ssl().MaxVersion = sslVersions[first].value, sslVersions[last].value
	return nil
}

func (w *walk) sslCipherSuite(n *syntax.Node, words []syntax.Arg) *problem {
	if w.section != nil {
		return inSection(n)
	}
	if len(words) == 2 {
		switch words[0].Text {
		case "TLSv1.3":
			w.differs(n, words[1].Range, LevelWarn, "ssl", "SSLCipherSuite TLSv1.3 has no effect: the suites of that version are fixed", "")
			return nil
		case "SSL":
			words = words[1:]
		default:
			return &problem{text: "protocol '" + words[0].Text + "' not supported", at: words[0].Range}
		}
	}
	ciphers, unknown := parseCiphers(words[0].Text)
	switch {
	case unknown != "":
		return &problem{text: "SSLCipherSuite: unknown cipher '" + unknown + "'", at: words[0].Range, hint: "rather than guess, the server does not start"}
	case len(ciphers) == 0:
		return &problem{text: "SSLCipherSuite: none of these ciphers is to be had", at: words[0].Range, hint: "HIGH:!aNULL is a good choice"}
	}
	w.ssl().Ciphers = ciphers
	return nil
}

func (w *walk) sslAccepted(*syntax.Node, []syntax.Arg) *problem { return nil }

func (w *walk) sslOnlyOff(n *syntax.Node, words []syntax.Arg) *problem {
	if strings.EqualFold(words[0].Text, "off") {
		return nil
	}
	return &problem{text: n.Name + " " + words[0].Text + notObeyed, at: words[0].Range, hint: "off is obeyed"}
}

func (w *walk) sslVerifyClient(n *syntax.Node, words []syntax.Arg) *problem {
	mode := map[string]SSLVerify{"none": SSLVerifyNone, "off": SSLVerifyNone, "optional": SSLVerifyOptional, "require": SSLVerifyRequire, "on": SSLVerifyRequire}[strings.ToLower(words[0].Text)]
	switch {
	case strings.EqualFold(words[0].Text, "optional_no_ca"):
		return &problem{text: "SSLVerifyClient optional_no_ca" + notObeyed, at: words[0].Range, hint: "optional takes certificates that the CA has signed"}
	case mode == SSLVerifyUnset:
		return &problem{text: "SSLVerifyClient: Invalid argument '" + words[0].Text + "'", at: words[0].Range}
	case w.section != nil && mode != SSLVerifyNone:
		return inSection(n)
	case w.section == nil:
		w.ssl().Verify = mode
	}
	return nil
}

func (w *walk) sslVerifyDepth(n *syntax.Node, words []syntax.Arg) *problem {
	if w.section != nil {
		return inSection(n)
	}
	depth, err := strconv.Atoi(words[0].Text)
	if err != nil {
		depth = 0 // as atoi
	}
	if depth < 0 {
		return &problem{text: "SSLVerifyDepth: Invalid argument '" + words[0].Text + "'", at: words[0].Range}
	}
	w.ssl().VerifyDepth = depth
	return nil
}

func (w *walk) sslRequireSSL(n *syntax.Node, _ []syntax.Arg) *problem {
	w.records.SSL = &SSLDir{RequireSSL: true, Range: n.Range()}
	return nil
}

// sslOptions are those of httpd; true for those that change nothing here. It
// is constant.
var sslOptions = map[string]bool{
	"stdenvvars": true, "exportcertdata": true, "strictrequire": true, "optrenegotiate": true, "legacydnstringformat": true, "exportboth64": true, "exportbothcerts": true,
	"compatenvvars": true, "fakebasicauth": false,
}

func (w *walk) sslOptions(n *syntax.Node, _ []syntax.Arg) *problem {
	for _, word := range n.Words() {
		name := strings.ToLower(strings.TrimLeft(word.Text, "+-"))
		harmless, known := sslOptions[name]
		switch {
		case !known:
			return &problem{text: "SSLOptions: Illegal option '" + strings.TrimLeft(word.Text, "+-") + "'", at: word.Range}
		case !harmless && !strings.HasPrefix(word.Text, "-"):
			return &problem{text: "SSLOptions " + word.Text + notObeyed, at: word.Range, hint: "it makes a user of a certificate's name"}
		}
	}
	return nil
}

// inheritSSL fills a host from the main server, field by field (httpd 2.4
// modules/ssl/ssl_engine_config.c, ssl_config_server_merge).
func inheritSSL(h, main *SSLHost) *SSLHost {
	if h == nil || main == nil {
		return replace(main, h)
	}
	m := *h
	if m.Engine == nil {
		m.Engine = main.Engine
	}
	if len(m.Certificates) == 0 {
		m.Certificates, m.Keys, m.Chain = main.Certificates, main.Keys, main.Chain
	}
	if m.MinVersion == 0 {
		m.MinVersion, m.MaxVersion = main.MinVersion, main.MaxVersion
	}
	if m.Ciphers == nil {
		m.Ciphers = main.Ciphers
	}
	if m.Verify == SSLVerifyUnset {
		m.Verify = main.Verify
	}
	if m.VerifyDepth == 0 {
		m.VerifyDepth = main.VerifyDepth
	}
	if m.CAFile == nil {
		m.CAFile = main.CAFile
	}
	return &m
}
