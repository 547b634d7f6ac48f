// Cshared is a Go library of the kind that brings a runtime of its own.
package main

import "C"

//export echo_init
func echo_init() {}

func main() {}
