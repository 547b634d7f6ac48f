// Package apxs has the commands of those who write plugins, named after httpd's
// tool: build-plugin, check-plugin and query.
//
// build-plugin compiles what the server that runs it can load. A plugin in C
// is compiled with websocket_plugin.h, which the server carries in itself, and
// the headers of httpd and APR where these are installed. A plugin in Go must
// agree with the server in the release of Go, the flags, and the version of
// every package that both link (runtime and plugin, go doc plugin): all of it
// stands in the server's own build information, and is brought about in a
// copy of go.mod and go.sum, so that the plugin's own files stay as they are:
//
//	go.mod, go.sum of the plugin -> copies, -modfile
//	no go.mod at all             -> a made-up one, -overlay
//	package wsplugin             -> the copy in the server (api/), by replace
//	another module that both link -> required at the server's version; higher
//	                                versions are excluded
//	releases of Go               -> GOTOOLCHAIN
//	flags, tags, GOAMD64 ...     -> as recorded
//
// What comes out is checked as check-plugin does, and replaces an older file
// by rename: that one may be mapped into a server.
package apxs
