package expr

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// matchTimeout is how long one match may take. PCRE counts steps instead, and
// where it gives up httpd takes the text as not matching.
const matchTimeout = 250 * time.Millisecond

// pattern is a compiled regular expression.
type pattern struct {
	re     *regexp2.Regexp
	groups int // pairs of parentheses
}

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

// compile takes a PCRE with httpd's defaults: a dot matches a newline too, and
// a dollar only at the very end (httpd 2.4 server/util_pcre.c, AP_REG_DOTALL
// and AP_REG_DOLLAR_ENDONLY).
func compile(text string, anyCase bool) (*pattern, error) {
	translated, groups, err := translate(text, anyCase)
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
	return &pattern{re, groups}, nil
}

// match looks for the pattern anywhere in s.
func (p *pattern) match(s string) (groups Groups, ok bool, err error) {
	m, err := p.re.FindRunesMatch(byteRunes(s))
	if err != nil {
		return Groups{}, false, fmt.Errorf("regular expression took more than %v", matchTimeout)
	}
	if m == nil {
		return Groups{}, false, nil
	}
	for n := range groups.group {
		if g := m.GroupByNumber(n); g != nil && len(g.Captures) > 0 {
			groups.group[n] = s[g.Index : g.Index+g.Length]
		}
	}
	return groups, true, nil
}
