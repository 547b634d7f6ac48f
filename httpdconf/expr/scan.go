package expr

import "strings"

// maxText is the size from which on httpd takes no string and no regular
// expression (MAX_STRING_LEN).
const maxText = 8192

// jammed is what httpd's scanner says when it has no rule; httpd then aborts.
const jammed = "flex scanner jammed"

// scanState is where in the language the scanner stands.
type scanState int

const (
	inExpr   scanState = iota
	inText             // between quotes, or in the whole of a string expression
	inVar              // after %{
	inVarArg           // after the colon of %{func:
)

// scanner makes tokens (httpd 2.4 server/util_expr_scan.l).
type scanner struct {
	in       string
	pos      int
	asString bool // the whole text is a string
	state    scanState
	outer    []scanState // to which a "}" returns
	quote    byte        // what ends the text, 0 in a string expression
	text     []byte      // read, and not yet returned
	fault    string      // says why the last token is tokError
}

func newScanner(in string, asString bool) *scanner {
	s := &scanner{in: in, asString: asString}
	if asString {
		s.state = inText
	}
	return s
}

// next returns the next token and what it holds: the name of an operator, a
// function or a variable, a digit, a piece of text, a regular expression.
func (s *scanner) next() (token, string) {
	switch s.state {
	case inVar:
		return s.nextInVar()
	case inText, inVarArg:
		return s.nextInText()
	}
	return s.nextInExpr()
}

func (s *scanner) fail(fault string) (token, string) {
	s.fault = fault
	return tokError, ""
}

// rest is what is not read yet.
func (s *scanner) rest() string { return s.in[s.pos:] }

// take reads n bytes.
func (s *scanner) take(n int) string {
	taken := s.in[s.pos : s.pos+n]
	s.pos += n
	return taken
}

