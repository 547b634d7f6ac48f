package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// talkConf logs what differs between the requests of a connection, behind the
// client's port.
const talkConf = `
ServerName main.example
DocumentRoot HOME/docs
DirectoryIndex index.html
TypesConfig HOME/mime.types
AcceptFilter http none
RequestReadTimeout header=4 body=4
KeepAliveTimeout 4
MaxKeepAliveRequests 3
LimitRequestFields 5
LimitRequestBody 1000
ErrorDocument 414 /a.txt
SetEnvIf User-Agent old nokeepalive
CustomLog HOME/logs/talk "%{remote}p %r|%m|%U|%q|%H|%>s %b|%k|%X|%{Connection}o|%{Keep-Alive}o|%{Content-Length}o|%f|%{X-Mark}i|%a|%v|%{local}p|%R|%I %O %S"
<Location /shut>
Require all denied
</Location>
<VirtualHost *:*>
ServerName main.example
</VirtualHost>
<VirtualHost *:*>
ServerName other.example
KeepAliveTimeout 3
MaxKeepAliveRequests 0
</VirtualHost>
<VirtualHost *:*>
ServerName third.example
KeepAlive Off
</VirtualHost>
`

// talk is what a client says and hears on one connection, and then ends.
type talk struct {
	name  string
	steps []talkStep
	ours  string // where this server logs other lines than httpd
	lost  int    // bytes that are in no line
}

// talkStep sends something, and reads what is answered.
type talkStep struct {
	send  string
	hears string // method of the request whose answer comes; "" for none
	then  func(*peer)
}

func (s talkStep) do(p *peer) (heard int) {
	if s.send != "" {
		p.send(s.send)
	}
	if s.hears != "" {
		r := p.receive(s.hears)
		heard = len(r.head) + len(r.body)
	}
	if s.then != nil {
		s.then(p)
	}
	return heard
}

