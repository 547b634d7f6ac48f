package server

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// TestMergedIsMergeAll: what is remembered is what merging gives, for hosts of
// their own, in any order, from any goroutine, and beyond the bound.
func TestMergedIsMergeAll(t *testing.T) {
	section := func(ext string) *httpdconf.Section {
		handler := "handler-" + ext
		return &httpdconf.Section{Records: httpdconf.Records{
			Core: &httpdconf.CoreDir{Handler: &handler},
			Mime: &httpdconf.MimeDir{Types: map[string]string{ext: "type/" + ext}},
		}}
	}
	all := []*httpdconf.Section{section("a"), section("b"), section("c")}
	base := section("base")
	hosts := []*httpdconf.Host{{}, {Base: base.Records}}
	var m merged
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for i := range 1 << 7 {
				h, sections := hosts[i&1], []*httpdconf.Section(nil)
				for _, k := range []int{i >> 1 & 3, i >> 3 & 3, i >> 5 & 3} {
					if k < len(all) {
						sections = append(sections, all[k])
					}
				}
				if got, want := m.of(h, sections), mergeAll(h.Base, sections); !reflect.DeepEqual(got, want) {
					t.Errorf("round %d: %+v, want %+v", i, got, want)
				}
			}
		})
	}
	asking.Wait()
	for i := range maxMerged + 10 {
		s := section(fmt.Sprint(i))
		if got := m.of(hosts[0], []*httpdconf.Section{s}); *got.Core.Handler != *s.Records.Core.Handler {
			t.Fatalf("section %d: %q", i, *got.Core.Handler)
		}
	}
	if m.nodes > maxMerged {
		t.Errorf("%d nodes are kept, want %d at most", m.nodes, maxMerged)
	}
}

func BenchmarkMerged(b *testing.B) {
	types := make(map[string]string)
	for i := range 50 {
		types[fmt.Sprint(i)] = "x/y"
	}
	h := &httpdconf.Host{Base: httpdconf.Records{Mime: &httpdconf.MimeDir{Types: types}}}
	var sections []*httpdconf.Section
	for range 5 {
		sections = append(sections, &httpdconf.Section{Records: httpdconf.Records{Mime: &httpdconf.MimeDir{Types: map[string]string{"a": "b"}}}})
	}
	b.Run("remembered", func(b *testing.B) {
		var m merged
		b.ReportAllocs()
		for b.Loop() {
			m.of(h, sections)
		}
	})
	b.Run("each time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mergeAll(h.Base, sections)
		}
	})
}
