package server

import (
	"fmt"
	"html"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// serverBanner is the value of the Server header (httpd 2.4 server/core.c,
// set_banner).
func serverBanner(tokens httpdconf.Tokens) string {
	parts := strings.SplitN(Version, ".", 3)
	switch tokens {
	case httpdconf.TokensMajor:
		return serverToken + "/" + parts[0]
	case httpdconf.TokensMinor:
		return serverToken + "/" + parts[0] + "." + parts[1]
	case httpdconf.TokensMinimal:
		return serverToken + "/" + Version
	case httpdconf.TokensOS:
		return serverToken + "/" + Version + " (Unix)"
	}
	return serverToken
}

// isCanonical reports whether the host is named as ServerName does, whatever
// the client says (UseCanonicalName On).
func (r *route) isCanonical() bool {
	core := r.settings.Core
	return core != nil && core.CanonicalName != nil && *core.CanonicalName && r.host.Name != ""
}

// serverName is the host's name (httpd 2.4 server/core.c, ap_get_server_name).
func (r *route) serverName(ctx *fasthttp.RequestCtx) string {
	switch name := hostName(r.authority); {
	case name != "" && !r.isCanonical():
		return name
	case r.host.Name != "":
		return r.host.Name
	}
	return localAddr(ctx).Addr().Unmap().String()
}

// serverPort is the host's port (httpd 2.4 server/core.c,
// ap_get_server_port): the client's, ServerName's, or the scheme's.
func (r *route) serverPort() int {
	if _, port, has := cutPort(r.authority); has && !r.isCanonical() {
		n := 0
		if _, err := fmt.Sscan(port, &n); err == nil && n > 0 {
			return n
		}
	}
	if r.host.Port != 0 {
		return r.host.Port
	}
	return r.defaultPort()
}

// admin is ServerAdmin (httpd 2.4 include/httpd.h, DEFAULT_ADMIN).
func (r *route) admin() string {
	if r.host.Admin == "" {
		return "[no address given]"
	}
	return r.host.Admin
}

// signature is the footer of error pages (httpd 2.4 server/core.c,
// ap_psignature).
func (r *route) signature(ctx *fasthttp.RequestCtx) string {
	if r.settings.Core == nil {
		return ""
	}
	host := html.EscapeString(r.serverName(ctx))
	switch r.settings.Core.Signature {
	case httpdconf.SignatureOn:
	case httpdconf.SignatureEmail:
		host = fmt.Sprintf(`<a href="mailto:%s">%s</a>`, html.EscapeString(r.admin()), host)
	default:
		return ""
	}
	return fmt.Sprintf("<hr>\n<address>%s Server at %s Port %d</address>\n", serverBanner(r.tokens), host, r.serverPort())
}

// mappedName is the file's name as far as it exists and one element more.
func (r *route) mappedName() string {
	if r.place.dir == "" && r.place.base == "" {
		return r.filename
	}
	return r.place.name()
}
