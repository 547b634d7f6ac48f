package server

import (
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// locationIndex finds the Location sections of a host that may cover a path,
// by the path's first segment. Those that cannot be told so are always asked.
type locationIndex struct {
	all       []*httpdconf.Section
	bySegment map[string][]int32 // places in all, ascending
	always    []int32            // wildcards, expressions, and what covers everything
	indexed   bool
}

// fewLocations are asked one by one.
const fewLocations = 16

func newLocationIndex(sections []*httpdconf.Section) *locationIndex {
	x := &locationIndex{all: sections, indexed: len(sections) > fewLocations}
	if !x.indexed {
		return x
	}
	x.bySegment = make(map[string][]int32)
	for i, s := range sections {
		segment := firstSegment(s.Pattern)
		if s.Regexp != nil || segment == "" || strings.ContainsAny(s.Pattern, "*?[") {
			x.always = append(x.always, int32(i))
			continue
		}
		x.bySegment[segment] = append(x.bySegment[segment], int32(i))
	}
	return x
}

// firstSegment returns what stands between the first two slashes of a path, ""
// if it does not begin with one.
func firstSegment(path string) string {
	rest, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return ""
	}
	segment, _, _ := strings.Cut(rest, "/")
	return segment
}

// appendCovering appends the sections that cover a path, in file order.
func (x *locationIndex) appendCovering(dst []*httpdconf.Section, path string) []*httpdconf.Section {
	if !x.indexed {
		for _, s := range x.all {
			if s.Covers(path) {
				dst = append(dst, s)
			}
		}
		return dst
	}
	a, b := x.bySegment[firstSegment(path)], x.always
	for len(a) > 0 || len(b) > 0 {
		var i int32
		if len(b) == 0 || len(a) > 0 && a[0] < b[0] {
			i, a = a[0], a[1:]
		} else {
			i, b = b[0], b[1:]
		}
		if s := x.all[i]; s.Covers(path) {
			dst = append(dst, s)
		}
	}
	return dst
}
