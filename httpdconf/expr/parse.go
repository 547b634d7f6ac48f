package expr

import "errors"

// maxOpen is the size of the parser's stack (bison's YYMAXDEPTH).
const maxOpen = 10000

// parser is by hand what httpd has from bison (httpd 2.4
// server/util_expr_parse.y). It looks one token ahead, and only where bison's
// does: a name that does not exist is noted when its symbol is complete, and
// the last thing noted is what a message ends with.
type parser struct {
	scanner *scanner
	options Options
	ahead   struct {
		known bool
		kind  token
		value string
	}
	noted string // httpd's ctx->error2
	reads []Read
	// depth counts the symbols on bison's stack; a complete one counts 1.
	depth int
}

// peek returns the kind of the next token.
func (p *parser) peek() token {
	if !p.ahead.known {
		p.ahead.kind, p.ahead.value = p.scanner.next()
		p.ahead.known = true
		if p.ahead.kind == tokError {
			p.noted = p.scanner.fault
		}
	}
	return p.ahead.kind
}

// shift takes the next token and returns what it holds.
func (p *parser) shift() (string, error) {
	p.peek()
	p.ahead.known = false
	if p.depth++; p.depth >= maxOpen {
		return "", p.fail("memory exhausted")
	}
	return p.ahead.value, nil
}

// expect takes a token of one kind; otherwise the message lists all that would
// have done.
func (p *parser) expect(kind token, expected ...token) (string, error) {
	if p.peek() != kind {
		return "", p.unexpected(expected...)
	}
	return p.shift()
}

// fail is bison's error with the note behind it (httpd 2.4
// server/util_expr_eval.c, ap_expr_parse).
func (p *parser) fail(message string) error {
	if p.scanner.fault == jammed {
		return errors.New(jammed)
	}
	if p.noted != "" {
		message += ": " + p.noted
	}
	return errors.New(message)
}

// unexpected is the error about the next token. Bison lists what it expected
// only if that is four tokens at most; there is nothing to list otherwise.
func (p *parser) unexpected(expected ...token) error {
	message := "syntax error, unexpected " + p.peek().String()
	for i, t := range expected {
		message += []string{", expecting ", " or "}[min(i, 1)] + t.String()
	}
	return p.fail(message)
}

// end checks that nothing is left.
func (p *parser) end() error {
	if p.peek() != tokEnd {
		return p.unexpected(tokEnd)
	}
	if p.noted != "" {
		return errors.New(p.noted)
	}
	return nil
}

// reduced says that all symbols since the mark have become one.
func (p *parser) reduced(mark int) { p.depth = mark + 1 }

// condition reads conditions joined by ||, which binds least.
func (p *parser) condition() (condition, error) {
	return p.joined(tokOr, p.conjunction, p.condition)
}

func (p *parser) conjunction() (condition, error) {
	return p.joined(tokAnd, p.negation, p.conjunction)
}

// joined reads operands joined by an operator; it binds to the right.
func (p *parser) joined(operator token, operand, rest func() (condition, error)) (condition, error) {
	mark := p.depth
	left, err := operand()
	if err != nil || p.peek() != operator {
		return left, err
	}
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	right, err := rest()
	p.reduced(mark)
	return &junction{operator: operator, left: left, right: right}, err
}

func (p *parser) negation() (condition, error) {
	if p.peek() != tokNot {
		return p.primary()
	}
	mark := p.depth
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	operand, err := p.negation()
	p.reduced(mark)
	return &negation{operand}, err
}

func (p *parser) primary() (condition, error) {
	mark := p.depth
	defer func() { p.reduced(mark) }()
	switch kind := p.peek(); kind {
	case tokError:
		return nil, errors.New(p.noted)
	case tokTrue, tokFalse:
		_, err := p.shift()
		return constant(kind == tokTrue), err
	case tokOpen:
		return p.parenthesis()
	case tokUnary:
		operator, err := p.shift()
		if err != nil {
			return nil, err
		}
		operand, err := p.word()
		if err != nil {
			return nil, err
		}
		return p.unary(operator, operand), nil
	}
	left, err := p.word()
	if err != nil {
		return nil, err
	}
	return p.comparison(left)
}

func (p *parser) parenthesis() (condition, error) {
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	inner, err := p.condition()
	if err != nil {
		return nil, err
	}
	_, err = p.expect(tokClose, tokOr, tokAnd, tokClose)
	return inner, err
}

// comparison reads the operator behind a word, and what it compares with.
func (p *parser) comparison(left word) (condition, error) {
	kind := p.peek()
	if kind != tokBinary && (kind < tokEQ || kind > tokStrGE) {
		return nil, p.unexpected()
	}
	operator, err := p.shift()
	if err != nil {
		return nil, err
	}
	switch kind {
	case tokReg, tokNre:
		re, err := p.regex()
		return &matching{left, re, kind == tokNre}, err
	case tokIn:
		list, err := p.list()
		return &membership{left, list}, err
	}
	right, err := p.word()
	if err != nil {
		return nil, err
	}
	if kind == tokBinary {
		return p.binary(operator, left, right), nil
	}
	return &comparison{kind, left, right, p.options.SSLRequire}, nil
}

