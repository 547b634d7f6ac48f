package httpdconf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// authzCoreCommands are the rows of mod_authz_core, with the providers of
// mod_authz_host that need no name to be resolved.
func authzCoreCommands() map[string]command {
	return map[string]command{
		"Require":     {"mod_authz_core.c", (*walk).setRequire, "`all granted`, `all denied`, `ip`, `local`, `method`; any other refuses the start"},
		"AuthMerging": {"mod_authz_core.c", (*walk).setAuthMerging, "`Off`, which is the default"},
	}
}

// authzProviders names the module that has each provider of Require. It is
// constant.
var authzProviders = map[string]string{
	"all": "mod_authz_core.c", "env": "mod_authz_core.c", "method": "mod_authz_core.c", "expr": "mod_authz_core.c",
	"ip": "mod_authz_host.c", "host": "mod_authz_host.c", "forward-dns": "mod_authz_host.c", "local": "mod_authz_host.c",
	"user": "mod_authz_user.c", "valid-user": "mod_authz_user.c",
	"group": "mod_authz_groupfile.c", "file-group": "mod_authz_owner.c", "file-owner": "mod_authz_owner.c",
	"dbm-group": "mod_authz_dbm.c", "dbm-file-group": "mod_authz_dbm.c", "dbd-group": "mod_authz_dbd.c", "dbd-login": "mod_authz_dbd.c", "dbd-logout": "mod_authz_dbd.c",
	"ldap-user": "mod_authnz_ldap.c", "ldap-group": "mod_authnz_ldap.c", "ldap-dn": "mod_authnz_ldap.c", "ldap-attribute": "mod_authnz_ldap.c", "ldap-filter": "mod_authnz_ldap.c", "ldap-search": "mod_authnz_ldap.c",
	"ssl": "mod_ssl.c", "ssl-verify-client": "mod_ssl.c",
}

// setRequire reads Require (httpd 2.4 modules/aaa/mod_authz_core.c,
// add_authz_provider). The lines of one section form a RequireAny.
func (w *walk) setRequire(n *syntax.Node, _ []syntax.Arg) *problem {
	name, rest := syntax.Word(n.Args)
	negated := strings.EqualFold(name, "not")
	if negated {
		name, rest = syntax.Word(rest)
	}
	provider := strings.ToLower(name)
	module, known := authzProviders[provider]
	if !known || !w.modules.isLoaded(module) {
		hint := ""
		if known {
			hint = fmt.Sprintf("Require %s belongs to %s: it needs a LoadModule %s line", provider, module, identOf(module))
		}
		return &problem{text: "Unknown Authz provider: " + name, at: n.ArgsRange(), hint: hint}
	}
	d := w.records.Authz
	if d == nil {
		d = &AuthzDir{Range: n.Range()}
		if parent := enclosing(n); parent != nil {
			d.Section = parent.Opener()
		}
	}
	p := requirement(d, provider, rest)
	switch {
	case p != nil:
		p.at = n.ArgsRange()
		return p
	case negated:
		return &problem{text: "negative Require directive has no effect in <RequireAny> directive", at: n.ArgsRange()}
	}
	w.records.Authz = d
	return nil
}

// requirement adds what one line lets in to d.
func requirement(d *AuthzDir, provider, args string) *problem {
	switch provider {
	case "all":
		word, rest := syntax.Word(args)
		switch {
		case rest == "" && strings.EqualFold(word, "granted"):
			d.Granted = true
		case rest != "" || !strings.EqualFold(word, "denied"):
			return &problem{text: "Argument for 'Require all' must be 'granted' or 'denied'"}
		}
		return nil
	case "local":
		d.Local = true // httpd looks at no argument
		return nil
	case "ip":
		return requireIP(d, args)
	case "method":
		for args != "" {
			var method string
			method, args = syntax.Word(args)
			d.Methods = append(d.Methods, method)
		}
		return nil
	}
	return &problem{
		text: fmt.Sprintf("Require %s is not obeyed by this version of wshttpd", provider),
		hint: "rather than let everybody in, the server does not start; Require all, ip, local and method are obeyed",
	}
}

// requireIP reads the networks of "Require ip" (APR's apr_ipsubnet_create):
// addresses, the first parts of one, with a prefix length or a netmask.
func requireIP(d *AuthzDir, args string) *problem {
	if args == "" {
		return &problem{text: "'require ip' requires an argument"}
	}
	for args != "" {
		var word string
		word, args = syntax.Word(args)
		prefix, why := parseNetwork(word)
		if why != "" {
			return &problem{text: fmt.Sprintf("ip address '%s' appears to be invalid: %s", word, why)}
		}
		d.Networks = append(d.Networks, prefix)
	}
	return nil
}

func parseNetwork(s string) (p netip.Prefix, why string) {
	const badIP, badMask = "The specified IP address is invalid.", "The specified network mask is invalid."
	address, mask, hasMask := strings.Cut(s, "/")
	bits := -1
	if strings.Trim(address, "0123456789.") == "" && address != "" {
		parts := strings.Split(strings.TrimSuffix(address, "."), ".")
		if len(parts) > 4 {
			return p, badIP
		}
		if len(parts) < 4 {
			bits = 8 * len(parts)
		}
		address = strings.Join(append(parts, slices.Repeat([]string{"0"}, 4-len(parts))...), ".")
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return p, badIP
	}
	if bits < 0 || hasMask {
		bits = ip.BitLen()
	}
	if hasMask {
		var good bool
		if bits, good = maskBits(mask, ip); !good {
			return p, badMask
		}
	}
	return netip.PrefixFrom(ip, bits).Masked(), ""
}

// maskBits reads a prefix length, or a netmask whose ones stand together.
func maskBits(mask string, ip netip.Addr) (bits int, good bool) {
	if n, err := strconv.Atoi(mask); err == nil {
		return n, n > 0 && n <= ip.BitLen()
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !ip.Is4() {
		return 0, false
	}
	b := m.As4()
	wide := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for wide&(1<<31) != 0 {
		bits++
		wide <<= 1
	}
	return bits, wide == 0
}

// Admits reports whether the record lets a request in: client and server are
// the ends of its connection. Several lines are alternatives.
func (a *AuthzDir) Admits(client, server netip.Addr, method string) bool {
	client, server = client.Unmap(), server.Unmap()
	switch {
	case a.Granted:
		return true
	case a.Local && (client.IsLoopback() || client == server):
		return true
	case slices.Contains(a.Methods, method):
		return true
	}
	return slices.ContainsFunc(a.Networks, func(p netip.Prefix) bool { return p.Contains(client) })
}

func (w *walk) setAuthMerging(n *syntax.Node, _ []syntax.Arg) *problem {
	word, _ := syntax.Word(n.Args)
	if strings.EqualFold(word, "off") {
		return nil
	}
	return &problem{text: "AuthMerging is not obeyed by this version of wshttpd, but for Off", at: n.NameRange(), hint: "write the whole of the rules into the inner section"}
}
