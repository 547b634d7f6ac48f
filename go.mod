module github.com/wshttpd/wshttpd

go 1.26.0

require (
	github.com/dlclark/regexp2 v1.12.0
	github.com/hashicorp/hcl/v2 v2.25.0
	github.com/tg123/go-htpasswd v1.2.5
)

require (
	github.com/GehirnInc/crypt v0.0.0-20230320061759-8cc1b52080c5 // indirect
	golang.org/x/crypto v0.55.0 // indirect
)

require github.com/coreos/go-systemd/v22 v22.5.0

require (
	github.com/agext/levenshtein v1.2.1
	github.com/apparentlymart/go-textseg/v15 v15.0.0
	github.com/apparentlymart/go-textseg/v17 v17.0.1 // indirect
	github.com/fasthttp/websocket v1.5.12
	github.com/klauspost/compress v1.20.0 // indirect
	github.com/mitchellh/go-wordwrap v1.0.1 // indirect
	github.com/molecule-man/go-brrr v1.0.1 // indirect
	github.com/savsgio/gotils v0.0.0-20240704082632-aef3928b8a38 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasthttp v1.74.0
	github.com/wshttpd/wshttpd/pluginloader/wsplugin v0.1.0
	github.com/zclconf/go-cty v1.19.0 // indirect
	golang.org/x/mod v0.38.0 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.50.0
	golang.org/x/text v0.41.0
	golang.org/x/tools v0.48.0 // indirect
)

replace github.com/wshttpd/wshttpd/pluginloader/wsplugin => ./pluginloader/wsplugin
