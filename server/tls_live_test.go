package server

import (
	"bufio"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// oneSession is a cache that offers the session of one host to all others.
type oneSession struct{ session *tls.ClientSessionState }

func (c *oneSession) Get(string) (*tls.ClientSessionState, bool) { return c.session, c.session != nil }
func (c *oneSession) Put(_ string, s *tls.ClientSessionState)    { c.session = s }
func (l *live) resumes(t *testing.T, config *tls.Config, host string) bool {
	t.Helper()
	c := tls.Client(l.dial(t).Conn, config)
	p := &peer{t, c, bufio.NewReader(c)}
	p.send("GET /a.txt HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").receive("GET")
	p.rest() // a ticket of TLS 1.3 comes with what is read
	return c.ConnectionState().DidResume
}

// TestSessionsAreTakenUpAgain, at the host that has begun them and at no other,
// where another certificate of the client's may count.
func TestSessionsAreTakenUpAgain(t *testing.T) {
	home, _ := tlsParityFiles(t)
	conf := "LoadModule ssl_module x\n" + tlsHead + host("first.example", "first.example") + host("second.example", "first.example", "SSLVerifyClient optional", "SSLCACertificateFile ROOT/ca.pem") +
		host("third.example", "first.example", "SSLSessionTickets off") + host("fourth.example", "first.example", "SSLVerifyClient require", "SSLCACertificateFile ROOT/ca.pem", "SSLSessionTicketKeyFile ROOT/crl.pem")
	l := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), map[string]wsplugin.Plugin{})
	other := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), map[string]wsplugin.Plugin{})
	pair, err := tls.LoadX509KeyPair(home+"/client.pem", home+"/client.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, tt := range []struct {
			begins, goesOn string
			at             *live
			want           bool
		}{
			{"first.example", "first.example", l, true}, {"second.example", "second.example", l, true}, {"first.example", "second.example", l, false}, {"second.example", "first.example", l, false},
			{"third.example", "third.example", l, false}, {"fourth.example", "fourth.example", l, true}, {"fourth.example", "fourth.example", other, true}, {"first.example", "first.example", other, false},
		} {
			config := &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ClientSessionCache: &oneSession{}, ServerName: tt.begins, Certificates: []tls.Certificate{pair}}
			l.resumes(t, config, tt.begins)
			config.ServerName = tt.goesOn
			if got := tt.at.resumes(t, config, tt.goesOn); got != tt.want {
				t.Errorf("%s: a session of %s at %s (another server: %v): %v, want %v", tls.VersionName(version), tt.begins, tt.goesOn, tt.at == other, got, tt.want)
			}
		}
	}
}

// TestParityOfPlainHTTPOnATLSPort: what is said to who begins without TLS.
func TestParityOfPlainHTTPOnATLSPort(t *testing.T) {
	home, _ := tlsFiles(t)
	conf := tlsHead + host("first.example", "first.example")
	ours := serveIn(t, home, "LoadModule ssl_module x\n"+strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	theirs := &live{addr: startApache(t, home, "LoadModule ssl_module modules/mod_ssl.so\n"+conf)}
	for _, begin := range []string{
		"GET /a.txt HTTP/1.1\r\nHost: first.example\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "HEAD / HTTP/1.0\r\n\r\n", "PUT /x HTTP/1.0\r\n\r\n", "get / HTTP/1.0\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\n\r\n", "\r\nGET / HTTP/1.0\r\n\r\n", "SSH-2.0-x\r\n", "\x00\x01\x02\x03\x04\x05\x06",
	} {
		said := make([]string, 2)
		for i, l := range []*live{ours, theirs} {
			p := l.dial(t).send(begin)
			all, _ := io.ReadAll(p.r) // a reset comes where the rest was not read
			head, body, _ := strings.Cut(string(all), "\r\n\r\n")
			said[i] = strings.SplitN(head, "\r\n", 2)[0]
			if strings.Contains(head, "Connection: close") {
				said[i] += " closes "
			}
			if from := strings.Index(body, "<p>"); from >= 0 {
				said[i] += body[from : strings.Index(body, "</p>")+4]
			}
		}
		if strings.HasPrefix(said[0], "\x15") && !strings.HasPrefix(said[1], "HTTP/") { // an alert, or nothing: it is the same to who speaks no TLS
			continue
		}
		if said[0] != said[1] {
			t.Errorf("%q is answered %q, by httpd %q", begin, said[0], said[1])
		}
	}
}

// TestEndsOfTLS: who ends first says so, and the other may go on.
func TestEndsOfTLS(t *testing.T) {
	home, a := tlsFiles(t)
	conf := "LoadModule ssl_module x\nKeepAliveTimeout 1\nTimeout 3\nLoadModule reqtimeout_module x\nRequestReadTimeout header=1 body=1\n" + tlsConf
	l := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), map[string]wsplugin.Plugin{"plugin": &scripted{}})
	const request = "GET /a.txt HTTP/1.1\r\nHost: first.example\r\n\r\n"
	t.Run("a client that has ended is answered", func(t *testing.T) {
		p := l.dialTLS(t, a, "first.example", "").send(request)
		if err := p.Conn.(*tls.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if r := p.receive("GET"); r.status != 200 || p.rest() != "" {
			t.Errorf("answered %d", r.status)
		}
	})
	t.Run("requests follow one another, and the server ends by close_notify", func(t *testing.T) {
		p := l.dialTLS(t, a, "first.example", "")
		for range 3 {
			if r := p.send(request).receive("GET"); r.status != 200 || r.header["connection"] == "close" {
				t.Errorf("answered %s", r.head)
			}
		}
		p.send(request + request)
		p.receive("GET")
		p.receive("GET")
		p.rest() // fails where the end is not announced
	})
	t.Run("a handshake that does not come is not waited for", func(t *testing.T) {
		for _, begin := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
			p, began := l.dial(t).send(begin), time.Now()
			_, _ = io.ReadAll(p.r) // an alert, or nothing
			if took := time.Since(began); took < 500*time.Millisecond || took > 4*time.Second {
				t.Errorf("after %q closed in %v", begin, took)
			}
		}
	})
	t.Run("a client that cuts a WebSocket is lost", func(t *testing.T) {
		p := l.dialTLS(t, a, "first.example", "")
		p.send("GET /ws HTTP/1.1\r\nHost: first.example\r\n" + upgradeFields + "\r\n").expect(accepted + "\r\n")
		p.send(frame(0x81, "x")).expect("\x81\x01x")
		if err := p.Conn.(*tls.Conn).NetConn().Close(); err != nil { // without close_notify
			t.Fatal(err)
		}
		for begin := time.Now(); len(l.open.all()) > 0; time.Sleep(10 * time.Millisecond) {
			if time.Since(begin) > 5*time.Second {
				t.Fatal("it is still there")
			}
		}
	})
}
