package server

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The tests in this file have the same dialogues with httpd and with this
// server, through plugins in the same binaries. What the stand-in decides by
// itself (testdata/plugins/standin.c), frames and fields of the answer, is held
// against the documents elsewhere; here it is what plugins meet: httpd's
// threads, APR's pools and tables, the request, the log.

// bothConf is served by both.
var bothConf = "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\nLogLevel info\n" +
	location("/count", "increment") + location("/ten", "tenthreads") + location("/headers", "headers") +
	location("/closer", "closer") + location("/reflect", "reflect")

// TestParityOfPlugins: see each.
func TestParityOfPlugins(t *testing.T) {
	both := serveBoth(t, tree(t, "docs/index.html"), bothConf)
	for name, dialogue := range map[string]func(*testing.T, *live) string{
		"a thread with a pool of its own counts, starts anew, closes":  counts,
		"ten threads that on_connect has started send a thousand each": tenThreads,
	} {
		t.Run(name, func(t *testing.T) { both.agree(t, dialogue) })
	}
	t.Run("the answer is made of headers_out", func(t *testing.T) {
		got := both.agree(t, func(t *testing.T, l *live) string {
			return l.dial(t).send("GET /reflect?headers HTTP/1.1\r\nHost: x\r\nUser-Agent: agent\r\nSec-WebSocket-Protocol: one, two\r\n" + handshakeFields + "\r\n").receive("GET").head
		})
		if want := "Sec-WebSocket-Protocol: two\r\nX-Early: table\r\nX-Twice: one\r\nX-Twice: two\r\nX-Agent: agent\r\n\r\n"; !strings.HasSuffix(got, want) {
			t.Errorf("got\n%s\nwant at its end\n%s", got, want)
		}
	})
	t.Run("header and subprotocols", func(t *testing.T) { headersAgree(t, both) })
	t.Run("refusal", func(t *testing.T) { refusalsAgree(t, both) })
	t.Run("close from a thread", func(t *testing.T) { closesAgree(t, both) })
}

// counts reads what increment.c sends.
func counts(t *testing.T, l *live) string {
	c := l.upgrade(t, "/count")
	var said []string
	for range 20 {
		said = append(said, c.text())
	}
	c.send(frame(0x81, "reset"))
	for c.text() != "0" {
	}
	said = append(said, "reset", c.text())
	c.send(frame(0x81, "close"))
	_, end := c.ending()
	return strings.Join(append(said, end), " ")
}

// ending reads the texts that come before the close frame, answers that, and
// returns them and what else came until the end of the connection.
func (p *peer) ending() (texts []string, end string) {
	p.t.Helper()
	for {
		first, err := p.r.Peek(2)
		if err != nil {
			p.t.Fatal(err)
		}
		if first[0] != 0x81 {
			break
		}
		texts = append(texts, p.text())
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.r, head); err != nil || head[0] != 0x88 || head[1] > 125 {
		p.t.Fatalf("a frame begins with %x, %v, want a close frame", head, err)
	}
	payload := make([]byte, head[1])
	if _, err := io.ReadFull(p.r, payload); err != nil {
		p.t.Fatal(err)
	}
	p.send(frame(0x88, ""))
	return texts, fmt.Sprintf("closed by %q, then %q", payload, p.rest())
}

// tenThreads reads what tenthreads.c sends.
func tenThreads(t *testing.T, l *live) string {
	c := l.dial(t).send("GET /ten HTTP/1.1\r\nHost: x\r\n" + handshakeFields + "\r\n")
	answer := c.receive("GET")
	if answer.status != 101 {
		t.Fatalf("answered %q", answer.head)
	}
	// Threads' sends wait for the answer in httpd; here they are queued
	// (plugins.md, 1.8), as many as come while on_connect waits for them.
	if got := answer.header["x-sent"]; (got == "0") != (l.Server == nil) {
		t.Errorf("before on_connect returned %s messages were accepted", got)
	}
	var next [10]int
	for range 10 * 1000 {
		var thread, n int
		if _, err := fmt.Sscan(c.text(), &thread, &n); err != nil || n != next[thread] {
			t.Fatalf("thread %d sent %d, want %d (%v)", thread, n, next[thread], err)
		}
		next[thread]++
	}
	c.send(frame(0x81, "echo"))
	echo := c.text()
	c.send(frame(0x88, ""))
	return fmt.Sprintf("%v %s %q", next, echo, c.rest())
}

