package examples

import (
	"fmt"
	"sync"
	"testing"
)

// TestOldDraftsAtOnce has 50 clients of the drafts at the same time: half of
// them echo up to 100 KiB and close, the other half count and are closed by
// the server.
func TestOldDraftsAtOnce(t *testing.T) {
	p := serve(t, readConf(t, "readme-both.conf"))
	port := fmt.Sprint(p.port)
	clients := [][]string{
		{"ruby", "testdata/clients/ruby_websocket.rb", "75", "127.0.0.1", port, "/echo"},
		{"ruby", "testdata/clients/ruby_websocket.rb", "76", "127.0.0.1", port, "/echo"},
		{"perl", "testdata/clients/protocol_websocket.pl", "draft-hixie-75", "127.0.0.1", port, "/echo"},
		{"perl", "testdata/clients/protocol_websocket.pl", "draft-ietf-hybi-00", "127.0.0.1", port, "/echo"},
		{"perl", "testdata/clients/protocol_websocket.pl", "draft-ietf-hybi-00", "127.0.0.1", port, "/dumb-increment", "dumb-increment-protocol"},
	}
	var running sync.WaitGroup
	for i := range 50 {
		c := clients[i%len(clients)]
		running.Go(func() { client(t, c[0], c[1:]...) })
	}
	running.Wait()
}

// TestTheServerClosesAnOldClient: with closeme the counter closes, as each
// version can.
func TestTheServerClosesAnOldClient(t *testing.T) {
	for _, conf := range []string{"readme-both.conf", "httpd.conf"} { // in C, in Go
		p := serve(t, readConf(t, conf))
		port := fmt.Sprint(p.port)
		for _, version := range []string{"8", "13"} {
			t.Run(conf+" version "+version, func(t *testing.T) {
				client(t, "ruby", "testdata/clients/ruby_websocket.rb", version, "127.0.0.1", port, "/dumb-increment", "dumb-increment-protocol")
			})
		}
		drafts := []string{"draft-ietf-hybi-00"}
		if conf == "readme-both.conf" {
			drafts = append(drafts, "draft-hixie-75")
		}
		for _, version := range drafts {
			t.Run(conf+" "+version, func(t *testing.T) {
				client(t, "perl", "testdata/clients/protocol_websocket.pl", version, "127.0.0.1", port, "/dumb-increment", "dumb-increment-protocol")
			})
		}
	}
}
