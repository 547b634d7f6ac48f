// Initpanics is a Go plugin that cannot be loaded: its package's init panics.
package main

import "github.com/wshttpd/wshttpd/pluginloader/wsplugin"

func init() { panic("the package has a bug") }

// EchoInit is never reached.
func EchoInit() wsplugin.Plugin { return nil }

func main() {}
