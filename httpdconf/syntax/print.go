package syntax

import "strings"

// Print writes the tree as text: one directive a line, four blanks a level.
// Parsed again it gives the same tree; comments and layout are lost.
func Print(nodes []*Node) string {
	var b strings.Builder
	printNodes(&b, nodes, "")
	return b.String()
}

func printNodes(b *strings.Builder, nodes []*Node, indent string) {
	for _, n := range nodes {
		name := n.Name
		if n.Section {
			name = "<" + name
		}
		if name == "" || strings.HasSuffix(name, ">") {
			name += ">" // of which NewNode drops one
		}
		printLine(b, indent, strings.TrimRight(Quote(name)+" "+n.Args, space))
		if n.Section {
			printNodes(b, n.Children, indent+"    ")
			printLine(b, indent, Quote("</"+n.Name+">"))
		}
	}
}

// printLine writes one logical line. A backslash at its end would continue it:
// doubled it is a continuation that leaves one, and the empty line behind ends
// it.
func printLine(b *strings.Builder, indent, line string) {
	b.WriteString(indent)
	b.WriteString(line)
	if strings.HasSuffix(line, `\`) {
		b.WriteString("\\\n")
	}
	b.WriteByte('\n')
}
