package httpdconf

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// conditional runs a section whose opener has one condition: IfModule,
// IfDefine, IfFile, IfDirective or IfSection (httpd 2.4 server/core.c,
// start_cond_section).
func (r *reader) conditional(in *syntax.Reader, n *syntax.Node) {
	end := strings.LastIndexByte(n.Args, '>')
	if end < 0 {
		r.breakAt(n, n.Range(), fmt.Sprintf("<%s> directive missing closing '>'", n.Name), "")
		return
	}
	arg, not := strings.CutPrefix(strings.TrimSpace(n.Args[:end]), "!")
	name, _ := syntax.Word(arg)
	if name == "" {
		r.breakAt(n, n.Range(), fmt.Sprintf("<%s> directive requires additional arguments", n.Name), "")
		return
	}
	holds, why := r.holds(strings.ToLower(n.Name), name)
	if holds != not {
		r.readConditional(in, n)
		return
	}
	if not {
		why = "the condition holds, and is negated"
	}
	r.skip(in, n, why)
}

// holds decides a condition, and says why it does not hold.
func (r *reader) holds(kind, name string) (holds bool, why string) {
	switch kind {
	case "ifmodule":
		return r.modules.has(name), r.whyNoModule(name)
	case "ifdefine":
		return r.defined[name], fmt.Sprintf("%s is not defined", name)
	case "iffile":
		_, err := os.Stat(r.rootRelative(name))
		return err == nil, fmt.Sprintf("no such file: %s", r.rootRelative(name))
	case "ifsection":
		name = "<" + strings.TrimSuffix(name, ">")
	}
	for _, info := range r.stock[strings.ToLower(name)] {
		if r.modules.isLoaded(info.Module) {
			return true, ""
		}
	}
	return false, fmt.Sprintf("no loaded module has %s", name)
}

func (r *reader) whyNoModule(name string) string {
	source := name
	if strings.HasSuffix(name, "_module") {
		source = sourceOf(name)
	}
	switch {
	case r.modules.isLoaded(source):
		return fmt.Sprintf("wshttpd does not have %s", source)
	case r.modules.stock[source]:
		return fmt.Sprintf("no LoadModule %s stands above", identOf(source))
	}
	var sources []string
	for s := range r.modules.stock {
		sources = append(sources, s)
	}
	if near := nearest(name, sources); near != "" {
		return fmt.Sprintf("there is no module %s; did you mean %s?", name, near)
	}
	return fmt.Sprintf("there is no module %s", name)
}

// readConditional reads a section whose condition holds: what stands in it
// stands where the section does. Its closing tag is the whole of a line
// (httpd 2.4 server/config.c, ap_build_cont_config); without one it ends with
// its file, as in httpd.
func (r *reader) readConditional(in *syntax.Reader, n *syntax.Node) { r.readUpTo(in, n, n.Name) }

// readUpTo reads the lines in a section up to the closing tag of a name.
func (r *reader) readUpTo(in *syntax.Reader, n *syntax.Node, name string) {
	b := syntax.NewBuilder(n)
	for !r.broken {
		l, more := in.Next()
		if !more {
			break
		}
		if b.Open() == nil && strings.EqualFold(l.Text, "</"+name+">") {
			n.Close = &l
			break
		}
		r.readLine(in, b, l)
	}
	n.Children = b.Roots
}

// skip reads a section whose condition does not hold as text. Its nodes stay
// in the tree, for hints and for what may not be skipped in silence.
func (r *reader) skip(in *syntax.Reader, n *syntax.Node, why string) {
	n.Skipped = why
	r.soak(in, n, n.Name)
}

// soak reads up to the closing tag of a section that is not looked into: of
// the tags in it each must have its own (httpd 2.4 server/config.c,
// ap_soak_end_container). Errors are reported at outer, the section at which
// the text began.
func (r *reader) soak(in *syntax.Reader, outer *syntax.Node, name string) {
	parents := []*syntax.Node{outer}
	names := []string{name}
	for {
		expected := names[len(names)-1]
		l, more := in.Next()
		if !more {
			r.breakAt(outer, outer.Range(), fmt.Sprintf("Expected </%s> before end of configuration", expected), "")
			return
		}
		if l.IsBlank() {
			continue
		}
		parent := parents[len(parents)-1]
		if tag, closing := syntax.ClosingTag(l); closing {
			saw := "</" + tag
			saw = saw[:len(saw)-1] // the last byte, bracket or not
			if !strings.EqualFold(strings.TrimPrefix(saw, "</"), expected) {
				r.breakAt(outer, outer.Range(), fmt.Sprintf("Expected </%s> but saw %s>", expected, saw),
					fmt.Sprintf("the closing tag stands on line %d", l.Last()))
				return
			}
			parent.Close = &l
			parents, names = parents[:len(parents)-1], names[:len(names)-1]
			if len(names) == 0 {
				return
			}
			continue
		}
		n := syntax.NewNode(l)
		if n == nil {
			continue
		}
		n.Parent, n.Included = parent, r.include()
		parent.Children = append(parent.Children, n)
		if n.Section {
			parents, names = append(parents, n), append(names, soakedName(l))
		}
	}
}

