package syntax

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Node is one directive, or one section with what stands in it. Names are not
// looked up and arguments not split: which words a directive has is its own
// business.
type Node struct {
	Name    string // as written, without the bracket of a section
	Section bool
	// Args is the unsplit rest of the line behind the name, variables
	// replaced. For a section it still holds the closing bracket, as httpd
	// hands it to the directive's function.
	Args string

	Parent   *Node // nil at top level
	Children []*Node
	Included *Node // the Include line that this node's file was read for; nil in the main file

	// Line is the logical line, Close that of the closing tag.
	Line  Line
	Close *Line

	// Skipped says why a conditional section is false; its Children have
	// then been read as text and never run.
	Skipped string

	// Spliced says that Children stand where the node does, which was run when it
	// was read.
	Spliced bool

	argsAt int // offset of Args in Line.Text; its length where Args is a bracket that stands nowhere
}

// NewNode makes a node of a line that is neither blank nor a closing tag. It
// returns nil where the line has no name: then it is ignored. A bracket at the
// end of the name is dropped, and what a section without arguments has instead
// of them is a bracket (httpd 2.4 server/config.c, ap_build_config_sub).
func NewNode(l Line) *Node {
	name, args := Word(l.Text)
	if name == "" {
		return nil
	}
	n := &Node{Args: args, Line: l, argsAt: len(l.Text) - len(args)}
	name = strings.TrimSuffix(name, ">")
	n.Name, n.Section = strings.CutPrefix(name, "<")
	if n.Section && args == "" {
		n.Args = ">"
		n.argsAt = len(strings.TrimSuffix(l.Text, ">"))
	}
	return n
}

// ClosingTag returns what a closing tag closes: for "</Location>", "Location>",
// and false for any other line.
func ClosingTag(l Line) (tag string, is bool) {
	name, _ := Word(l.Text)
	return strings.CutPrefix(name, "</")
}

// Opener returns how the node is named in messages: "<Location /echo>" for a
// section, else the name.
func (n *Node) Opener() string {
	if !n.Section {
		return n.Name
	}
	return strings.TrimRight("<"+n.Name+" "+n.Args, " ")
}

// Range is the range of the whole logical line.
func (n *Node) Range() hcl.Range { return n.Line.Range(0, len(n.Line.Text)) }
