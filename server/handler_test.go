package server

import "testing"

// TestRefusedHandshakeEndsTheConnection: what follows may be frames, which must
// not be taken for a request (reliability.md, hazard 20), also where Require or
// the file system refuses.
func TestRefusedHandshakeEndsTheConnection(t *testing.T) {
	root := tree(t, "docs/a.txt", "docs/link -> a.txt")
	l := serveIn(t, root, `DocumentRoot docs
<Directory ROOT/docs>
Options None
</Directory>
<Location />
SetHandler websocket-handler
</Location>
<Location /shut>
Require all denied
</Location>
`, nil)
	second := "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, path := range []string{"/shut", "/link"} {
		c := l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n" + second)
		if r := c.receive("GET"); r.status != 403 {
			t.Errorf("a handshake at %s is answered\n%s", path, r.head)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("behind the refusal at %s came %q", path, rest)
		}
		c = l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" + second)
		if r := c.receive("GET"); r.status != 403 {
			t.Errorf("%s is answered\n%s", path, r.head)
		}
		if r := c.receive("GET"); r.status != 200 {
			t.Errorf("behind a plain refusal at %s came\n%s", path, r.head)
		}
	}
}
