package supervise

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestParseExplain: the options of explain are the server's where they say which
// configuration it is, and else its own; an operand may stand anywhere.
func TestParseExplain(t *testing.T) {
	for _, tt := range []struct {
		args string
		want Explain
		json bool
		root string
	}{
		{"/a", Explain{URL: "/a"}, false, ""},
		{"-d /srv /a -H A:1 -H B:2", Explain{URL: "/a", Headers: []string{"A:1", "B:2"}}, false, "/srv"},
		{"--json /a -X PUT -d/srv", Explain{URL: "/a", Method: "PUT"}, true, "/srv"},
		{"/a -XPUT --from 192.0.2.1 --to [::1]:80", Explain{URL: "/a", Method: "PUT", From: "192.0.2.1", To: "[::1]:80"}, false, ""},
	} {
		c, err := Parse(append([]string{"wshttpd", "explain"}, strings.Fields(tt.args)...))
		if err != nil || !reflect.DeepEqual(*c.Explain, tt.want) || c.JSON != tt.json || c.Root != tt.root {
			t.Errorf("explain %s is %+v, json %v, root %q, %v", tt.args, c.Explain, c.JSON, c.Root, err)
		}
	}
	for _, args := range []string{"", "-d /srv", "/a /b", "/a -Z", "/a -H", "/a -e loud"} {
		if _, err := Parse(append([]string{"wshttpd", "explain"}, strings.Fields(args)...)); !errors.Is(err, ErrUsage) {
			t.Errorf("explain %s: %v, want the usage", args, err)
		}
	}
}

// TestParseReport: the options that are words stand between httpd's.
func TestParseReport(t *testing.T) {
	c, err := Parse([]string{"wshttpd", "-d", "/srv", "--report", "--json", "-DX"})
	if err != nil || !c.Test || !c.Report || !c.JSON || c.Root != "/srv" || !c.Defined("X") {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Parse([]string{"wshttpd", "--reports"}); !errors.Is(err, ErrUsage) {
		t.Errorf("--reports: %v, want the usage", err)
	}
}
