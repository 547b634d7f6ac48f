package expr

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxGroups is how deep PCRE nests parentheses (PARENS_NEST_LIMIT).
const maxGroups = 250

// translation turns a PCRE into what the library reads with the same meaning:
// named groups become numbered ones, since the library counts those after the
// others, possessive quantifiers become atomic groups, and all that stands for
// a character or a set of them is written out, byte for byte.
type translation struct {
	in    string
	pos   int
	out   []rune
	names map[string]int
	// groups counts the capturing groups; total is how many there are in all,
	// or -1 in the first pass, which counts them.
	groups, total int
	open          []openGroup
	// atom is where in out begins what a quantifier would repeat, or -1.
	atom int
	mode mode
}

// mode is what (?imx) has set.
type mode struct{ anyCase, multiline, extended bool }

// openGroup is what a closing parenthesis brings back.
type openGroup struct {
	start int
	mode  mode
}

var (
	errUnterminated = errors.New("unterminated group, class or reference in regular expression")
	errEscape       = errors.New("unknown escape in regular expression")
)

// refused is the error for what PCRE has and the library has not.
func refused(what string) error {
	return fmt.Errorf("%s in a regular expression is not supported", what)
}

// translate returns what the library has to compile, the number of groups, and
// the numbers of those with a name.
func translate(text string, anyCase bool) (translated string, groups int, names map[string]int, err error) {
	t := &translation{in: text, total: -1, atom: -1, names: map[string]int{}, mode: mode{anyCase: anyCase}}
	if err := t.run(); err != nil {
		return "", 0, nil, err
	}
	t = &translation{in: text, total: t.groups, atom: -1, names: t.names, mode: mode{anyCase: anyCase}}
	if err := t.run(); err != nil {
		return "", 0, nil, err
	}
	return string(t.out), t.groups, t.names, nil
}

func (t *translation) run() error {
	for t.pos < len(t.in) {
		if err := t.item(); err != nil {
			return err
		}
	}
	if len(t.open) > 0 {
		return errUnterminated
	}
	return nil
}

// rest is what is not read yet.
func (t *translation) rest() string { return t.in[t.pos:] }

// skip reads a prefix if it is there.
func (t *translation) skip(prefix string) bool {
	ok := strings.HasPrefix(t.rest(), prefix)
	if ok {
		t.pos += len(prefix)
	}
	return ok
}

// until reads up to a mark and the mark.
func (t *translation) until(mark string) (string, error) {
	text, _, ok := strings.Cut(t.rest(), mark)
	if !ok {
		return "", errUnterminated
	}
	t.pos += len(text) + len(mark)
	return text, nil
}

// emit writes what is no character: an anchor, a bracket.
func (t *translation) emit(s string) {
	t.out = append(t.out, []rune(s)...)
	t.atom = -1
}

// emitAtom writes what a quantifier may follow.
func (t *translation) emitAtom(s string) {
	start := len(t.out)
	t.emit(s)
	t.atom = start
}

