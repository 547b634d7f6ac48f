package server

import (
	"net/netip"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// TestTraceIsFree: to find host and settings of a request that nobody wants
// explained allocates nothing, and neither does what is asked of its access.
func TestTraceIsFree(t *testing.T) {
	section := &httpdconf.Section{Kind: httpdconf.LocationSection, Pattern: "/a"}
	h := &httpdconf.Host{Addresses: []httpdconf.HostAddress{{Host: "*"}}, Name: "h.example", DocumentRoot: "/tmp", Locations: []*httpdconf.Section{section}}
	routes := newRoutes(&httpdconf.Config{Main: &httpdconf.Host{}, Hosts: []*httpdconf.Host{h}})
	local := netip.MustParseAddrPort("127.0.0.1:8080")
	authz := &httpdconf.AuthzDir{Root: &httpdconf.AuthzRule{Rules: []*httpdconf.AuthzRule{{Provider: "all", Granted: true}}}}
	compat := &httpdconf.AccessDir{Allow: []httpdconf.AccessEntry{{All: true}}}
	q, access := &httpdconf.AuthzRequest{}, &httpdconf.AccessRequest{}
	request := func() {
		var none *trace
		host, choice := routes.choose(local, "h.example", "/")
		none.host(host, choice, local, "h.example")
		none.path("/a", "/a", 0)
		r := route{host: host, locations: routes.locations[host], path: "/a", merged: &routes.merged, trace: none}
		none.routed(nil)
		r.place = place{what: isNothing, dir: "/tmp", base: "a"}
		r.trace.mapped(&r, "/tmp/a", nil)
		r.settle()
		q.Asked, access.Asked = r.trace.ruleAsker(), r.trace.entryAsker()
		if authz.Decide(q) != httpdconf.AuthzGranted || !compat.Admits(access) {
			t.Fatal("not let in")
		}
		r.trace.compat(compat, "GET", true, false)
		r.trace.admitted(&r, 0)
		r.trace.handler(&r, false)
	}
	if n := testing.AllocsPerRun(100, request); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
