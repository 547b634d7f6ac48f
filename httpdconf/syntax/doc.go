// Package syntax turns the text of an httpd.conf into lines, words and a tree.
// It knows no directive: what a name means, which sections are conditional and
// what a variable is worth, is the caller's.
//
//	bytes ──Reader──▶ Line ──Expand──▶ Line ──NewNode──▶ Node
//	  physical lines    logical line     ${X} replaced     name, unsplit rest, words
//
// Every byte of a logical line knows where it comes from: Line.Range gives the
// source range of any part of it, over continuations, and for what a variable
// was replaced by, that of the variable.
//
// Parse builds the tree of one file, and Print goes back.
package syntax
