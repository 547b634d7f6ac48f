package server

import (
	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf/logformat"
)

// sslVariables is what a connection under TLS says of itself, by mod_ssl's
// names: SSL_PROTOCOL, SSL_CLIENT_S_DN. The empty string stands for a name that
// has no value.
type sslVariables interface {
	sslVariable(name string) string
}

// sslVariable asks the connection of a request; one in the clear has no
// variables.
func sslVariable(ctx *fasthttp.RequestCtx, name string) string {
	c, is := ctx.Conn().(*netConn)
	if !is {
		return ""
	}
	v, is := c.Socket.(sslVariables)
	if !is {
		return ""
	}
	return v.sslVariable(name)
}

// oldSSLNames are what %{...}c calls variables (httpd 2.4
// modules/ssl/ssl_engine_vars.c, ssl_var_log_handler_c). It is constant.
var oldSSLNames = map[string]string{
	"version": "SSL_PROTOCOL", "cipher": "SSL_CIPHER", "subjectdn": "SSL_CLIENT_S_DN", "clientcert": "SSL_CLIENT_S_DN",
	"issuerdn": "SSL_CLIENT_I_DN", "cacert": "SSL_CLIENT_I_DN",
}

// sslLogItem is %{...}x and %{...}c of mod_ssl.
func sslLogItem(ctx *fasthttp.RequestCtx, item *logformat.Item) string {
	name := item.Arg
	if item.Directive == 'c' {
		if name = oldSSLNames[item.Arg]; name == "" {
			return ""
		}
	}
	return sslVariable(ctx, name)
}
