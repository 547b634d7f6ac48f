package doctor

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// asked are the requests that the golden file explains, as on a command line.
var asked = []string{
	"/hosts",
	"http://first.example:8080/old/page?x=1",
	"http://FIRST.example:8080/a/..//banner",
	"http://other.example:8080/shadow",
	"http://first.example:8080/hosts?closed",
	"http://first.example:8080/nothing",
	"http://first.example:8080/../etc",
	"http://first.example:8080/chat",
	"ws://first.example:8080/chat",
	"ws://first.example:8080/chat -H Origin:http://elsewhere.example",
	"ws://first.example:8080/chat -H Sec-WebSocket-Version:9",
	"ws://first.example:8080/chat -H User-Agent:Bot/1",
	"ws://first.example:8080/chat --from 192.0.2.1",
	"http://x.second.example:8080/old --from 10.1.2.3:4",
	"http://x.second.example:8080/old",
	"http://second.example:8080/members",
	"http://second.example:8080/members -H Authorization:Basic=YWxpY2U6d3Jvbmc=",
	"http://second.example:8080/legacy/x -H User-Agent:Older",
	"http://second.example:8080/legacy/x -H User-Agent:New",
	"http://second.example:8080/secret",
	"http://main.example:8081/hosts -X PUT",
	"http://first.example:8082/",
	"https://first.example:8080/",
}

// moments are what differs from one run to the next in an answer.
var moments = regexp.MustCompile(`(?m)((?:Date|Last-Modified|Etag|Content-Length): ).*$`)

// explained runs the command explain.
func explained(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Explain(&stdout, &stderr, commandLine(t, append([]string{"explain", "-d", ".", "-f", "explain.conf"}, args...)...))
	return stdout.String() + stderr.String(), code
}

// TestExplanationsAreThose compares whole explanations with a golden file.
func TestExplanationsAreThose(t *testing.T) {
	want := absolute(t, "testdata/explain.want")
	prepared(t, "explain.conf")
	if err := os.WriteFile("users", []byte("alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, line := range asked {
		args := strings.Fields(line)
		for i := range args {
			args[i] = strings.Replace(args[i], "Basic=", "Basic ", 1)
		}
		out, code := explained(t, args...)
		if code != 0 {
			t.Errorf("%s: exit status %d", line, code)
		}
		b.WriteString(moments.ReplaceAllString(out, "${1}...") + "\n")
	}
	got := b.String()
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
}

// TestExplanationAsJSON decodes what --json prints, without the types that have
// made it.
func TestExplanationAsJSON(t *testing.T) {
	prepared(t, "explain.conf")
	out, _ := explained(t, "--json", "ws://first.example:8080/chat/room?x", "-H", "Origin: http://first.example:8080")
	var got struct {
		Request   struct{ URL, Method, From, To string }
		Decisions []struct {
			Step, Text string
			Lines      []struct {
				File   string
				Line   int
				Source string
			}
		}
		Host     string
		HostLine struct{ Line int } `json:"host_line"`
		Path     string
		Filename string
		Handler  string
		Sections []struct{ Source string }
		Plugin   struct{ Line int }
		Answer   struct {
			Status int
			Reason string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if got.Request.Method != "GET" || got.Request.To != "127.0.0.1:8080" || got.Host != "first.example" || got.HostLine.Line != 18 ||
		got.Path != "/chat/room" || got.Filename != "/etc/chat/room" || got.Handler != "websocket-handler" || got.Plugin.Line != 35 || got.Answer.Status != 101 {
		t.Errorf("%+v", got)
	}
	if len(got.Sections) != 3 || got.Sections[2].Source != "<Location /chat>" {
		t.Errorf("sections %v", got.Sections)
	}
	found := false
	for _, d := range got.Decisions {
		found = found || d.Step == "origin" && strings.Contains(d.Text, "accepted") && len(d.Lines) == 1 && d.Lines[0].Line == 36 && d.Lines[0].Source == "WebSocketOriginCheck Same"
	}
	if !found {
		t.Errorf("no decision on the origin with its line in %+v", got.Decisions)
	}
	out, _ = explained(t, "--json", "http://first.example:8080/old")
	if !strings.Contains(out, `"location": "https://new.example/"`) || !strings.Contains(out, `"plugin": null`) {
		t.Errorf("a redirection is\n%s", out)
	}
}

// TestExplainRefuses what is no question.
func TestExplainRefuses(t *testing.T) {
	prepared(t, "explain.conf")
	for _, tt := range []struct{ args, want string }{
		{"ftp://first.example/", "is no URL"},
		{"http://first.example:8080/ -H nonsense", "is no header"},
		{"http://first.example:8080/ --from nowhere", "is no address"},
		{"http://first.example:8080/ --to 1.2.3", "is no address"},
		{"http://first.example:8080/ -c Foo", "Invalid command 'Foo'"},
	} {
		if out, code := explained(t, strings.Fields(tt.args)...); code != 1 || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit status %d\n%s", tt.args, code, out)
		}
	}
}
