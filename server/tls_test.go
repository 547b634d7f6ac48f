package server

import (
	"bufio"
	"crypto/tls"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// dialTLS connects as a client that trusts the authority and names a host.
func (l *live) dialTLS(t *testing.T, a *authority, name, client string) *peer {
	t.Helper()
	config := &tls.Config{RootCAs: a.pool, ServerName: name}
	if client != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(a.dir, client+".pem"), filepath.Join(a.dir, client+".key"))
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	c := tls.Client(l.dial(t).Conn, config)
	return &peer{t, c, bufio.NewReader(c)}
}

const tlsConf = `
ServerName first.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
<Location /ws>
SetHandler websocket-handler
WebSocketHandler none.so plugin
WebSocketOriginCheck Same
</Location>
<Location /secure>
SSLRequireSSL
</Location>
<VirtualHost *:*>
ServerName first.example
SSLEngine on
SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1
SSLCipherSuite HIGH:!aNULL:!MD5
SSLCertificateFile HOME/first.example.pem
SSLCertificateKeyFile HOME/first.example.key
</VirtualHost>
<VirtualHost *:*>
ServerName second.example
SSLEngine on
SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1
SSLCipherSuite HIGH:!aNULL:!MD5
SSLCertificateFile HOME/second.example.pem
SSLCertificateKeyFile HOME/second.example.key
AddType second/host txt
</VirtualHost>
<VirtualHost *:*>
ServerName asks.example
SSLEngine on
SSLCertificateFile HOME/closed.example.pem
SSLCertificateKeyFile HOME/closed.example.key
SSLVerifyClient optional
SSLCACertificateFile HOME/ca.pem
</VirtualHost>
<VirtualHost *:*>
ServerName closed.example
SSLEngine on
SSLCertificateFile HOME/closed.example.pem
SSLCertificateKeyFile HOME/closed.example.key
SSLVerifyClient require
SSLCACertificateFile HOME/ca.pem
</VirtualHost>
`

// tlsFiles makes what tlsConf names.
func tlsFiles(t *testing.T) (home string, a *authority) {
	t.Helper()
	home = parityFiles(t)
	a = newAuthority(t, home)
	for _, name := range []string{"first.example", "second.example", "closed.example", "client"} {
		a.issue(name, false)
	}
	return home, a
}

func serveTLS(t *testing.T) (*live, *authority) {
	t.Helper()
	home, a := tlsFiles(t)
	return serveIn(t, home, "LoadModule ssl_module x\n"+strings.ReplaceAll(tlsConf, "HOME", "ROOT"), map[string]wsplugin.Plugin{"plugin": &scripted{}}), a
}

