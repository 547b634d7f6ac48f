package httpdconf_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDumpsAreHTTPDs compares what -S, -M and their like print with httpd's.
func TestDumpsAreHTTPDs(t *testing.T) {
	ours := build(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"inc/a.conf": "Listen 127.0.0.1:9555\n", "inc/b.conf": "Include ROOT/inc/sub/*.conf\n# end\n", "inc/sub/c.conf": "ServerAdmin x@y\n\nInclude d\n", "d/e": "\n", "d/f": "",
		"main.conf": `ServerName main.example:8080
Listen 127.0.0.1:9550
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule alias_module MODULES/mod_alias.so
DocumentRoot ROOT/d
DefaultRuntimeDir ROOT/d
PidFile run.pid
ErrorLog e.log
Define FOO bar
Define EMPTY
Define GONE 1
UnDefine GONE
User www-data
Group www-data
Include inc/*.conf
IncludeOptional nope/*
<VirtualHost 127.0.0.1:80>
ServerName a.example
ServerAlias b.example *.c.example
</VirtualHost>
<VirtualHost 127.0.0.1:80>
ServerName b2.example:443
</VirtualHost>
<VirtualHost *:8080 127.0.0.2:81>
ServerName e.example
</VirtualHost>
<VirtualHost *>
ServerName f.example
ServerAlias g.example
</VirtualHost>
<VirtualHost _default_:9000>
</VirtualHost>
<VirtualHost [::1]:80>
ServerName six.example
</VirtualHost>
<VirtualHost *:8080>
ServerAlias x.example
</VirtualHost>
`, "none.conf": "ServerName x\nListen 127.0.0.1:9550\nLoadModule mpm_event_module MODULES/mod_mpm_event.so\nErrorLog e.log\nDocumentRoot ROOT/d\nDefaultRuntimeDir ROOT/d\nPidFile p\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.NewReplacer("ROOT", dir, "MODULES", apacheModules).Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"main.conf", "none.conf"} {
		for _, args := range [][]string{{"-S"}, {"-M"}, {"-t", "-DDUMP_INCLUDES"}, {"-t", "-D", "DUMP_VHOSTS"}, {"-D", "X=1", "-S", "-M"}, {"-t", "-D", "DUMP_CONFIG"}, {"-t", "-D", "DUMP_RUN_CFG"}} {
			args = append(args, "-d", dir, "-f", file)
			got, want := dumped(t, ours, args), dumped(t, "/usr/sbin/apache2", args)
			if got != want {
				t.Errorf("%v is\n%s\nwith httpd\n%s", args, got, want)
			}
		}
	}
}

// dumped is what a program prints, without the mutexes of modules, and the
// addresses of virtual hosts in one order: httpd's follows its hash of them.
func dumped(t *testing.T, program string, args []string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	var blocks []string
	hosts := false
	text := ""
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(line, "Mutex ") && !strings.HasPrefix(line, "Mutex default"):
			continue
		case strings.HasPrefix(line, "VirtualHost configuration:"):
			hosts = true
		case hosts && (strings.HasPrefix(line, "ServerRoot:") || strings.HasPrefix(line, "Loaded Modules")):
			hosts = false
			slices.Sort(blocks)
			text += strings.Join(blocks, "")
			blocks = nil
		case hosts && line[0] != ' ':
			blocks = append(blocks, line)
			continue
		case hosts && len(blocks) > 0:
			blocks[len(blocks)-1] += line
			continue
		}
		text += line
	}
	slices.Sort(blocks)
	return text + strings.Join(blocks, "")
}
