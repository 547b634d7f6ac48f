package server

import (
	"slices"
	"strings"
	"testing"
)

// methodsConf is served by both: a host for each mode of TraceEnable, and for
// the methods that are taken.
const methodsConf = `
ServerName main.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
RegisterHttpMethod OWN
TraceEnable on
<Location /shut>
Require all denied
</Location>
<VirtualHost *>
ServerName on.example
</VirtualHost>
<VirtualHost *>
ServerName off.example
TraceEnable Off
</VirtualHost>
<VirtualHost *>
ServerName extended.example
TraceEnable extended
HttpProtocolOptions RegisteredMethods Strict
</VirtualHost>
<VirtualHost *>
ServerName lenient.example
HttpProtocolOptions LenientMethods Require1.0
</VirtualHost>
`

// TestParityOfMethods asks httpd and this server by methods that no file
// answers.
func TestParityOfMethods(t *testing.T) {
	for _, first := range []string{"", "HttpProtocolOptions RegisteredMethods\n"} {
		home := parityFiles(t)
		conf := first + methodsConf
		ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
		compareMethods(t, ours, &live{addr: startApache(t, home, conf)})
	}
}

func compareMethods(t *testing.T, ours, theirs *live) {
	t.Helper()
	for _, host := range []string{"on.example", "off.example", "extended.example", "lenient.example"} {
		for _, method := range []string{"TRACE", "OPTIONS", "PUT", "PROPFIND", "OWN", "FOO", "trace"} {
			for _, target := range []string{"/a.txt", "/missing", "/shut", "/sub", "/a.txt?x=%zz", "/%zz", "/..", "*", "http://on.example/a.txt"} {
				request := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\nX:  one \r\nCookie: c\r\nx: two\r\n"
				for _, end := range []string{"\r\n", "Content-Length: 0\r\n\r\n"} {
					got, want := ours.allowed(t, method, request+end), theirs.allowed(t, method, request+end)
					if got != want {
						t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request+end, got, want)
					}
				}
			}
		}
		request := "TRACE /a.txt HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 3\r\n\r\nabc"
		if got, want := ours.allowed(t, "TRACE", request), theirs.allowed(t, "TRACE", request); got != want && host != "extended.example" {
			t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
		}
	}
}

// allowed is exchange for an answer in chunks, of which that of httpd to TRACE
// is one; the order of Allow differs from run to run there.
func (l *live) allowed(t *testing.T, method, request string) string {
	t.Helper()
	p := l.dial(t)
	defer p.Close()
	r := p.send(strings.Replace(request, "\r\n", "\r\nConnection: close\r\n", 1)).receive(method)
	switch {
	case r.status == 405 && method == "TRACE": // httpd leaves Allow out (RFC 9110, section 15.5.6)
		return "405"
	case r.status != 200 || method != "TRACE":
		return strings.TrimPrefix(r.head, "HTTP/1.1 ")[:4] + sortedList(r.header["allow"])
	}
	body := r.body
	if r.header["transfer-encoding"] == "chunked" {
		_, body, _ = strings.Cut(p.rest(), "\r\n")
		body = strings.TrimSuffix(body, "\r\n0\r\n\r\n")
	}
	return r.header["content-type"] + "\n" + body
}

func sortedList(s string) string {
	list := strings.Split(s, ",")
	slices.Sort(list)
	return strings.Join(list, ",")
}
