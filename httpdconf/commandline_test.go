package httpdconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// commandLines are options to put behind those that both programs get, where
// -f names good_minimal.conf. ROOT stands for its folder.
var commandLines = []struct {
	claim string
	args  []string
}{
	{"an unknown name in -C has the line of its -C", []string{"-C", "Nonsense 1"}},
	{"the lines of -c are counted apart", []string{"-c", "Nonsense 1"}},
	{"each -c is a line", []string{"-c", "Timeout 3", "-c", "Nonsense"}},
	{"an empty -c is a line", []string{"-c", "", "-c", "Nonsense"}},
	{"a comment in -c", []string{"-c", "# x"}},
	{"a backslash at the end of -c continues nothing", []string{"-c", `Timeout \`, "-c", "3 4"}},
	{"a lone backslash in -c", []string{"-c", `\`, "-c", "Nonsense"}},
	{"white space around a line of -c", []string{"-c", "  Timeout 1 2\t "}},
	{"number of arguments", []string{"-c", "Timeout 1 2"}},
	{"place", []string{"-C", "Require all granted"}},
	{"a section over several -C", []string{"-C", "<Location /x>", "-C", "Listen 80", "-C", "</Location>"}},
	{"a good section over several -c", []string{"-c", "<Location /x>", "-c", "Require all denied", "-c", "</Location>"}},
	{"a section opened in -C is closed there", []string{"-C", "<Location /x>"}},
	{"a section opened in -c is closed there", []string{"-c", "<Location /x>"}},
	{"a section does not reach from -C to -c", []string{"-C", "<IfModule nope>", "-c", "</IfModule>"}},
	{"a close tag alone", []string{"-c", "</Location>"}},
	{"a wrong close tag", []string{"-c", "<Location /x>", "-c", "</Directory>"}},
	{"a false section to the end", []string{"-c", "<IfModule nope>"}},
	{"a tag without its bracket", []string{"-c", "<Location /a", "-c", "</Location>"}},
	{"-D makes IfDefine true", []string{"-D", "X", "-c", "<IfDefine X>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"-D and its name in one word", []string{"-DX", "-c", "<IfDefine X>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"IfDefine is false without -D", []string{"-c", "<IfDefine X>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"-D X=1 does not define X", []string{"-D", "X=1", "-c", "<IfDefine X>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"-D X=1 defines X=1", []string{"-D", "X=1", "-c", "<IfDefine X=1>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"-D gives no value", []string{"-D", "X", "-c", "${X} 1"}},
	{"UnDefine takes a -D back", []string{"-D", "X", "-C", "UnDefine X", "-c", "<IfDefine X>", "-c", "Nonsense", "-c", "</IfDefine>"}},
	{"a Define in -C holds in -c", []string{"-C", "Define Y Nonsense", "-c", "${Y} 1"}},
	{"a Define in -C holds only below it", []string{"-C", "${Y} 1", "-C", "Define Y Timeout"}},
	{"Include in -c of no file", []string{"-c", "Include nope.conf"}},
	{"an error in a file that -c includes", []string{"-c", "Include unknown_directive.conf"}},
	{"Error in -C", []string{"-C", `Error "from the command line"`}},
	{"a reading error in -c", []string{"-c", "<IfVersion => 2>", "-c", "</IfVersion>"}},
	{"Define with a colon in -c", []string{"-c", "Define a:b c"}},
	{"LoadModule in -c is too late for IfModule", []string{"-C", "<IfModule mod_alias.c>", "-C", "Nonsense", "-C", "</IfModule>",
		"-c", "LoadModule alias_module " + apacheModules + "/mod_alias.so"}},
	{"LoadModule in -c is not too late for a directive", []string{"-C", "AddType text/html",
		"-c", "LoadModule mime_module " + apacheModules + "/mod_mime.so"}},
	{"DocumentRoot relative to ServerRoot", []string{"-c", "DocumentRoot nope"}},
	{"ServerRoot in -C moves what is relative", []string{"-C", "ServerRoot ROOT/inc", "-c", "Include nope.conf"}},
	{"-f of no file", []string{"-f", "ROOT/none.conf"}},
	{"-f is relative to -d", []string{"-f", "unknown_directive.conf"}},
	{"the last -f holds", []string{"-f", "ROOT/none.conf", "-f", "ROOT/unknown_directive.conf"}},
	{"the last -d holds", []string{"-d", "/tmp", "-f", "none.conf"}},
	{"-d of no folder", []string{"-d", "/none"}},
}

// compareCommandLines is TestDifferential's other half.
func compareCommandLines(t *testing.T, apache, ours, root string) {
	t.Helper()
	for _, tt := range commandLines {
		t.Run(tt.claim, func(t *testing.T) {
			t.Parallel()
			args := []string{"-t", "-d", root, "-f", filepath.Join(root, "good_minimal.conf")}
			for _, m := range []string{"mpm_event", "authz_core"} {
				args = append(args, "-C", fmt.Sprintf("LoadModule %s_module %s/mod_%s.so", m, apacheModules, m))
			}
			for _, line := range []string{"ErrorLog /dev/null", "DocumentRoot /tmp", "DefaultRuntimeDir /tmp", "ServerName localhost"} {
				args = append(args, "-C", line)
			}
			for _, a := range tt.args {
				args = append(args, strings.ReplaceAll(a, "ROOT", root))
			}
			theirs, mine := head(t, apache, args), head(t, ours, args)
			if theirs != mine {
				t.Errorf("httpd:   %s\nwshttpd: %s", theirs, mine)
			}
		})
	}
}

// head runs a program and returns its exit code and its first sentence that is
// no warning, without the program's name; both lines of it if it has two.
func head(t *testing.T, program string, args []string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(stderr.String(), "\n")
	for len(lines) > 1 && strings.HasPrefix(lines[0], "[") {
		lines = lines[1:]
	}
	first := strings.TrimPrefix(lines[0], filepath.Base(program)+": ")
	if strings.HasPrefix(first, "AH00526: ") && len(lines) > 1 {
		first += "\n" + lines[1]
	}
	return fmt.Sprintf("exit code %d, %s", cmd.ProcessState.ExitCode(), first)
}
