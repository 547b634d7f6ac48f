package httpdconf

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// AuthnDir says how users are told apart: the records of mod_authn_core,
// mod_auth_basic, mod_authn_file and mod_authz_groupfile. Zero values inherit.
type AuthnDir struct {
	Type      AuthType
	Name      string     // the realm, escaped for a quoted string
	NameExpr  *expr.Expr // gives the realm for each request; nil for Name
	UserFile  string     // absolute
	GroupFile string     // absolute
	Fallible  *bool      // AuthBasicAuthoritative Off: other modules may know the user
	Range     hcl.Range
}

// AuthType is what AuthType sets.
type AuthType int

// The types of authentication.
const (
	AuthUnset AuthType = iota
	AuthNone
	AuthBasic
)

// authnCommands are the rows of the modules that ask for passwords.
func authnCommands() map[string]command {
	return map[string]command{
		"AuthType":                    {"mod_authn_core.c", (*walk).setAuthType, "`Basic` or `None`; any other refuses the start"},
		"AuthName":                    {"mod_authn_core.c", (*walk).setAuthName, "the realm that a browser shows"},
		"AuthUserFile":                {"mod_authn_file.c", (*walk).setAuthUserFile, "users and passwords as `htpasswd` writes them: bcrypt, MD5, SHA1, SHA-crypt; read for each request"},
		"AuthGroupFile":               {"mod_authz_groupfile.c", (*walk).setAuthGroupFile, "groups and their users, for `Require group`"},
		"AuthBasicProvider":           {"mod_auth_basic.c", (*walk).setAuthBasicProvider, "`file`; any other refuses the start"},
		"AuthBasicAuthoritative":      {"mod_auth_basic.c", (*walk).setAuthBasicAuthoritative, "`Off`: a user who is not in the file is answered 500, as by httpd without a further module"},
		"AuthBasicFake":               {"mod_auth_basic.c", (*walk).setAuthBasicOff, "`off`, which is the default; any other refuses the start"},
		"AuthBasicUseDigestAlgorithm": {"mod_auth_basic.c", (*walk).setAuthBasicOff, "`Off`, which is the default; any other refuses the start"},
	}
}

func (w *walk) authn(n *syntax.Node) *AuthnDir {
	if w.records.Authn == nil {
		w.records.Authn = &AuthnDir{Range: n.Range()}
	}
	return w.records.Authn
}

func (w *walk) setAuthType(n *syntax.Node, words []syntax.Arg) *problem {
	switch kind := strings.ToLower(words[0].Text); {
	case kind == "none":
		w.authn(n).Type = AuthNone
	case kind == "basic" && w.modules.isLoaded("mod_auth_basic.c"):
		w.authn(n).Type = AuthBasic
	case kind == "basic":
		return &problem{
			text: "AuthType Basic needs mod_auth_basic", at: words[0].Range,
			hint: "add a LoadModule auth_basic_module line: httpd answers 500 without it",
		}
	default:
		return &problem{
			text: "AuthType " + words[0].Text + notObeyed, at: words[0].Range,
			hint: "rather than let everybody in, the server does not start; Basic is obeyed",
		}
	}
	return nil
}

// setAuthName takes the realm as it will stand in the header (httpd 2.4
// modules/aaa/mod_authn_core.c, set_authname). It is an expression: where it is
// more than its text it is evaluated for each request.
func (w *walk) setAuthName(n *syntax.Node, words []syntax.Arg) *problem {
	d, text := w.authn(n), words[0].Text
	if !strings.Contains(text, "%{") && !strings.Contains(text, `\`) {
		d.Name, d.NameExpr = escapeQuotes(text), nil
		return nil
	}
	e, p := w.textExpr(text, fmt.Sprintf("Cannot parse expression '%s' in AuthName: ", text))
	d.Name, d.NameExpr = "", e
	return p
}

// escapeQuotes puts a backslash in front of quotes that have none (httpd 2.4
// server/util.c, ap_escape_quotes).
func escapeQuotes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '"':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (w *walk) setAuthUserFile(n *syntax.Node, words []syntax.Arg) *problem {
	w.authn(n).UserFile = w.rootRelative(words[0].Text)
	return nil
}

func (w *walk) setAuthGroupFile(n *syntax.Node, words []syntax.Arg) *problem {
	w.authn(n).GroupFile = w.rootRelative(words[0].Text)
	return nil
}

// authnProviders are those that httpd has, each with its module. It is
// constant.
var authnProviders = map[string]string{
	"file": "mod_authn_file.c", "dbm": "mod_authn_dbm.c", "anon": "mod_authn_anon.c", "dbd": "mod_authn_dbd.c", "socache": "mod_authn_socache.c",
	"ldap": "mod_authnz_ldap.c", "fcgi": "mod_authnz_fcgi.c",
}

func (w *walk) setAuthBasicProvider(_ *syntax.Node, words []syntax.Arg) *problem {
	for _, word := range words {
		module, known := authnProviders[strings.ToLower(word.Text)]
		switch {
		case !known || !w.modules.isLoaded(module):
			return &problem{text: "Unknown Authn provider: " + word.Text, at: word.Range}
		case module != "mod_authn_file.c":
			return &problem{text: "AuthBasicProvider " + word.Text + notObeyed, at: word.Range, hint: "file is obeyed"}
		}
	}
	return nil
}

func (w *walk) setAuthBasicAuthoritative(n *syntax.Node, words []syntax.Arg) *problem {
	fallible := strings.EqualFold(words[0].Text, "off")
	w.authn(n).Fallible = &fallible
	return nil
}

// setAuthBasicOff takes what changes nothing.
func (w *walk) setAuthBasicOff(n *syntax.Node, words []syntax.Arg) *problem {
	if strings.EqualFold(words[0].Text, "off") {
		return nil
	}
	return w.plainForm(n)
}

// Realm returns the realm as it stands in a header, "" where none is set.
func (d *AuthnDir) Realm(env expr.Env) string {
	if d.NameExpr == nil {
		return d.Name
	}
	name, err := d.NameExpr.String(env)
	if err != nil || strings.ContainsFunc(name, unicode.IsControl) {
		return "" // cannot stand in a header: answered as where there is none
	}
	return escapeQuotes(name)
}

// mergeAuthn merges field by field, as each of the modules does.
func mergeAuthn(base, over *AuthnDir) *AuthnDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := *over
	if m.Type == AuthUnset {
		m.Type = base.Type
	}
	if m.Name == "" && m.NameExpr == nil {
		m.Name, m.NameExpr = base.Name, base.NameExpr
	}
	if m.Fallible == nil {
		m.Fallible = base.Fallible
	}
	for _, field := range []struct{ over, base *string }{
		{&m.UserFile, &base.UserFile}, {&m.GroupFile, &base.GroupFile},
	} {
		if *field.over == "" {
			*field.over = *field.base
		}
	}
	return &m
}
