package httpdconf_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dumped is a tree of configuration files: hosts of every kind, includes in
// includes, variables.
var dumped = map[string]string{
	"httpd.conf": `Define FOO bar
Define BAZ
Define Gone 1
UnDefine Gone
Listen 127.0.0.1:18080
Listen [::1]:18080
ServerName main.example:18080
PidFile run.pid
User www-data
Group #33
IncludeOptional conf.d/*.conf
IncludeOptional none/*.conf
<VirtualHost 127.0.0.1:80>
ServerName a.example
ServerAlias b.example *.c.example d?.example
ServerAlias e.example
</VirtualHost>
<VirtualHost 127.0.0.1:80>
ServerName A2.Example:99
</VirtualHost>
<VirtualHost *:8080>
ServerName e.example
ServerAlias unseen.example
</VirtualHost>
<VirtualHost *:*>
ServerName f.example
</VirtualHost>
<VirtualHost *>
ServerAlias g
</VirtualHost>
<VirtualHost [::1]:18080 127.0.0.1:18080>
ServerName v6.example
</VirtualHost>
<VirtualHost _default_:443 [fe80::1]:443>
</VirtualHost>
<VirtualHost 10.0.0.1:5 10.0.0.1:*>
ServerName ten.example
</VirtualHost>
<VirtualHost 10.0.0.1:5 0.0.0.0:7>
ServerName zero.example
</VirtualHost>
<VirtualHost 127.0.0.1>
</VirtualHost>
Include conf.d/sub
`,
	"conf.d/a.conf":       "# a\n\nInclude conf.d/sub/b.conf\n",
	"conf.d/z.conf":       "<IfDefine FOO>\nInclude conf.d/sub/b.conf\n</IfDefine>\n\n\nIncludeOptional none/*\n",
	"conf.d/sub/b.conf":   "Include \\\nconf.d/sub/deep/c\n",
	"conf.d/sub/deep/c":   "# nothing\n",
	"conf.d/sub/deep/d":   "# nothing\n",
	"alone.conf":          "ServerName alone.example\nListen 127.0.0.1:18080\nErrorLog /dev/null\nPidFile /tmp/alone.pid\n",
	"logs/error_log":      "",
	"htdocs/index.html":   "",
	"broken.conf":         "Listen 127.0.0.1:18080\nFoo\n",
	"conf.d/.hidden.conf": "Foo\n",
}

// TestDumpsAreHttpds compares the dumps byte for byte, but for the order of
// the lines of Mutex and Define, which is that of hash tables.
func TestDumpsAreHttpds(t *testing.T) {
	ours, root := build(t), t.TempDir()
	for name, text := range dumped {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := [][]string{
		{"-S"}, {"-M"}, {"-S", "-M"}, {"-M", "-S"},
		{"-t", "-D", "DUMP_VHOSTS"}, {"-t", "-DDUMP_RUN_CFG"}, {"-t", "-D", "DUMP_MODULES"}, {"-t", "-D", "DUMP_INCLUDES"},
		{"-t", "-D", "DUMP_RUN_CFG", "-D", "DUMP_INCLUDES", "-D", "DUMP_MODULES", "-D", "DUMP_VHOSTS"},
		{"-t", "-D", "DUMP_INCLUDES", "-D", "A=1", "-D", "DUMP_RUN_CFG"},
		{"-D", "DUMP_VHOSTS"},
		{"-t", "-D", "DUMP_CONFIG"},
		{"-S", "-c", "Define foo changed", "-C", "<VirtualHost *:1>", "-C", "</VirtualHost>"},
	}
	for _, file := range []string{"httpd.conf", "alone.conf", "broken.conf"} {
		for _, args := range tests {
			t.Run(file+" "+strings.Join(args, " "), func(t *testing.T) {
				args := append(slices.Clone(args), "-f", file)
				theirs, mine := dump(t, "/usr/sbin/apache2", root, args), dump(t, ours, root, args)
				if theirs != mine {
					t.Errorf("httpd:\n%s\nwshttpd:\n%s", theirs, mine)
				}
			})
		}
	}
}

// dump returns what is printed on stdout and the exit code, and whether there
// is a Syntax OK on stderr.
func dump(t *testing.T, program, root string, args []string) string {
	t.Helper()
	args = append([]string{"-d", root, "-C", "DefaultRuntimeDir logs", "-C", "ServerName -"}, args...)
	for _, m := range []string{"mpm_event", "authz_core", "rewrite", "mime"} {
		args = append(args, "-C", fmt.Sprintf("LoadModule %s_module %s/mod_%s.so", m, apacheModules, m))
	}
	args = append(args, "-C", "TypesConfig /dev/null", "-c", "DocumentRoot "+root+"/htdocs")
	cmd := exec.Command(program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // ProcessState says it
	lines := strings.Split(stdout.String(), "\n")
	for _, kind := range []string{"Mutex ", "Define: "} {
		sortRun(lines, kind)
	}
	return fmt.Sprintf("%s(exit code %d, %v)", strings.Join(lines, "\n"), cmd.ProcessState.ExitCode(), strings.HasSuffix(stderr.String(), "Syntax OK\n"))
}

// sortRun sorts the lines that begin with prefix and stand together.
func sortRun(lines []string, prefix string) {
	has := func(l string) bool { return strings.HasPrefix(l, prefix) }
	from := slices.IndexFunc(lines, has)
	if from < 0 {
		return
	}
	to := from
	for to < len(lines) && has(lines[to]) {
		to++
	}
	slices.Sort(lines[from:to])
}

// TestListsAreHttpds compares -l, and -L for the directives that both have.
func TestListsAreHttpds(t *testing.T) {
	ours := build(t)
	output := func(program, option string) string {
		out, err := exec.Command(program, "-f", "/dev/null", "-C", "DefaultRuntimeDir /tmp", "-C", "ErrorLog /dev/null",
			"-C", "LoadModule mpm_event_module "+apacheModules+"/mod_mpm_event.so", option).Output()
		if err != nil {
			t.Fatalf("%s %s: %v", program, option, err)
		}
		return string(out)
	}
	if theirs, mine := output("/usr/sbin/apache2", "-l"), output(ours, "-l"); theirs != mine {
		t.Errorf("-l: httpd\n%s\nwshttpd\n%s", theirs, mine)
	}
	mine := entries(output(ours, "-L"))
	if mine["WebSocketHandler (mod_websocket.c)"] == "" {
		t.Error("-L does not list WebSocketHandler")
	}
	for name, text := range entries(output("/usr/sbin/apache2", "-L")) {
		if mine[name] != text {
			t.Errorf("-L: httpd\n%s%s\nwshttpd\n%s", name, text, mine[name])
		}
	}
}

// entries are the lines of each directive of -L, by its first.
func entries(text string) map[string]string {
	list, name := make(map[string]string), ""
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "\t") {
			name = strings.TrimSpace(line)
			continue
		}
		list[name] += line
	}
	return list
}
