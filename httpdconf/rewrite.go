package httpdconf

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
)

// RewriteHost is mod_rewrite's record of a host: the rules that stand outside of
// sections and change paths before they are mapped to files. A virtual host
// without a line of mod_rewrite has none.
type RewriteHost struct {
	Options RewriteOptions
	Rules   []*RewriteRule
	Maps    map[string]RewriteMap // RewriteMap, by name

	hasOptions bool
	conds      []*RewriteCond // for the rule that follows
}

// RewriteDir is mod_rewrite's record of a section, and of what stands outside:
// there it holds switches only.
type RewriteDir struct {
	Engine  *bool           // RewriteEngine; nil inherits
	Options *RewriteOptions // nil inherits
	Base    string          // RewriteBase; empty where none is set
	Dir     string          // what the section is for, with a slash behind it; empty outside of sections
	Rules   []*RewriteRule

	conds []*RewriteCond // for the rule that follows
}

// IsOn reports whether rules are run.
func (d *RewriteDir) IsOn() bool { return d != nil && d.Engine != nil && *d.Engine }

// Has reports whether an option is set.
func (d *RewriteDir) Has(o RewriteOptions) bool { return d.Options != nil && *d.Options&o != 0 }

// RewriteOptions are what RewriteOptions sets.
type RewriteOptions int

// The options. Those of inheritance have done their work when a configuration
// is loaded, or where sections are merged.
const (
	RewriteInherit RewriteOptions = 1 << iota
	RewriteInheritBefore
	RewriteInheritDown
	RewriteInheritDownBefore
	RewriteIgnoreInherit
	RewriteAllowNoSlash
	RewriteAllowAnyURI
	RewriteMergeBase
	RewriteIgnoreContextInfo
	RewriteLegacyPrefixDocRoot
	RewriteUnsafePrefixStat
)

// RewriteRule is one RewriteRule line with the RewriteCond lines in front of it.
type RewriteRule struct {
	Not    bool // holds where Regexp does not match
	Regexp *expr.Regexp
	Conds  []*RewriteCond
	Flags  RewriteFlags

	To       RewriteText // unused with RuleKeeps
	Output   string      // To as written
	Status   int         // with RuleForces the answer; else that of a redirect
	Rounds   int         // how often RuleNext may begin again, at most
	Skip     int         // how many rules are left out behind one that applies
	Escapes  string      // with RuleEscapes, the bytes to escape; empty for all that are not letters, digits or "_"
	Spares   string      // with RuleEscapes, bytes that are not escaped
	Env      []RewriteText
	Cookies  []RewriteText
	MimeType RewriteText

	Range hcl.Range
}

// RewriteFlags are flags of a rule without a value.
type RewriteFlags int

// The flags, each with its letters.
const (
	RuleKeeps           RewriteFlags = 1 << iota // "-": nothing is put in the path's place
	RuleForces                                   // F, G, R with a status that is no redirect
	RuleRedirects                                // R
	RuleLast                                     // L
	RuleEnd                                      // END
	RuleChain                                    // C
	RuleNext                                     // N
	RulePasses                                   // PT
	RuleNoEscape                                 // NE
	RuleNoSubrequests                            // NS
	RuleQueryAppend                              // QSA
	RuleQueryDiscard                             // QSD
	RuleQueryLast                                // QSL
	RuleQueryNone                                // a question mark ends the line's target, or QSD without one
	RuleDiscardPathInfo                          // DPI
	RuleEscapes                                  // B
	RuleEscapesControls                          // BCTLS
	RuleEscapesNoPlus                            // BNP
	RuleUnsafePrefix                             // UnsafePrefixStat
	RuleUnsafeQuestion                           // UnsafeAllow3F
)

// Has reports whether a rule has one of these flags.
func (r *RewriteRule) Has(f RewriteFlags) bool { return r.Flags&f != 0 }

