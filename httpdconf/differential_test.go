package httpdconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The real httpd, and the folder of its modules, as Debian's apache2 has them.
const (
	apacheModules = "/usr/lib/apache2/modules"
	installHint   = "apt-get install apache2"
)

// verdict is what a check of a configuration says: what scripts look at.
type verdict struct {
	code int
	// place is "line N of F" for each link of a chain, sentence what follows.
	place, sentence string
}

func (v verdict) String() string {
	return fmt.Sprintf("exit code %d, %q, %q", v.code, v.place, v.sentence)
}

// intended are the files on which the two differ, each with the reason.
var intended = map[string]string{
	"arity_mutex": "httpd lists the mechanisms of its own build; here Mutex has no effect",
}

func TestDifferential(t *testing.T) {
	apache, err := exec.LookPath("apache2")
	if err != nil {
		apache = "/usr/sbin/apache2"
	}
	if _, err := os.Stat(apache); err != nil {
		t.Fatalf("no real httpd to compare with: %s", installHint)
	}
	ours := build(t)
	files, err := filepath.Glob("testdata/differential/*.conf")
	if err != nil || len(files) < 150 {
		t.Fatalf("%d files, %v: there should be more than 150", len(files), err)
	}
	root, err := filepath.Abs("testdata/differential")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".conf")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(root, name+".conf")
			theirs, theirText := check(t, apache, root, path)
			mine, myText := check(t, ours, root, path)
			if reason := intended[name]; reason != "" {
				if theirs == mine {
					t.Errorf("no longer different: %s", reason)
				}
				return
			}
			if theirs != mine {
				t.Errorf("httpd:   %v\nwshttpd: %v\nhttpd said\n%s\nwshttpd said\n%s", theirs, mine, theirText, myText)
			}
		})
	}
	compareCommandLines(t, apache, ours, root)
}

// build makes the binary under test.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wshttpd")
	cmd := exec.Command("go", "build", "-trimpath", "-o", binary, "..")
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// check runs one of the two with -t. Modules and the like, which httpd needs
// and the files do not show, come through -C.
func check(t *testing.T, program, root, file string) (verdict, string) {
	t.Helper()
	args := []string{"-t", "-d", root, "-f", file}
	for _, m := range []string{"mpm_event", "authz_core", "dir", "mime"} {
		args = append(args, "-C", fmt.Sprintf("LoadModule %s_module %s/mod_%s.so", m, apacheModules, m))
	}
	args = append(args, "-C", "ErrorLog /dev/null", "-C", "TypesConfig /dev/null", "-C", "DocumentRoot /tmp", "-C", "DefaultRuntimeDir /tmp", "-C", "PidFile /tmp/none")
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "DIFF_ENV=Foo")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	v := verdict{code: cmd.ProcessState.ExitCode()}
	v.place, v.sentence = firstError(stderr.String())
	return v, stderr.String()
}

var syntaxError = regexp.MustCompile(`Syntax error on line (\d+) of ([^:\n]*):[ \n]?`)

// firstError takes a message apart: the places, outermost first, and the
// sentence behind the last of them.
func firstError(text string) (place, sentence string) {
	var places []string
	for {
		at := syntaxError.FindStringSubmatchIndex(text)
		if at == nil || len(places) > 0 && at[0] > 0 {
			break
		}
		places = append(places, "line "+text[at[2]:at[3]]+" of "+text[at[4]:at[5]])
		text = text[at[1]:]
	}
	if len(places) == 0 {
		for line := range strings.SplitSeq(text, "\n") {
			if strings.Contains(line, "AH02291") {
				return "", line
			}
		}
		return "", ""
	}
	sentence, _, _ = strings.Cut(text, "\n")
	return strings.Join(places, ", "), sentence
}
