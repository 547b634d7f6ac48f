package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shapesConf has plugins of the shapes that are in the field.
var shapesConf = "ServerName x\nTypesConfig /dev/null\nDocumentRoot HOME/docs\nLogLevel info\n" + location("/roster", "roster") +
	location("/workers", "workers") + location("/broker", "broker") + location("/library", "library") + location("/plusplus", "plusplus") +
	location("/late", "late")

// TestParityOfShapes: plugins as people write them do the same under httpd and
// here.
func TestParityOfShapes(t *testing.T) {
	for name, serve := range map[string]func(*testing.T, string, string) twins{"in this process": serveBoth, "in a worker": serveProcesses} {
		t.Run(name, func(t *testing.T) {
			home := tree(t, "docs/index.html")
			text := filepath.Join(home, "docs/index.html")
			if err := os.WriteFile(text, []byte("a line\nand more\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			shapesAgree(t, serve(t, home, shapesConf), text)
		})
	}
}

// shapesAgree has the dialogues with plugins of all shapes; text is the path of
// a file.
func shapesAgree(t *testing.T, both twins, text string) {
	t.Helper()
	t.Run("a list of connections that outlive each other", func(t *testing.T) { both.agree(t, meet) })
	t.Run("a thread pool and a queue", func(t *testing.T) { both.agree(t, employ) })
	t.Run("on_disconnect joins a thread that another server holds", func(t *testing.T) { both.agree(t, leaveBroker) })
	t.Run("on_message waits for another server's answer", func(t *testing.T) { both.agree(t, askBroker) })
	t.Run("C++ with threads and exceptions", func(t *testing.T) { both.agree(t, askPlusPlus) })
	t.Run("no on_connect, and the request when it is needed", func(t *testing.T) { both.agree(t, askLate) })
	t.Run("the rest of libapr and libaprutil", func(t *testing.T) {
		for _, message := range []string{text, "http://x.example:81/a b?q", "none.so"} {
			got := both.agree(t, func(t *testing.T, l *live) string { return l.upgrade(t, "/library").send(frame(0x81, message)).text() })
			if !strings.HasSuffix(got, " | uuid 36 | path set | dbd none") {
				t.Errorf("got %q", got)
			}
		}
	})
}

// leave ends a connection from the client's side, and returns what came then.
func (p *peer) leave() string {
	p.t.Helper()
	return fmt.Sprintf("%q", p.send(frame(0x88, "")).rest())
}

// meet has three clients of roster.c send to each other, of which two leave.
func meet(t *testing.T, l *live) string {
	members := []*peer{l.upgrade(t, "/roster"), l.upgrade(t, "/roster"), l.upgrade(t, "/roster")}
	var heard []string
	for len(members) > 0 {
		for i, m := range members {
			m.send(frame(0x81, fmt.Sprint("from ", i)))
			for _, hears := range members {
				heard = append(heard, hears.text())
			}
		}
		last := len(members) - 1
		heard = append(heard, members[last].leave())
		members = members[:last]
		l.records(t, "pool of member", 3-last) // it has left the list
	}
	return strings.Join(append(heard, l.records(t, "member", 6)...), "\n")
}

// employ has the threads of workers.c work for two clients, whose answers come
// in any order. One leaves without reading its own, of which some may be lost.
func employ(t *testing.T, l *live) string {
	const jobs = 200
	c, hasty := l.upgrade(t, "/workers"), l.upgrade(t, "/workers")
	var answers []string
	for i := range jobs {
		c.send(frame(0x81, fmt.Sprintf("job %03d", i)))
		if i%2 == 0 {
			hasty.send(frame(0x81, "of no use"))
		}
	}
	hasty.Close()
	for range jobs {
		answers = append(answers, c.text())
	}
	slices.Sort(answers)
	answers = append(answers, c.leave())
	l.records(t, "all [0-9]+ jobs are done", 2)
	return strings.Join(append(answers, l.records(t, fmt.Sprintf("all %d jobs are done", jobs), 1)...), "\n")
}

// backend listens as the other server of broker.c, and returns its port and a
// function that accepts.
func backend(t *testing.T) (port int, accept func() net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port, func() net.Conn {
		c, err := listener.Accept()
		if err == nil {
			err = c.SetDeadline(time.Now().Add(15 * time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// hear reads what the other server is sent.
func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("the other server got %q, %v, want %q", got[:n], err, want)
	}
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// leaveBroker has a client leave while its on_disconnect waits for the other
// server: another client is served meanwhile.
func leaveBroker(t *testing.T, l *live) string {
	port, accept := backend(t)
	c := l.upgrade(t, fmt.Sprintf("/broker?%d", port))
	held := accept()
	say(t, held, "welcome")
	said := []string{c.text()}
	c.send(frame(0x82, "bytes"))
	hear(t, held, "bytes")
	c.send(frame(0x88, "")).expect("\x88\x02\x03\xe8")
	l.records(t, "broker: on_disconnect", 1)
	other := l.upgrade(t, fmt.Sprintf("/broker?%d", port))
	free := accept()
	say(t, free, "you too")
	said = append(said, other.text())
	if ended := l.records(t, "broker: ", 1); len(ended) != 1 {
		t.Errorf("before the other server ended the log had %q", ended)
	}
	held.Close()
	said = append(said, c.rest())
	l.records(t, "broker: the end", 1)
	free.Close()
	said = append(said, other.leave())
	return strings.Join(append(said, l.records(t, "broker: ", 4)...), "\n")
}

// askBroker has two clients wait in on_message; the second is answered first.
func askBroker(t *testing.T, l *live) string {
	port, accept := backend(t)
	target := fmt.Sprintf("/broker?%d&asks", port)
	first := l.upgrade(t, target)
	firstAt := accept()
	first.send(frame(0x81, "slow?") + frame(0x81, "next?"))
	hear(t, firstAt, "slow?")
	second := l.upgrade(t, target)
	secondAt := accept()
	second.send(frame(0x81, "fast?"))
	hear(t, secondAt, "fast?")
	say(t, secondAt, "fast!")
	said := []string{second.text()}
	say(t, firstAt, "slow!")
	said = append(said, first.text())
	hear(t, firstAt, "next?")
	firstAt.Close() // the plugin closes then
	_, end := first.ending()
	return strings.Join(append(said, end, second.leave()), "\n")
}

func askPlusPlus(t *testing.T, l *live) string {
	c := l.dial(t).send("GET /plusplus/uri HTTP/1.1\r\nHost: x\r\n" + handshakeFields + "\r\n")
	said := []string{c.receive("GET").head}
	for _, name := range []string{"one", "four", "three"} {
		said = append(said, c.send(frame(0x81, name)).text())
	}
	said = append(said, c.leave())
	return strings.Join(append(said, l.records(t, `C\+\+ session ended`, 1)...), "\n")
}

// askLate has late.c ask for the request on a thread, or at the end alone, and
// reverse messages on its stack: of all forms of length, in fragments with a
// ping between, and of 4 MiB.
func askLate(t *testing.T, l *live) string {
	silent, c := l.upgrade(t, "/late/silent"), l.dial(t).send("GET /late/asks HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n"+handshakeFields+"\r\n")
	c.receive("GET")
	said := []string{silent.leave(), c.send(frame(0x81, "?")).text()}
	l.records(t, "late: /late/silent", 1)
	c.send(frame(0x02, "ab") + frame(0x00, "") + frame(0x89, "ping") + frame(0x80, "cd")).expect("\x8a\x04ping\x82\x04dcba")
	for _, size := range []int{0, 2, 125, 126, 65535, 65536, 4 << 20} {
		first, payload := c.send(frame(0x82, strings.Repeat("x", size/2)+strings.Repeat("y", size-size/2))).message()
		said = append(said, fmt.Sprintf("%#x %d %t", first, len(payload), payload == strings.Repeat("y", size-size/2)+strings.Repeat("x", size/2)))
	}
	said = append(said, c.leave())
	return strings.Join(append(said, l.records(t, "late: ", 2)...), "\n")
}