func (p *parser) regex() (*Regexp, error) {
	kind := p.peek()
	if kind != tokRegex && kind != tokRegexI {
		return nil, p.unexpected(tokRegex, tokRegexI)
	}
	text, err := p.shift()
	if err != nil {
		return nil, err
	}
	re, err := compile(text, kind == tokRegexI)
	if err != nil {
		message := p.fail("Failed to compile regular expression").Error()
		return nil, errors.New(message + "\n" + err.Error())
	}
	return re, nil
}

// list reads what stands behind "in".
func (p *parser) list() (list, error) {
	mark := p.depth
	defer func() { p.reduced(mark) }()
	switch p.peek() {
	case tokID:
		name, argument, err := p.call()
		if err != nil {
			return nil, err
		}
		return p.listFunction(name, argument), nil
	case tokOpenList:
		return p.words()
	}
	return nil, p.unexpected(tokID, tokOpenList)
}

func (p *parser) words() (list, error) {
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	var all words
	mark := p.depth
	for {
		w, err := p.word()
		if err != nil {
			return nil, err
		}
		p.reduced(mark)
		all = append(all, w)
		if p.peek() != tokComma {
			break
		}
		if _, err := p.shift(); err != nil {
			return nil, err
		}
	}
	_, err := p.expect(tokCloseList, tokCloseList, tokComma)
	return all, err
}

// call reads a name and its argument in parentheses.
func (p *parser) call() (name string, argument word, err error) {
	if name, err = p.shift(); err != nil {
		return "", nil, err
	}
	if _, err = p.expect(tokOpen, tokOpen); err != nil {
		return "", nil, err
	}
	if argument, err = p.word(); err != nil {
		return "", nil, err
	}
	_, err = p.expect(tokClose, tokConcat, tokClose)
	return name, argument, err
}

// word reads words joined by dots, from the right.
func (p *parser) word() (word, error) {
	mark := p.depth
	left, err := p.singleWord()
	if err != nil {
		return nil, err
	}
	p.reduced(mark)
	if p.peek() != tokConcat {
		return left, nil
	}
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	right, err := p.word()
	p.reduced(mark)
	return &concatenation{left, right}, err
}

func (p *parser) singleWord() (word, error) {
	switch p.peek() {
	case tokDigit:
		digits, err := p.shift()
		return digit(digits), err
	case tokID:
		return p.functionCall()
	case tokStrBegin:
		return p.quoted()
	case tokVarBegin, tokBackref:
		return p.variable()
	}
	return nil, p.unexpected()
}

func (p *parser) quoted() (word, error) {
	if _, err := p.shift(); err != nil {
		return nil, err
	}
	if p.peek() == tokStrEnd {
		_, err := p.shift()
		return literal(""), err
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	_, err = p.expect(tokStrEnd, tokString, tokBackref, tokStrEnd, tokVarBegin)
	return text, err
}

// text reads pieces of text and variables up to anything else.
func (p *parser) text() (word, error) {
	mark := p.depth
	var all word
	for {
		switch p.peek() {
		case tokString, tokVarBegin, tokBackref:
		case tokError:
			if all == nil {
				return nil, errors.New(p.noted)
			}
			return all, nil
		default:
			if all == nil {
				return nil, p.unexpected(tokError, tokString, tokBackref, tokVarBegin)
			}
			return all, nil
		}
		part, err := p.textPart()
		if err != nil {
			return nil, err
		}
		p.reduced(mark)
		if all == nil {
			all = part
		} else {
			all = &concatenation{all, part}
		}
	}
}

func (p *parser) textPart() (word, error) {
	if p.peek() != tokString {
		return p.variable()
	}
	text, err := p.shift()
	return literal(text), err
}

// variable reads $1, %{NAME} or %{name:text}.
func (p *parser) variable() (word, error) {
	mark := p.depth
	kind := p.peek()
	value, err := p.shift()
	if err != nil {
		return nil, err
	}
	if kind == tokBackref {
		return backreference(value[0] - '0'), nil
	}
	name, err := p.expect(tokID, tokID)
	if err != nil {
		return nil, err
	}
	w, err := p.variableNamed(name)
	p.reduced(mark)
	return w, err
}

func (p *parser) variableNamed(name string) (word, error) {
	if p.peek() == tokVarEnd {
		_, err := p.shift()
		return p.newVariable(name), err
	}
	if _, err := p.expect(tokColon, tokVarEnd, tokColon); err != nil {
		return nil, err
	}
	argument, err := p.text()
	if err != nil {
		return nil, err
	}
	if _, err := p.expect(tokVarEnd, tokString, tokBackref, tokVarBegin, tokVarEnd); err != nil {
		return nil, err
	}
	return p.function(name, argument), nil
}

func (p *parser) functionCall() (word, error) {
	name, argument, err := p.call()
	if err != nil {
		return nil, err
	}
	return p.function(name, argument), nil
}
