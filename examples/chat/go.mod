module example.com/chat

go 1.26.0

require github.com/wshttpd/wshttpd/pluginloader/wsplugin v0.1.0

// For editors and go vet in this tree; build-plugin takes the server's own.
replace github.com/wshttpd/wshttpd/pluginloader/wsplugin => ../../pluginloader/wsplugin
