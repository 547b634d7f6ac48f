package expr

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// matchTimeout is how long one match may take. PCRE counts steps instead, and
// where it gives up httpd takes the text as not matching.
const matchTimeout = 100 * time.Millisecond

// tries is how often a match is begun that is said to have taken too long: the
// time is the clock's on the wall, and may have passed while the process stood
// still. A text that is then taken as not matching may open what is closed.
const tries = 3

// Regexp is a compiled PCRE with httpd's defaults: it sees bytes, a dot matches
// a newline too, and a dollar only at the very end (httpd 2.4
// server/util_pcre.c, AP_REG_DOTALL and AP_REG_DOLLAR_ENDONLY). It never
// changes, and may be used by several goroutines at once.
type Regexp struct {
	source string
	re     *regexp2.Regexp
	groups int // pairs of parentheses
	names  map[string]int
}

// CompileRegexp compiles a PCRE: lookaround, backreferences, possessive
// quantifiers and named groups included. With anyCase it matches letters of
// ASCII in upper and in lower case.
func CompileRegexp(text string, anyCase bool) (*Regexp, error) { return compile(text, anyCase) }

// String returns the text that was compiled.
func (p *Regexp) String() string { return p.source }

// Match reports whether the expression matches anywhere in s. A match that
// takes too long is none.
func (p *Regexp) Match(s string) bool {
	runes := byteRunes(s)
	matched, err := try(func() (bool, error) { return p.re.MatchRunes(runes) })
	return err == nil && matched
}

// Find is Match, and gives what $0 to $9 stand for; groups is not changed where
// nothing matches.
func (p *Regexp) Find(s string, groups *Groups) bool {
	found, ok, err := p.match(s)
	if err != nil || !ok {
		return false
	}
	*groups = found
	return true
}

// HasNames reports whether a group has a name.
func (p *Regexp) HasNames() bool { return len(p.names) > 0 }

// Named yields the names and texts of the named groups that took part in the
// first match in s, in no order; nothing where nothing matches.
func (p *Regexp) Named(s string) iter.Seq2[string, string] {
	return func(yield func(name, text string) bool) {
		m, err := p.find(byteRunes(s))
		if err != nil || m == nil {
			return
		}
		for name, n := range p.names {
			g := m.GroupByNumber(n)
			if g != nil && len(g.Captures) > 0 && !yield(name, s[g.Index:g.Index+g.Length]) {
				return
			}
		}
	}
}

// Replace puts another text in the place of the first match in s, or of all.
// An error is one match that took too long.
func (p *Regexp) Replace(s string, all bool, by func(Groups) string) (string, error) {
	var b strings.Builder
	runes, end := byteRunes(s), 0
	m, err := p.find(runes)
	for err == nil && m != nil {
		b.WriteString(s[end:m.Index])
		b.WriteString(by(groupsOf(m, s)))
		end = m.Index + m.Length
		if !all {
			break
		}
		m, err = try(func() (*regexp2.Match, error) { return p.re.FindNextMatch(m) })
	}
	if err != nil {
		return "", errTooLong
	}
	return b.String() + s[end:], nil
}

// find looks for the first match, nil for none.
func (p *Regexp) find(runes []rune) (*regexp2.Match, error) {
	return try(func() (*regexp2.Match, error) { return p.re.FindRunesMatch(runes) })
}

// try begins a match anew that has run out of time.
func try[T any](match func() (T, error)) (found T, err error) {
	for range tries {
		if found, err = match(); err == nil {
			break
		}
	}
	return found, err
}

var errTooLong = fmt.Errorf("regular expression took more than %v", matchTimeout)

// highBytes is where the runes for the bytes from 0x80 on begin: in private use,
// where no rune is a letter or has another case. PCRE, as httpd uses it, sees
// bytes, and only those of ASCII have such properties.
const highBytes = 0xE000

func byteRune(c byte) rune {
	if c < 0x80 {
		return rune(c)
	}
	return highBytes + rune(c)
}

func byteRunes(s string) []rune {
	runes := make([]rune, len(s))
	for i, c := range []byte(s) {
		runes[i] = byteRune(c)
	}
	return runes
}

func compile(text string, anyCase bool) (*Regexp, error) {
	translated, groups, names, err := translate(text, anyCase)
	if err != nil {
		return nil, err
	}
	var options regexp2.RegexOptions = regexp2.Singleline
	if anyCase {
		options |= regexp2.IgnoreCase
	}
	re, err := regexp2.Compile(translated, options)
	if err != nil {
		message, _, _ := strings.Cut(err.Error(), " in `")
		return nil, errors.New(strings.TrimPrefix(message, "error parsing regexp: "))
	}
	re.MatchTimeout = matchTimeout
	return &Regexp{text, re, groups, names}, nil
}

// match looks for the expression anywhere in s.
func (p *Regexp) match(s string) (groups Groups, ok bool, err error) {
	m, err := p.find(byteRunes(s))
	switch {
	case err != nil:
		return Groups{}, false, errTooLong
	case m == nil:
		return Groups{}, false, nil
	}
	return groupsOf(m, s), true, nil
}

// groupsOf takes the groups of a match out of the text that was searched: its
// runes are the bytes of that.
func groupsOf(m *regexp2.Match, s string) (groups Groups) {
	for n := range groups.group {
		if g := m.GroupByNumber(n); g != nil && len(g.Captures) > 0 {
			groups.group[n] = s[g.Index : g.Index+g.Length]
		}
	}
	return groups
}
