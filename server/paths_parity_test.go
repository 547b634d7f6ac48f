package server

import (
	"strings"
	"testing"
)

// pathsConf is served by both: a host for each way of reading paths.
const pathsConf = `
ServerName main.example
DocumentRoot HOME/docs
TypesConfig HOME/mime.types
AllowEncodedSlashes NoDecode
<Location /sub/>
AddType section/sub .html
</Location>
<Location /closed>
Require all denied
</Location>
<Location /sub//deep>
Require all denied
</Location>
<LocationMatch "^/sub%2f">
Require all denied
</LocationMatch>
<VirtualHost *>
ServerName merged.example
AllowEncodedSlashes Off
</VirtualHost>
<VirtualHost *>
ServerName kept.example
MergeSlashes Off
AllowEncodedSlashes On
</VirtualHost>
<VirtualHost *>
ServerName decoded.example
AllowEncodedSlashes On
MergeSlashes On
</VirtualHost>
<VirtualHost *>
ServerName nodecode.example
AllowEncodedSlashes NoDecode
</VirtualHost>
<VirtualHost *>
ServerName inherits.example
</VirtualHost>
`

// TestParityOfPaths asks httpd and this server for paths with slashes of every
// kind.
func TestParityOfPaths(t *testing.T) {
	home := parityFiles(t)
	ours := serveIn(t, home, strings.ReplaceAll(pathsConf, "HOME", "ROOT"), nil)
	theirs := &live{addr: startApache(t, home, pathsConf)}
	targets := []string{"/", "//", "///", "/a.txt", "//a.txt", "/sub//other.html", "/sub//deep", "/sub/deep", "/sub///deep", "//sub/other.html", "/sub//", "/sub///", "//closed/f.txt", "/closed//f.txt", "/./closed/f.txt",
		"/sub//../a.txt", "/sub//..//a.txt", "/sub/..//a.txt", "//..", "//../a.txt", "///../../a.txt", "/../a.txt", "/sub/.//other.html", "/sub//./other.html", "/sub/./", "/sub//.", "/sub//..", "/.", "/..", "//.",
		"/sub%2fother.html", "/sub%2Fother.html", "/sub%2f", "/%2fa.txt", "/%2f", "/closed%2ff.txt", "/sub%2f..%2fa.txt", "/sub%2f../a.txt", "/%2e%2e%2fa.txt", "/sub%2f%2fother.html", "/sub%2f%zz", "/%00%2f", "/%2f%00",
		"/sub%252fother.html", "/sub%25", "/a%25b", "/sub%2f?x=%2f", "/nolink%2ff.txt", "/missing%2f", "/missing//x", "/a.txt/", "/a.txt//", "/empty//", "/sub/%2e%2e//a.txt", "/sub%2f.%2e/a.txt", "/.%2fa.txt", "/m1//x.txt", "/m1/x.txt"}
	for _, host := range []string{"merged.example", "kept.example", "decoded.example", "inherits.example", "nodecode.example"} {
		for _, target := range targets {
			request := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
			if got, want := ours.exchange(t, "GET", request), theirs.exchange(t, "GET", request); got != want {
				t.Errorf("%q is answered\n%s\nhttpd answers\n%s", request, got, want)
			}
		}
	}
}
