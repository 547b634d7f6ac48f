package pluginloader

import _ "embed"

//go:embed websocket_plugin.h
var header string

// Header is the text of websocket_plugin.h, which plugins in C are compiled
// with.
func Header() string { return header }
