package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// live is a server that a test drives over real sockets.
type live struct {
	*Server
	addr string
	log  string // path of the error log
}

// serve starts a server. In conf, ROOT stands for a folder of the test's own;
// WebSocketHandler lines name the plugins of the map by their INIT.
func serve(t testing.TB, conf string, plugins map[string]wsplugin.Plugin) *live {
	t.Helper()
	root := t.TempDir()
	return serveIn(t, root, conf, plugins)
}

func serveIn(t testing.TB, root, conf string, plugins map[string]wsplugin.Plugin) *live {
	t.Helper()
	return serveAs(t, root, "LoadModule websocket_module x\n"+conf, plugins)
}

// serveAs is serveIn with no WebSocket module but those that conf loads.
func serveAs(t testing.TB, root, conf string, plugins map[string]wsplugin.Plugin) *live {
	t.Helper()
	conf = "ErrorLog error.log\nLogLevel info\nTraceEnable off\nLoadModule authz_core_module x\nLoadModule dir_module x\nLoadModule mime_module x\n" +
		strings.ReplaceAll(conf, "ROOT", root)
	file := filepath.Join(root, "httpd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: root})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	cfg.Listeners = append(cfg.Listeners, httpdconf.Listener{Host: "127.0.0.1"})
	l := serveConfig(t, cfg, plugins)
	l.log = filepath.Join(root, "error.log")
	return l
}

// serveConfig serves what was loaded until the test ends; the last listener is
// the one that the test talks to.
func serveConfig(t testing.TB, cfg *httpdconf.Config, plugins map[string]wsplugin.Plugin) *live {
	t.Helper()
	refs := cfg.Plugins
	cfg.Plugins = nil // they are no files
	s, diags := New(cfg, pluginloader.New(func(int, string, ...any) {}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	cfg.Plugins = refs
	for _, ref := range refs {
		s.plugins[ref] = plugins[ref.Init]
	}
	return begin(t, s)
}

// begin has a server serve until the test ends.
func begin(t testing.TB, s *Server) *live {
	t.Helper()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(s.Serve)
	t.Cleanup(func() {
		s.Shutdown(context.Background())
		serving.Wait()
	})
	return &live{Server: s, addr: s.Addrs()[len(s.Addrs())-1].String()}
}

// logged waits until the error log holds text.
func (l *live) logged(t *testing.T, text string) {
	t.Helper()
	var log []byte
	for range 100 {
		log, _ = os.ReadFile(l.log) // not there yet
		if bytes.Contains(log, []byte(text)) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the log does not hold %q:\n%s", text, log)
}

// peer is a client by hand.
type peer struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (l *live) dial(t *testing.T) *peer {
	t.Helper()
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &peer{t, c, bufio.NewReader(c)}
}

func (p *peer) send(s string) *peer {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, s); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// response is what came back for a request.
type response struct {
	status int
	head   string
	header map[string]string // by lower-cased name; several joined
	body   string
}

// receive reads one response, whose request's method decides about a body.
func (p *peer) receive(method string) response {
	p.t.Helper()
	var r response
	r.header = make(map[string]string)
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			p.t.Fatalf("after %q: %v", r.head, err)
		}
		r.head += line
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if name, value, isField := strings.Cut(line, ": "); isField && r.status != 0 {
			name = strings.ToLower(name)
			if old, twice := r.header[name]; twice {
				value = old + ", " + value
			}
			r.header[name] = value
		} else if f := strings.Fields(line); len(f) > 1 {
			r.status, _ = strconv.Atoi(f[1])
		}
	}
	if n, err := strconv.Atoi(r.header["content-length"]); err == nil && method != "HEAD" && r.status != 304 {
		body := make([]byte, n)
		if _, err := io.ReadFull(p.r, body); err != nil {
			p.t.Fatalf("body of %q: %v", r.head, err)
		}
		r.body = string(body)
	}
	if r.header["transfer-encoding"] == "chunked" && method != "HEAD" {
		r.body = p.chunks()
	}
	return r
}

// chunks reads a chunked body (RFC 9112, section 7.1), whose trailer is empty.
func (p *peer) chunks() (body string) {
	p.t.Helper()
	for {
		var size int
		if _, err := fmt.Fscanf(p.r, "%x\r\n", &size); err != nil {
			p.t.Fatalf("a chunk's size behind %q: %v", body, err)
		}
		chunk := make([]byte, size+2)
		if _, err := io.ReadFull(p.r, chunk); err != nil {
			p.t.Fatalf("a chunk behind %q: %v", body, err)
		}
		if size == 0 {
			return body
		}
		body += string(chunk[:size])
	}
}

// rest reads what comes until the end of the connection.
func (p *peer) rest() string {
	p.t.Helper()
	b, err := io.ReadAll(p.r)
	if err != nil {
		p.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// expect reads exactly these bytes.
func (p *peer) expect(want string) *peer {
	p.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(p.r, got); err != nil || string(got) != want {
		p.t.Fatalf("got %q, %v; want %q", got[:n], err, want)
	}
	return p
}

// ask sends one request without a body and reads the response.
func (l *live) ask(t *testing.T, method, target string, fields ...string) response {
	t.Helper()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x.example\r\n", method, target)
	for _, f := range fields {
		head += f + "\r\n"
	}
	p := l.dial(t)
	defer p.Close()
	return p.send(head + "\r\n").receive(method)
}

const upgradeFields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

// upgrade opens a WebSocket.
func (l *live) upgrade(t *testing.T, path string) *peer {
	t.Helper()
	return l.dial(t).send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + upgradeFields + "\r\n").expect(accepted + "\r\n")
}

// frame is a masked frame of a client.
func frame(first byte, payload string) string {
	key := "\x12\x34\x56\x78"
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = append(b, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	b = append(b, key...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return string(b)
}

// scripted is a plugin of functions; those that are nil do the usual.
type scripted struct {
	connect    func(c wsplugin.Conn) bool
	message    func(c wsplugin.Conn, t wsplugin.MessageType, payload []byte)
	disconnect func(c wsplugin.Conn)
	mu         sync.Mutex
	ended      int // calls of Disconnect
	destroyed  int
}

func (s *scripted) Connect(c wsplugin.Conn) wsplugin.Session {
	if s.connect != nil && !s.connect(c) {
		return nil
	}
	return scriptedSession{s, c}
}

func (s *scripted) Destroy() { s.destroyed++ }

func (s *scripted) endings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// waitEnded waits until Disconnect was called n times, and no more.
func (s *scripted) waitEnded(t *testing.T, n int) {
	t.Helper()
	for range 250 {
		if s.endings() >= n {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if got := s.endings(); got != n {
		t.Errorf("Disconnect was called %d times, want %d", got, n)
	}
}

type scriptedSession struct {
	plugin *scripted
	conn   wsplugin.Conn
}

func (s scriptedSession) Message(t wsplugin.MessageType, payload []byte) {
	if s.plugin.message != nil {
		s.plugin.message(s.conn, t, payload)
		return
	}
	s.conn.Send(t, payload)
}

func (s scriptedSession) Disconnect() {
	if s.plugin.disconnect != nil {
		s.plugin.disconnect(s.conn)
	}
	s.plugin.mu.Lock()
	s.plugin.ended++
	s.plugin.mu.Unlock()
}

// one serves a single WebSocket Location with a plugin.
func one(t testing.TB, p *scripted, lines ...string) *live {
	t.Helper()
	return serve(t, "LoadModule websocket_draft76_module y\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler none.so plugin\n"+
		strings.Join(lines, "\n")+"\n</Location>\n", map[string]wsplugin.Plugin{"plugin": p})
}

// tryListen returns what Listen says to a configuration.
func tryListen(t *testing.T, root, conf string) error {
	t.Helper()
	file := filepath.Join(root, "try.conf")
	if err := os.WriteFile(file, []byte("ErrorLog error.log\n"+strings.ReplaceAll(conf, "ROOT", root)), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: root})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	cfg.Listeners = append(cfg.Listeners, httpdconf.Listener{Host: "127.0.0.1"})
	s, diags := New(cfg, pluginloader.New(func(int, string, ...any) {}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	err := s.Listen()
	if err == nil {
		s.Shutdown(context.Background())
	}
	return err
}
