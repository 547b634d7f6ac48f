package httpdconf

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// AccessOrder is what Order sets.
type AccessOrder int

// The orders. The zero value is httpd's default.
const (
	DenyThenAllow AccessOrder = iota
	AllowThenDeny
	MutualFailure
)

// AccessDir is mod_access_compat's record. It is never merged.
type AccessDir struct {
	Order       AccessOrder
	Allow, Deny AccessList

	SatisfyAny bool // Satisfy Any: either these lines or Require
}

// AccessList is whom Allow or Deny lines name.
type AccessList struct {
	All      bool
	Networks []netip.Prefix
	Set      []string // variables, one of which is set
	NotSet   []string // variables, one of which is not
}

// accessCompatCommands are the rows of mod_access_compat.
func accessCompatCommands() map[string]command {
	return map[string]command{
		"Order":   {"mod_access_compat.c", (*walk).setOrder, "`allow,deny`, `deny,allow` or `mutual-failure`"},
		"Allow":   {"mod_access_compat.c", (*walk).setAllow, "`from all`, addresses, networks and `env=`; any other refuses the start"},
		"Deny":    {"mod_access_compat.c", (*walk).setDeny, "`from all`, addresses, networks and `env=`; any other refuses the start"},
		"Satisfy": {"mod_access_compat.c", (*walk).setSatisfy, "`All`, or `Any`: either `Allow` and `Deny` let a client in, or `Require` does"},
	}
}

func (w *walk) accessRecord() *AccessDir {
	if w.records.Access == nil {
		w.records.Access = &AccessDir{}
	}
	return w.records.Access
}

func (w *walk) setOrder(_ *syntax.Node, words []syntax.Arg) *problem {
	order, known := map[string]AccessOrder{
		"allow,deny": AllowThenDeny, "deny,allow": DenyThenAllow, "mutual-failure": MutualFailure,
	}[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: "unknown order", at: words[0].Range}
	}
	w.accessRecord().Order = order
	return nil
}

func (w *walk) setAllow(_ *syntax.Node, words []syntax.Arg) *problem {
	return w.accessRecord().Allow.add(words)
}

func (w *walk) setDeny(_ *syntax.Node, words []syntax.Arg) *problem {
	return w.accessRecord().Deny.add(words)
}

// add reads the words of an Allow or Deny line (httpd 2.4
// modules/aaa/mod_access_compat.c, allow_cmd).
func (l *AccessList) add(words []syntax.Arg) *problem {
	if !strings.EqualFold(words[0].Text, "from") {
		return &problem{text: "allow and deny must be followed by 'from'", at: words[0].Range}
	}
	for _, a := range words[1:] {
		if strings.EqualFold(a.Text, "all") {
			l.All = true
			continue
		}
		if name, isEnv := cutPrefixFold(a.Text, "env="); isEnv {
			if not, negated := strings.CutPrefix(name, "!"); negated {
				l.NotSet = append(l.NotSet, not)
			} else {
				l.Set = append(l.Set, name)
			}
			continue
		}
		if !isAddress(a.Text) {
			return &problem{text: "Allow and Deny from " + a.Text + notObeyed, at: a.Range,
				hint: "rather than let everybody in, the server does not start; all, addresses, networks and env= are obeyed"}
		}
		network, why := parseNetwork(a.Text)
		if why != "" {
			return &problem{text: why, at: a.Range}
		}
		l.Networks = append(l.Networks, network)
	}
	return nil
}

func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// isAddress tells an address from the name of a host or a variable.
func isAddress(s string) bool {
	return strings.Trim(s, "0123456789./") == "" || strings.Contains(s, ":") && strings.Trim(s, "0123456789abcdefABCDEF:./") == ""
}

func (w *walk) setSatisfy(_ *syntax.Node, words []syntax.Arg) *problem {
	switch strings.ToLower(words[0].Text) {
	case "all", "any":
		w.accessRecord().SatisfyAny = strings.EqualFold(words[0].Text, "any")
		return nil
	}
	return &problem{text: "Satisfy either 'any' or 'all'.", at: words[0].Range}
}

// Admits reports whether the record lets a client in. isSet tells of the
// environment (httpd 2.4 modules/aaa/mod_access_compat.c, check_dir_access).
func (d *AccessDir) Admits(client netip.Addr, isSet func(variable string) bool) bool {
	if d == nil {
		return true
	}
	allowed, denied := d.Allow.has(client.Unmap(), isSet), d.Deny.has(client.Unmap(), isSet)
	if d.Order == DenyThenAllow {
		return allowed || !denied
	}
	return allowed && !denied
}

func (l *AccessList) has(client netip.Addr, isSet func(string) bool) bool {
	return l.All || slices.ContainsFunc(l.Networks, func(p netip.Prefix) bool { return p.Contains(client) }) ||
		slices.ContainsFunc(l.Set, isSet) || slices.ContainsFunc(l.NotSet, func(name string) bool { return !isSet(name) })
}
