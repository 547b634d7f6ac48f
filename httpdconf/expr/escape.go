package expr

import (
	"strconv"
	"strings"
)

// byteSet are bytes that a class matches.
type byteSet [256]bool

func (s *byteSet) add(low, high byte) {
	for c := int(low); c <= int(high); c++ {
		s[c] = true
	}
}

// addKind adds the bytes of a kind, or all others.
func (s *byteSet) addKind(kind func(byte) bool, negated bool) {
	for c := range s {
		if kind(byte(c)) != negated {
			s[c] = true
		}
	}
}

// String is the set without its brackets.
func (s *byteSet) String() string {
	var b strings.Builder
	for low := 0; low < len(s); low++ {
		if !s[low] {
			continue
		}
		high := low
		// A range must not go over the gap between ASCII and the rest.
		for high+1 < len(s) && s[high+1] && high != 0x7f {
			high++
		}
		b.WriteString(classChar(byte(low)))
		if high > low {
			b.WriteString("-" + classChar(byte(high)))
		}
		low = high
	}
	return b.String()
}

func classChar(c byte) string {
	if c < 0x80 && !isLetter(c) && !isDigit(c) {
		return `\x` + strconv.FormatUint(0x100|uint64(c), 16)[1:]
	}
	return string(byteRune(c))
}

func oneOf(chars string) func(byte) bool {
	return func(c byte) bool { return strings.IndexByte(chars, c) >= 0 }
}

// kinds are the sets that a letter stands for; its capital is all others.
var kinds = map[byte]func(byte) bool{
	'd': isDigit,
	'w': isWord,
	's': oneOf(" \t\n\v\f\r"),
	'h': oneOf(" \t\xa0"),
	'v': oneOf("\n\v\f\r\x85"),
}

// posixKinds are the sets of [:name:].
var posixKinds = map[string]func(byte) bool{
	"alnum":  func(c byte) bool { return isLetter(c) || isDigit(c) },
	"alpha":  isLetter,
	"ascii":  func(c byte) bool { return c < 0x80 },
	"blank":  oneOf(" \t"),
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"digit":  isDigit,
	"graph":  isGraph,
	"lower":  func(c byte) bool { return 'a' <= c && c <= 'z' },
	"print":  func(c byte) bool { return isGraph(c) || c == ' ' },
	"punct":  func(c byte) bool { return isGraph(c) && !isLetter(c) && !isDigit(c) },
	"space":  oneOf(" \t\n\v\f\r"),
	"upper":  func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"word":   isWord,
	"xdigit": func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' },
}

func isGraph(c byte) bool { return '!' <= c && c <= '~' }

// kindOf finds the set of \d and the like.
func kindOf(c byte) (kind func(byte) bool, negated, ok bool) {
	kind = kinds[lower(c)]
	return kind, c != lower(c), kind != nil
}

// escape reads what follows a backslash outside a class.
func (t *translation) escape() error {
	if t.pos == len(t.in) {
		return errEscape
	}
	c := t.in[t.pos]
	if kind, negated, ok := kindOf(c); ok {
		var set byteSet
		set.addKind(kind, negated)
		t.pos++
		t.emitAtom("[" + set.String() + "]")
		return nil
	}
	switch c {
	case 'N', 'R', 'b', 'B', 'A', 'Z', 'z', 'G', 'E', 'Q', 'K', 'X', 'C', 'p', 'P', 'g', 'k':
		t.pos++
		return t.letter(c)
	}
	if '1' <= c && c <= '9' {
		if done, err := t.numbered(); done {
			return err
		}
	}
	value, err := t.escapedChar()
	if err == nil {
		t.char(value)
	}
	return err
}

// letter translates the escapes that stand for no single character.
func (t *translation) letter(c byte) error {
	switch c {
	case 'N':
		t.emitAtom(`[^\n]`)
	case 'R':
		t.emitAtom(`(?>\r\n|[\n\x0b\f\r` + string(byteRune(0x85)) + `])`)
	case 'b', 'B', 'A', 'Z', 'z', 'G':
		t.emit(`\` + string(rune(c)))
	case 'E':
	case 'Q':
		text, _, _ := strings.Cut(t.rest(), `\E`)
		for _, plain := range []byte(text) {
			t.char(plain)
		}
		t.pos += len(text)
	case 'g':
		return t.grouped()
	case 'k':
		for open, end := range map[string]string{"{": "}", "<": ">", "'": "'"} {
			if t.skip(open) {
				return t.reference(end)
			}
		}
		return errEscape
	default:
		return refused(`\` + string(rune(c)))
	}
	return nil
}

// grouped reads the reference behind \g.
func (t *translation) grouped() error {
	switch {
	case t.skip("{"):
		return t.reference("}")
	case strings.HasPrefix(t.rest(), "<"), strings.HasPrefix(t.rest(), "'"):
		return refused(`\g of a subroutine`)
	}
	rest := t.rest()
	n := span(strings.TrimLeft(rest, "+-"), isDigit)
	n += len(rest) - len(strings.TrimLeft(rest, "+-"))
	t.pos += n
	return t.backreference(rest[:n])
}

// numbered reads a backslash and a number, unless that is an octal character:
// a number is one from 10 on that no group has, and that begins as octal.
func (t *translation) numbered() (done bool, err error) {
	digits := t.rest()[:span(t.rest(), isDigit)]
	if n := atoi64(digits); n >= 10 && n > int64(t.total) && digits[0] < '8' {
		if t.total < 0 {
			t.pos += len(digits) // the first pass only counts groups
			return true, nil
		}
		return false, nil
	}
	t.pos += len(digits)
	return true, t.backreference(digits)
}

// controls are the characters that a letter stands for.
var controls = map[byte]byte{'a': '\a', 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escapedChar reads what follows a backslash and stands for one character.
func (t *translation) escapedChar() (byte, error) {
	if t.pos == len(t.in) {
		return 0, errEscape
	}
	c := t.in[t.pos]
	t.pos++
	if control, ok := controls[c]; ok {
		return control, nil
	}
	switch {
	case '0' <= c && c <= '7':
		t.pos--
		n := min(3, span(t.rest(), func(c byte) bool { return '0' <= c && c <= '7' }))
		t.pos += n
		return charNumber(t.in[t.pos-n:t.pos], 8)
	case c == 'x' && t.skip("{"), c == 'o' && t.skip("{"):
		digits, err := t.until("}")
		if err != nil {
			return 0, err
		}
		return charNumber(digits, map[byte]int{'x': 16, 'o': 8}[c])
	case c == 'x':
		n := min(2, span(t.rest(), posixKinds["xdigit"]))
		t.pos += n
		return charNumber("0"+t.in[t.pos-n:t.pos], 16)
	case c == 'c' && t.rest() != "" && t.rest()[0] >= ' ' && t.rest()[0] < 0x7f:
		t.pos++
		return upper(t.in[t.pos-1]) ^ 0x40, nil
	case isLetter(c) || isDigit(c):
		return 0, errEscape
	}
	return c, nil
}

func charNumber(digits string, base int) (byte, error) {
	value, err := strconv.ParseUint(digits, base, 8)
	if err != nil {
		return 0, errEscape
	}
	return byte(value), nil
}
