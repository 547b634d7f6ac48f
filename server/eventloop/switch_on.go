//go:build linux && !goroutines

package eventloop

// Loops reports whether connections are driven by loops in this build, rather
// than by a goroutine each: on Linux, unless it has the tag goroutines.
const Loops = true
