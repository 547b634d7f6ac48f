package httpdconf

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// SSLSession is what a host negotiates. Zero values leave it to the server.
type SSLSession struct {
	MinVersion, MaxVersion uint16        // tls.VersionTLS12
	Ciphers                []uint16      // up to TLS 1.2
	Weak                   bool          // with Ciphers: versions below TLS 1.2 are spoken too, as MinVersion says
	Groups                 []tls.CurveID // for the exchange of keys
	Tickets                *bool         // whether a session can be taken up again
	TicketKey              *SSLFile      // 48 bytes
	StrictSNI              *bool         // the handshake has to name the host
}

// Lowest is the lowest version that is spoken (httpd's default is all, OpenSSL's
// level of security leaves TLS 1.2 and 1.3).
func (s *SSLSession) Lowest() uint16 {
	if s.Weak {
		return max(s.MinVersion, tls.VersionTLS10)
	}
	return max(s.MinVersion, tls.VersionTLS12)
}

// inherit fills what is not set from the main server.
func (s *SSLSession) inherit(main *SSLSession) {
	if s.MinVersion == 0 {
		s.MinVersion = main.MinVersion
	}
	if s.MaxVersion == 0 {
		s.MaxVersion = main.MaxVersion
	}
	if s.Ciphers == nil {
		s.Ciphers, s.Weak = main.Ciphers, main.Weak
	}
	if s.Groups == nil {
		s.Groups = main.Groups
	}
	s.Tickets = replace(main.Tickets, s.Tickets)
	s.TicketKey = replace(main.TicketKey, s.TicketKey)
	s.StrictSNI = replace(main.StrictSNI, s.StrictSNI)
}

// SNIPolicy says for which other hosts a connection may be used than the one
// that its handshake named.
type SNIPolicy int

// The policies of SSLVHostSNIPolicy.
const (
	SNISecure   SNIPolicy = iota // those with the same settings of TLS; the default
	SNIStrict                    // none
	SNIAuthOnly                  // those that judge clients' certificates in the same way
	SNIInsecure                  // all
)

func (w *walk) sslSNIPolicy(_ *syntax.Node, words []syntax.Arg) *problem {
	policy, known := map[string]SNIPolicy{"secure": SNISecure, "strict": SNIStrict, "authonly": SNIAuthOnly, "insecure": SNIInsecure}[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: "Invalid SSLVhostSNIPolicy argument '" + words[0].Text + "'", at: words[0].Range}
	}
	w.config.SNIPolicy = policy
	return nil
}

func (w *walk) sslStrictSNI(_ *syntax.Node, words []syntax.Arg) *problem {
	w.ssl().StrictSNI = switched(words)
	return nil
}

func (w *walk) sslTickets(_ *syntax.Node, words []syntax.Arg) *problem {
	w.ssl().Tickets = switched(words)
	return nil
}

func (w *walk) sslTicketKey(n *syntax.Node, words []syntax.Arg) (p *problem) {
	w.ssl().TicketKey, p = w.sslFile(n, words[0])
	return p
}

// sslVersion is a version by its name in SSLProtocol.
type sslVersion struct {
	name  string // lower case
	value uint16
}

// sslVersions are the versions in their order. It is constant.
var sslVersions = []sslVersion{{"tlsv1", tls.VersionTLS10}, {"tlsv1.1", tls.VersionTLS11}, {"tlsv1.2", tls.VersionTLS12}, {"tlsv1.3", tls.VersionTLS13}}

// versionSet says which of sslVersions are spoken.
type versionSet [4]bool

// versionsOf returns the versions that a word names, those that nobody speaks
// any more for none.
func versionsOf(name string) (set versionSet, known bool) {
	name = strings.ToLower(name)
	if i := slices.IndexFunc(sslVersions, func(v sslVersion) bool { return v.name == name }); i >= 0 {
		set[i] = true
		return set, true
	}
	if name == "all" {
		return versionSet{true, true, true, true}, true
	}
	return set, name == "sslv3"
}