// span is the size of the longest run at the start of in that is of a kind.
func span(in string, kind func(byte) bool) int {
	n := 0
	for n < len(in) && kind(in[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

func (s *scanner) nextInExpr() (token, string) {
	s.pos += span(s.rest(), func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' })
	in := s.rest()
	if in == "" {
		return tokEnd, ""
	}
	c, after := in[0], byte(0)
	if len(in) > 1 {
		after = in[1]
	}
	switch {
	case c == '"' || c == '\'':
		s.pos++
		s.state, s.quote, s.text = inText, c, s.text[:0]
		return tokStrBegin, ""
	case c == '%' && after == '{':
		return s.enterVar()
	case c == '$' && isDigit(after):
		return tokBackref, s.take(2)[1:]
	case c == '/':
		s.pos++
		return s.regex('/')
	case isLetter(c):
		return s.wordOrRegex(in)
	case isDigit(c):
		return tokDigit, s.take(span(in, isDigit))
	case c == '-' && isDigit(after):
		return tokDigit, s.take(1 + span(in[1:], isDigit))
	case c == '-' && (isLetter(after) || after == '_'):
		return s.hyphen(s.take(1 + span(in[1:], isWord))[1:])
	}
	for n := min(2, len(in)); n > 0; n-- {
		if t, ok := symbols[in[:n]]; ok {
			s.pos += n
			return t, ""
		}
	}
	return s.fail("Parse error near '" + in[:1] + "'")
}

// hyphen tells what an operator with a hyphen is; any single letter stands
// before one word, any longer name between two.
func (s *scanner) hyphen(name string) (token, string) {
	if t, ok := hyphened[name]; ok {
		return t, ""
	}
	if len(name) == 1 {
		return tokUnary, name
	}
	return tokBinary, name
}

// wordOrRegex reads a keyword, a name, or a regular expression that is written
// m#...# with a mark of its own. A name is the longer match only if it is: an
// underscore too can be the mark.
func (s *scanner) wordOrRegex(in string) (token, string) {
	n := span(in, isWord)
	if in[0] == 'm' && n <= 2 && len(in) > 1 && strings.IndexByte(`/#$%^,;:_?|-!.'"`, in[1]) >= 0 {
		return s.regex(s.take(2)[1])
	}
	name := s.take(n)
	if t, ok := keywords[name]; ok {
		return t, ""
	}
	return tokID, name
}

// regex reads up to the mark and the flag behind it. Nothing in between is
// special, a backslash neither. A missing mark is the end of the expression.
func (s *scanner) regex(mark byte) (token, string) {
	size := strings.IndexByte(s.rest(), mark)
	if size >= maxText || size < 0 && len(s.rest()) >= maxText {
		return s.fail("Regexp too long")
	}
	if size < 0 {
		s.pos = len(s.in)
		return tokEnd, ""
	}
	pattern := s.take(size)
	s.pos++
	if strings.HasPrefix(s.rest(), "i") {
		s.pos++
		return tokRegexI, pattern
	}
	return tokRegex, pattern
}

func (s *scanner) enterVar() (token, string) {
	s.pos += len("%{")
	s.outer = append(s.outer, s.state)
	s.state = inVar
	return tokVarBegin, ""
}

func (s *scanner) leaveVar() (token, string) {
	s.pos++
	s.state = s.outer[len(s.outer)-1]
	s.outer = s.outer[:len(s.outer)-1]
	return tokVarEnd, ""
}

func (s *scanner) nextInVar() (token, string) {
	in := s.rest()
	switch {
	case in == "" || in[0] == '\n':
		return s.fail("Unterminated string or variable")
	case isLetter(in[0]):
		return tokID, s.take(span(in, isWord))
	case in[0] == '}':
		return s.leaveVar()
	case in[0] == ':':
		s.pos++
		s.state, s.text = inVarArg, s.text[:0]
		return tokColon, ""
	}
	return s.fail("Invalid character in variable name '" + in[:1] + "'")
}

// nextInText reads a piece of text, up to what is no text.
func (s *scanner) nextInText() (token, string) {
	for {
		in := s.rest()
		if in == "" {
			return s.textEnd()
		}
		special, stuck := s.special(in)
		switch {
		case stuck:
			return s.fail(jammed)
		case in[0] == '\n':
			return s.fail("Unterminated string or variable")
		case special && len(s.text) > 0:
			return tokString, s.takeText()
		case special:
			return s.nextSpecial(in)
		}
		if !s.readChar(in) {
			return tokError, ""
		}
		if len(s.text) >= maxText {
			return s.fail("String too long")
		}
	}
}

// special reports whether text ends here. In an argument of %{func: httpd has
// no rule for a quote, nor anywhere for a backslash with nothing behind it:
// its scanner aborts the process.
func (s *scanner) special(in string) (special, stuck bool) {
	arg := s.state == inVarArg
	switch in[0] {
	case '"', '\'':
		return in[0] == s.quote, arg
	case '\\':
		return false, len(in) == 1
	case '}':
		return arg, false
	case '$':
		return len(in) > 1 && isDigit(in[1]), false
	case '%':
		return len(in) > 1 && in[1] == '{', false
	}
	return false, false
}

// nextSpecial is called with no text read.
func (s *scanner) nextSpecial(in string) (token, string) {
	switch in[0] {
	case '$':
		return tokBackref, s.take(2)[1:]
	case '%':
		return s.enterVar()
	case '}':
		return s.leaveVar()
	}
	s.pos++
	s.state = inExpr
	return tokStrEnd, ""
}

// textEnd is the end of the input within text.
func (s *scanner) textEnd() (token, string) {
	if s.state == inVarArg || !s.asString {
		return s.fail("Unterminated string or variable")
	}
	s.state = inExpr
	return tokString, s.takeText()
}

// takeText returns the text read so far. In C it ends at a zero byte.
func (s *scanner) takeText() string {
	text, _, _ := strings.Cut(string(s.text), "\x00")
	s.text = s.text[:0]
	return text
}

// escapes are the characters that a letter behind a backslash stands for; any
// other character stands for itself.
var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

// readChar adds one character to the text, or sets the fault.
func (s *scanner) readChar(in string) bool {
	if in[0] != '\\' {
		s.text = append(s.text, s.take(1)[0])
		return true
	}
	if digits := span(in[1:], isDigit); digits > 0 {
		return s.readOctal(in[1 : 1+digits])
	}
	c := s.take(2)[1]
	if plain, ok := escapes[c]; ok {
		c = plain
	}
	s.text = append(s.text, c)
	return true
}

// readOctal adds the character that has a number of up to three digits. Of
// the scanner's two rules the one that matches more digits is taken.
func (s *scanner) readOctal(digits string) bool {
	value := 0
	for _, c := range []byte(digits) {
		if c > '7' || len(digits) > 3 {
			s.fault = "Bad escape sequence"
			return false
		}
		value = value<<3 | int(c-'0')
	}
	if value > 0xff {
		s.fault = "Escape sequence out of bound"
		return false
	}
	s.pos += 1 + len(digits)
	s.text = append(s.text, byte(value))
	return true
}
