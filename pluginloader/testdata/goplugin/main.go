// Goplugin is a plugin that only has its file looked at.
package main

import "github.com/wshttpd/wshttpd/pluginloader/wsplugin"

func EchoInit() wsplugin.Plugin { return nil }

func Other_init() {}

func main() {}
