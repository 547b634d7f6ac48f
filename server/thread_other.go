//go:build !linux

package server

// threadID cannot tell threads apart here: every send during connect is taken
// for the plugin's own and does not wait.
func threadID() int64 { return 1 }
