package httpdconf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// largeConf is a configuration of about 5,000 lines.
func largeConf(hosts, locations int) []byte {
	var b strings.Builder
	b.WriteString("ServerName main.example\nListen 127.0.0.1:8080\nErrorLog /dev/null\nDocumentRoot /tmp\nLoadModule websocket_module x\nLoadModule authz_core_module x\n")
	for h := range hosts {
		fmt.Fprintf(&b, "<VirtualHost *:*>\nServerName host%d.example\nServerAlias www.host%d.example alias%d.example\n", h, h, h)
		for l := range locations {
			fmt.Fprintf(&b, "<Location /app%d/part%d>\nRequire all granted\n</Location>\n", l, h)
		}
		b.WriteString("</VirtualHost>\n")
	}
	return []byte(b.String())
}

// BenchmarkLoadLarge reads 8,000 lines with 500 virtual hosts and 2,000
// Locations.
func BenchmarkLoadLarge(b *testing.B) {
	file := filepath.Join(b.TempDir(), "httpd.conf")
	if err := os.WriteFile(file, largeConf(500, 4), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: "/tmp"}); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
