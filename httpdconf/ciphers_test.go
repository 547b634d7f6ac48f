package httpdconf

import (
	"crypto/tls"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestCiphersAreOpenSSLs: of what OpenSSL makes of a string, what Go has is left.
func TestCiphersAreOpenSSLs(t *testing.T) {
	names := make(map[uint16]string)
	for _, c := range ciphers {
		names[c.id] = c.name
		if tls.CipherSuiteName(c.id) == "" {
			t.Errorf("%s is none of Go's", c.name)
		}
	}
	for _, s := range []string{
		"HIGH:!aNULL", "HIGH:!aNULL:!MD5", "HIGH:MEDIUM:!MD5:!RC4:!3DES", "ALL:!ADH:!EXPORT:!SSLv2:RC4+RSA:+HIGH:+MEDIUM:+LOW", "ECDHE+AESGCM", "EECDH+AESGCM:EDH+AESGCM", "AES256:!kRSA",
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256",
		"HIGH:-AES128:AES128+SHA256", "aRSA:!SHA1", "ECDSA:!CHACHA20", "AES128-SHA", "kRSA", "ALL:!kRSA:!SHA1:!SHA256", "AESGCM:CHACHA20", "!AES256:HIGH",
	} {
		ids, unknown := parseCiphers(s)
		var got []string
		for _, id := range ids {
			got = append(got, names[id])
		}
		out, err := exec.Command("openssl", "ciphers", "-s", "-tls1_2", s+":@SECLEVEL=0").Output()
		if err != nil {
			t.Fatalf("openssl ciphers %s: %v", s, err)
		}
		var want []string
		for name := range strings.SplitSeq(strings.TrimSpace(string(out)), ":") {
			if slices.ContainsFunc(ciphers, func(c cipher) bool { return c.name == name }) {
				want = append(want, name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if unknown != "" || !slices.Equal(got, want) {
			t.Errorf("%s is\n%q (unknown %q), with OpenSSL\n%q", s, got, unknown, want)
		}
	}
	if _, unknown := parseCiphers("HIGH:FOO"); unknown != "FOO" {
		t.Errorf("unknown is %q", unknown)
	}
}
