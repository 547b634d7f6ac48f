package server

import (
	"cmp"
	"fmt"
	"html"
	"strconv"
	"strings"

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
	return core != nil && core.CanonicalName != nil && *core.CanonicalName
}

// serverName is the host's name (httpd 2.4 server/core.c, ap_get_server_name).
func (r *route) serverName() string {
	if name := hostName(r.authority); name != "" && !r.isCanonical() {
		return name
	}
	return r.host.Name
}

// serverNameForURL is serverName with the brackets of IPv6 (httpd 2.4
// server/core.c, ap_get_server_name_for_url).
func (r *route) serverNameForURL() string {
	name := r.serverName()
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// serverPort is the host's port (httpd 2.4 server/core.c,
// ap_get_server_port): the client's, ServerName's, or the scheme's; under
// UseCanonicalPhysicalPort that of the connection stands in front of what the
// client has not said.
func (r *route) serverPort() int {
	if _, port, has := cutPort(r.authority); has && !r.isCanonical() {
		if n, err := strconv.Atoi(port); err == nil && n > 0 {
			return n
		}
	}
	physical := 0
	if core := r.settings.Core; core != nil && core.PhysicalPort != nil && *core.PhysicalPort {
		physical = int(r.local.Port())
	}
	if r.isCanonical() {
		return cmp.Or(r.host.Port, physical, r.defaultPort())
	}
	return cmp.Or(physical, r.host.Port, r.defaultPort())
}

// ownURL is the URL of a path on the host (httpd 2.4 server/core.c,
// ap_construct_url).
func (r *route) ownURL(path string) string {
	authority := r.serverNameForURL()
	if port := r.serverPort(); port != r.defaultPort() {
		authority += ":" + strconv.Itoa(port)
	}
	return r.scheme + "://" + authority + path
}

// defaultPort is the port that a URL of the request's scheme leaves out.
func (r *route) defaultPort() int {
	if r.scheme == "https" {
		return 443
	}
	return 80
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
func (r *route) signature() string {
	if r.settings.Core == nil {
		return ""
	}
	host := html.EscapeString(r.serverName())
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
