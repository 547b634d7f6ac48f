module github.com/wshttpd/wshttpd/pluginloader/wsplugin

go 1.26
