package server

import (
	"strings"
	"testing"
)

// TestStartLine takes request lines whole and in two pieces: what is logged of
// one is the same.
func TestStartLine(t *testing.T) {
	const limit = 20
	tests := map[string]badLine{
		"GET /a?b HTTP/1.1\r\nHost: x":  {request: "GET /a?b HTTP/1.1", method: "GET", path: "/a", query: "b", protocol: "HTTP/1.1"},
		"\r\n\nGET /\r\n":               {request: "GET /", method: "GET", path: "/", protocol: "HTTP/1.0"},
		" GET\t/ x HTTP/1.1\r\n":        {request: "GET / x", method: "GET", path: "/", protocol: "HTTP/1.0"},
		"GET / HTTP/0.9\r\n":            {request: "GET / HTTP/0.9", method: "GET", path: "/", protocol: "HTTP/1.0"},
		"GET / HTTP/1.1\n":              {request: "GET / HTTP/1.1\n", protocol: "HTTP/1.0"},
		" \r\n":                         {path: "/", protocol: "HTTP/1.0"},
		"GET /":                         {protocol: "HTTP/1.0"},
		"\r\n":                          {protocol: "HTTP/1.0", unanswered: true},
		"GET /56789012 HTTP/1.1\r\n":    {request: "GET /56789012 HTTP/1.", protocol: "HTTP/1.0"},
		"GET /5678901 HTTP/1.1\r\n":     {request: "GET /5678901 HTTP/1.1", method: "GET", path: "/5678901", protocol: "HTTP/1.1"},
		strings.Repeat("x", 100) + "\n": {request: strings.Repeat("x", limit+httpdsOwn), protocol: "HTTP/1.0"},
	}
	for text, want := range tests {
		for cut := range len(text) {
			var l startLine
			l.take([]byte(text[:cut]), limit)
			l.take([]byte(text[cut:]), limit)
			if got := *l.logged(limit); got != want {
				t.Errorf("%q, cut at %d, is logged %+v, want %+v", text, cut, got, want)
			}
		}
	}
}
