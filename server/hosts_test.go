package server

import (
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// hostPlaces are where the host sets are asked, by the letters that stand for
// their ports.
var hostPlaces = []string{"127.0.0.1:PORT1", "127.0.0.2:PORT1", "[::1]:PORT1", "127.0.0.1:PORT2"}

// hostNames are asked for beside those that a set names itself.
var hostNames = []string{"main.example", "none.example", "127.0.0.1", "127.0.0.2", "[::1]", "[0:0::1]", "localhost", "x.wild.example", "wild.example", "x.y.wild.example", "example"}

// hostSet is a configuration that both servers serve on two ports, and
// requests beyond those that every set is asked.
type hostSet struct {
	name  string
	conf  string
	extra []string
}

// vhost is a VirtualHost section.
func vhost(addresses string, lines ...string) string {
	return "<VirtualHost " + addresses + ">\n" + strings.Join(append(lines, ""), "\n") + "</VirtualHost>\n"
}

// withTypes has each host of a configuration tell its place by a media type.
func withTypes(conf string) string {
	n := 0
	return regexp.MustCompile("(?m)^</VirtualHost>").ReplaceAllStringFunc(conf, func(end string) string {
		n++
		return fmt.Sprintf("AddType host/%d .txt\n%s", n, end)
	})
}

// freePorts returns two ports on which nothing listens, whatever the address.
func freePorts(t *testing.T) *strings.Replacer {
	t.Helper()
	return strings.NewReplacer("PORT1", freePort(t), "PORT2", freePort(t))
}

// handedOut are the ports that tests of this process have got from freePort.
var handedOut sync.Map

// freePort returns a port on which nothing listens, whatever the address. It
// lies below those that the kernel gives to clients, who could take it before
// the server does that it is meant for.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10000 + rand.IntN(22000))
		if _, taken := handedOut.LoadOrStore(port, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// requests are what a set is asked at each place.
func (s *hostSet) requests() []string {
	names := slices.Clone(hostNames)
	for _, line := range regexp.MustCompile(`(?m)^Server(?:Name|Alias) (.*)$`).FindAllStringSubmatch(s.conf, -1) {
		for name := range strings.FieldsSeq(line[1]) {
			if _, rest, found := strings.Cut(name, "://"); found {
				name = rest
			}
			if host, _, _ := strings.Cut(name, ":"); strings.Count(name, ":") < 2 && !strings.ContainsAny(host, "*?[") {
				names = append(names, strings.ToUpper(host)+".")
			}
		}
	}
	slices.Sort(names)
	list := []string{"GET /a.txt HTTP/1.0\r\n\r\n", "GET /sub HTTP/1.0\r\n\r\n", "GET /sub HTTP/1.0\r\nHost:\r\n\r\n"}
	for _, name := range slices.Compact(names) {
		list = append(list, "GET /a.txt HTTP/1.1\r\nHost: "+name+"\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: "+name+":77\r\n\r\n")
	}
	return append(list, s.extra...)
}

// TestParityOfHostSets asks httpd and this server which host answers, for each
// set at each place by each name.
func TestParityOfHostSets(t *testing.T) {
	for _, set := range hostSets {
		t.Run(set.name, func(t *testing.T) {
			t.Parallel()
			home := parityFiles(t)
			conf := "ServerName main.example\nTypesConfig HOME/mime.types\nDocumentRoot HOME/docs\nAddType host/main .txt\nListen PORT1\nListen PORT2\n" + withTypes(set.conf)
			ourPorts, theirPorts := freePorts(t), freePorts(t)
			ours := serveIn(t, home, ourPorts.Replace(strings.ReplaceAll(conf, "HOME", "ROOT")), nil)
			theirs := &live{addr: startApache(t, home, theirPorts.Replace(conf))}
			for _, place := range hostPlaces {
				for _, request := range set.requests() {
					ours.addr, theirs.addr = ourPorts.Replace(place), theirPorts.Replace(place)
					got := unport(ourPorts, ours.exchange(t, "GET", ourPorts.Replace(request)))
					want := unport(theirPorts, theirs.exchange(t, "GET", theirPorts.Replace(request)))
					if got != want {
						t.Errorf("at %s %q is answered\n%s\nhttpd answers\n%s", place, request, got, want)
					}
				}
			}
		})
	}
}

// unport puts the names of ports back in place of their numbers.
func unport(ports *strings.Replacer, s string) string {
	return strings.NewReplacer(":"+ports.Replace("PORT1"), ":PORT1", ":"+ports.Replace("PORT2"), ":PORT2").Replace(s)
}
