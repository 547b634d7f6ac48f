package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// BenchmarkRouteLarge finds host and settings among 500 virtual hosts with 4
// Locations each, beside the look for the file.
func BenchmarkRouteLarge(b *testing.B) {
	cfg := &httpdconf.Config{Main: &httpdconf.Host{}}
	for i := range 500 {
		h := &httpdconf.Host{Addresses: []httpdconf.HostAddress{{Host: "*"}}, Name: fmt.Sprintf("host%d.example", i), Aliases: []string{fmt.Sprintf("alias%d.example", i)}}
		for l := range 4 {
			h.Locations = append(h.Locations, &httpdconf.Section{Kind: httpdconf.LocationSection, Pattern: fmt.Sprintf("/app%d/part%d", l, i)})
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	t := newRoutes(cfg)
	local := netip.MustParseAddrPort("127.0.0.1:8080")
	for name, host := range map[string]string{"first": "host0.example", "last": "host499.example", "alias": "alias250.example", "none": "other.example"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h := t.find(local, host)
				r := route{host: h, locations: t.locations[h], path: "/app3/part499/x", merged: &t.merged}
				r.place = place{what: isNothing, dir: "/tmp", base: "app3", rest: "/part499/x"}
				r.settle()
			}
		})
	}
}

// BenchmarkRouteManyLocations is the same in one host of 2,000 Locations.
func BenchmarkRouteManyLocations(b *testing.B) {
	h := &httpdconf.Host{DocumentRoot: "/tmp"}
	for i := range 2000 {
		h.Locations = append(h.Locations, &httpdconf.Section{Kind: httpdconf.LocationSection, Pattern: fmt.Sprintf("/app%d/part", i)})
	}
	t := newRoutes(&httpdconf.Config{Main: h})
	b.ReportAllocs()
	for b.Loop() {
		r := route{host: h, locations: t.locations[h], path: "/app1999/part/x", merged: &t.merged}
		r.place = place{what: isNothing, dir: "/tmp", base: "app1999", rest: "/part/x"}
		r.settle()
	}
}

// TestIndexesFindWhatTheListsHave compares hosts and Locations found by index
// with those found one by one.
func TestIndexesFindWhatTheListsHave(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	names := []string{"a", "b", "A", "c.d", "x.c.d", "*.c.d", "?", "a*", "*"}
	paths := []string{"", "/", "/a", "/a/", "/a/b", "/ab", "/b/*", "/*", "/a?", "a", "/c//d", "/[ab]"}
	for range 3000 {
		var hosts []*httpdconf.Host
		for range random.IntN(6) {
			h := &httpdconf.Host{Addresses: []httpdconf.HostAddress{{Host: pick("*", "1.2.3.4"), Port: random.IntN(2) * 80}}, Name: pick(names[:5]...)}
			for range random.IntN(3) {
				h.Aliases = append(h.Aliases, pick(names...))
			}
			hosts = append(hosts, h)
		}
		main := &httpdconf.Host{Name: "main"}
		for range random.IntN(40) {
			main.Locations = append(main.Locations, &httpdconf.Section{Kind: httpdconf.LocationSection, Pattern: pick(paths...)})
		}
		table := newRoutes(&httpdconf.Config{Main: main, Hosts: hosts})
		local := netip.MustParseAddrPort(pick("1.2.3.4", "5.6.7.8") + ":" + pick("80", "81"))
		name := strings.ToLower(pick("a", "b", "c.d", "x.c.d", "y.c.d", "z", "ab", ""))
		if got, want := table.find(local, name), findSlowly(main, hosts, local, name); got != want {
			t.Fatalf("%v %q: %+v, want %+v", local, name, got, want)
		}
		r := route{host: main, path: pick("/", "/a", "/a/b", "/a/b/c", "/ab", "/abc", "/b", "/b/x", "/c/d", "/x")}
		want := r.appendLocations(nil)
		r.locations = table.locations[main]
		if got := r.appendLocations(nil); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v", r.path, got, want)
		}
	}
}

// findSlowly is find, host by host.
func findSlowly(main *httpdconf.Host, hosts []*httpdconf.Host, local netip.AddrPort, name string) *httpdconf.Host {
	for _, wanted := range []httpdconf.HostAddress{
		{Host: local.Addr().String(), Port: int(local.Port())}, {Host: local.Addr().String()}, {Host: "*", Port: int(local.Port())}, {Host: "*"},
	} {
		var list []*httpdconf.Host
		for _, h := range hosts {
			if h.Addresses[0] == wanted {
				list = append(list, h)
			}
		}
		for _, h := range list {
			for _, n := range append([]string{h.Name}, h.Aliases...) {
				if name != "" && httpdconf.MatchAlias(n, name) {
					return h
				}
			}
		}
		if len(list) > 0 {
			return list[0]
		}
	}
	return main
}
