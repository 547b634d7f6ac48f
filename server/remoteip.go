package server

import (
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// remoteIP takes the client for whom proxies say that it is, as far as they are
// trusted, and takes what was used out of the header (httpd 2.4
// modules/metadata/mod_remoteip.c, remoteip_modify_request).
func (s *Server) remoteIP(ctx *fasthttp.RequestCtx, r *route) {
	d := r.host.RemoteIP
	if d == nil || d.Header == "" {
		return
	}
	lines := headerLines(ctx, d.Header)
	if len(lines) == 0 {
		return
	}
	h := hops{config: d, at: r.client.Addr().Unmap(), rest: strings.Join(lines, ", "), more: true}
	for h.more && h.step() {
	}
	if h.wrong != "" {
		s.logOf(r).printf("remoteip", httpdconf.LevelDebug, r.client.String(), h.wrong, d.Header, h.value)
	}
	if !h.moved {
		return
	}
	header := splitFields(rawHeaders(ctx))
	header.unset(d.Header)
	if h.more {
		header.add(d.Header, h.rest)
	}
	if d.ProxiesHeader != "" && len(h.proxies) > 0 {
		header.set(d.ProxiesHeader, strings.Join(h.proxies, ", "))
	}
	setRawHeaders(ctx, joinFields(header))
	asks := r.client
	r.client = netip.AddrPortFrom(h.at, 0) // its port is not known
	r.trace.client(asks, r.client, d.Header)
	if len(h.proxies) > 0 {
		r.notes.set("remoteip-proxy-ip-list", strings.Join(h.proxies, ", "))
	}
}

// hops is the way back through the proxies.
type hops struct {
	config   *httpdconf.RemoteIPHost
	at       netip.Addr // whom the proxies so far have named
	internal bool       // the last one may name private addresses
	rest     string     // of the header, its last name not looked at yet
	more     bool       // there is a rest
	moved    bool
	proxies  []string // those that were passed and are not internal
	wrong    string   // what is wrong with value
	value    string
}

// step goes to whom the last name of the header means, and reports whether it
// is there.
func (h *hops) step() bool {
	if !h.trusts() {
		return false
	}
	rest, value, more := h.rest, h.rest, false
	if i := strings.LastIndexByte(h.rest, ','); i >= 0 {
		rest, value, more = h.rest[:i], h.rest[i+1:], true
	}
	h.value = strings.Trim(value, " ")
	if h.value == "" {
		return false
	}
	next, err := netip.ParseAddr(h.value)
	next = next.Unmap()
	switch {
	case err != nil || next.Zone() != "":
		h.wrong = "AH01568: RemoteIP: Header %s value of %s cannot be parsed as a client IP"
		return false
	case !h.internal && isPrivate(next):
		h.wrong = "AH01569: RemoteIP: Header %s value of %s appears to be a private IP or nonsensical.  Ignored"
		return false
	}
	if !h.internal {
		h.proxies = append(h.proxies, h.at.String())
	}
	h.at, h.moved, h.rest, h.more = next, true, rest, more
	return true
}

// trusts reports whether the one who is reached may name another.
func (h *hops) trusts() bool {
	for _, proxy := range h.config.Proxies {
		if proxy.Network.Contains(h.at) {
			h.internal = proxy.Internal
			return true
		}
	}
	return len(h.config.Proxies) == 0
}

// isPrivate reports whether an address is none of the internet's: of version 6,
// those are in 2000::/3 (RFC 4291).
func isPrivate(a netip.Addr) bool {
	if a.Is4() {
		return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
	}
	return a.As16()[0]&0xe0 != 0x20
}