// request is one for main.example.
func requestFor(method, target string, fields ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: main.example\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

func get(target string, fields ...string) string { return requestFor("GET", target, fields...) }

func talks() []talk {
	heard := func(send string) talkStep { return talkStep{send: send, hears: "GET"} }
	ok := heard(get("/a.txt"))
	end := talkStep{then: func(p *peer) { _, _ = io.Copy(io.Discard, p.r) }} // as the server does
	half := talkStep{then: func(p *peer) { _ = p.Conn.(*net.TCPConn).CloseWrite() }}
	giveUp := talkStep{then: func(p *peer) {
		_, _ = io.ReadFull(p.r, make([]byte, 1000))
		_ = p.Conn.(*net.TCPConn).SetLinger(0)
	}}
	long := strings.Repeat("a", 9000)
	list := []talk{
		{name: "several requests", steps: []talkStep{ok, heard(get("/missing")), heard(get("/", "Connection: close")), end}},
		{name: "as many as there may be", steps: []talkStep{ok, ok, ok, ok, end}},
		{name: "kept alive until its time is over", steps: []talkStep{ok, end}},
		{name: "kept alive until the client goes", steps: []talkStep{ok}},
		{name: "pipelined", steps: []talkStep{{send: get("/a.txt") + get("/missing") + get("/shut")}, {hears: "GET"}, {hears: "GET"}, {hears: "GET"}}},
		{name: "HEAD", steps: []talkStep{{send: requestFor("HEAD", "/a.txt"), hears: "HEAD"}, {send: requestFor("HEAD", "/index.html"), hears: "HEAD"}}},
		{name: "HTTP/1.0", steps: []talkStep{heard("GET /a.txt HTTP/1.0\r\n\r\n"), end}},
		{name: "HTTP/1.0 that stays", steps: []talkStep{heard("GET /a.txt HTTP/1.0\r\nConnection: x, keep-alive\r\n\r\n"), heard("GET /missing HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")}},
		{name: "HTTP/1.1 that asks to stay", steps: []talkStep{heard(get("/a.txt", "Connection: keep-alive")), heard(get("/", "Connection: keep-alive, close")), end}},
		{name: "nokeepalive", steps: []talkStep{ok, heard(get("/a.txt", "User-Agent: old", "Via: 1.1 x")), heard(get("/a.txt", "User-Agent: old")), end}},
		{name: "another host", steps: []talkStep{heard(strings.Replace(get("/a.txt", "Connection: Keep-Alive"), "main", "other", 1)), end}},
		{name: "a host without keep-alive", steps: []talkStep{heard(strings.Replace(get("/a.txt", "Connection: Keep-Alive"), "main", "third", 1)), end}},
		{name: "nothing", steps: nil},
		{name: "nothing, until the time is over", steps: []talkStep{end}},
		{name: "a blank line, until the time is over", steps: []talkStep{{send: "\r\n"}, end}},
		{name: "blank lines and a request", steps: []talkStep{heard("\r\n\r\n\r\n" + get("/a.txt") + get("/missing")), {hears: "GET"}}},
		{name: "half a request line, then gone", steps: []talkStep{{send: "GET /a.txt"}}},
		{name: "half a request line, then half closed", steps: []talkStep{{send: "GET /a.txt"}, half, end}},
		{name: "half a request line behind an answer", steps: []talkStep{ok, {send: "GET /a"}, end}, lost: len("GET /a")},
		{name: "half a head", steps: []talkStep{heard("GET /a.txt?x HTTP/1.1\r\nHost: main.example\r\n"), end}},
		{name: "half a head, then gone", steps: []talkStep{{send: "GET /a.txt HTTP/1.1\r\nHost: main.example\r\n"}}},
		{name: "half a head, then half closed", steps: []talkStep{{send: "GET /a.txt HTTP/1.1\r\nHost: main.example\r\n"}, half, {hears: "GET"}, end}},
		{name: "half a head behind an answer", steps: []talkStep{ok, heard("GET /a.txt HTTP/1.1\r\n"), end}},
		{name: "one bad request behind a good one", steps: []talkStep{ok, heard(get("/a.txt", "X Y: z")), end}},
		{name: "unknown method", steps: []talkStep{heard(requestFor("FOO", "/a.txt?x")), end}},
		{name: "POST to a file", steps: []talkStep{heard(requestFor("POST", "/a.txt")), ok}},
		{name: "conditional", steps: []talkStep{heard(get("/a.txt", "If-None-Match: *")), heard(get("/a.txt", "Range: bytes=2-4"))}},
		{name: "unsatisfiable", steps: []talkStep{heard(get("/sub", "Range: bytes=20-"))}},
		{name: "redirect", steps: []talkStep{heard(get("/sub"))}},
		{name: "the whole server", steps: []talkStep{{send: "OPTIONS * HTTP/1.1\r\nHost: other.example\r\n\r\n", hears: "OPTIONS"}}},
		{name: "upgrade that nobody takes", steps: []talkStep{heard(get("/a.txt", "Upgrade: websocket", "Connection: Upgrade"))}},
		{name: "large file, whole", steps: []talkStep{heard(get("/large"))}},
		{name: "large file, given up", steps: []talkStep{{send: get("/large")}, giveUp}},
		{name: "HTTP/0.9", steps: []talkStep{{send: "GET /a.txt\r\n"}, end}, ours: "GET /a.txt|GET|/a.txt||HTTP/1.0|400 SIZE|0|-|close|-|SIZE|-|-|127.0.0.1|main.example|PORT|-"},
		{name: "half a request line", steps: []talkStep{{send: "GET /a.txt"}, end}, ours: "-|-|-||HTTP/1.0|408 SIZE|0|-|close|-|SIZE|-|-|127.0.0.1|main.example|PORT|-"},
		{name: "a version that is not here", steps: []talkStep{heard("GET /a.txt HTTP/3.1\r\nHost: a\r\n\r\n")}, ours: "GET /a.txt HTTP/3.1|GET|/a.txt||HTTP/3.1|505 SIZE|0|-|close|-|SIZE|-|-|127.0.0.1|main.example|PORT|-"},
	}
	for name, send := range map[string]string{
		"a third word": "GET /a.txt x HTTP/1.1\r\nHost: a\r\n\r\n", "no protocol": "\x16\x03\x01\r\n\r\n", "another protocol": "GET /a.txt FTP/1.1\r\nHost: a\r\n\r\n",
		"a protocol in small letters": "GET /a.txt http/1.1\r\nHost: a\r\n\r\n", "two blanks": "GET  /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "a blank behind": "GET /a.txt HTTP/1.1 \r\nHost: a\r\n\r\n",
		"a tab": "GET\t/a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "a method alone": "GET\r\nHost: a\r\n\r\n", "a bare LF": "GET /a.txt HTTP/1.1\nHost: a\r\n\r\n", "a bad method": "G@T /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
		"a target without a slash": "GET a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "an asterisk": get("*"), "a fragment": get("/a.txt?x#f"), "a control byte": get("/a\x01b"),
		"a bad field": get("/a%20b/../c?q=%zz", "X Y: z"), "a bad field of another host": get("http://other.example/x?y", "X Y: z"), "no Host": "GET /a.txt HTTP/1.1\r\n\r\n",
		"a bad Host": "GET /a.txt HTTP/1.1\r\nHost: a b\r\n\r\n", "a bad escape": get("/%zz?y"), "too many fields": get("/a.txt", "A: 1", "B: 2", "C: 3", "D: 4", "E: 5", "F: 6"),
		"a long field": get("/a.txt", "A: "+long), "a long target": get("/" + long), "a long method": requestFor(long, "/a.txt"),
		"a large body": get("/a.txt", "Content-Length: 2000"), "no number for a length": get("/a.txt", "Content-Length: x"), "an unknown coding": get("/a.txt", "Transfer-Encoding: gzip"),
		"a body": requestFor("POST", "/a.txt", "Content-Length: 5", "Connection: close") + "hello",
	} {
		list = append(list, talk{name: name, steps: []talkStep{heard(send), end}})
	}
	return list
}

// talkResult is what came of a talk: the records in the log, without their
// counts, and the counts: in, out, both.
type talkResult struct {
	port   string
	lines  string
	counts [][3]int
	heard  []int // bytes of each answer that was read whole
	sent   int   // bytes
}

// hold holds a talk.
func (k *talk) hold(t *testing.T, l *live) *talkResult {
	p := l.dial(t)
	defer p.Close()
	r := new(talkResult)
	_, r.port, _ = net.SplitHostPort(p.LocalAddr().String())
	for _, s := range k.steps {
		r.sent += len(s.send)
		if n := s.do(p); n > 0 {
			r.heard = append(r.heard, n)
		}
	}
	return r
}

// holdAll holds all talks at once, and reads what is logged of them.
func holdAll(t *testing.T, home string, l *live, list []talk) map[string]*talkResult {
	t.Helper()
	results := make(map[string]*talkResult)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, k := range list {
		all.Go(func() {
			r := k.hold(t, l)
			mu.Lock()
			results[k.name] = r
			mu.Unlock()
		})
	}
	all.Wait()
	readTalks(t, filepath.Join(home, "logs/talk"), results, home, l.addr)
	return results
}

// errorSizes are those of error pages, in %b and in %{Content-Length}o.
var errorSizes = regexp.MustCompile(`\|((?:30[12]|[45]\d\d) )[1-9]\d*((?:\|[^|]*){4}\|)(?:[1-9]\d*|-)\|`)

// readTalks distributes the records of a log among those whose they are, once
// it has not grown for a while.
func readTalks(t *testing.T, file string, results map[string]*talkResult, home, addr string) {
	t.Helper()
	var text []byte
	for size := -1; len(text) > size; time.Sleep(700 * time.Millisecond) {
		size = len(text)
		text, _ = os.ReadFile(file) // not there yet
	}
	byPort := make(map[string]*talkResult)
	for _, r := range results {
		byPort[r.port] = r
	}
	_, port, _ := net.SplitHostPort(addr)
	said := strings.NewReplacer(home, "HOME", "|"+port+"|", "|PORT|").Replace(string(text))
	for line := range strings.Lines(errorSizes.ReplaceAllString(said, "|${1}SIZE${2}SIZE|")) {
		from, rest, _ := strings.Cut(line, " ")
		r := byPort[from]
		if r == nil {
			t.Errorf("nobody has come from port %s: %s", from, rest)
			continue
		}
		at := strings.LastIndexByte(rest, '|')
		r.lines += rest[:at] + "\n"
		var counts [3]int
		if _, err := fmt.Sscan(rest[at+1:], &counts[0], &counts[1], &counts[2]); err != nil {
			t.Errorf("counts %q: %v", rest[at+1:], err)
		}
		r.counts = append(r.counts, counts)
	}
}

// talkFiles makes what is asked for in talks, and room for logs.
func talkFiles(t *testing.T) (home string) {
	home = parityFiles(t)
	if err := os.Mkdir(filepath.Join(home, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, home, "docs/large", strings.Repeat("\x00", 32<<20))
	return home
}

// TestParityOfLoggedTalks has httpd and this server log the same connections,
// most of which hold more, or less, than one good request.
func TestParityOfLoggedTalks(t *testing.T) {
	conf := loadLines(append([]string{"reqtimeout"}, authModules...)...) + talkConf
	var ourLog, theirLog map[string]*talkResult
	home, other := talkFiles(t), talkFiles(t)
	l := serveIn(t, home, strings.ReplaceAll(conf, "HOME", "ROOT"), nil)
	// With a thread for each talk: httpd ends connections between requests where it has none to spare.
	httpd := &live{addr: startApache(t, other, "StartServers 1\nThreadLimit 256\nThreadsPerChild 256\nMaxRequestWorkers 256\n"+conf)}
	var both sync.WaitGroup
	both.Go(func() { ourLog = holdAll(t, home, l, talks()) })
	both.Go(func() { theirLog = holdAll(t, other, httpd, talks()) })
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, k := range talks() {
		ours, theirs := ourLog[k.name], theirLog[k.name]
		want := theirs.lines
		if k.ours != "" {
			if want = k.ours + "\n"; want == theirs.lines {
				t.Errorf("%s: httpd has come to log the same: %s", k.name, want)
			}
		}
		if ours.lines != want {
			t.Errorf("%s is logged\n%sby httpd\n%s", k.name, ours.lines, want)
		}
		ours.checkCounts(t, k.name, k.lost)
	}
}

// checkCounts compares what was counted with what the client has seen. httpd
// counts a byte twice that it looks at before it reads it.
func (r *talkResult) checkCounts(t *testing.T, name string, lost int) {
	in, all := lost, ""
	for i, c := range r.counts {
		in += c[0]
		if c[2] != c[0]+c[1] {
			t.Errorf("%s: %%S is %d for %d in and %d out", name, c[2], c[0], c[1])
		}
		if i < len(r.heard) && c[1] != r.heard[i] {
			t.Errorf("%s: %%O is %d, the answer has %d bytes", name, c[1], r.heard[i])
		}
		all += strconv.Itoa(c[0]) + " "
	}
	if len(r.counts) > 0 && in != r.sent && len(r.heard) == len(r.counts) {
		t.Errorf("%s: %%I is %sof %d bytes that were sent", name, all, r.sent)
	}
}
