package expr

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The real httpd, and the folder of its modules, as Debian's apache2 has them.
const (
	apacheModules = "/usr/lib/apache2/modules"
	installHint   = "apt-get install apache2"
)

func findApache(t *testing.T) string {
	t.Helper()
	apache, err := exec.LookPath("apache2")
	if err != nil {
		apache = "/usr/sbin/apache2"
	}
	if _, err := os.Stat(apache); err != nil {
		t.Fatalf("no real httpd to compare with: %s", installHint)
	}
	return apache
}

// lines reads a file of testdata.
func lines(t testing.TB, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// quoted writes an argument for httpd.conf.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// preamble begins a configuration that runs in dir.
func preamble(dir string, port int) string {
	var b strings.Builder
	for _, m := range []string{"mpm_event", "authz_core", "headers", "setenvif"} {
		fmt.Fprintf(&b, "LoadModule %s_module %s/mod_%s.so\n", m, apacheModules, m)
	}
	fmt.Fprintf(&b, "ServerName localhost\nListen 127.0.0.1:%d\nErrorLog %s/log\nPidFile %s/pid\nDefaultRuntimeDir %s\nDocumentRoot %s\n", port, dir, dir, dir, dir)
	b.WriteString("SetEnvIf Request_URI . \"FROM_ENV=env value\"\n")
	return b.String()
}

var syntaxError = regexp.MustCompile(`(?s)^(?:AH\d+: )?Syntax error on line \d+ of [^\n]*:\n(?:Cannot parse condition clause|Can't parse value expression ): (.*)\n$`)

// refusal returns what httpd -t says of an expression, empty if it takes it.
func refusal(t *testing.T, apache, line string) string {
	t.Helper()
	dir := t.TempDir()
	use := "<If " + quoted(line) + ">\n</If>\n"
	if s, ok := strings.CutPrefix(line, "S:"); ok {
		use = "Header set X " + quoted("expr="+s) + "\n"
	}
	file := filepath.Join(dir, "expr.conf")
	if err := os.WriteFile(file, []byte(preamble(dir, 1)+use), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(apache, "-t", "-f", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if cmd.Run() == nil {
		return ""
	}
	if m := syntaxError.FindStringSubmatch(stderr.String()); m != nil {
		return m[1]
	}
	return strings.TrimSpace(stderr.String())
}

// ours is what this package says.
func ours(line string) string {
	var err error
	if s, ok := strings.CutPrefix(line, "S:"); ok {
		_, err = ParseString(s)
	} else {
		_, err = Parse(line)
	}
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.ReplaceAll(first, `\`, `\\`) // as httpd's log does
}

func TestMessagesAreHTTPDs(t *testing.T) {
	apache := findApache(t)
	for _, line := range append(lines(t, "errors.txt"), unscannable...) {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			theirs, mine := refusal(t, apache, line), ours(line)
			if theirs != mine || mine == "" {
				t.Errorf("httpd:   %s\nwshttpd: %s", theirs, mine)
			}
		})
	}
}

// unscannable are expressions that httpd's scanner has no rule for.
var unscannable = []string{"%{A:%{NOPE}'", `%{req:a"b} == 'a'`, `"%{req:a" == 'a'`, `S:a\`, `S:%{req:a'b}`, `S:%{req:a\`}

func TestWhatHTTPDTakesIsTaken(t *testing.T) {
	apache := findApache(t)
	valid := lines(t, "valid.txt")
	deep := strings.Repeat
	for _, at := range []struct{ open, inner, end string }{
		{deep("(", 9995), "true", deep(")", 9995)},
		{deep("(", 9996), "true", deep(")", 9996)},
		{deep("!", 9996), "true", ""},
		{deep("!", 9997), "true", ""},
		{deep("true or ", 4997), "true", ""},
		{deep("true or ", 4998), "true", ""},
		{deep("true or ", 4999), "true", ""},
		{"'' == ", deep("1.", 4997), "1"},
		{"'' == ", deep("1.", 4996), "1"},
		{"-n " + deep("tolower(", 4997), "'a'", deep(")", 4997)},
		{"-n " + deep("tolower(", 4996), "'a'", deep(")", 4996)},
		{"-n " + deep("%{tolower:", 3331), "a", deep("}", 3331)},
		{"-n " + deep("%{tolower:", 3332), "a", deep("}", 3332)},
		{"-n '", deep("a", 8191), "'"},
		{"-n '", deep("a", 8192), "'"},
		{"'a' =~ /", deep("a", 8191), "/"},
		{"'a' =~ /", deep("a", 8192), "/"},
		{"S:", deep("a", 8192), ""},
		{"1 in {", deep("2,", 6000), "3}"},
	} {
		valid = append(valid, at.open+at.inner+at.end)
	}
	for i, line := range valid {
		t.Run(fmt.Sprintf("%d %.30s", i, line), func(t *testing.T) {
			t.Parallel()
			if theirs, mine := refusal(t, apache, line), ours(line); theirs != mine {
				t.Errorf("httpd:   %s\nwshttpd: %s", theirs, mine)
			}
		})
	}
}

func TestRegularExpressionsAreTakenAsHTTPDDoes(t *testing.T) {
	apache := findApache(t)
	for _, line := range lines(t, "regexps.txt") {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			text, less := strings.CutPrefix(line, "refused: ")
			text, more := strings.CutPrefix(text, "accepted: ")
			condition := "'a' =~ m%" + text + "%"
			theirs, mine := refusal(t, apache, condition), ours(condition)
			switch {
			case less && (theirs != "" || mine == ""), more && (theirs == "" || mine != ""):
				t.Errorf("no longer different: httpd says %q, wshttpd %q", theirs, mine)
			case !less && !more && theirs != mine:
				t.Errorf("httpd:   %s\nwshttpd: %s", theirs, mine)
			}
		})
	}
}

// answer is what an expression gives: its value, or why there is none.
type answer struct{ value, fault string }

func TestDifferential(t *testing.T) {
	apache := findApache(t)
	var all []string
	all = append(all, lines(t, "conditions.txt")...)
	for _, s := range lines(t, "strings.txt") {
		all = append(all, "S:"+s)
	}
	if len(all) < 250 {
		t.Fatalf("%d expressions: there should be more than 250", len(all))
	}
	server := start(t, apache, all)
	for i, line := range all {
		uri := fmt.Sprintf("/%d", i)
		theirs := answer{value: server.get(t, uri)}
		mine := evaluate(t, line, uri)
		server.theirs = append(server.theirs, theirs)
		server.mine = append(server.mine, mine)
	}
	server.stop(t)
	faults := server.faults(t)
	for i, line := range all {
		server.theirs[i].fault = faults[i]
		if server.theirs[i] != server.mine[i] {
			t.Errorf("%s\nhttpd:   %+q\nwshttpd: %+q", line, server.theirs[i], server.mine[i])
		}
	}
}

// evaluate answers as httpd does: a condition that cannot be evaluated is not
// true, and a string is empty.
func evaluate(t *testing.T, line, uri string) answer {
	t.Helper()
	env := &request{
		variables: map[string]string{
			"HTTP_HOST": "example.test", "HTTP_USER_AGENT": "expr/1", "HTTP_COOKIE": "k=v", "HTTP_ACCEPT": "*/*",
			"REQUEST_METHOD": "GET", "REQUEST_SCHEME": "http", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_URI": uri,
			"THE_REQUEST": "GET " + uri + " HTTP/1.1", "HTTPS": "off", "IPV6": "off", "HTTP2": "off", "IS_SUBREQ": "false",
			"REMOTE_ADDR": "127.0.0.1", "CONN_REMOTE_ADDR": "127.0.0.1",
			"TIME_YEAR": time.Now().Format("2006"), "TIME": time.Now().Format("20060102150405"),
		},
		headers: map[string]string{"x-test": "Value"},
		vars:    map[string]string{"FROM_ENV": "env value"},
		system:  map[string]string{"EXPR_OS": "os value"},
		remote:  netip.MustParseAddr("127.0.0.1"),
	}
	var value string
	var err error
	if s, ok := strings.CutPrefix(line, "S:"); ok {
		var e *Expr
		if e, err = ParseString(s); err != nil {
			t.Fatalf("ParseString(%q): %v", s, err)
		}
		value, err = e.String(env)
	} else {
		var e *Expr
		if e, err = Parse(line); err != nil {
			t.Fatalf("Parse(%q): %v", line, err)
		}
		var ok bool
		ok, err = e.Bool(env)
		value = fmt.Sprint(ok)
	}
	if err != nil {
		return answer{value, err.Error()}
	}
	return answer{value: value}
}

// httpd is one that answers for each expression under a path of its own.
type httpd struct {
	cmd          *exec.Cmd
	exited       chan error
	dir, address string
	lineOf       map[int]int // of the expression, by line of the file
	theirs, mine []answer
}

func start(t *testing.T, apache string, all []string) *httpd {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	s := &httpd{dir: t.TempDir(), address: address.String(), lineOf: map[int]int{}, exited: make(chan error, 1)}
	config := preamble(s.dir, address.Port)
	for i, line := range all {
		config += fmt.Sprintf("<Location /%d>\n", i)
		s.lineOf[strings.Count(config, "\n")+1] = i
		if text, ok := strings.CutPrefix(line, "S:"); ok {
			config += "Header always set X-Result " + quoted("expr="+text) + "\n"
		} else {
			config += "<If " + quoted(line) + ">\nHeader always set X-Result true\n</If>\nHeader always set X-Result false\n"
		}
		config += "</Location>\n"
	}
	file := filepath.Join(s.dir, "expr.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(apache, "-DFOREGROUND", "-f", file)
	s.cmd.Env = append(os.Environ(), "EXPR_OS=os value")
	var stderr bytes.Buffer
	s.cmd.Stderr = &stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	t.Cleanup(func() { s.cmd.Process.Signal(syscall.SIGTERM) })
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if c, err := net.Dial("tcp", s.address); err == nil {
			c.Close()
			return s
		}
		select {
		case err := <-s.exited:
			t.Fatalf("httpd does not start: %v\n%s", err, stderr.String())
		case <-tick.C:
		}
	}
}

// get returns what stands in X-Result.
func (s *httpd) get(t *testing.T, uri string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: example.test\r\nUser-Agent: expr/1\r\nCookie: k=v\r\nAccept: */*\r\nX-Test: Value\r\nConnection: close\r\n\r\n", uri)
	r := bufio.NewReader(c)
	defer io.Copy(io.Discard, r)
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			t.Fatalf("%s: no X-Result, %v", uri, err)
		}
		if value, ok := strings.CutPrefix(line, "X-Result:"); ok {
			return strings.TrimPrefix(strings.TrimSuffix(value, "\r\n"), " ")
		}
	}
}

func (s *httpd) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-s.exited; err != nil {
		t.Fatal(err)
	}
}

var failed = regexp.MustCompile(`Evaluation of expression from [^\n]*expr\.conf:(\d+) failed: ([^\n]*)`)

// faults reads the log: for each expression why it could not be evaluated.
func (s *httpd) faults(t *testing.T) map[int]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	faults := map[int]string{}
	for _, m := range failed.FindAllStringSubmatch(string(text), -1) {
		i, ok := s.lineOf[int(atoi64(m[1]))]
		if !ok {
			t.Fatalf("no expression for %q", m[0])
		}
		faults[i] = m[2]
	}
	return faults
}
