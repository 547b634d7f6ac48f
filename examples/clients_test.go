package examples

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installer returns a command that runs the script with these programs and no
// others, so that nothing can be installed, and an id that answers uid.
func installer(t *testing.T, uid string, programs ...string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	for _, name := range append(programs, "sh", "dirname", "sed", "grep") {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "id"), []byte("#!/bin/sh\necho "+uid+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "testdata/install-clients.sh")
	cmd.Env = []string{"PATH=" + bin}
	return cmd
}

func TestInstallerHasNothingToDo(t *testing.T) {
	cmd := installer(t, "1000", "apxs", "c++", "htpasswd", "openssl", "libwebsockets-test-client", "ruby", "chromium", "curl", "node", "npm")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInstallerNamesTheCommand: who may not install is told what to run.
func TestInstallerNamesTheCommand(t *testing.T) {
	cmd := installer(t, "1000", "apxs", "c++", "htpasswd", "openssl", "libwebsockets-test-client", "curl", "node", "npm")
	out, err := cmd.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if !failed || exit.ExitCode() != 1 {
		t.Errorf("exit: %v, want 1", err)
	}
	if want := "apt-get install -y --no-install-recommends ruby chromium\n"; !strings.HasSuffix(string(out), want) {
		t.Errorf("got\n%s\nwant %q at the end", out, want)
	}
}

// TestLockFileNamesNoHost: npm takes packages from where it is set up to, and
// knows them by their digests.
func TestLockFileNamesNoHost(t *testing.T) {
	lock, err := os.ReadFile("testdata/node/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"resolved", "://"} {
		if strings.Contains(string(lock), word) {
			t.Errorf("the lock file contains %q", word)
		}
	}
	packages, digests := strings.Count(string(lock), `"node_modules/`), strings.Count(string(lock), `"integrity": "sha512-`)
	if packages == 0 || packages != digests {
		t.Errorf("%d packages, %d digests", packages, digests)
	}
}
