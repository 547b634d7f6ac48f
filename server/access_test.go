package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// accessRules are sections' contents; both servers are asked for a file and by
// several methods under each.
var accessRules = []string{
	"", "Require all granted", "Require all denied", "Require all denied\nRequire all granted",
	"Require ip 127.0.0.1", "Require ip 127", "Require ip 10.0.0.0/8", "Require ip 10.0.0.0/8\nRequire local", "Require local",
	"Require method GET", "Require method HEAD", "Require method POST OPTIONS", "Require method",
	"Require expr true", "Require expr false", "Require expr \"%{REQUEST_METHOD} == 'GET'\"", "Require expr %{REQUEST_URI} =~ m#/f.txt$#",
	"Require expr %{HTTP_USER_AGENT} == 'probe'", "Require expr %{req:X-Probe} -strmatch 'a*'", "Require expr -R '127.0.0.0/8'", "Require expr -R '10.0.0.0/8'",
	"Require expr %{QUERY_STRING} == 'q=1'", "Require expr %{REMOTE_ADDR} == '127.0.0.1'", "Require expr %{SERVER_PROTOCOL} == 'HTTP/1.1'",
	"Require expr %{HTTP_HOST} == 'main.example'", "Require expr %{CONN_REMOTE_ADDR} -ipmatch '127.0.0.1'", "Require expr %{http:X-None} == ''",
	"<RequireAll>\nRequire all granted\nRequire not ip 127.0.0.1\n</RequireAll>", "<RequireAll>\nRequire all granted\nRequire not ip 10\n</RequireAll>",
	"<RequireAll>\nRequire local\nRequire method GET\n</RequireAll>", "<RequireAll>\nRequire local\nRequire all denied\n</RequireAll>",
	"<RequireAny>\nRequire ip 10\nRequire method POST\n</RequireAny>", "<RequireAny>\nRequire ip 10\n</RequireAny>\nRequire local",
	"<RequireAll>\nRequire local\n<RequireNone>\nRequire method POST\nRequire method OPTIONS\n</RequireNone>\n</RequireAll>",
	"<RequireAll>\nRequire local\n<RequireNone>\nRequire ip 10\n</RequireNone>\n</RequireAll>",
	"<RequireAll>\n<RequireAny>\nRequire ip 10\nRequire method GET\n</RequireAny>\n<RequireAny>\nRequire local\nRequire all denied\n</RequireAny>\n</RequireAll>",
	"<RequireAny>\n<RequireAll>\nRequire method GET\nRequire ip 10\n</RequireAll>\n<RequireAll>\nRequire not method GET\nRequire local\n</RequireAll>\n</RequireAny>",
	"<RequireAll>\nRequire not expr false\nRequire local\n</RequireAll>", "<RequireAll>\nRequire not expr true\nRequire local\n</RequireAll>",
	"<RequireAll>\nRequire not all denied\nRequire all granted\n</RequireAll>", "<RequireAll>\nRequire not all granted\nRequire all granted\n</RequireAll>",
	"AuthMerging Off", "AuthMerging And", "AuthMerging Or", "AuthzSendForbiddenOnFailure On",
	"AuthMerging And\nRequire all granted", "AuthMerging And\nRequire all denied", "AuthMerging Or\nRequire all granted", "AuthMerging Or\nRequire all denied",
	"AuthMerging Or\nRequire method POST", "AuthMerging And\nRequire method GET", "AuthMerging Off\nRequire method GET",
	"AuthMerging And\n<RequireAll>\nRequire not method GET\nRequire local\n</RequireAll>",
	"Order allow,deny", "Order deny,allow", "Order mutual-failure", "Allow from all", "Deny from all", "Deny from all\nAllow from 127", "Order allow,deny\nAllow from all",
	"Order allow,deny\nAllow from all\nDeny from 127.0.0.0/8", "Order mutual-failure\nAllow from 127.0.0.1", "Order mutual-failure\nAllow from all\nDeny from 127.0.0.1",
	"Deny from 10.0.0.0/8 127.0.0.1", "Order allow,deny\nAllow from 10.", "Order deny,allow\nDeny from all\nAllow from 127.0.0.1\nRequire method POST", "Satisfy All", "Satisfy Any", "Satisfy Any\nOrder deny,allow\nDeny from all\nRequire method GET", "Order allow,deny\nAllow from all\nSatisfy any\nRequire all denied",
}

// outerRules are those of a section around them.
var outerRules = []string{"", "Require all granted", "Require all denied", "Require method POST", "AuthMerging Or\nRequire method GET", "Order allow,deny", "Deny from 127.0.0.1\nRequire all granted"}

// TestParityOfAccess asks httpd and this server for a file below every pair of
// an outer and an inner section, and below a third that adds to the inner.
func TestParityOfAccess(t *testing.T) {
	home := tree(t, "docs/")
	var conf strings.Builder
	conf.WriteString("LoadModule authz_host_module modules/mod_authz_host.so\nLoadModule access_compat_module modules/mod_access_compat.so\nServerName main.example\nDocumentRoot HOME/docs\nTypesConfig HOME/mime.types\n")
	var paths []string
	for i, outer := range outerRules {
		for k, inner := range accessRules {
			dir := fmt.Sprintf("/%d/%d", i, k)
			if err := os.MkdirAll(filepath.Join(home, "docs", dir, "in"), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{dir + "/f.txt", dir + "/in/f.txt"} {
				if err := os.WriteFile(filepath.Join(home, "docs", name), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
				paths = append(paths, name)
			}
			fmt.Fprintf(&conf, "<Directory HOME/docs%s>\n%s\n</Directory>\n<Location %s>\n%s\n</Location>\n", dir, outer, dir, inner)
			fmt.Fprintf(&conf, "<Location %s/in>\nAuthMerging And\nRequire method GET POST\n</Location>\n", dir)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "mime.types"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // httpd serves as another user
		t.Fatal(err)
	}
	ours := serveIn(t, home, strings.ReplaceAll(conf.String(), "HOME", "ROOT"), nil)
	theirs := &live{Server: nil, addr: startApache(t, home, conf.String())}
	for _, path := range paths {
		var parts [2]int
		if _, err := fmt.Sscanf(path, "/%d/%d", &parts[0], &parts[1]); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"GET %s", "POST %s", "HEAD %s", "OPTIONS %s", "GET %s?q=1"} {
			request := fmt.Sprintf(line, path) + " HTTP/1.1\r\nHost: main.example\r\nUser-Agent: probe\r\nX-Probe: abc\r\nContent-Length: 0\r\n\r\n"
			method, _, _ := strings.Cut(line, " ")
			if got, want := status(t, ours, method, request), status(t, theirs, method, request); got != want {
				t.Errorf("%s is answered %d, by httpd %d, under\n%s\nand\n%s", fmt.Sprintf(line, path), got, want, outerRules[parts[0]], accessRules[parts[1]])
			}
		}
	}
}

func status(t *testing.T, l *live, method, request string) int {
	t.Helper()
	p := l.dial(t)
	defer p.Close()
	return p.send(request).receive(method).status
}
