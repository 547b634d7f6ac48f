//go:build !linux

package eventloop

// ThreadID cannot tell threads apart here: all are one.
func ThreadID() int64 { return 1 }
