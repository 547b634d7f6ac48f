package expr

import (
	"errors"
	"strings"
)

// class reads a class up to its closing bracket; one at its start belongs to
// it. It is written out as ranges of bytes.
func (t *translation) class() error {
	t.pos--
	if done, _ := t.posix(new(byteSet)); done {
		return errors.New("a named class outside a class in regular expression")
	}
	t.pos++
	open := "["
	if t.skip("^") {
		open = "[^"
	}
	var set byteSet
	for first := true; ; first = false {
		if t.pos == len(t.in) {
			return errUnterminated
		}
		if !first && t.skip("]") {
			break
		}
		quoted, err := t.classQuoted(&set)
		if err != nil {
			return err
		}
		if quoted {
			continue
		}
		if err := t.classItem(&set); err != nil {
			return err
		}
	}
	t.emitAtom(open + set.String() + "]")
	return nil
}

// classQuoted reads what stands between \Q and \E.
func (t *translation) classQuoted(set *byteSet) (bool, error) {
	if t.skip(`\E`) {
		return true, nil
	}
	if !t.skip(`\Q`) {
		return false, nil
	}
	text, err := t.until(`\E`)
	for _, c := range []byte(text) {
		set.add(c, c)
	}
	if text == "" && strings.HasPrefix(t.rest(), "]") {
		return false, refused("a class without a character")
	}
	return true, err
}

// classItem reads a character, a range or a set within the class.
func (t *translation) classItem(set *byteSet) error {
	low, single, err := t.classChar(set)
	if err != nil {
		return err
	}
	rest := t.rest()
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		if single {
			set.add(low, low)
		}
		return nil
	}
	if !single {
		return errors.New("bad range in a class of a regular expression")
	}
	t.pos++
	high, single, err := t.classChar(set)
	switch {
	case err != nil:
		return err
	case !single, low > high:
		return errors.New("bad range in a class of a regular expression")
	}
	set.add(low, high)
	return nil
}

// classChar reads a character, which it returns, or a set, which it adds.
func (t *translation) classChar(set *byteSet) (c byte, single bool, err error) {
	c = t.in[t.pos]
	if c == '[' {
		if done, err := t.posix(set); done {
			return 0, false, err
		}
	}
	t.pos++
	if c != '\\' || t.pos == len(t.in) {
		return c, true, nil
	}
	if kind, negated, ok := kindOf(t.in[t.pos]); ok {
		t.pos++
		set.addKind(kind, negated)
		return 0, false, nil
	}
	if t.skip("b") {
		return '\b', true, nil
	}
	if strings.IndexByte("pPQE", t.in[t.pos]) >= 0 {
		return 0, false, refused(`\` + string(rune(t.in[t.pos])) + " in a class")
	}
	c, err = t.escapedChar()
	return c, true, err
}

// posix reads [:name:]; a bracket that does not begin such a name is an
// ordinary character.
func (t *translation) posix(set *byteSet) (done bool, err error) {
	rest := t.rest()
	if len(rest) < 2 || strings.IndexByte(":.=", rest[1]) < 0 {
		return false, nil
	}
	name, _, ok := strings.Cut(rest[2:], rest[1:2]+"]")
	if !ok || strings.ContainsAny(name, `[]\`) {
		return false, nil
	}
	bare := strings.TrimPrefix(name, "^")
	kind := posixKinds[bare]
	if rest[1] != ':' || kind == nil {
		return true, errors.New("unknown name in a class of a regular expression")
	}
	if t.mode.anyCase && (bare == "lower" || bare == "upper") {
		kind = isLetter // also for all others: [:^lower:] has no letter then
	}
	t.pos += len("[:") + len(name) + len(":]")
	set.addKind(kind, bare != name)
	return true, nil
}
