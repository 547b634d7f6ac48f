// Initexits is a Go plugin that cannot be loaded: its package's init ends the
// goroutine.
package main

import (
	"runtime"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

func init() { runtime.Goexit() }

// EchoInit is never reached.
func EchoInit() wsplugin.Plugin { return nil }

func main() {}
