package syntax

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Builder puts nodes into a tree and checks that sections are closed in order
// (httpd 2.4 server/config.c, ap_build_config_sub). One Builder is one level:
// a file, or a conditional section, which have to close what they open.
type Builder struct {
	Roots []*Node // what stands at this level
	open  *Node   // the innermost open section
	under *Node   // the parent of this level's roots
}

// NewBuilder makes a level below parent, which may be nil.
func NewBuilder(parent *Node) *Builder { return &Builder{under: parent} }

// Open returns the innermost section that is open at this level, or nil.
func (b *Builder) Open() *Node { return b.open }

// Parent returns the section in which the next node will stand.
func (b *Builder) Parent() *Node {
	if b.open != nil {
		return b.open
	}
	return b.under
}

// Add puts n at the end of the section that is open. With enter the nodes
// that follow stand in n, until it is closed.
func (b *Builder) Add(n *Node, enter bool) {
	n.Parent = b.Parent()
	if b.open == nil {
		b.Roots = append(b.Roots, n)
	} else {
		b.open.Children = append(b.open.Children, n)
	}
	if enter {
		b.open = n
	}
}

// Close closes the section that is open, of which l has to be the closing tag.
// It returns what is wrong in httpd's words, "" if nothing is.
func (b *Builder) Close(l Line) (wrong string) {
	name, _ := Word(l.Text)
	tag, complete := strings.CutSuffix(name, ">")
	switch {
	case b.open == nil:
		return fmt.Sprintf("%s without matching <%s section", name, name[2:])
	case !complete:
		return fmt.Sprintf("%s> directive missing closing '>'", name)
	case !strings.EqualFold(tag[2:], b.open.Name):
		return fmt.Sprintf("Expected </%s> but saw %s>", b.open.Name, tag)
	}
	b.open.Close = &l
	b.open = b.up(b.open)
	return ""
}

// up returns the section around n at this level, nil if n stands at its top.
func (b *Builder) up(n *Node) *Node {
	if n.Parent == b.under {
		return nil
	}
	return n.Parent
}

// Unclosed returns the sections that are open, innermost first.
func (b *Builder) Unclosed() []*Node {
	var list []*Node
	for n := b.open; n != nil; n = b.up(n) {
		list = append(list, n)
	}
	return list
}

// Parse builds the tree of one file without looking anything up: conditional
// sections are sections, variables stay. It stops at the first error.
func Parse(filename string, text []byte) ([]*Node, hcl.Diagnostics) {
	b := NewBuilder(nil)
	r := NewReader(filename, text)
	for {
		l, more := r.Next()
		if !more {
			break
		}
		if l.IsBlank() {
			continue
		}
		if _, closing := ClosingTag(l); closing {
			if wrong := b.Close(l); wrong != "" {
				return b.Roots, problem(l, wrong)
			}
			continue
		}
		if n := NewNode(l); n != nil {
			b.Add(n, n.Section)
		}
	}
	if open := b.Unclosed(); len(open) > 0 {
		return b.Roots, problem(open[0].Line, fmt.Sprintf("<%s> was not closed.", open[0].Name))
	}
	return b.Roots, nil
}

func problem(l Line, text string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: text, Subject: l.Range(0, len(l.Text)).Ptr()}}
}
