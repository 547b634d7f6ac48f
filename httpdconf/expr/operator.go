package expr

// emptiness is -z, and -n if it is not to be empty.
type emptiness struct {
	operand word
	empty   bool
}

func (e *emptiness) holds(ev *evaluation) bool { return (ev.text(e.operand) == "") == e.empty }

// truth is -T: false are the empty text, "0", "off", "false" and "no" (httpd
// 2.4 server/util_expr_eval.c, op_T).
type truth struct{ operand word }

func (t *truth) holds(ev *evaluation) bool {
	switch toLower(ev.text(t.operand)) {
	case "", "0", "off", "false", "no":
		return false
	}
	return true
}

// outsideTest is a unary operator that Env answers.
type outsideTest struct {
	operator byte
	operand  word
}

func (t *outsideTest) holds(ev *evaluation) bool {
	operand := ev.text(t.operand)
	return ev.err == nil && ev.env.Test(t.operator, operand)
}

// remoteMatch is -R.
type remoteMatch struct{ subnet subnet }

func (m *remoteMatch) holds(ev *evaluation) bool { return m.subnet.contains(ev.env.Remote()) }

// addressMatch is -ipmatch.
type addressMatch struct {
	left   word
	subnet subnet
}

func (m *addressMatch) holds(ev *evaluation) bool {
	address, ok := parseAddress(ev.text(m.left))
	return ok && m.subnet.contains(address)
}

// wildcardMatch is -strmatch, -strcmatch and -fnmatch; the pattern stands on
// the right.
type wildcardMatch struct {
	left, right word
	rules       wildcards
}

func (m *wildcardMatch) holds(ev *evaluation) bool {
	return m.rules.match(ev.text(m.right), ev.text(m.left))
}

// lower and upper are those of C's locale: only ASCII has case.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func toLower(s string) string { return eachByte(s, lower) }
func toUpper(s string) string { return eachByte(s, upper) }

func eachByte(s string, change func(byte) byte) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = change(c)
	}
	return string(b)
}