// soakedName is how a closing tag has to call the section that l opens, in
// text that is not looked into: with the bracket, where more follows it.
func soakedName(l syntax.Line) string {
	name, args := syntax.Word(l.Text)
	if args == "" {
		name = strings.TrimSuffix(name, ">")
	}
	return name[1:]
}

// ifVersion compares the version of httpd that this server claims (httpd 2.4
// modules/metadata/mod_version.c, start_ifversion).
func (r *reader) ifVersion(in *syntax.Reader, n *syntax.Node) {
	words, ok := r.args(n)
	if !ok {
		r.broken = true
		return
	}
	op, version, closed := versionArgs(words)
	if !closed {
		r.breakAt(n, n.Range(), fmt.Sprintf("<%s> directive missing closing '>'", n.Name), "")
		return
	}
	holds, text := versionHolds(op, version)
	if text != "" {
		r.breakAt(n, words[0].Range, text, "")
		return
	}
	if holds {
		r.readConditional(in, n)
		return
	}
	r.skip(in, n, fmt.Sprintf("the version is %s", ClaimedVersion))
}

// versionArgs sorts out the words: the operator may be missing, and the
// bracket is a word of its own where the version is quoted.
func versionArgs(words []syntax.Arg) (op, version string, closed bool) {
	var bracket string
	switch len(words) {
	case 1:
		op, version = "=", words[0].Text
	case 2:
		op, version = words[0].Text, words[1].Text
	default:
		op, version, bracket = words[0].Text, words[1].Text, words[2].Text
	}
	if len(words) < 3 && version == ">" {
		op, version, bracket = "=", op, ">"
	}
	if bracket == ">" {
		return op, version, version != ""
	}
	version, closed = strings.CutSuffix(version, ">")
	return op, version, closed
}

// versionHolds compares the claimed version with one. A "!" in front of the
// operator negates it.
func versionHolds(op, version string) (holds bool, errText string) {
	plain, not := op, false
	if len(op) > 1 {
		plain, not = strings.CutPrefix(op, "!")
	}
	pattern, isRegexp := strings.CutPrefix(version, "/")
	switch {
	case plain == "~":
		holds, errText = versionMatches(version)
	case isRegexp && (plain == "=" || plain == "=="):
		if pattern, isRegexp = strings.CutSuffix(pattern, "/"); !isRegexp {
			return false, "Missing delimiting / of regular expression."
		}
		holds, errText = versionMatches(pattern)
	default:
		c, known := map[string][3]bool{ // below, equal, above
			"=": {false, true, false}, "==": {false, true, false}, "<": {false, false, true}, "<=": {false, true, true},
			">": {true, false, false}, ">=": {true, true, false},
		}[plain]
		if !known {
			return false, fmt.Sprintf("unrecognized operator '%s'", op)
		}
		v, good := parseVersion(version)
		if !good {
			return false, "Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch are numbers."
		}
		claimed, _ := parseVersion(ClaimedVersion) // of our own making
		holds = c[slices.Compare(v[:], claimed[:])+1]
	}
	return holds != not, errText
}

func versionMatches(pattern string) (matches bool, errText string) {
	re, err := expr.CompileRegexp(pattern, false)
	if err != nil {
		return false, "Unable to compile regular expression"
	}
	return re.Match(ClaimedVersion), ""
}

// parseVersion takes a version apart: it begins with a digit, and what is
// missing is 0 (httpd 2.4 modules/metadata/mod_version.c, compare_version).
func parseVersion(s string) (v [3]int, good bool) {
	parts := strings.Split(s, ".")
	if len(parts) == 4 && parts[3] == "" {
		parts = parts[:3]
	}
	if parts[0] == "" || len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		if strings.Trim(p, "0123456789") != "" {
			return v, false
		}
		v[i], _ = strconv.Atoi(p) // empty: 0; out of range: the bound
	}
	return v, true
}
