package server

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

const limitsConf = `
ServerName main.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
LimitRequestLine 200
LimitRequestFields 5
LimitRequestFieldSize 120
LimitRequestBody 1000
MaxKeepAliveRequests 2
<Location /sub>
LimitRequestBody 10
</Location>
<Location /a.txt>
LimitRequestBody 0
</Location>
<VirtualHost *:*>
ServerName main.example
</VirtualHost>
<VirtualHost *:*>
ServerName off.example
KeepAlive Off
</VirtualHost>
<VirtualHost *:*>
ServerName many.example
MaxKeepAliveRequests 0
</VirtualHost>
`

// TestParityOfLimits asks httpd and this server for requests at their limits.
func TestParityOfLimits(t *testing.T) {
	home := parityFiles(t)
	ours := serveIn(t, home, strings.ReplaceAll(limitsConf, "HOME", "ROOT"), nil)
	theirs := &live{addr: startApache(t, home, limitsConf)}
	var requests []string
	for n := 170; n < 200; n++ {
		requests = append(requests, fmt.Sprintf("GET /%s HTTP/1.1\r\nHost: main.example\r\n\r\n", strings.Repeat("a", n)))
	}
	for n := range 6 {
		requests = append(requests, "GET /a.txt HTTP/1.1\r\nHost: main.example\r\n"+strings.Repeat("X: y\r\n", n)+"\r\n")
	}
	for n := 110; n < 125; n++ {
		requests = append(requests, "GET /a.txt HTTP/1.1\r\nHost: main.example\r\nX: "+strings.Repeat("y", n)+"\r\n\r\n")
	}
	for _, request := range requests {
		if got, want := ours.exchange(t, "GET", request), theirs.exchange(t, "GET", request); got != want {
			t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
		}
	}
	for _, tt := range []struct {
		target string
		size   int
	}{{"/missing", 1000}, {"/missing", 1001}, {"/sub/missing", 10}, {"/sub/missing", 11}, {"/a.txt", 5000}} {
		request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: main.example\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", tt.target, tt.size, strings.Repeat("b", tt.size))
		if got, want := ours.exchange(t, "POST", request), theirs.exchange(t, "POST", request); got != want {
			t.Errorf("%+v is answered\n%s\nhttpd answers\n%s", tt, got, want)
		}
	}
	for host, want := range map[string]int{"main.example": 3, "off.example": 1, "many.example": 5} {
		for name, l := range map[string]*live{"wshttpd": ours, "httpd": theirs} {
			p := l.dial(t)
			_, _ = io.WriteString(p, strings.Repeat("GET /a.txt HTTP/1.1\r\nHost: "+host+"\r\n\r\n", 5)) // it may close before the last
			all, _ := io.ReadAll(io.LimitReader(deadlined{p}, 1<<20))
			if n := strings.Count(string(all), "HTTP/1.1 200"); n != want {
				t.Errorf("%s, %s: %d requests of 5 on a connection were answered, want %d", name, host, n, want)
			}
		}
	}
}

// deadlined reads for a second at most.
type deadlined struct{ *peer }

func (d deadlined) Read(p []byte) (int, error) {
	if err := d.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	return d.r.Read(p)
}

func TestTimesOfRequests(t *testing.T) {
	l := serve(t, "LoadModule reqtimeout_module x\nKeepAliveTimeout 200ms\nRequestReadTimeout header=1\n", nil)
	begin := time.Now()
	p := l.dial(t).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	p.receive("GET")
	if rest := p.rest(); rest != "" || time.Since(begin) > 3*time.Second {
		t.Errorf("behind an answer: %q, after %v", rest, time.Since(begin))
	}
	begin = time.Now()
	if r := l.dial(t).send("GET / HTTP/1.1\r\n").receive("GET"); r.status != 408 || time.Since(begin) < 900*time.Millisecond || time.Since(begin) > 10*time.Second {
		t.Errorf("half a head is answered %d after %v", r.status, time.Since(begin))
	}
}

func TestMaxRequestWorkersBoundsConnections(t *testing.T) {
	l := serve(t, "MaxRequestWorkers 3\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n</Location>\n", map[string]wsplugin.Plugin{"plugin": &scripted{}})
	for range 3 {
		l.upgrade(t, "/ws")
	}
	p := l.dial(t)
	_, _ = io.WriteString(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // the refusal may come first
	if r := p.receive("GET"); r.status != 503 || r.header["retry-after"] == "" {
		t.Errorf("the fourth is answered\n%s", r.head)
	}
	l.logged(t, "3 connections at most, WebSockets among them: MaxRequestWorkers (")
}

// TestFullServerClosesTLSAtOnce: a client beyond the cap that says nothing holds
// no handshake open.
func TestFullServerClosesTLSAtOnce(t *testing.T) {
	home, a := tlsFiles(t)
	l := serveIn(t, home, "LoadModule ssl_module x\nMaxRequestWorkers 1\n"+strings.ReplaceAll(tlsConf, "HOME", "ROOT"), map[string]wsplugin.Plugin{"plugin": &scripted{}})
	l.dialTLS(t, a, "first.example", "").send("GET /ws HTTP/1.1\r\nHost: first.example\r\n" + upgradeFields + "\r\n").expect(accepted + "\r\n")
	p := l.dial(t)
	if err := p.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(p.Conn); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(b) > 0 {
		t.Errorf("read %q, %v; want the end", b, err)
	}
}

// TestLargeLimitsTakeNoLargeBuffers: a file may take the limits away, and each
// connection still holds no more than a megabyte for a head.
func TestLargeLimitsTakeNoLargeBuffers(t *testing.T) {
	l := serve(t, "LimitRequestLine 999999999\nLimitRequestFieldSize 999999999\n", nil)
	if room := headRoom(&l.cfg.Main.Limits); room != maxHeadRoom {
		t.Errorf("room for a head is %d bytes, want %d", room, maxHeadRoom)
	}
	if r := l.ask(t, "GET", "/"+strings.Repeat("a/", 50_000), "X: "+strings.Repeat("y", 100_000)); r.status != 404 {
		t.Errorf("a long head is answered\n%s", r.head)
	}
}