// headersAgree compares what header_get, header_set and the functions of the
// subprotocols do.
func headersAgree(t *testing.T, both twins) {
	const offer, set, request = "Sec-WebSocket-Protocol: one, two\r\n", "X-Do: set", ", request\r\n"
	for _, tt := range []struct {
		fields string
		names  []string
	}{
		{"", []string{"host", "HOST", "Upgrade", "sec-websocket-key", "X-Absent", "protocols"}},
		{"X-Own: 1\r\nx-own:  2 \r\nX-OWN: 3, 4\r\nX-Empty:\r\nX-Tab:\ta\tb\t\r\n", []string{"x-Own", "X-Empty", "x-tab", "x-ow", "X-Own:"}},
		{"Cookie: a=1\r\nCookie: b=2; c=3\r\nX-High: caf\xc3\xa9\r\n", []string{"cookie", "X-High"}},
		{"Sec-WebSocket-Protocol: one\r\n", []string{"protocols", "sec-websocket-protocol"}},
		{"Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Protocol:three,one\r\n", []string{"protocols", "sec-websocket-protocol"}},
		{set + "\r\n", []string{"x-one"}},
		{set + request, []string{"x-one"}},
		{set + " last\r\n" + offer, []string{"protocols"}},
		{set + " last" + request + offer, []string{"protocols"}},
		{"X-Do: last\r\n", []string{"protocols"}},
		{"X-Do: own\r\n", []string{"protocols"}},
		{"X-Do: own" + request, []string{"protocols"}},
		{set + " own\r\n" + offer, []string{"protocols"}},
	} {
		both.agree(t, func(t *testing.T, l *live) string {
			c := l.dial(t).send("GET /headers HTTP/1.1\r\nHost: x\r\n" + tt.fields + handshakeFields + "\r\n")
			said := []string{c.receive("GET").head}
			for _, name := range tt.names {
				c.send(frame(0x81, name))
				said = append(said, name+": "+c.text())
			}
			return strings.Join(append(said, c.leave()), "\n")
		})
	}
	both.agree(t, func(t *testing.T, l *live) string { return strings.Join(l.records(t, "on_disconnect, x, ", 13), "\n") })
}

// refusalsAgree compares the whole answers of requests that on_connect refuses,
// but for what every answer of httpd has. on_disconnect is not called.
func refusalsAgree(t *testing.T, both twins) {
	varies := regexp.MustCompile(`(?m)^(Date|Server): .*\r\n`)
	for _, asked := range [][2]string{
		{"/headers", "X-Do: refuse"}, {"/headers", "X-Do: refuse, set, own"}, {"/headers", "X-Do: refuse, set, own, request"}, {"/reflect?headers&refuse", "X-Do: nothing"},
	} {
		both.agree(t, func(t *testing.T, l *live) string {
			c := l.dial(t).send("GET " + asked[0] + " HTTP/1.1\r\nHost: refused\r\n" + asked[1] + "\r\nSec-WebSocket-Protocol: a\r\n" + handshakeFields + "\r\n")
			return varies.ReplaceAllString(c.rest(), "")
		})
	}
	both.agree(t, func(t *testing.T, l *live) string { return strings.Join(l.records(t, "] refused: ", 1), "\n") })
	both.agree(t, func(t *testing.T, l *live) string { // nor is it called later than for the next one
		c := l.dial(t).send("GET /headers HTTP/1.1\r\nHost: accepted\r\n" + handshakeFields + "\r\n")
		c.receive("GET")
		c.send(frame(0x88, "")).rest()
		return strings.Join(l.records(t, "on_disconnect, (accepted|refused)", 1), "\n")
	})
}

// closesAgree compares what the calls of a thread that closes return, and what
// the client gets.
func closesAgree(t *testing.T, both twins) {
	hows := []string{"close", "255", "255 \x03\xe8reason", "255 \x0f\xa0", "-1", "7", "258", "4096 \x03\xe9away"}
	for _, how := range hows {
		both.agree(t, func(t *testing.T, l *live) string {
			c := l.upgrade(t, "/closer").send(frame(0x82, how))
			texts, end := c.ending()
			return strings.Join(texts, ",") + " " + end
		})
	}
	both.agree(t, func(t *testing.T, l *live) string {
		return strings.Join(l.records(t, "in on_disconnect", len(hows)), "\n")
	})
}

// records waits until n records of the error log match, and returns all that do
// then, without what differs by process, time and port.
func (l *live) records(t *testing.T, pattern string, n int) (list []string) {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	for begin := time.Now(); len(list) < n && time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		log, err := os.ReadFile(l.log)
		if err != nil {
			t.Fatal(err)
		}
		list = nil
		for line := range strings.Lines(string(log)) {
			if line = strings.TrimSpace(line); wanted.MatchString(line) {
				list = append(list, recordVaries.ReplaceAllString(line, "$1"))
			}
		}
	}
	if len(list) < n {
		t.Errorf("%d records match %q, want %d", len(list), pattern, n)
	}
	return list
}

var recordVaries = regexp.MustCompile(`^\[[^]]*\] |\[pid [^]]*\] |(127\.0\.0\.1):\d+`)

