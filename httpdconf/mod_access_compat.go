package httpdconf

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

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
	Orders      []AccessByMethod[AccessOrder]
	Satisfy     []AccessByMethod[bool] // Any: either these lines or Require
	Allow, Deny []AccessEntry
	Resolves    bool // names of hosts may have to be looked up, which takes its time
}

// AccessByMethod is what one line sets, for the methods of the Limit section
// in which it stands.
type AccessByMethod[T any] struct {
	Limit *MethodSet
	Value T
	Range hcl.Range
}

// LastFor returns the last of the lines that are for a method, else the zero
// value, which is httpd's default.
func LastFor[T any](lines []AccessByMethod[T], method string) (last AccessByMethod[T]) {
	for _, line := range lines {
		if line.Limit.Has(method) {
			last = line
		}
	}
	return last
}

// AccessEntry is one word of an Allow or Deny line: All, Network, Host, or else
// Variable.
type AccessEntry struct {
	Limit   *MethodSet
	Range   hcl.Range
	All     bool
	Network netip.Prefix
	Host    string // the end of the client's name

	Variable string // of the environment
	Unset    bool   // it has to be unset
}

// AccessRequest is what the lines look at.
type AccessRequest struct {
	Client netip.Addr
	Method string
	IsSet  func(variable string) bool // in the environment
	HostIs func(domain string) bool   // of the name of Client

	// Asked is told which entries name the client; nil for nobody.
	Asked func(e *AccessEntry)
}

// accessCompatCommands are the rows of mod_access_compat.
func accessCompatCommands() map[string]command {
	return map[string]command{
		"Order":   {"mod_access_compat.c", (*walk).setOrder, "`allow,deny`, `deny,allow` or `mutual-failure`"},
		"Allow":   {"mod_access_compat.c", (*walk).setAllow, "`from all`, addresses, networks, names of hosts and `env=`"},
		"Deny":    {"mod_access_compat.c", (*walk).setDeny, "`from all`, addresses, networks, names of hosts and `env=`"},
		"Satisfy": {"mod_access_compat.c", (*walk).setSatisfy, "`All`, or `Any`: either `Allow` and `Deny` let a client in, or `Require` does"},
	}
}

func (w *walk) accessRecord() *AccessDir {
	if w.records.Access == nil {
		w.records.Access = &AccessDir{}
	}
	return w.records.Access
}

func (w *walk) setOrder(n *syntax.Node, words []syntax.Arg) *problem {
	order, known := map[string]AccessOrder{
		"allow,deny": AllowThenDeny, "deny,allow": DenyThenAllow, "mutual-failure": MutualFailure,
	}[strings.ToLower(words[0].Text)]
	if !known {
		return &problem{text: "unknown order", at: words[0].Range}
	}
	d := w.accessRecord()
	d.Orders = append(d.Orders, AccessByMethod[AccessOrder]{w.methods, order, n.Range()})
	return nil
}

func (w *walk) setAllow(n *syntax.Node, words []syntax.Arg) *problem {
	return w.addAccess(n, &w.accessRecord().Allow, words)
}

func (w *walk) setDeny(n *syntax.Node, words []syntax.Arg) *problem {
	return w.addAccess(n, &w.accessRecord().Deny, words)
}

// addAccess reads the words of an Allow or Deny line (httpd 2.4
// modules/aaa/mod_access_compat.c, allow_cmd).
func (w *walk) addAccess(n *syntax.Node, list *[]AccessEntry, words []syntax.Arg) *problem {
	if !strings.EqualFold(words[0].Text, "from") {
		return &problem{text: "allow and deny must be followed by 'from'", at: words[0].Range}
	}
	for _, a := range words[1:] {
		e, why := accessEntry(a.Text)
		if why != "" {
			return &problem{text: why, at: a.Range}
		}
		e.Limit, e.Range = w.methods, n.Range()
		w.records.Access.Resolves = w.records.Access.Resolves || e.Host != ""
		*list = append(*list, e)
	}
	return nil
}

func accessEntry(word string) (e AccessEntry, why string) {
	address, _, hasMask := strings.Cut(word, "/")
	name, isEnv := cutPrefixFold(word, "env=")
	not, negated := strings.CutPrefix(name, "!")
	switch {
	case isEnv:
		e.Variable, e.Unset = not, negated
	case strings.EqualFold(word, "all"):
		e.All = true
	case looksLikeIP(address):
		e.Network, why = parseNetwork(word)
	case hasMask:
		why = "An IP address was expected"
	default:
		e.Host = word
	}
	return e, why
}

func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func (w *walk) setSatisfy(n *syntax.Node, words []syntax.Arg) *problem {
	switch strings.ToLower(words[0].Text) {
	case "all", "any":
		d := w.accessRecord()
		d.Satisfy = append(d.Satisfy, AccessByMethod[bool]{w.methods, strings.EqualFold(words[0].Text, "any"), n.Range()})
		return nil
	}
	return &problem{text: "Satisfy either 'any' or 'all'.", at: words[0].Range}
}

// SatisfiesAny reports whether Satisfy Any holds for a method.
func (d *AccessDir) SatisfiesAny(method string) bool {
	return d != nil && LastFor(d.Satisfy, method).Value
}

// Admits reports whether the record lets a client in (httpd 2.4
// modules/aaa/mod_access_compat.c, check_dir_access).
func (d *AccessDir) Admits(q *AccessRequest) bool {
	if d == nil {
		return true
	}
	has := func(list []AccessEntry) bool {
		i := slices.IndexFunc(list, func(e AccessEntry) bool { return e.Limit.Has(q.Method) && e.names(q) })
		if i >= 0 && q.Asked != nil {
			q.Asked(&list[i])
		}
		return i >= 0
	}
	allowed, denied := has(d.Allow), has(d.Deny)
	if LastFor(d.Orders, q.Method).Value == DenyThenAllow {
		return allowed || !denied
	}
	return allowed && !denied
}

// names reports whether the client is whom the entry names.
func (e *AccessEntry) names(q *AccessRequest) bool {
	switch {
	case e.All:
		return true
	case e.Network.IsValid():
		return e.Network.Contains(q.Client.Unmap())
	case e.Host != "":
		return q.HostIs(e.Host)
	}
	return q.IsSet(e.Variable) != e.Unset
}
