package httpdconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// maxIncludeDepth is httpd's only defence against loops (httpd 2.4
// server/core.c, AP_MAX_INCLUDE_DEPTH).
const maxIncludeDepth = 128

func (r *reader) includeRequired(_ *syntax.Reader, n *syntax.Node) { r.includeFiles(n, false) }
func (r *reader) includeOptional(_ *syntax.Reader, n *syntax.Node) { r.includeFiles(n, true) }

// includeFiles reads what an Include line names: a file, a folder, or all that
// a wildcard matches (httpd 2.4 server/config.c, ap_process_fnmatch_configs).
func (r *reader) includeFiles(n *syntax.Node, optional bool) {
	words, ok := r.args(n)
	if !ok {
		return
	}
	if len(r.including) >= maxIncludeDepth {
		r.tooDeep(n, words[0].Range)
		return
	}
	path := r.rootRelative(words[0].Text)
	if strings.HasSuffix(words[0].Text, "/") && path != "/" {
		path += "/" // httpd's messages keep it
	}
	r.includeLine = n.Line.Last()
	r.including = append(r.including, inclusion{n, words[0].Range, len(r.diags)})
	defer func() { r.including = r.including[:len(r.including)-1] }()
	if !isWildcard(path) {
		if _, err := os.Stat(path); err == nil || !optional {
			r.includePath(n, words[0], path)
		}
		return
	}
	r.includeMatches(n, words[0], "/", strings.Split(strings.TrimPrefix(path, "/"), "/"), optional)
}

// inclusion is an Include line whose files are being read.
type inclusion struct {
	node *syntax.Node
	arg  hcl.Range
	said int // length of reader.diags when it began
}

// tooDeep reports that n, an Include line at rng, is one level too many. A
// file may include itself, under a condition that ends it; what does not end
// is reported at the line that closes the loop for the first time, and what
// was said in the further rounds is dropped.
func (r *reader) tooDeep(n *syntax.Node, rng hcl.Range) {
	text := fmt.Sprintf("Exceeded maximum include depth of %d, There appears to be a recursion.", maxIncludeDepth)
	seen := make(map[string]int) // the depth at which a file was read first
	var names []string
	for depth, i := range append(slices.Clone(r.including), inclusion{node: n}) {
		name := i.node.Line.Filename()
		names = append(names, name)
		if first, loops := seen[name]; loops {
			last := r.including[depth-1]
			r.diags = r.diags[:last.said]
			r.breakAt(last.node, last.arg, text, "the files include each other: "+strings.Join(names[first:], " -> "))
			return
		}
		seen[name] = depth
	}
	r.breakAt(n, rng, text, "")
}

// includePath reads one file, or a folder recursively with all that is in it.
func (r *reader) includePath(n *syntax.Node, arg syntax.Arg, path string) {
	if r.broken {
		return
	}
	if isDirectory(path) {
		entries, err := openDirectory(path)
		if err != nil {
			r.failAt(n, arg.Range, fmt.Sprintf("Could not open config directory %s: %s", path, errorText(err)), "")
			return
		}
		for _, e := range entries {
			r.includePath(n, arg, filepath.Join(path, e.Name()))
		}
		return
	}
	text, err := readFile(path)
	if err != nil {
		r.failAt(n, arg.Range, fmt.Sprintf("Could not open configuration file %s: %s", path, errorText(err)), nearestFile(path))
		return
	}
	r.keepSource(path, text)
	r.noteInclude(path)
	b := syntax.NewBuilder(n)
	r.readLevel(syntax.NewReader(path, text), b)
	n.Children = append(n.Children, b.Roots...)
}

// includeMatches reads what the elements of a path match below dir.
func (r *reader) includeMatches(n *syntax.Node, arg syntax.Arg, dir string, elements []string, optional bool) {
	element, rest := elements[0], elements[1:]
	if !isWildcard(element) {
		dir = filepath.Join(dir, element)
		if len(rest) > 0 {
			r.includeMatches(n, arg, dir, rest, optional)
		} else if _, err := os.Stat(dir); err == nil || !optional {
			r.includePath(n, arg, dir)
		}
		return
	}
	entries, err := openDirectory(dir)
	if err != nil {
		if !optional {
			r.failAt(n, arg.Range, fmt.Sprintf("Include/IncludeOptional: Could not open directory %s: %s", dir, errorText(err)), "")
		}
		return
	}
	matched := false
	for _, e := range entries {
		if !fnmatch(element, e.Name(), fnmPeriod) || len(rest) > 0 && !e.IsDir() {
			continue
		}
		matched = true
		if path := filepath.Join(dir, e.Name()); len(rest) > 0 {
			r.includeMatches(n, arg, path, rest, optional)
		} else {
			r.includePath(n, arg, path)
		}
	}
	if !matched && !optional {
		r.failAt(n, arg.Range, fmt.Sprintf("Include/IncludeOptional: No matches for the wildcard '%s' in '%s', failing", element, dir),
			"IncludeOptional forgives a wildcard that matches nothing")
	}
}

// nearestFile is a hint at a file in the same folder with a similar name.
func nearestFile(path string) string {
	path = filepath.Clean(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Sprintf("no such folder: %s", filepath.Dir(path))
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	if near := nearest(filepath.Base(path), names); near != "" {
		return fmt.Sprintf("did you mean %s?", filepath.Join(filepath.Dir(path), near))
	}
	return ""
}
