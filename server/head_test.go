package server

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// requestLine is httpd's limit.
const requestLine = 8190

// TestHeads: what is refused before anything is looked at, and that one answer
// is all there is.
func TestHeads(t *testing.T) {
	l, _ := site(t, "")
	tests := []struct {
		name, request string
		status        int
	}{
		{"good", "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"bare LF", "GET /a.txt HTTP/1.1\nHost: x\n\n", 400},
		{"bare LF in one line", "GET /a.txt HTTP/1.1\r\nHost: x\n\r\n", 400},
		{"bare LF in the blank line", "GET /a.txt HTTP/1.1\r\nHost: x\r\n\n", 400},
		{"HTTP/1.0 without Host", "GET /a.txt HTTP/1.0\r\n\r\n", 200},
		{"no Host", "GET /a.txt HTTP/1.1\r\n\r\n", 400},
		{"two Hosts", "GET /a.txt HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
		{"empty Host", "GET /a.txt HTTP/1.1\r\nHost:\r\n\r\n", 400},
		{"empty port", "GET /a.txt HTTP/1.1\r\nHost: localhost:\r\n\r\n", 400},
		{"bad byte in Host", "GET /a.txt HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
		{"bad authority in the target", "GET http://a:b/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"version 2", "GET /a.txt HTTP/2.0\r\nHost: x\r\n\r\n", 505},
		{"no version", "GET /a.txt\r\n\r\n", 400},
		{"blank in a name", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", 400},
		{"blank before the colon", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA : c\r\n\r\n", 400},
		{"continued line", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},
		{"NUL in a value", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", 400},
		{"bare CR in a value", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400},
		{"line without a colon", "GET /a.txt HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n", 400},
		{"both lengths", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"two lengths", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
		{"a length with a sign", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", 400},
		{"an unknown coding", "POST /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
		{"the coding identity", "POST /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400},
		{"a length beyond LimitRequestBody", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741825\r\n\r\n", 413},
		{"an expectation", "POST /a.txt HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n", 417},
		{"a method that httpd does not know", "get /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 501},
		{"a bad escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"a fragment", "GET /a.txt#x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"a comma in Host", "GET /a.txt HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
		{"the longest line", "GET /?" + strings.Repeat("a", requestLine-len("GET / HTTP/1.1")-2) + " HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"a longer line", "GET /" + strings.Repeat("a", requestLine) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
		{"a long field", "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 8190) + "\r\n\r\n", 400},
		{"100 fields", "GET /a.txt HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 99) + "\r\n", 200},
		{"101 fields", "GET /a.txt HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100) + "\r\n", 400},
		{"a head without end", "GET /a.txt HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: "+strings.Repeat("b", 8000)+"\r\n", 4), 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := l.dial(t).send(tt.request)
			r := c.receive("GET")
			if r.status != tt.status {
				t.Errorf("answered\n%s%s\nwant %d", r.head, r.body, tt.status)
			}
			if r.status >= 400 && r.status != 404 {
				if rest := c.rest(); rest != "" {
					t.Errorf("behind the refusal came %q", rest)
				}
			}
			if strings.Contains(r.body, "a/b") {
				t.Error("the answer quotes the request")
			}
		})
	}
}

func TestBodyIsNotTheNextRequest(t *testing.T) {
	l, _ := site(t, "")
	inner := "GET /dir/ HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, request := range []string{
		"POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: " + fmt.Sprint(len(inner)) + "\r\n\r\n" + inner,
		"POST /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		"PUT /a.txt HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + fmt.Sprint(len(inner)) + "\r\n\r\n" + inner,
	} {
		c := l.dial(t).send(request)
		r := c.receive("POST")
		if r.status == 100 || r.header["connection"] != "close" {
			t.Errorf("%q is answered\n%s", request, r.head)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("behind it came %q", rest)
		}
	}
}

func TestKeepAliveAndPipelining(t *testing.T) {
	l, _ := site(t, "")
	c := l.dial(t).send(strings.Repeat("GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 50))
	for range 50 {
		if r := c.receive("GET"); r.status != 200 || r.body != "0123456789" {
			t.Fatalf("answered\n%s%s", r.head, r.body)
		}
	}
	c.send("GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if r := c.receive("GET"); r.header["connection"] != "close" {
		t.Errorf("answered\n%s", r.head)
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("behind it came %q", rest)
	}
	for _, fields := range []string{"Connection: Close\r\n", "Connection: x, close\r\n", "Connection: close\r\nConnection: x\r\n"} {
		c := l.dial(t).send("GET /a.txt HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n")
		if r := c.receive("GET"); r.header["connection"] != "close" {
			t.Errorf("%q is answered\n%s", fields, r.head)
		}
		c.rest()
	}
	old := l.dial(t).send("GET /a.txt HTTP/1.0\r\n\r\n")
	old.receive("GET")
	if rest := old.rest(); rest != "" {
		t.Errorf("HTTP/1.0 goes on with %q", rest)
	}
}

// TestSilentClients: nothing is written to them, and they hold nothing up.
func TestSilentClients(t *testing.T) {
	l, _ := site(t, "")
	for range 50 {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	begin := time.Now()
	if r := l.ask(t, "GET", "/a.txt"); r.status != 200 || time.Since(begin) > time.Second {
		t.Errorf("answered %d after %v", r.status, time.Since(begin))
	}
}
