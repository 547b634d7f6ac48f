package apxs

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestInstallAndActivate is what the original's manual has one do, with apxs:
// afterwards the server has the plugin. Twice is once.
func TestInstallAndActivate(t *testing.T) {
	where := address(t)
	dir := folder(t, map[string]string{
		"mod_websocket_tell.c": cPlugin("1"), "tell.go": plugin(`"2"`),
		"root/httpd.conf": "Listen " + where + "\nErrorLog error.log",
	})
	root := filepath.Join(dir, "root")
	conf := filepath.Join(root, "httpd.conf")
	before := readFile(t, conf)
	for range 2 {
		want(t, dir, 0, "installed "+root+"/modules/mod_websocket_tell.so", "build-plugin", "-i", "-a", "-c", "-d", root, "-f", "httpd.conf", "mod_websocket_tell.c")
	}
	if got, want := readFile(t, conf), before+"\n\nLoadModule websocket_module modules/mod_websocket.so\n<Location /tell>\n    SetHandler websocket-handler\n"+
		"    WebSocketHandler modules/mod_websocket_tell.so tell_init\n</Location>\n"; got != want {
		t.Errorf("the configuration is\n%s\nwant\n%s", got, want)
	}
	if got := readFile(t, conf+".bak"); got != before {
		t.Errorf("what is kept is %q", got)
	}
	// A plugin that is built already, in a place of its own.
	want(t, dir, 0, "built tell.so", "build-plugin", "tell.go")
	want(t, dir, 0, "<Location /go> SetHandler websocket-handler WebSocketHandler modules/tell.so tell_init", "build-plugin", "-ia", "--location", "/go", "-d", root, "-f", "httpd.conf", "tell.so")
	serve(t, root, where, "-X")
	answers(t, dial(t, where, "/tell"), "1x")
	answers(t, dial(t, where, "/go"), "2x")
}

// TestActivateLeavesAConfigurationWhole: it is never made worse.
func TestActivateLeavesAConfigurationWhole(t *testing.T) {
	tests := []struct {
		name, conf string
		args       []string
		code       int
		text, want string // want stands behind the configuration afterwards
	}{
		{"with errors", "Listen 1234\nErrorLog error.log\nFoo\n", []string{"-ia"}, 1, "has errors, and is left as it is", ""},
		{"that would have errors", "Listen 1234\nErrorLog error.log\n", []string{"-ia", "--location", "/a> b"}, 1, "would have errors with these lines, and is left as it is", ""},
		{"with nothing asked for", "Listen 1234\nErrorLog error.log\n", []string{"-i"}, 0, "<Location /tell>", ""},
		{"with lines that are comments", "Listen 1234\nErrorLog error.log\n", []string{"-iA"}, 0, "#<Location /tell>", "\n#LoadModule websocket_module modules/mod_websocket.so\n#<Location /tell>\n#    SetHandler websocket-handler\n#    WebSocketHandler modules/tell.so tell_init\n#</Location>\n"},
		{"that is not there", "", []string{"-ia"}, 1, "has errors, and is left as it is", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"tell.c": cPlugin("1")})
			conf := filepath.Join(dir, "httpd.conf")
			if tt.conf != "" {
				put(t, dir, map[string]string{"httpd.conf": tt.conf})
				if err := os.Chmod(conf, 0o640); err != nil {
					t.Fatal(err)
				}
			}
			want(t, dir, tt.code, tt.text, append(append([]string{"build-plugin"}, tt.args...), "-d", dir, "-f", "httpd.conf", "tell.c")...)
			if tt.conf == "" {
				return
			}
			if got := readFile(t, conf); got != tt.conf+tt.want {
				t.Errorf("the configuration is %q, want %q", got, tt.conf+tt.want)
			}
			if info, err := os.Stat(conf); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("its mode is %v, %v", info.Mode(), err)
			}
		})
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestQuery: what it prints is enough to build plugins of both kinds without
// build-plugin, and with its words.
func TestQuery(t *testing.T) {
	dir := folder(t, map[string]string{
		"tell.c": cPlugin("1"), "go/main.go": plugin(`"1"`), "go/go.mod": "module example.com/asked\n\ngo 1.26\n",
	})
	cmd := exec.Command("sh", "-euc", `
		q() { "$W" query "$1"; }
		$(q CC) $(q CFLAGS) $(q LDFLAGS_SHLIB) -I"$(q INCLUDEDIR)" $(q INCLUDES) -o c.so tell.c
		cd go
		go mod edit -require=`+apiModule+`@"$(q GOAPIVERSION)" -replace=`+apiModule+`="$(q GOAPI)"
		go build $(q GOFLAGS) -o go.so .`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "W="+binary, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want(t, dir, 0, "loads: tell_init", "check-plugin", "c.so", "tell_init")
	want(t, dir, 0, "loads: TellInit", "check-plugin", "go/go.so", "tell_init")

	all := want(t, dir, 0, "", "query").stdout
	for _, name := range []string{"CC", "CFLAGS", "INCLUDEDIR", "LIBEXECDIR", "SYSCONFDIR", "SBINDIR", "TARGET", "PREFIX", "GOFLAGS", "GOVERSION"} {
		one := want(t, dir, 0, "", "query", name).stdout
		if !strings.Contains("\n"+all, "\n"+name+"="+one) {
			t.Errorf("%s is %q, among all:\n%s", name, one, all)
		}
	}
	want(t, dir, 0, "wshttpd\n"+runtime.Version()+"\n", "query", "TARGET", "GOVERSION")
	want(t, dir, 2, "Usage: wshttpd query [NAME...]", "query", "NOTHING")
}
