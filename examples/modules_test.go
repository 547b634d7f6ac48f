package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fasthttp/websocket"
)

// sections builds the plugin of testdata/sections against httpd's headers.
func sections(t *testing.T) string {
	t.Helper()
	args := []string{"-O1", "-fPIC", "-shared", "-I../pluginloader"}
	for _, tool := range [][]string{{"apxs", "-q", "INCLUDEDIR"}, {"apr-1-config", "--includes", "--cppflags"}} {
		out, err := exec.Command(tool[0], tool[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: apt-get install apache2-dev", err)
		}
		for _, flag := range strings.Fields(string(out)) {
			if !strings.HasPrefix(flag, "-") {
				flag = "-I" + flag
			}
			args = append(args, flag)
		}
	}
	library := filepath.Join(t.TempDir(), "sections.so")
	args = append(append(args, strings.Fields(os.Getenv("CFLAGS"))...), "-o", library, "testdata/sections/sections.c")
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return library
}

// TestSectionsOfAModuleUnderAMaster: the master, which loads no module, reads
// over what only a module can read; workers serve it, the next ones too.
func TestSectionsOfAModuleUnderAMaster(t *testing.T) {
	library := sections(t)
	p := startMaster(t, "LoadModule sections_module "+library+"\n<SectionText>\nan <unclosed\n<Location no tag\n</SectionText>\n"+
		"<SectionOver>\nNonsense\n<Location /x>\n</Location>\n</SectionOver>\n"+
		location("<SectionGroup one>\nWebSocketHandler "+library+" sections_init\n</SectionGroup>"))
	c := dial(t, p.url("/ws"), nil)
	echo(t, c, websocket.TextMessage, []byte("hello"))
	c.Close() // or the old worker waits for it
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.logged(t, "Doing graceful restart")
	p.logged(t, "WebSockets opened since the start: version 13: 1,") // the old worker has ended
	if strings.Contains(p.log.String(), "without a WebSocketHandler") {
		t.Errorf("the master warns of what it has not looked at:\n%s", p.log)
	}
	echo(t, dial(t, p.url("/ws"), nil), websocket.TextMessage, []byte("hello"))
}

// TestFaultsOfDirectives: a directive of a module's that ends the process is
// named, by -t and where the server starts.
func TestFaultsOfDirectives(t *testing.T) {
	library := sections(t)
	for how, status := range map[string]string{"abort": "exit status 2", "exit": "exit status 0", "_exit": "exit status 3"} {
		want := "loading " + library + " with its SectionEnd has ended the process: " + status
		endsLoading(t, "Listen 127.0.0.1:8080\nErrorLog /dev/stderr\nLoadModule sections_module "+library+"\nSectionEnd "+how+"\n", want)
	}
}
