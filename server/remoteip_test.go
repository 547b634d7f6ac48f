package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// remoteIPConfs are lines of mod_remoteip, each for a host of its own.
var remoteIPConfs = []string{
	"", "RemoteIPHeader X-Forwarded-For", "RemoteIPHeader x-forwarded-for\nRemoteIPInternalProxy 127.0.0.1", "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.1",
	"RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 10.0.0.0/8", "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.0/8 10.0.0.0/8\nRemoteIPTrustedProxy 9.9.9.0/24",
	"RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127 10\nRemoteIPTrustedProxy 9.9.9.0/24 8.8.8.8 2001:db8::/32\nRemoteIPProxiesHeader X-By",
	"RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy localhost 9.9.9.9\nRemoteIPProxiesHeader X-By", "RemoteIPInternalProxy 127.0.0.1", "RemoteIPHeader Other\nRemoteIPProxiesHeader X-By",
	"RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxyList LIST\nRemoteIPProxiesHeader X-By", "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.1\nRemoteIPTrustedProxy 9.9.9.9\nRemoteIPProxyProtocol Off",
}

// remoteIPHeaders are what clients send.
var remoteIPHeaders = [][]string{
	{}, {"X-Forwarded-For: 9.9.9.9"}, {"X-Forwarded-For: 1.2.3.4, 9.9.9.9"}, {"X-Forwarded-For: 1.2.3.4,9.9.9.9 , 10.0.0.1"}, {"X-Forwarded-For: 10.0.0.1"}, {"X-Forwarded-For: 8.8.8.8, 10.0.0.1"},
	{"X-Forwarded-For: nonsense"}, {"X-Forwarded-For: 1.2.3.4, nonsense"}, {"X-Forwarded-For: nonsense, 9.9.9.9"}, {"X-Forwarded-For: a, 9.9.9.9, 10.0.0.1"}, {"X-Forwarded-For: , 9.9.9.9"}, {"X-Forwarded-For: 9.9.9.9, "}, {"X-Forwarded-For:"},
	{"X-Forwarded-For: ,"}, {"X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 9.9.9.9"}, {"X-Forwarded-For: 2001:db8::1"}, {"X-Forwarded-For: 2a00::1, 2001:db8::1"}, {"X-Forwarded-For: fe80::1"}, {"X-Forwarded-For: ::1"}, {"X-Forwarded-For: ::ffff:9.9.9.9"},
	{"X-Forwarded-For: [2a00::1]"}, {"X-Forwarded-For: 9.9.9.9:80"}, {"X-Forwarded-For: 127.0.0.1"}, {"X-Forwarded-For: 169.254.1.1"}, {"X-Forwarded-For: 172.16.0.1"}, {"X-Forwarded-For: 172.32.0.1"}, {"X-Forwarded-For: 192.168.1.1, 9.9.9.9"},
	{"X-Forwarded-For: 7.7.7.7, 8.8.8.8, 9.9.9.9"}, {"X-Forwarded-For: 7.7.7.7, 8.8.8.8, 10.1.1.1, 9.9.9.9, 10.2.2.2"}, {"X-Forwarded-For: 9.9.9.9", "X-By: me"}, {"Other: 5.5.5.5"}, {"X-Forwarded-For: 0.0.0.0"}, {"X-Forwarded-For: 300.1.1.1"},
	{"X-Forwarded-For: 9.9.9.9\t"}, {"X-Forwarded-For: 1.2.3.4\t, 9.9.9.9"},
}

// TestParityOfRemoteIP: whom both servers take for the client, and what they
// leave of the header.
func TestParityOfRemoteIP(t *testing.T) {
	home := protected(t, 1)
	conf := loadLines("authz_host", "headers", "remoteip") + "ServerName main.example\nDocumentRoot HOME/docs\nTypesConfig HOME/mime.types\n" +
		"Header always set X-Got \"expr=%{REMOTE_ADDR} %{CONN_REMOTE_ADDR} (%{req:X-Forwarded-For}) (%{req:X-By})\"\n" +
		"<Location />\nRequire ip 127.0.0.1 9.9.9.9 2000::/3\n</Location>\n"
	for i, lines := range remoteIPConfs {
		conf += fmt.Sprintf("<VirtualHost *:*>\nServerName h%d\n%s\n</VirtualHost>\n", i, strings.ReplaceAll(lines, "LIST", "HOME/list"))
	}
	write(t, home, "list", "# mine\n127.0.0.1 9.9.9.0/24 # and\n\n8.8.8.8\n")
	ours := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, conf)}
	for i, lines := range remoteIPConfs {
		for _, fields := range remoteIPHeaders {
			request := fmt.Sprintf("GET /0/f.txt HTTP/1.1\r\nHost: h%d\r\n%s\r\n\r\n", i, strings.Join(append([]string{"X: y"}, fields...), "\r\n"))
			if got, want := ours.client(t, request), theirs.client(t, request); got != want {
				t.Errorf("%q is answered %q, by httpd %q, under\n%s", fields, got, want, lines)
			}
		}
	}
}

// blanksAtEnd are those that httpd leaves behind what it has cut off.
var blanksAtEnd = strings.NewReplacer(" )", ")", "\t)", ")")

// client returns the status, and what was told of the client.
func (l *live) client(t *testing.T, request string) string {
	t.Helper()
	p := l.dial(t)
	defer p.Close()
	r := p.send(request).receive("GET")
	return fmt.Sprint(r.status) + " " + blanksAtEnd.Replace(r.header["x-got"])
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