// TestDepartures: where this server does on purpose otherwise than the
// original. Each stands in the documents.
func TestDepartures(t *testing.T) {
	both := serveBoth(t, tree(t, "docs/index.html"), "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\n"+location("/edges", "edges"))
	open := func(query, fields string) func(*testing.T, *live) *peer {
		return func(t *testing.T, l *live) *peer {
			return l.dial(t).send("GET /edges" + query + " HTTP/1.1\r\nHost: x\r\n" + fields + handshakeFields + "\r\n").expect(accepted)
		}
	}
	for _, tt := range []struct {
		rule, query, fields, sent string
		theirs, ours              string // what comes behind the fields of the handshake
	}{
		{"plugins.md, 1.5: the buffer is never NULL", "", "", frame(0x81, ""), "\r\n\x81\x04NULL", "\r\n\x81\x08a buffer"},
		{"plugins.md, 1.6: what would split the head is left out", "?header", "", "", "X-Split: a\r\nX-Injected: b\r\n\r\n", "\r\n"},
		{"plugins.md, 1.7: what is no token is no subprotocol", "?protocol", "Sec-WebSocket-Protocol: a\r\n", "", "Sec-WebSocket-Protocol: no token\r\n\r\n", "\r\n"},
		{"plugins.md, 1.8: a close frame of one byte is sent empty", "", "", frame(0x81, "c1"), "\r\n\x88\x01\x00", "\r\n\x88\x00"},
		{"plugins.md, 1.8: of a close frame that is too long the code is sent", "", "", frame(0x81, "c126"), "\r\n\x88\x7e\x00\x7e\x00\x00", "\r\n\x88\x02\x00\x00"},
		{"plugins.md, 1.8: a ping that is too long is not sent", "", "", frame(0x81, "p126") + frame(0x81, "p1"), "\r\n\x89\x7e\x00\x7e\x00\x00", "\r\n\x89\x01\x00"},
		{"websocket-behaviour.md, 2.5: a close code is answered by the same", "", "", frame(0x88, "\x03\xe9"), "\r\n\x88\x02\x03\xe8", "\r\n\x88\x02\x03\xe9"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			ask := open(tt.query, tt.fields)
			ask(t, both.theirs).send(tt.sent).expect(tt.theirs)
			ask(t, both.ours).send(tt.sent).expect(tt.ours)
		})
	}
	t.Run("plugins.md, 1.8: what comes behind the plugin's close frame is thrown away", func(t *testing.T) {
		for l, want := range map[*live]int{both.theirs: 2, both.ours: 1} {
			c := open("", "")(t, l).send(frame(0x81, "c0 first") + frame(0x81, "c0 second") + frame(0x88, "")).expect("\r\n\x88\x00")
			c.rest()
			if got := l.records(t, "edges: c0", 1); len(got) != want {
				t.Errorf("the plugin got %q, want %d messages", got, want)
			}
		}
	})
}

// TestParityOfViolations: what of a client's no plugin sees ends the connection
// by the same code.
func TestParityOfViolations(t *testing.T) {
	both := serveBoth(t, tree(t, "docs/index.html"), "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\n"+
		location("/late", "late")+"<Location /late/small>\nMaxMessageSize 10\nWebSocketHandler PLUGIN:late\n</Location>\n"+
		"<Location /late/bare>\nMaxMessageSize 10\n</Location>\n")
	for _, tt := range []struct{ claim, path, sent string }{
		{"not masked", "/late", "\x81\x01a"},
		{"reserved bit", "/late", frame(0xc1, "ab")},
		{"unknown opcode", "/late", frame(0x83, "ab")},
		{"unknown control frame", "/late", frame(0x8b, "")},
		{"fragmented control frame", "/late", frame(0x09, "")},
		{"long control frame", "/late", frame(0x89, strings.Repeat("x", 126))},
		{"continuation of nothing", "/late", frame(0x80, "ab")},
		{"message within a message", "/late", frame(0x01, "ab") + frame(0x81, "cd")},
		{"close frame of one byte", "/late", frame(0x88, "a")},
		{"close code that is none", "/late", frame(0x88, "\x03\xed")},
		{"close reason that is no UTF-8", "/late", frame(0x88, "\x03\xe8\xff")},
		{"text that is no UTF-8", "/late", frame(0x81, "a\xed\xa0\x80")},
		{"text that ends in a character", "/late", frame(0x01, "a\xc3") + frame(0x80, "")},
		{"message as large as it may be, and one larger", "/late/small", frame(0x82, "0123456789") + frame(0x82, "0123456789a")},
		{"fragments that are too large", "/late/small", frame(0x02, "0123456789") + frame(0x89, "") + frame(0x80, "a")},
		{"good ones", "/late", frame(0x81, "\u00e4b") + frame(0x8a, "pong") + frame(0x88, "\x03\xe8reason")},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			both.agree(t, func(t *testing.T, l *live) string {
				return fmt.Sprintf("%q", l.upgrade(t, tt.path).send(tt.sent).rest())
			})
		})
	}
}
