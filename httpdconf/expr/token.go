package expr

// token is a terminal symbol of the grammar.
type token int

// In the order of httpd 2.4 server/util_expr_parse.y: messages list what they
// expected in this order.
const (
	tokEnd token = iota
	tokTrue
	tokFalse
	tokError
	tokDigit
	tokID
	tokString
	tokRegex
	tokRegexI
	tokBackref
	tokUnary
	tokBinary
	tokStrBegin
	tokStrEnd
	tokVarBegin
	tokVarEnd
	tokEQ
	tokNE
	tokLT
	tokLE
	tokGT
	tokGE
	tokReg
	tokNre
	tokIn
	tokStrEQ
	tokStrNE
	tokStrLT
	tokStrLE
	tokStrGT
	tokStrGE
	tokConcat
	tokOr
	tokAnd
	tokNot
	tokOpen
	tokClose
	tokOpenList
	tokCloseList
	tokComma
	tokColon
)

// tokenNames are the names that bison's messages have for the symbols.
var tokenNames = [...]string{
	tokEnd:       "$end",
	tokTrue:      "T_TRUE",
	tokFalse:     "T_FALSE",
	tokError:     "T_ERROR",
	tokDigit:     "T_DIGIT",
	tokID:        "T_ID",
	tokString:    "T_STRING",
	tokRegex:     "T_REGEX",
	tokRegexI:    "T_REGEX_I",
	tokBackref:   "T_REGEX_BACKREF",
	tokUnary:     "T_OP_UNARY",
	tokBinary:    "T_OP_BINARY",
	tokStrBegin:  "T_STR_BEGIN",
	tokStrEnd:    "T_STR_END",
	tokVarBegin:  "T_VAR_BEGIN",
	tokVarEnd:    "T_VAR_END",
	tokEQ:        "T_OP_EQ",
	tokNE:        "T_OP_NE",
	tokLT:        "T_OP_LT",
	tokLE:        "T_OP_LE",
	tokGT:        "T_OP_GT",
	tokGE:        "T_OP_GE",
	tokReg:       "T_OP_REG",
	tokNre:       "T_OP_NRE",
	tokIn:        "T_OP_IN",
	tokStrEQ:     "T_OP_STR_EQ",
	tokStrNE:     "T_OP_STR_NE",
	tokStrLT:     "T_OP_STR_LT",
	tokStrLE:     "T_OP_STR_LE",
	tokStrGT:     "T_OP_STR_GT",
	tokStrGE:     "T_OP_STR_GE",
	tokConcat:    "T_OP_CONCAT",
	tokOr:        "T_OP_OR",
	tokAnd:       "T_OP_AND",
	tokNot:       "T_OP_NOT",
	tokOpen:      "'('",
	tokClose:     "')'",
	tokOpenList:  "'{'",
	tokCloseList: "'}'",
	tokComma:     "','",
	tokColon:     "':'",
}

func (t token) String() string { return tokenNames[t] }

// keywords are words that are not names; all are written in lower case, and
// the integer comparisons stand without a hyphen too, as in mod_ssl's older
// language.
var keywords = map[string]token{
	"and": tokAnd, "or": tokOr, "not": tokNot,
	"lt": tokLT, "le": tokLE, "gt": tokGT, "ge": tokGE, "ne": tokNE, "eq": tokEQ,
	"in": tokIn, "true": tokTrue, "false": tokFalse,
}

// hyphened are the operators with a hyphen that the grammar knows by name.
var hyphened = map[string]token{
	"in": tokIn,
	"lt": tokLT, "le": tokLE, "gt": tokGT, "ge": tokGE, "ne": tokNE, "eq": tokEQ,
}

// symbols are the operators made of punctuation; of two that fit, the longer.
var symbols = map[string]token{
	"=": tokStrEQ, "==": tokStrEQ, "!=": tokStrNE,
	"<": tokStrLT, "<=": tokStrLE, ">": tokStrGT, ">=": tokStrGE,
	"=~": tokReg, "!~": tokNre, "&&": tokAnd, "||": tokOr, "!": tokNot, ".": tokConcat,
	"(": tokOpen, ")": tokClose, "{": tokOpenList, "}": tokCloseList, ",": tokComma, ":": tokColon,
}