// sslProtocol reads SSLProtocol (httpd 2.4 modules/ssl/ssl_engine_config.c,
// ssl_cmd_protocol_parse). SSLv3 is spoken by nobody here.
func (w *walk) sslProtocol(n *syntax.Node, _ []syntax.Arg) *problem {
	var spoken versionSet
	for i, word := range n.Words() {
		name, sign := word.Text, byte(0)
		if name != "" && (name[0] == '+' || name[0] == '-') {
			sign, name = name[0], name[1:]
		}
		set, known := versionsOf(name)
		switch {
		case strings.EqualFold(name, "sslv2") && sign != '-':
			return &problem{text: "SSLProtocol: SSLv2 is no longer supported", at: word.Range}
		case strings.EqualFold(name, "sslv2"):
		case !known:
			return &problem{text: "SSLProtocol: Illegal protocol '" + name + "'", at: word.Range}
		case sign == 0:
			if i > 0 {
				w.fail(warning(n, word.Range, LevelWarn, "ssl", "AH02532", "SSLProtocol: Protocol '"+name+"' overrides already set parameter(s). Check if a +/- prefix is missing.", ""))
			}
			spoken = set
		default:
			spoken.change(set, sign == '+')
		}
	}
	return w.setVersions(n, spoken, n.ArgsRange())
}

func (s *versionSet) change(which versionSet, on bool) {
	for i, changes := range which {
		if changes {
			s[i] = on
		}
	}
}

// setVersions makes a range of what is spoken.
func (w *walk) setVersions(n *syntax.Node, spoken versionSet, at hcl.Range) *problem {
	first, last := slices.Index(spoken[:], true), len(spoken)-1
	for last >= 0 && !spoken[last] {
		last--
	}
	if first < 0 || slices.Contains(spoken[first:last+1], false) {
		return &problem{text: n.Name + " " + n.Args + notObeyed, at: at, hint: "name versions from TLSv1 to TLSv1.3 that follow one another"}
	}
	w.ssl().MinVersion, w.ssl().MaxVersion = sslVersions[first].value, sslVersions[last].value
	return nil
}

func (w *walk) sslCipherSuite(n *syntax.Node, words []syntax.Arg) *problem {
	if w.section != nil {
		return inSection(n)
	}
	if len(words) == 1 {
		return w.setCiphers(n, words[0])
	}
	switch words[0].Text {
	case "TLSv1.3":
		return w.setCiphers13(n, words[1])
	case "SSL":
		return w.setCiphers(n, words[1])
	}
	return &problem{text: "protocol '" + words[0].Text + "' not supported", at: words[0].Range}
}

func (w *walk) setCiphers(n *syntax.Node, word syntax.Arg) *problem {
	ciphers, unknown := parseCiphers(word.Text)
	switch {
	case unknown != "":
		return &problem{text: n.Name + ": unknown cipher '" + unknown + "'", at: word.Range, hint: "rather than guess, the server does not start"}
	case len(ciphers) == 0:
		return &problem{text: n.Name + ": none of these ciphers is to be had", at: word.Range, hint: "HIGH:!aNULL is a good choice"}
	}
	// OpenSSL 3 speaks versions below TLS 1.2 at this level alone
	// (SSL_CTX_set_security_level(3)).
	w.ssl().Ciphers, w.ssl().Weak = ciphers, strings.Contains(word.Text, "@SECLEVEL=0")
	return nil
}

// ciphers13 are OpenSSL's suites of TLS 1.3, and whether they are spoken here:
// always, and in the server's own order. It is constant.
var ciphers13 = map[string]bool{
	"TLS_AES_128_GCM_SHA256": true, "TLS_AES_256_GCM_SHA384": true, "TLS_CHACHA20_POLY1305_SHA256": true,
	"TLS_AES_128_CCM_SHA256": false, "TLS_AES_128_CCM_8_SHA256": false,
}