// char writes one byte that stands for itself.
func (t *translation) char(c byte) {
	if strings.IndexByte(`\*+?|{[()^$.# `, c) >= 0 {
		t.emitAtom(`\` + string(c))
		return
	}
	t.emitAtom(string(byteRune(c)))
}

// item translates one element.
func (t *translation) item() error {
	c := t.in[t.pos]
	t.pos++
	switch c {
	case '\\':
		return t.escape()
	case '[':
		return t.class()
	case '(':
		return t.openGroup()
	case ')':
		return t.closeGroup()
	case '|', '^':
		t.emit(string(rune(c)))
	case '$':
		t.emit(map[bool]string{true: `$`, false: `\z`}[t.mode.multiline])
	case '.':
		t.emitAtom(".")
	case '*', '+', '?', '{':
		return t.quantifier(c)
	case '#':
		if t.mode.extended {
			comment, _, _ := strings.Cut(t.rest(), "\n")
			t.pos += len(comment)
			return nil
		}
		t.char(c)
	case ' ', '\t', '\n', '\v', '\f', '\r':
		if !t.mode.extended {
			t.char(c)
		}
	default:
		t.char(c)
	}
	return nil
}

// quantifier reads "*", "+", "?" or "{n,m}", and behind it the "?" of a lazy
// or the "+" of a possessive one.
func (t *translation) quantifier(c byte) error {
	quantifier := string(rune(c))
	if c == '{' {
		size := repetition(t.rest())
		if size == 0 {
			t.char(c)
			return nil
		}
		quantifier += t.in[t.pos : t.pos+size]
		t.pos += size
	}
	if err := checkRepetition(quantifier); err != nil {
		return err
	}
	start := t.atom
	if start < 0 {
		return errors.New("quantifier without something to repeat in regular expression")
	}
	if t.skip("?") {
		quantifier += "?"
	} else if t.skip("+") {
		t.out = slices.Insert(t.out, start, []rune("(?>")...)
		quantifier += ")"
	}
	t.emit(quantifier)
	return nil
}

// repetition is the size of "n}", "n,}" or "n,m}" at the start of s, or 0: then
// the brace before it is an ordinary character.
func repetition(s string) int {
	n := span(s, isDigit)
	if n == 0 {
		return 0
	}
	if n < len(s) && s[n] == ',' {
		n++
		n += span(s[n:], isDigit)
	}
	if n < len(s) && s[n] == '}' {
		return n + 1
	}
	return 0
}

func checkRepetition(quantifier string) error {
	if quantifier[0] != '{' {
		return nil
	}
	low, high, ranged := strings.Cut(strings.Trim(quantifier, "{}"), ",")
	least, most := atoi64(low), atoi64(high)
	if !ranged || high == "" {
		most = least
	}
	if least > 65535 || most > 65535 || least > most {
		return errors.New("bad number of repetitions in regular expression")
	}
	return nil
}

// enter begins a group that out already has the start of, at start.
func (t *translation) enter(start int) error {
	if len(t.open) == maxGroups {
		return errors.New("too many nested groups in regular expression")
	}
	t.open = append(t.open, openGroup{start, t.mode})
	t.atom = -1
	return nil
}

func (t *translation) closeGroup() error {
	if len(t.open) == 0 {
		return errors.New("unmatched ) in regular expression")
	}
	group := t.open[len(t.open)-1]
	t.open = t.open[:len(t.open)-1]
	t.mode = group.mode
	t.emit(")")
	t.atom = group.start
	return nil
}

// capture begins a capturing group.
func (t *translation) capture(name string) error {
	t.groups++
	if name != "" {
		if span(name, isWord) < len(name) || isDigit(name[0]) {
			return errors.New("bad name of a group in regular expression")
		}
		if n, ok := t.names[name]; ok && n != t.groups {
			return refused("two groups of one name")
		}
		t.names[name] = t.groups
	}
	start := len(t.out)
	t.emit("(")
	return t.enter(start)
}

// openGroup reads what follows an opening parenthesis.
func (t *translation) openGroup() error {
	if strings.HasPrefix(t.rest(), "*") {
		return refused("(*VERB)")
	}
	if !t.skip("?") {
		return t.capture("")
	}
	for _, kind := range []string{":", ">", "=", "!", "<=", "<!"} {
		if t.skip(kind) {
			start := len(t.out)
			t.emit("(?" + kind)
			return t.enter(start)
		}
	}
	switch {
	case t.skip("#"):
		_, err := t.until(")")
		return err
	case t.skip("<"), t.skip("P<"):
		return t.named(">")
	case t.skip("'"):
		return t.named("'")
	case t.skip("P="):
		return t.reference(")")
	case t.skip("("):
		return t.conditional()
	}
	return t.flags()
}

func (t *translation) named(mark string) error {
	name, err := t.until(mark)
	if err == nil && name == "" {
		err = errors.New("a group without a name in regular expression")
	}
	if err != nil {
		return err
	}
	return t.capture(name)
}

// conditional reads the condition of "(?(condition)yes|no)".
func (t *translation) conditional() error {
	start := len(t.out)
	for _, kind := range []string{"?=", "?!", "?<=", "?<!"} {
		if strings.HasPrefix(t.rest(), kind) {
			t.emit("(?")
			if err := t.enter(start); err != nil {
				return err
			}
			return t.openGroup()
		}
	}
	name, err := t.until(")")
	if err != nil {
		return err
	}
	if bare := strings.Trim(name, "<>'"); len(name)-len(bare) == 2 {
		name = bare
	} else if span(name, isDigit) < len(name) {
		return refused("(?(" + name + ")")
	}
	n, err := t.groupNumber(name)
	if err != nil {
		return err
	}
	t.emit("(?(" + strconv.Itoa(n) + ")")
	return t.enter(start)
}

// flags reads "(?i)" and "(?i:": those of the library mean the same, but for x,
// which is done here.
func (t *translation) flags() error {
	n := span(t.rest(), func(c byte) bool { return strings.IndexByte("imsx-", c) >= 0 })
	flags, rest := t.rest()[:n], t.rest()[n:]
	if n == 0 && rest == "" {
		return errUnterminated
	}
	if rest == "" || rest[0] != ')' && rest[0] != ':' || strings.Contains(flags, "xx") || strings.Count(flags, "-") > 1 {
		return refused("(?" + t.rest()[:min(n+1, len(t.rest()))])
	}
	t.pos += n + 1
	if rest[0] == ':' {
		start := len(t.out)
		t.emit("(?" + strings.ReplaceAll(flags, "x", "") + ":")
		if err := t.enter(start); err != nil {
			return err
		}
	}
	on, off, _ := strings.Cut(flags, "-")
	for flag, set := range map[string]*bool{"i": &t.mode.anyCase, "m": &t.mode.multiline, "x": &t.mode.extended} {
		*set = (*set || strings.Contains(on, flag)) && !strings.Contains(off, flag)
	}
	t.atom = -1
	if flags = strings.ReplaceAll(flags, "x", ""); rest[0] == ')' && strings.Trim(flags, "-") != "" {
		t.emit("(?" + flags + ")")
	}
	return nil
}

// reference reads the name of a group that is to be matched again.
func (t *translation) reference(mark string) error {
	name, err := t.until(mark)
	if err != nil {
		return err
	}
	return t.backreference(name)
}

func (t *translation) backreference(group string) error {
	n, err := t.groupNumber(group)
	if err == nil {
		t.emitAtom(`(?:\` + strconv.Itoa(n) + `)`)
	}
	return err
}

// groupNumber finds a group by its name, its number, or, with a sign, its
// distance from here.
func (t *translation) groupNumber(group string) (int, error) {
	n, err := strconv.Atoi(group)
	switch {
	case err != nil:
		n = t.names[group]
	case strings.HasPrefix(group, "+"):
		n += t.groups
	case n < 0:
		n += t.groups + 1
	}
	if t.total >= 0 && (n <= 0 || n > t.total) {
		return 0, errors.New("reference to a group that does not exist in regular expression")
	}
	return max(n, 1), nil
}