// RewriteCond is one RewriteCond line.
type RewriteCond struct {
	Input   RewriteText
	Kind    RewriteCondKind
	Not     bool
	AnyCase bool // of a comparison of texts; of an expression it is compiled in
	Or      bool // one of this condition and the next is enough
	NoVary  bool // what of the request's header it reads makes no Vary

	Regexp  *expr.Regexp
	Expr    *expr.Expr // in place of Input
	Test    byte       // of CondTest, as in "-f"
	Operand string     // of comparisons

	Range hcl.Range
}

// RewriteCondKind says how a condition looks at its input.
type RewriteCondKind int

// The kinds of conditions.
const (
	CondRegexp RewriteCondKind = iota
	CondExpr
	CondTest
	CondTextEqual
	CondTextLess
	CondTextAtMost
	CondTextGreater
	CondTextAtLeast
	CondNumberEqual
	CondNumberLess
	CondNumberAtMost
	CondNumberGreater
	CondNumberAtLeast
)

// RewriteMap is a map of RewriteMap: one that httpd has built in, or a file.
type RewriteMap struct {
	Kind RewriteMapKind
	File string // of MapText and MapRandom, absolute
}

// RewriteMapKind says how a map finds a value for a key.
type RewriteMapKind int

// The kinds: "int:tolower" and its kin, "txt:" and "rnd:".
const (
	MapToLower RewriteMapKind = iota
	MapToUpper
	MapEscape
	MapUnescape
	MapText   // a file of lines, each a key and a value
	MapRandom // the same, with one of several values that stand between bars
)

// mergeRewrite merges the records of sections (httpd 2.4
// modules/mappers/mod_rewrite.c, config_perdir_merge).
func mergeRewrite(base, over *RewriteDir) *RewriteDir {
	if base == nil || over == nil {
		return replace(base, over)
	}
	m := &RewriteDir{Engine: base.Engine, Options: base.Options, Base: over.Base, Dir: over.Dir}
	if over.Engine != nil {
		m.Engine = over.Engine
	}
	if over.Options != nil {
		m.Options = over.Options
	}
	if m.Has(RewriteMergeBase) && m.Base == "" {
		m.Base = base.Base
	}
	var inner, outer RewriteOptions
	if m.Options != nil {
		inner = *m.Options
	}
	if base.Options != nil {
		outer = *base.Options
	}
	m.Rules = mergeRules(base.Rules, over.Rules, inner, outer)
	return m
}

// inheritRewrite fills a virtual host's record (config_server_merge).
func inheritRewrite(h, main *RewriteHost) *RewriteHost {
	if h == nil || main == nil {
		return h
	}
	m := &RewriteHost{Options: main.Options, Maps: h.Maps}
	if h.hasOptions {
		m.Options = h.Options
	}
	m.Rules = mergeRules(main.Rules, h.Rules, m.Options, main.Options)
	if inheritsAfter(m.Options, main.Options) {
		m.Maps = mergeMaps(main.Maps, h.Maps)
	} else if inheritsBefore(m.Options, main.Options) {
		m.Maps = mergeMaps(h.Maps, main.Maps)
	}
	return m
}

// mergeRules returns the rules of a section or a host, with those of the outer
// one where one of the two says so.
func mergeRules(base, over []*RewriteRule, options, outer RewriteOptions) []*RewriteRule {
	switch {
	case inheritsAfter(options, outer):
		return slices.Concat(over, base)
	case inheritsBefore(options, outer):
		return slices.Concat(base, over)
	}
	return over
}

func inheritsAfter(options, outer RewriteOptions) bool {
	return options&RewriteInherit != 0 || outer&RewriteInheritDown != 0 && options&RewriteIgnoreInherit == 0
}

func inheritsBefore(options, outer RewriteOptions) bool {
	return options&RewriteInheritBefore != 0 || outer&RewriteInheritDownBefore != 0 && options&RewriteIgnoreInherit == 0
}