// setCiphers13 says what becomes of suites of TLS 1.3, which are all good and
// cannot be chosen from.
func (w *walk) setCiphers13(n *syntax.Node, word syntax.Arg) *problem {
	named := make(map[string]bool)
	spoken := 0
	for suite := range strings.SplitSeq(word.Text, ":") {
		is, known := ciphers13[suite]
		if !known {
			return &problem{text: n.Name + ": unknown cipher '" + suite + "'", at: word.Range}
		}
		if is && !named[suite] {
			named[suite] = true
			spoken++
		}
	}
	if spoken < 3 {
		w.differs(n, word.Range, LevelWarn, "ssl", n.Name+" leaves suites of TLSv1.3 out which are spoken all the same: those of that version are fixed", "")
	}
	return nil
}

// sslGroups are the groups that keys are exchanged by, by OpenSSL's names in
// lower case. It is constant.
var sslGroups = map[string]tls.CurveID{
	"x25519": tls.X25519, "p-256": tls.CurveP256, "prime256v1": tls.CurveP256, "secp256r1": tls.CurveP256, "p-384": tls.CurveP384, "secp384r1": tls.CurveP384,
	"p-521": tls.CurveP521, "secp521r1": tls.CurveP521, "x25519mlkem768": tls.X25519MLKEM768,
}

// sslConfCmd reads SSLOpenSSLConfCmd (SSL_CONF_cmd(3), of configuration files):
// what has the meaning of another directive, and the groups.
func (w *walk) sslConfCmd(n *syntax.Node, words []syntax.Arg) *problem {
	switch value := words[1]; strings.ToLower(words[0].Text) {
	case "protocol":
		return w.confProtocol(n, value)
	case "minprotocol", "maxprotocol":
		return w.confBound(n, words[0].Text, value)
	case "cipherstring":
		return w.setCiphers(n, value)
	case "ciphersuites":
		return w.setCiphers13(n, value)
	case "groups", "curves", "ecdhparameters":
		return w.setGroups(n, value)
	case "dhparameters": // of suites that are not spoken
		_, p := w.sslFile(n, value)
		return p
	}
	return &problem{text: "SSLOpenSSLConfCmd " + words[0].Text + notObeyed, at: words[0].Range, hint: "there is no OpenSSL here: use mod_ssl's own directives"}
}

// confProtocol reads a list that changes what is spoken by default.
func (w *walk) confProtocol(n *syntax.Node, value syntax.Arg) *problem {
	spoken := versionSet{true, true, true, true}
	for name := range strings.SplitSeq(value.Text, ",") {
		bare := strings.TrimLeft(name, "+-")
		set, known := versionsOf(bare)
		if !known {
			return &problem{text: `"SSLOpenSSLConfCmd Protocol ` + value.Text + `" failed`, at: value.Range}
		}
		spoken.change(set, !strings.HasPrefix(name, "-"))
	}
	return w.setVersions(n, spoken, value.Range)
}

func (w *walk) confBound(n *syntax.Node, which string, value syntax.Arg) *problem {
	i := slices.IndexFunc(sslVersions, func(v sslVersion) bool { return strings.EqualFold(v.name, value.Text) })
	if i < 0 {
		return &problem{text: `"SSLOpenSSLConfCmd ` + which + " " + value.Text + `" failed`, at: value.Range, hint: "TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3 are known"}
	}
	if strings.EqualFold(which, "minprotocol") {
		w.ssl().MinVersion = sslVersions[i].value
	} else {
		w.ssl().MaxVersion = sslVersions[i].value
	}
	return nil
}

func (w *walk) setGroups(n *syntax.Node, value syntax.Arg) *problem {
	if strings.EqualFold(value.Text, "auto") || strings.EqualFold(value.Text, "automatic") {
		return nil
	}
	var groups []tls.CurveID
	for name := range strings.SplitSeq(value.Text, ":") {
		group, known := sslGroups[strings.ToLower(strings.TrimPrefix(name, "?"))]
		switch {
		case known:
			groups = append(groups, group)
		case !strings.HasPrefix(name, "?"):
			return &problem{text: "SSLOpenSSLConfCmd: the group " + name + notObeyed, at: value.Range, hint: "X25519, P-256, P-384, P-521 and X25519MLKEM768 are spoken"}
		}
	}
	if groups == nil {
		return &problem{text: "SSLOpenSSLConfCmd " + n.Args + notObeyed, at: value.Range, hint: "no group is left"}
	}
	w.ssl().Groups = groups
	return nil
}
