package server

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// TestExplainAnswersAsTheServer explains each question that the differential
// configurations ask, and asks a server that runs the same: status and header
// are equal, the redirect's target and the section that names itself among them.
func TestExplainAnswersAsTheServer(t *testing.T) {
	files, err := filepath.Glob("testdata/differential/*.conf")
	if err != nil || len(files) < minConfigurations {
		t.Fatalf("%d files, %v: want %d", len(files), err, minConfigurations)
	}
	home := configurationHome(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".conf"), func(t *testing.T) {
			t.Parallel()
			compareExplained(t, home, file)
		})
	}
}

// explainer makes a server that explains a configuration file; its listeners
// are those of address.
func explainer(t *testing.T, conf string) *Server {
	t.Helper()
	cfg, diags := httpdconf.Load(conf, httpdconf.Options{Getenv: func(name string) string { return map[string]string{"DIFF_ENV": "Foo"}[name] }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	refs := cfg.Plugins
	cfg.Plugins = nil
	s, diags := New(cfg, pluginloader.New(func(int, string, ...any) {}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, ref := range refs {
		s.plugins[ref] = map[string]wsplugin.Plugin{"plugin": &scripted{}}[ref.Init]
	}
	return s
}

func compareExplained(t *testing.T, home, file string) {
	l := wshttpdOf(t, home, file)
	conf, _ := headed(t, home, l.addr, file, "websocket")
	s := explainer(t, conf)
	for _, q := range questions(t, readFile(t, file)) {
		served := (&live{addr: l.addr + ":" + q.port}).dial(t).ask(&q)
		e := s.Explain(&Question{
			Head: []byte(q.text), From: netip.MustParseAddrPort("127.0.0.1:50000"), To: netip.MustParseAddrPort(l.addr + ":" + q.port),
		})
		got, want := comparable(string(e.Header)), comparable(served.head)
		if served.status == 101 {
			got, want = nil, nil // the plugin has a say in it
		}
		if e.Refused != nil || e.Status != served.status || !slices.Equal(got, want) {
			t.Errorf("%s\nis answered %d %q\nexplained as %d %q, %v", q.line, served.status, want, e.Status, got, e.Refused)
		}
		checkLines(t, &q, e)
	}
}

// comparable returns an answer's header lines without those that differ from
// one to the next.
func comparable(head string) (lines []string) {
	_, rest, _ := strings.Cut(strings.TrimSpace(head), "\r\n")
	for line := range strings.SplitSeq(rest, "\r\n") {
		if name, _, _ := strings.Cut(strings.ToLower(line), ":"); name != "date" {
			lines = append(lines, strings.ToLower(name)+line[len(name):])
		}
	}
	slices.Sort(lines)
	return lines
}

// checkLines: every section, and what denies, names the line that made it so.
func checkLines(t *testing.T, q *question, e *Explanation) {
	t.Helper()
	for _, d := range e.Decisions {
		if needsLine := d.Step == StepSection || d.Step == StepIf || d.Step == StepRedirect || d.Step == StepPlugin || d.Step == StepConnection; needsLine && len(d.Lines) == 0 {
			t.Errorf("%s: no line has made %s %q", q.line, d.Step, d.Text)
		}
	}
	if e.Status == 403 && !slices.ContainsFunc(e.Decisions, func(d Decision) bool {
		return d.Step == StepLog || len(d.Lines) > 0 && (d.Step == StepAccess || d.Step == StepRedirect || d.Step == StepOrigin || d.Step == StepRewrite)
	}) {
		t.Errorf("%s: nothing says why it is 403", q.line)
	}
}

// TestListenerOf: an address that a Listen line has comes before all addresses,
// and those of version 4 are no other version's.
func TestListenerOf(t *testing.T) {
	s := &Server{cfg: &httpdconf.Config{Listeners: []httpdconf.Listener{
		{Host: "127.0.0.2", Port: 80}, {Port: 80}, {Host: "127.0.0.3", Port: 80}, {Host: "0.0.0.0", Port: 81}, {Host: "::1", Port: 82},
	}}}
	for _, tt := range []struct {
		to   string
		want int // which of them; -1 for none
	}{
		{"127.0.0.2:80", 0}, {"127.0.0.3:80", 2}, {"127.0.0.4:80", 1}, {"[::1]:80", 1}, {"127.0.0.1:81", 3}, {"[::1]:81", -1}, {"[::1]:82", 4}, {"127.0.0.1:82", -1}, {"127.0.0.2:83", -1},
	} {
		got := s.listenerOf(netip.MustParseAddrPort(tt.to))
		if tt.want < 0 && got != nil || tt.want >= 0 && got != &s.cfg.Listeners[tt.want] {
			t.Errorf("%s comes in by %v, want number %d", tt.to, got, tt.want)
		}
	}
}

// TestExplainOverTLS: what a client under TLS gets, and one that should speak it
// and does not.
func TestExplainOverTLS(t *testing.T) {
	home, _ := tlsFiles(t)
	write(t, home, "explain.conf", "Listen 127.0.0.1:8443\nErrorLog error.log\nLoadModule ssl_module x\nLoadModule websocket_module x\nLoadModule mime_module x\n"+
		strings.ReplaceAll(tlsConf, "HOME", home))
	s := explainer(t, filepath.Join(home, "explain.conf"))
	for _, tt := range []struct {
		host, path string
		tls        bool
		status     int
		text       string // of a decision, or of why there is no answer
	}{
		{"second.example", "/a.txt", true, 200, `the client names "second.example", and gets the certificate of second.example`},
		{"first.example", "/secure", true, 404, `the client names "first.example"`},
		{"first.example", "/ws", true, 404, "websocket-handler, which leaves to files"},
		{"closed.example", "/a.txt", true, 0, "certificate required"},
		{"first.example", "/a.txt", false, 400, "comes in at 127.0.0.1:8443"},
	} {
		e := s.Explain(&Question{
			Head: []byte("GET " + tt.path + " HTTP/1.1\r\nHost: " + tt.host + ":8443\r\n\r\n"), ServerName: tt.host, TLS: tt.tls,
			From: netip.MustParseAddrPort("127.0.0.1:50000"), To: netip.MustParseAddrPort("127.0.0.1:8443"),
		})
		said := fmt.Sprint(e.Refused)
		for _, d := range e.Decisions {
			said += "\n" + d.Text
		}
		if e.Status != tt.status || !strings.Contains(said, tt.text) {
			t.Errorf("https://%s%s is explained as %d, want %d with %q in\n%s", tt.host, tt.path, e.Status, tt.status, tt.text, said)
		}
	}
}

// TestExplainFollowsRules: where a rule of a section has another path served, it
// is that path which is explained.
func TestExplainFollowsRules(t *testing.T) {
	home := configurationHome(t)
	write(t, home, "explain.conf", "Listen 127.0.0.1:8080\nErrorLog error.log\nServerName h\nLoadModule rewrite_module x\nDocumentRoot "+home+"/docs\n<Directory "+home+
		"/docs>\nRewriteEngine On\nRewriteRule ^old$ /sub/a.txt\n</Directory>\n<Location /sub>\n</Location>\n")
	e := explainer(t, filepath.Join(home, "explain.conf")).Explain(&Question{
		Head: []byte("GET /old HTTP/1.1\r\nHost: h\r\n\r\n"), From: netip.MustParseAddrPort("127.0.0.1:50000"), To: netip.MustParseAddrPort("127.0.0.1:8080"),
	})
	if e.Status != 200 || e.Path != "/sub/a.txt" || e.Filename != home+"/docs/sub/a.txt" || len(e.Sections) != 2 || e.Sections[1].Pattern != "/sub" {
		t.Errorf("explained as %d, %s, %s, %d sections", e.Status, e.Path, e.Filename, len(e.Sections))
	}
}

// TestExplainSaysWhyAHost answers, by each of the ways to be chosen.
func TestExplainSaysWhyAHost(t *testing.T) {
	home := configurationHome(t)
	conf := "Listen 127.0.0.1:8080\nListen 127.0.0.1:8081\nErrorLog error.log\nServerName main\nLoadModule mime_module x\n"
	for i, names := range []string{"ServerName first", "ServerName named\nServerAlias *.wild", "ServerName path\nServerPath /old", "ServerName other\nServerPath /sub"} {
		conf += fmt.Sprintf("<VirtualHost *:8080>\n%s\nDocumentRoot %s/docs\nAddType host/%d .txt\n</VirtualHost>\n", names, home, i)
	}
	write(t, home, "explain.conf", conf)
	s := explainer(t, filepath.Join(home, "explain.conf"))
	for _, tt := range []struct {
		host, path, port string
		text             string // of the decision
		lines            []int  // that made it
		mapped           string
	}{
		{"named", "/a.txt", "8080", `among the hosts of *:8080, the one whose ServerName is "named"`, []int{11, 12}, "/docs/a.txt"},
		{"a.wild", "/a.txt", "8080", `among the hosts of *:8080, the one whose ServerAlias *.wild is "a.wild"`, []int{11, 13}, "/docs/a.txt"},
		{"none", "/a.txt", "8080", `among the hosts of *:8080, the first: none has the name "none"`, []int{6}, "/docs/a.txt"},
		{"", "/old/a.txt", "8080", "among the hosts of *:8080, the first whose ServerPath /old covers the target", []int{17}, "/docs/a.txt"},
		{"", "/sub", "8080", "among the hosts of *:8080, the first whose ServerPath /sub covers the target", []int{23}, "/docs/"},
		{"", "/older/a.txt", "8080", `among the hosts of *:8080, the first: none has the name ""`, []int{6}, "/docs/older/a.txt"},
		{"first", "/old/a.txt", "8080", `among the hosts of *:8080, the one whose ServerName is "first"`, []int{6, 7}, "/docs/old/a.txt"},
		{"first", "/a.txt", "8081", "the main server: no VirtualHost is for 127.0.0.1:8081", []int{4}, "/a.txt"},
	} {
		head := "GET " + tt.path + " HTTP/1.1\r\nHost: " + tt.host + "\r\n\r\n"
		if tt.host == "" { // which alone ServerPath is for
			head = "GET " + tt.path + " HTTP/1.0\r\n\r\n"
		}
		e := s.Explain(&Question{
			Head: []byte(head), From: netip.MustParseAddrPort("127.0.0.1:50000"), To: netip.MustParseAddrPort("127.0.0.1:" + tt.port),
		})
		i := slices.IndexFunc(e.Decisions, func(d Decision) bool { return d.Step == StepHost })
		if i < 0 {
			t.Errorf("%s%s: nothing says which host answers", tt.host, tt.path)
			continue
		}
		var lines []int
		for _, line := range e.Decisions[i].Lines {
			lines = append(lines, line.Start.Line)
		}
		if got := e.Decisions[i].Text; got != tt.text || !slices.Equal(lines, tt.lines) || !strings.HasSuffix(e.Filename, tt.mapped) {
			t.Errorf("%s%s is answered by %q, lines %v, with %s; want %q, %v, %s", tt.host, tt.path, got, lines, e.Filename, tt.text, tt.lines, tt.mapped)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
