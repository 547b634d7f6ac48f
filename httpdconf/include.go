package httpdconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		r.breakAt(n, words[0].Range, fmt.Sprintf("Exceeded maximum include depth of %d, There appears to be a recursion.", maxIncludeDepth), "")
		return
	}
	path := r.rootRelative(words[0].Text)
	if n.Included != nil && r.isBeingRead(path) {
		r.breakAt(n, words[0].Range, fmt.Sprintf("Exceeded maximum include depth of %d, There appears to be a recursion.", maxIncludeDepth),
			r.cycle(n, path))
		return
	}
	r.including = append(r.including, n)
	defer func() { r.including = r.including[:len(r.including)-1] }()
	if !isWildcard(path) {
		if _, err := os.Stat(path); err == nil || !optional {
			r.includePath(n, words[0], path)
		}
		return
	}
	r.includeMatches(n, words[0], "/", strings.Split(strings.TrimPrefix(path, "/"), "/"), optional)
}

// isBeingRead reports whether a file includes itself over others.
func (r *reader) isBeingRead(path string) bool {
	return slices.ContainsFunc(r.including, func(n *syntax.Node) bool { return n.Line.Filename() == path })
}

// cycle lists the files of a loop, each once.
func (r *reader) cycle(last *syntax.Node, path string) string {
	names := []string{}
	for _, n := range append(slices.Clone(r.including), last) {
		if len(names) > 0 || n.Line.Filename() == path {
			names = append(names, n.Line.Filename())
		}
	}
	return "the files include each other: " + strings.Join(append(names, path), " -> ")
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
