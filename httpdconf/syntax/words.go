package syntax

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Word cuts the first word off s, and the white space around it (httpd 2.4
// server/util.c, ap_getword_conf). A word that starts with a quote ends at the
// same quote, or with s; inside it a backslash escapes that quote and itself,
// outside quotes only itself. The empty word is also what an s without words
// gives: rest is then empty.
func Word(s string) (word, rest string) {
	s = strings.TrimLeft(s, space)
	if s == "" {
		return "", ""
	}
	var end int
	if q := s[0]; q == '"' || q == '\'' {
		s = s[1:]
		for end < len(s) && s[end] != q {
			if s[end] == '\\' && end+1 < len(s) && (s[end+1] == q || s[end+1] == '\\') {
				end++
			}
			end++
		}
		word = unescape(s[:end], q)
		if end < len(s) {
			end++
		}
	} else {
		for end < len(s) && !isSpace(s[end]) {
			end++
		}
		word = unescape(s[:end], '\\')
	}
	return word, strings.TrimLeft(s[end:], space)
}

// unescape drops the backslash in front of a backslash or q.
func unescape(s string, q byte) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == q) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// Quote returns s as one word.
func Quote(s string) string {
	if s != "" && strings.IndexByte(`"'#`, s[0]) < 0 && !strings.ContainsAny(s, space) {
		return strings.ReplaceAll(s, `\`, `\\`)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Arg is one word of a directive's arguments.
type Arg struct {
	Text  string
	Range hcl.Range // with its quotes
}

// Words splits the arguments.
func (n *Node) Words() []Arg {
	var args []Arg
	for rest := strings.TrimLeft(n.Args, space); rest != ""; {
		start := n.argsAt + len(n.Args) - len(rest)
		word, after := Word(rest)
		taken := strings.TrimRight(rest[:len(rest)-len(after)], space)
		args = append(args, Arg{word, n.rangeOf(start, start+len(taken))})
		rest = after
	}
	return args
}

// ArgAt returns the range of Args[start:end].
func (n *Node) ArgAt(start, end int) hcl.Range { return n.rangeOf(n.argsAt+start, n.argsAt+end) }

// rangeOf is the range of Line.Text[start:end], as far as that is there.
func (n *Node) rangeOf(start, end int) hcl.Range {
	length := len(n.Line.Text)
	return n.Line.Range(min(start, length), min(end, length))
}

// NameRange is the range of the directive's name.
func (n *Node) NameRange() hcl.Range {
	end := len(strings.TrimRight(n.Line.Text[:n.argsAt], space))
	return n.Line.Range(0, end)
}

// ArgsRange is the range of the arguments, that of the whole line if there are
// none.
func (n *Node) ArgsRange() hcl.Range {
	if n.Args == "" {
		return n.Range()
	}
	return n.ArgAt(0, len(n.Args))
}
