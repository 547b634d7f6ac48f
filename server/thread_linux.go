package server

import "golang.org/x/sys/unix"

// threadID tells threads of this process apart; it is never 0.
func threadID() int64 { return int64(unix.Gettid()) }
