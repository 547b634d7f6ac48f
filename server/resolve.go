package server

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// resolveTime bounds how long a request waits for the names of its client.
const resolveTime = 10 * time.Second

// resolver looks up what one request wants to know of its client's name, once.
type resolver struct {
	client netip.Addr
	names  []string // of the client, each of which leads back to it
	asked  bool
}

// hosts returns what looks names up for the route's client.
func (r *route) hosts() *resolver {
	if r.dns == nil {
		r.dns = &resolver{client: r.client.Addr()}
	}
	return r.dns
}

// hostIs reports whether the client's name is a domain or ends in it (httpd 2.4
// server/core.c, ap_get_useragent_host under HOSTNAME_DOUBLE, and
// modules/aaa/mod_authz_host.c, in_domain).
func (r *resolver) hostIs(domain string) bool {
	if !r.asked {
		r.asked = true
		r.lookup()
	}
	return slices.ContainsFunc(r.names, func(name string) bool { return inDomain(domain, name) })
}

func (r *resolver) lookup() {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, r.client.Unmap().String())
	if err != nil {
		return // it has none
	}
	for _, name := range names[:min(1, len(names))] {
		name = strings.TrimSuffix(name, ".")
		if leadsTo(ctx, name, r.client) {
			r.names = append(r.names, name)
		}
	}
}

// isAddressOf reports whether a host has the client's address.
func (r *resolver) isAddressOf(host string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	return leadsTo(ctx, host, r.client)
}

func leadsTo(ctx context.Context, host string, client netip.Addr) bool {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err == nil && slices.ContainsFunc(addresses, func(a netip.Addr) bool { return a.Unmap() == client.Unmap() })
}

// inDomain reports whether a name is a domain, or in it by whole labels.
func inDomain(domain, name string) bool {
	if len(domain) > len(name) || !strings.EqualFold(name[len(name)-len(domain):], domain) {
		return false
	}
	return len(domain) == len(name) || strings.HasPrefix(domain, ".") || name[len(name)-len(domain)-1] == '.'
}

// mayResolve reports whether the access of a route asks for names of hosts,
// which is not done in a loop.
func (r *route) mayResolve() bool {
	authz, access := r.settings.Authz, r.settings.Access
	return authz != nil && authz.Resolves || access != nil && access.Resolves
}
