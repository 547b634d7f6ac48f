package httpdconf

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// SSLDir is mod_ssl's record of a section.
type SSLDir struct {
	RequireSSL bool
	Requires   []*expr.Expr // of SSLRequire: all have to hold
	Options    SSLOptionSet
	UserName   string    // the variable that names the user; empty inherits
	Verify     SSLVerify // no more than the handshake has asked for, but Require
	Depth      *int      // as of SSLClients
	Range      hcl.Range // the first directive
}

// SSLOptionSet is a set of SSLOptions, and what a section changes of it.
type SSLOptionSet struct {
	Set, Add, Remove SSLOptionFlags
	Absolute         bool // Set replaces what was there
}

// SSLOptionFlags are options of SSLOptions.
type SSLOptionFlags int

// The options that have an effect here.
const (
	SSLStdEnvVars    SSLOptionFlags = 1 << iota // SSL_* in the environment
	SSLExportCert                               // certificates too
	SSLStrictRequire                            // whatever Satisfy says
	SSLLegacyDN                                 // names as OpenSSL wrote them once
	SSLFakeBasicAuth                            // the name of a certificate is a user of AuthUserFile
)

// sslOptions are those of httpd; OptRenegotiate changes nothing here. It is
// constant.
var sslOptions = map[string]SSLOptionFlags{
	"stdenvvars": SSLStdEnvVars, "exportcertdata": SSLExportCert, "strictrequire": SSLStrictRequire, "optrenegotiate": 0, "legacydnstringformat": SSLLegacyDN,
	"fakebasicauth": SSLFakeBasicAuth,
}

// sslDirCommands are the rows of mod_ssl about sections.
func sslDirCommands() map[string]command {
	return map[string]command{
		"SSLRequireSSL": sslRow("403 without TLS", (*walk).sslRequireSSL),
		"SSLRequire":    sslRow("403 where the expression does not hold", (*walk).sslRequire),
		"SSLOptions":    sslRow("`StdEnvVars`, `ExportCertData`, `StrictRequire`, `LegacyDNStringFormat`, `FakeBasicAuth`; `OptRenegotiate` has no effect", (*walk).sslSetOptions),
		"SSLUserName":   sslRow("the variable, such as `SSL_CLIENT_S_DN_CN`, that names the user", (*walk).sslUserName),
		"SSLLog":        sslRow("refuses the start, as with httpd", (*walk).sslGone),
		"SSLLogLevel":   sslRow("refuses the start, as with httpd", (*walk).sslGone),
	}
}

// sslDir is the record of the section, or of the host.
func (w *walk) sslDir(n *syntax.Node) *SSLDir {
	if w.records.SSL == nil {
		w.records.SSL = &SSLDir{Range: n.Range()}
	}
	return w.records.SSL
}

func (w *walk) sslRequireSSL(n *syntax.Node, _ []syntax.Arg) *problem {
	w.sslDir(n).RequireSSL = true
	return nil
}

// sslRequire is httpd 2.4 modules/ssl/ssl_engine_config.c, ssl_cmd_SSLRequire.
func (w *walk) sslRequire(n *syntax.Node, _ []syntax.Arg) *problem {
	e, err := expr.Options{SSL: true, SSLRequire: true}.Parse(n.Args)
	e, p := checkedExpr(e, err, "SSLRequire: ")
	if p != nil {
		p.at = n.ArgsRange()
		return p
	}
	w.sslDir(n).Requires = append(w.sslDir(n).Requires, e)
	return nil
}

func (w *walk) sslUserName(n *syntax.Node, words []syntax.Arg) *problem {
	w.sslDir(n).UserName = words[0].Text
	return nil
}

func (w *walk) sslGone(n *syntax.Node, _ []syntax.Arg) *problem {
	instead := "ErrorLog"
	if strings.EqualFold(n.Name, "SSLLogLevel") {
		instead = "LogLevel"
	}
	return &problem{text: n.Name + " directive is no longer supported - use " + instead + ".", at: n.NameRange()}
}

// sslSetOptions is httpd 2.4 modules/ssl/ssl_engine_config.c,
// ssl_cmd_SSLOptions: of several options without a sign the last counts.
func (w *walk) sslSetOptions(n *syntax.Node, _ []syntax.Arg) *problem {
	o := &w.sslDir(n).Options
	for _, word := range n.Words() {
		name := strings.TrimLeft(word.Text, "+-")
		flag, known := sslOptions[strings.ToLower(name)]
		switch {
		case !known:
			return &problem{text: "SSLOptions: Illegal option '" + name + "'", at: word.Range}
		case strings.HasPrefix(word.Text, "+"):
			o.Set, o.Add, o.Remove = o.Set|flag, o.Add|flag, o.Remove&^flag
		case strings.HasPrefix(word.Text, "-"):
			o.Set, o.Add, o.Remove = o.Set&^flag, o.Add&^flag, o.Remove|flag
		default:
			*o = SSLOptionSet{Set: flag, Add: flag, Absolute: true}
		}
	}
	return nil
}

// Has reports whether an option is set. A section without a record has none.
func (d *SSLDir) Has(option SSLOptionFlags) bool { return d != nil && d.Options.Set&option != 0 }

// mergeSSL merges field by field; what is required stays so (httpd 2.4
// modules/ssl/ssl_engine_config.c, ssl_config_perdir_merge).
func mergeSSL(base, over *SSLDir) *SSLDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := *over
	m.RequireSSL = base.RequireSSL || over.RequireSSL
	m.Requires = slices.Concat(base.Requires, over.Requires)
	if !over.Options.Absolute {
		b, o := base.Options, over.Options
		m.Options = SSLOptionSet{
			Set: b.Set&^o.Remove | o.Add, Add: b.Add&^o.Remove | o.Add, Remove: b.Remove&^o.Add | o.Remove,
			Absolute: b.Absolute,
		}
	}
	if m.UserName == "" {
		m.UserName = base.UserName
	}
	if m.Verify == SSLVerifyUnset {
		m.Verify = base.Verify
	}
	m.Depth = replace(base.Depth, m.Depth)
	return &m
}
