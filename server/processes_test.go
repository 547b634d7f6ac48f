package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// serveProcesses is serveBoth with a master and a worker of our own, as they
// run in earnest, in place of a server within the test.
func serveProcesses(t *testing.T, home, conf string) twins {
	t.Helper()
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil { // both serve as another user
		t.Fatal(err)
	}
	theirs := &live{addr: startApache(t, home, oneProcess+withLibraries(t, "MODULE:standin\n"+conf)), log: filepath.Join(home, "apache.log")}
	ours := &live{addr: "127.0.0.1:" + freePort(t), log: filepath.Join(home, "ours.log")}
	head := "PidFile HOME/ours.pid\nErrorLog HOME/ours.log\nListen " + ours.addr + "\n"
	for _, module := range []string{"websocket", "authz_core", "dir", "mime"} {
		head += "LoadModule " + module + "_module x\n"
	}
	if os.Getuid() == 0 {
		head += "User nobody\nGroup nogroup\n"
	}
	file := filepath.Join(home, "ours.conf")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(head+withLibraries(t, conf), "HOME", home)), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command("../build/wshttpd", "-DFOREGROUND", "-d", home, "-f", file), ours.addr, ours.log)
	for _, l := range []*live{theirs, ours} {
		l.ask(t, "GET", "/") // a master listens before it is ready for signals
	}
	return twins{theirs, ours}
}

// TestParityOfChildren: what a plugin runs as another process finds the same
// there, and what it writes to stderr stands in the error log.
func TestParityOfChildren(t *testing.T) {
	both := serveProcesses(t, tree(t, "docs/index.html"), "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\n"+location("/command", "command"))
	differs := strings.NewReplacer("apache.log", "LOG", "ours.log", "LOG",
		"301000\n", "TTIN and TTOU and 001000\n", "001000\n", "TTIN and TTOU and 001000\n") // signals 21 and 22, as the worker is no terminal's
	for _, command := range []string{
		"echo hello", "exit 3", "kill -9 $$", "cat", "id", "pwd", "umask", "ulimit -s; ulimit -c; ulimit -f; ulimit -v", "env | sort", "grep SigBlk /proc/self/status",
		"readlink /proc/self/fd/* | sed 's/[0-9]//g'",
		"sed -n 's/^SigIgn:.//p' /proc/self/status",
	} {
		for _, how := range []string{"", "apr:", "fork:"} {
			both.agree(t, func(t *testing.T, l *live) string {
				return differs.Replace(command + ": " + l.upgrade(t, "/command").send(frame(0x81, how+command)).text())
			})
		}
	}
	for _, l := range []*live{both.theirs, both.ours} {
		l.upgrade(t, "/command").send(frame(0x81, "stderr:said by a plugin")).expect(text("written"))
		l.logged(t, "\nsaid by a plugin\n")
	}
}

const censusConf = `
ServerName x
TypesConfig /dev/null
DocumentRoot HOME/docs
<Location /a>
WebSocketHandler LIBRARY census_init
</Location>
<Location /replaced>
WebSocketHandler LIBRARY census_init
WebSocketHandler LIBRARY census_init
</Location>
<Location /shared>
WebSocketHandler LIBRARY census_shared
</Location>
<Directory HOME/docs>
WebSocketHandler LIBRARY census_shared
</Directory>
<VirtualHost *:*>
ServerName y
<Location /a>
WebSocketHandler LIBRARY census_init
</Location>
</VirtualHost>
`

// TestParityOfInitAndDestroy: from the moment that a library is mapped for good
// until it is closed, the same functions are called in the same order, in the
// process that httpd serves its configuration by, and in the worker here
// (plugins.md, 1.4).
func TestParityOfInitAndDestroy(t *testing.T) {
	home := tree(t, "docs/index.html")
	census := filepath.Join(home, "census")
	if err := os.WriteFile(census, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(census, 0o666); err != nil { // workers write too
		t.Fatal(err)
	}
	t.Setenv("CENSUS", census)
	t.Run("the servers", func(t *testing.T) { // which end with it
		serveProcesses(t, home, strings.ReplaceAll(censusConf, "LIBRARY", apxs(t, "census")))
	})
	lives := livesOf(t, census)
	want := []string{
		"mapped 0", "init 1", "init 2", "init 3", "shared 8", "shared 8", "init 4",
		"destroy 4", "destroy 8", "destroy 8", "destroy 3", "destroy 1", "closed 0", // the second one was replaced
	}
	if len(lives) != 2 {
		t.Errorf("%d processes have mapped the library, want httpd's first and our worker", len(lives))
	}
	for pid, got := range lives {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", pid, got, want)
		}
	}
}

// livesOf returns, by process, what a census says from the last time on that
// the library was mapped. httpd's children have it from their parent.
func livesOf(t *testing.T, census string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(census)
	if err != nil {
		t.Fatal(err)
	}
	lives := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		pid, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "mapped 0" {
			lives[pid] = []string{}
		}
		if lives[pid] != nil {
			lives[pid] = append(lives[pid], what)
		}
	}
	return lives
}