func TestParityOfTLS(t *testing.T) {
	home, a := tlsFiles(t)
	ours := serveIn(t, home, "LoadModule ssl_module x\n"+strings.ReplaceAll(tlsConf, "HOME", "ROOT"), map[string]wsplugin.Plugin{"plugin": &scripted{}})
	conf := strings.Replace(tlsConf, "SetHandler websocket-handler\nWebSocketHandler none.so plugin\nWebSocketOriginCheck Same\n", "", 1)
	theirs := &live{addr: startApache(t, home, "LoadModule ssl_module modules/mod_ssl.so\n"+conf)}
	for _, tt := range []struct{ sni, host, target, client string }{
		{"first.example", "first.example", "/a.txt", ""}, {"second.example", "second.example", "/a.txt", ""}, {"second.example", "first.example", "/a.txt", ""},
		{"first.example", "second.example", "/a.txt", ""}, {"first.example", "closed.example", "/a.txt", ""}, {"closed.example", "closed.example", "/a.txt", "client"},
		{"closed.example", "first.example", "/a.txt", "client"}, {"first.example", "first.example", "/sub", ""}, {"first.example", "first.example:8443", "/sub?x", ""},
		{"first.example", "first.example", "/secure/", ""}, {"first.example", "unknown.example", "/a.txt", ""}, {"first.example", "first.example", "/missing", "client"},
		{"closed.example", "asks.example", "/a.txt", "client"},
	} {
		request := "GET " + tt.target + " HTTP/1.1\r\nHost: " + tt.host + "\r\n\r\n"
		answers := make([]string, 2)
		for i, l := range []*live{ours, theirs} {
			r := l.dialTLS(t, a, tt.sni, tt.client).send(request).receive("GET")
			answers[i] = strings.Join([]string{strings.SplitN(r.head, "\r\n", 2)[0], r.header["location"], r.header["content-type"]}, " ")
			if r.status >= 300 {
				answers[i] = strings.SplitN(answers[i], ";", 2)[0]
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%+v is answered %q, by httpd %q", tt, answers[0], answers[1])
		}
	}
	for _, l := range []*live{ours, theirs} {
		if r := l.dial(t).send("GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n").receive("GET"); r.status != 400 {
			t.Errorf("plain HTTP is answered\n%s", r.head)
		}
		p := l.dialTLS(t, a, "closed.example", "")
		_, _ = io.WriteString(p, "GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n") // the refusal may come first
		if _, err := io.ReadAll(p); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("without a certificate: %v", err)
		}
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	l, a := serveTLS(t)
	for name, payload := range map[string]string{"small": "hello", "several reads": strings.Repeat("0123456789", 30_000)} {
		t.Run(name, func(t *testing.T) {
			p := l.dialTLS(t, a, "second.example", "")
			p.send("GET /ws HTTP/1.1\r\nHost: second.example\r\nOrigin: https://second.example\r\n" + upgradeFields + "\r\n" + frame(0x82, payload))
			p.expect(accepted + "\r\n")
			if opcode, got := p.message(); opcode != 0x82 || got != payload {
				t.Errorf("echoed %#x and %d bytes", opcode, len(got))
			}
			p.send(frame(0x88, "\x03\xe8")).expect("\x88\x02\x03\xe8")
			// The server ends its half at once, by close_notify: it does not
			// wait for the client to end first.
			if err := p.SetReadDeadline(time.Now().Add(closeTime / 2)); err != nil {
				t.Fatal(err)
			}
			if rest := p.rest(); rest != "" {
				t.Errorf("behind the close frame: %q", rest)
			}
		})
	}
	r := l.dialTLS(t, a, "first.example", "").send("GET /ws HTTP/1.1\r\nHost: first.example\r\nOrigin: http://first.example\r\n" + upgradeFields + "\r\n").receive("GET")
	if r.status != 403 {
		t.Errorf("an origin without TLS is answered %d", r.status)
	}
	p := l.dialTLS(t, a, "first.example", "")
	p.send("GET /ws HTTP/1.1\r\nHost: first.example\r\n" + upgradeFields + "\r\n").expect(accepted + "\r\n")
	l.StopAccepting()
	go l.Shutdown(t.Context())
	p.expect("\x88\x02\x03\xe9") // 1001, as on the loop
}

// message reads an unmasked message of one frame.
func (p *peer) message() (first byte, payload string) {
	p.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.r, head); err != nil {
		p.t.Fatal(err)
	}
	size := int(head[1])
	if n := map[byte]int{126: 2, 127: 8}[head[1]]; n > 0 {
		more := make([]byte, n)
		if _, err := io.ReadFull(p.r, more); err != nil {
			p.t.Fatal(err)
		}
		size = 0
		for _, b := range more {
			size = size<<8 | int(b)
		}
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(p.r, b); err != nil {
		p.t.Fatal(err)
	}
	return head[0], string(b)
}

// TestForeignClientOverTLS: python's websockets, which checks the certificate.
func TestForeignClientOverTLS(t *testing.T) {
	l, _ := serveTLS(t)
	script := `
import asyncio, ssl, sys, websockets
async def main():
    context = ssl.create_default_context(cafile=sys.argv[2])
    async with websockets.connect("wss://second.example:%s/ws" % sys.argv[1], ssl=context, server_hostname="second.example", host="127.0.0.1", port=int(sys.argv[1])) as ws:
        for text in ("hello", "x" * 100000):
            await ws.send(text)
            assert await ws.recv() == text
        assert ws.subprotocol is None
asyncio.run(main())
`
	out, err := exec.Command("/usr/bin/python3", "-c", script, l.addr[strings.LastIndexByte(l.addr, ':')+1:], filepath.Join(filepath.Dir(l.log), "ca.pem")).CombinedOutput()
	if err != nil {
		t.Errorf("%v (apt-get install python3-websockets)\n%s", err, out)
	}
}

func TestBadCertificates(t *testing.T) {
	home := t.TempDir()
	a := newAuthority(t, home)
	a.issue("one", false)
	a.issue("two", false)
	a.encrypt("one.key", "secret.key")
	for conf, want := range map[string]string{
		"SSLEngine on": "AH02572: Failed to configure at least one certificate and key for",
		"SSLEngine on\nSSLCertificateFile ROOT/one.pem\nSSLCertificateKeyFile ROOT/two.key":                                  "two.key do not match (ROOT/try.conf:5)",
		"SSLEngine on\nSSLCertificateFile ROOT/one.pem\nSSLCertificateFile ROOT/two.pem\nSSLCertificateKeyFile ROOT/one.key": "(ROOT/try.conf:5)",
		"SSLEngine on\nSSLCertificateFile ROOT/one.key":                                                                      "AH02562: Failed to configure certificate, check ROOT/one.key: it holds no certificate (ROOT/try.conf:4)",
		"SSLEngine on\nSSLCertificateFile ROOT/one.pem\nSSLCertificateKeyFile ROOT/secret.key":                               "AH02564: Failed to configure encrypted private key, check ROOT/secret.key",
		goodPair + "SSLCACertificateFile ROOT/one.key":                                                                       "AH01895: Unable to configure verify locations for client authentication: ROOT/one.key holds no CERTIFICATE (ROOT/try.conf:6)",
		goodPair + "SSLCARevocationCheck leaf":                                                                               "neither SSLCARevocationFile nor SSLCARevocationPath is configured (ROOT/try.conf:6)",
		goodPair + "SSLCARevocationCheck leaf\nSSLCARevocationFile ROOT/one.pem":                                             "AH01901",
		goodPair + "SSLVerifyClient require\nSSLCACertificateFile ROOT/ca.pem\nSSLCADNRequestFile ROOT/one.key":              "AH01896",
		goodPair + "SSLSessionTicketKeyFile ROOT/short":                                                                      "AH02287: Failed to read 48 bytes from ROOT/short",
	} {
		if err := os.WriteFile(filepath.Join(home, "short"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		want = strings.ReplaceAll(want, "ROOT", home)
		if err := tryListen(t, home, "LoadModule ssl_module x\n"+conf+"\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", conf, err, want)
		}
	}
}

const goodPair = "SSLEngine on\nSSLCertificateFile ROOT/one.pem\nSSLCertificateKeyFile ROOT/one.key\n"
