package doctor

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/server/supervise"
)

var update = flag.Bool("update", false, "write the golden files anew")

// commandLine parses options of wshttpd.
func commandLine(t *testing.T, args ...string) *supervise.CommandLine {
	t.Helper()
	c, err := supervise.Parse(append([]string{"wshttpd"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// absolute is a path below this folder.
func absolute(t *testing.T, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// prepared puts a configuration of testdata, and a plugin, into a folder of
// their own, and goes there: paths in what is printed are then short, and the
// same on all machines.
func prepared(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := os.ReadFile("../../build/modules/mod_websocket_echo.so")
	if err != nil {
		t.Fatalf("%v: make build", err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("modules", 0o755); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{name: text, "modules/mod_websocket_echo.so": plugin} {
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// inExamples goes to the example configurations.
func inExamples(t *testing.T, _ string) { t.Chdir("../../examples") }

// reportOf runs the server as it was built: Go plugins do not load into a test,
// which is built otherwise than they are.
func reportOf(t *testing.T, binary string, args ...string) (stdout string, code int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatalf("%v: make build", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// machines are what differs between them in a report.
var machines = regexp.MustCompile(`go1\.[0-9.]+|\S*/lib[^ /]*/\S*libc\.so\.6|(?m)symbols: \d+|for (x86-64|aarch64)`)

// TestReportsAreThose compares whole reports with golden files.
func TestReportsAreThose(t *testing.T) {
	tests := []struct {
		name, file string
		enter      func(t *testing.T, file string)
	}{
		{"refused", "refused.conf", prepared},
		{"plugins", "plugins.conf", prepared},
		{"example", "conf/httpd.conf", inExamples},
		{"readme-both", "conf/readme-both.conf", inExamples},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, binary := absolute(t, filepath.Join("testdata", tt.name+".want")), absolute(t, "../../build/wshttpd")
			tt.enter(t, tt.file)
			out, code := reportOf(t, binary, "-t", "--report", "-d", ".", "-f", tt.file)
			got := machines.ReplaceAllStringFunc(out, func(s string) string {
				switch {
				case strings.HasPrefix(s, "go1"):
					return "GO"
				case strings.HasPrefix(s, "symbols"):
					return "symbols: N"
				case strings.HasPrefix(s, "for "):
					return "for MACHINE"
				}
				return "LIBC"
			})
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(text) {
				t.Errorf("got\n%s\nwant\n%s", got, text)
			}
			if starts := !strings.Contains(got, "does not start"); starts != (code == 0) {
				t.Errorf("exit status %d for\n%s", code, got)
			}
		})
	}
}

// TestEveryLineHasAVerdict holds a report of the tree that Debian installs
// against its files: each directive outside of sections that are false stands
// in it once, and nothing else does.
func TestEveryLineHasAVerdict(t *testing.T) {
	const root = "/etc/apache2"
	if _, err := os.Stat(root); err != nil {
		t.Fatalf("%v: sh examples/testdata/install-clients.sh installs it", err)
	}
	logs := t.TempDir()
	for name, value := range map[string]string{
		"APACHE_RUN_USER": "www-data", "APACHE_RUN_GROUP": "www-data", "APACHE_PID_FILE": logs + "/apache2.pid",
		"APACHE_RUN_DIR": logs, "APACHE_LOCK_DIR": logs, "APACHE_LOG_DIR": logs,
	} {
		t.Setenv(name, value)
	}
	r := newReport(io.Discard, commandLine(t, "-t", "--report", "-d", root, "-f", "apache2.conf"))
	if !r.Starts || !strings.HasPrefix(r.Verdict, "this configuration will behave as under httpd") {
		t.Errorf("%s\n%q", r.Verdict, r.Errors)
	}
	got := make(map[string][]int)
	skipped := make(map[Place]bool)
	for _, d := range r.Directives {
		got[d.File] = append(got[d.File], d.Line)
		skipped[d.Place] = d.Fate == "skipped"
	}
	for file, lines := range got {
		slices.Sort(lines)
		if want := directiveLines(t, file, skipped); !slices.Equal(lines, want) {
			t.Errorf("%s: verdicts on lines %v, directives on %v", file, lines, want)
		}
	}
	if len(got) < 20 {
		t.Errorf("only %d files were read", len(got))
	}
}

// directiveLines returns the numbers of the lines in a file that hold a
// directive, but for what stands in sections that are skipped.
func directiveLines(t *testing.T, file string, skipped map[Place]bool) (numbers []int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	depth, continued := 0, false
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		wasContinued := continued
		continued = strings.HasSuffix(line, `\`)
		isBlank := !wasContinued && (line == "" || line[0] == '#')
		switch {
		case isBlank || continued:
		case depth > 0 && strings.HasPrefix(line, "</"):
			depth--
		case depth > 0 && strings.HasPrefix(line, "<"):
			depth++
		case depth > 0 || strings.HasPrefix(line, "</"):
		default:
			numbers = append(numbers, i+1)
			if skipped[Place{file, i + 1}] {
				depth = 1
			}
		}
	}
	return numbers
}

// TestWhatOnlyTheStartFinds: -t does not look at certificates and passwords, and
// the report does.
func TestWhatOnlyTheStartFinds(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"users": "new:$apr1$x$DMn4Nlv6BfMTv1TWGFFhZ1\nold:rqXexS6ZhobKA\nplain:secret\n",
		"tls.conf": "Listen 127.0.0.1:8443\nErrorLog log\nLoadModule ssl_module x\nSSLEngine on\nSSLCertificateFile none.pem\n" +
			"LoadModule authn_core_module x\nLoadModule auth_basic_module x\nLoadModule authn_file_module x\n" +
			"<Location />\nAuthUserFile \"users\"\n</Location>\n<Location /b>\nAuthUserFile nobody\n</Location>\n",
		"deaf.conf": "ErrorLog log\n",
		"none.pem":  "nothing\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string][]string{
		"tls.conf": {
			"start     fails, although -t does not look at it: AH02562: Failed to configure certificate, check none.pem: it holds no certificate",
			"wshttpd does not start, since AH02562",
			"changes   tls.conf:10  AuthUserFile \"users\"\n            old, plain cannot log in",
			"nobody: no such file or directory: whoever sends a password is answered 500",
		},
		"deaf.conf": {"start     fails, although -t does not look at it: no listening sockets available"},
	} {
		var b bytes.Buffer
		if code := Check(&b, io.Discard, commandLine(t, "-t", "--report", "-d", ".", "-f", file)); code != 0 {
			t.Errorf("exit status %d, and -t's is 0", code)
		}
		for _, text := range want {
			if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), strings.Join(strings.Fields(text), " ")) {
				t.Errorf("%q is not in\n%s", text, &b)
			}
		}
	}
}

// TestReadmeNamesTheFields: what --json prints is documented, each field of it.
func TestReadmeNamesTheFields(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{Report{}, Directive{}, Place{}, Difference{}, Explanation{}, Decision{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("the README does not name %s of %T", name, v)
			}
		}
	}
}

// TestReportAsJSON decodes what --json prints, without the types that have made
// it, and holds it against the text.
func TestReportAsJSON(t *testing.T) {
	prepared(t, "plugins.conf")
	args := []string{"-t", "--report", "-d", ".", "-f", "plugins.conf"}
	var b bytes.Buffer
	if code := Check(&b, io.Discard, commandLine(t, append(args, "--json")...)); code != 1 {
		t.Errorf("exit status %d", code)
	}
	var got struct {
		File       string         `json:"file"`
		Starts     *bool          `json:"starts"`
		Counts     map[string]int `json:"counts"`
		Directives []map[string]any
		Modules    []map[string]any
		Plugins    []map[string]any
		Verdict    string
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	if got.File != "plugins.conf" || got.Starts == nil || *got.Starts || got.Counts["refused"] != 3 || got.Counts["honoured"] != 17 {
		t.Errorf("%+v", got)
	}
	first := got.Directives[0]
	if first["file"] != got.File || first["line"] != 2.0 || first["fate"] != "honoured" || first["directive"] != "Listen" || first["arguments"] != "127.0.0.1:8080" {
		t.Errorf("the first directive is %v", first)
	}
	if m := got.Modules[0]; m["identifier"] != "websocket_module" || m["provided"] != true {
		t.Errorf("the module is %v", m)
	}
	var inits []any
	for _, p := range got.Plugins {
		inits = append(inits, p["init_found"], p["loaded"])
	}
	if want := []any{"echo_init", true, "echo_init", true, nil, false, nil, false, nil, false}; !slices.Equal(inits, want) {
		t.Errorf("init functions %v, want %v", inits, want)
	}
	var text bytes.Buffer
	Check(&text, io.Discard, commandLine(t, args...))
	if plain := strings.Join(strings.Fields(text.String()), " "); !strings.HasSuffix(plain, got.Verdict) {
		t.Errorf("the text ends in another sentence than %q", got.Verdict)
	}
	for line := range strings.Lines(text.String()) {
		if len(line) > width+1 && !strings.Contains(line, "/") {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

// TestReportOfModules: a module of a plugin's is loaded, with the hooks that
// nothing calls; one that needs what only httpd has is not, and the start goes on.
func TestReportOfModules(t *testing.T) {
	source := absolute(t, "../../pluginloader/testdata/module.c")
	t.Chdir(t.TempDir())
	for name, flag := range map[string]string{"hooks.so": "-DHOOKS", "lacks.so": "-DLACKS"} {
		if out, err := exec.Command("cc", "-fPIC", "-shared", flag, "-o", name, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	conf := "ErrorLog log\nListen 127.0.0.1:8080\nLoadModule example_module hooks.so\nLoadModule lacks_module lacks.so\n"
	if err := os.WriteFile("modules.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	args := []string{"-t", "--report", "-d", ".", "-f", "modules.conf"}
	if code := Check(&text, io.Discard, commandLine(t, args...)); code != 0 {
		t.Errorf("exit status %d", code)
	}
	plain := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{
		"example_module: a plugin's own, loaded for its directives; nothing calls its hooks handler, fixups",
		"changes modules.conf:3 LoadModule example_module hooks.so its hooks are not run: handler, fixups",
		"module lacks_module is none that wshttpd has: it is not loaded",
		"needs ap_no_function: no library has it",
		"these are httpd's own, for what only httpd does",
		"lacks_module: no module of a stock httpd; it is not loaded",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
}
