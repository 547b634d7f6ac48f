package server

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseRanges(t *testing.T) {
	apart := func(n, step int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d-%d", 1000+i*step, 1000+i*step))
		}
		return "bytes=" + strings.Join(list, ",")
	}
	tests := []struct {
		header string
		spans  []span
		good   bool
	}{
		{"bytes=0-9", []span{{0, 10}}, true},
		{"Bytes=0-9", []span{{0, 10}}, true},
		{"bytes=90-", []span{{90, 9999}}, true},
		{"bytes=-9", []span{{9990, 9999}}, true},
		{"bytes=-99999999", []span{{0, 9999}}, true},
		{"bytes=0-99999", []span{{0, 9999}}, true},
		{"bytes=0-0,2-2", []span{{0, 1}, {2, 3}}, true},
		{"bytes=0-0, 2-2,", []span{{0, 1}, {2, 3}}, true},
		{"bytes=20-29,0-9", []span{{20, 30}, {0, 10}}, true},
		{"bytes=0-9,5-14", []span{{0, 15}}, true},
		{"bytes=0-9,10-14", []span{{0, 15}}, true},
		{"bytes=10-14,0-9", []span{{0, 15}}, true},
		{"bytes=0-,0-,0-,0-,0-", []span{{0, 9999}}, true},
		{"bytes=0-0,99999-", []span{{0, 1}}, true},
		{"bytes=9999-", nil, true},
		{"bytes=-0", nil, true},
		{"bytes=5-4", nil, false},
		{"bytes=", nil, false},
		{"bytes=,", nil, false},
		{"bytes=a-b", nil, false},
		{"bytes=1", nil, false},
		{"bytes=-", nil, false},
		{"bytes=--1", nil, false},
		{"bytes=+1-2", nil, false},
		{"bytes=0-99999999999999999999", nil, false},
		{"lines=0-1", nil, false},
		{"bytes=0-8000,9000-9100,0-8000", []span{{0, 8001}, {9000, 9101}, {0, 8001}}, false},
	}
	for _, tt := range tests {
		spans, good := parseRanges(tt.header, 9999)
		if good != tt.good || good && fmt.Sprint(spans) != fmt.Sprint(tt.spans) {
			t.Errorf("parseRanges(%q) = %v, %v; want %v, %v", tt.header, spans, good, tt.spans, tt.good)
		}
	}
	for n, want := range map[int]bool{maxRanges: true, maxRanges + 1: false} {
		if spans, good := parseRanges(apart(n, 2), 9999); good != want || good && len(spans) != n {
			t.Errorf("%d ranges: %d, %v; want %v", n, len(spans), good, want)
		}
	}
	overlapping := "bytes=0-0" + strings.Repeat(",5-6,0-0", maxOverlaps)
	if _, good := parseRanges(overlapping, 9999); good {
		t.Errorf("%q passes", overlapping)
	}
}

// FuzzParseRanges: spans lie inside the file, and are together no more than it.
func FuzzParseRanges(f *testing.F) {
	for _, s := range []string{"bytes=0-1,5-", "bytes=-3,0-0", "bytes=9223372036854775807-", "bytes=-9223372036854775807"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		spans, good := parseRanges(header, size)
		if !good {
			return
		}
		left := size
		for _, s := range spans {
			if s.start < 0 || s.start >= s.end || s.end > size {
				t.Fatalf("%q of %d bytes gives %v", header, size, spans)
			}
			if left -= s.end - s.start; left < 0 {
				t.Fatalf("%q of %d bytes gives %v, which is more than the file", header, size, spans)
			}
		}
	})
}
