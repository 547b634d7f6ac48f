package examples

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// system is a configuration in the layout of one kind of system, as a tree below
// httpdconf/testdata/systems whose root stands for that of the disk.
type system struct {
	name    string
	root    string // ServerRoot
	conf    string
	modules string // where modules and plugins are
	www     string // DocumentRoot of www.example.test
	chat    string
	cert    string
	key     string
	folders []string // for logs and the like
	log     string   // of accesses to www.example.test
	types   string
}

var systems = []system{
	{"debian", "/etc/apache2", "/etc/apache2/apache2.conf", "/usr/lib/apache2/modules", "/var/www/www", "/var/www/chat", "/etc/ssl/certs/example.pem",
		"/etc/ssl/private/example.key", []string{"/var/log/apache2", "/var/run/apache2", "/usr/share/apache2/icons", "/srv/download"}, "/var/log/apache2/access.log", "/etc/mime.types"},
	{"rhel", "/etc/httpd", "/etc/httpd/conf/httpd.conf", "/etc/httpd/modules", "/var/www/html", "/var/www/chat", "/etc/pki/tls/certs/localhost.crt",
		"/etc/pki/tls/private/localhost.key", []string{"/etc/httpd/logs", "/etc/httpd/run", "/run/httpd", "/var/www/cgi-bin"}, "/etc/httpd/logs/www-access_log", "/etc/mime.types"},
	{"macos", "/usr", "/private/etc/apache2/httpd.conf", "/usr/libexec/apache2", "/Library/WebServer/Documents", "/Library/WebServer/Chat", "/private/etc/apache2/server.crt",
		"/private/etc/apache2/server.key", []string{"/private/var/log/apache2", "/private/var/run", "/Users/Shared/download"}, "/private/var/log/apache2/www-access_log", "/private/etc/apache2/mime.types"},
	{"xampp", "/opt/lampp", "/opt/lampp/etc/httpd.conf", "/opt/lampp/modules", "/opt/lampp/htdocs", "/opt/lampp/chat", "/opt/lampp/etc/ssl.crt/server.crt",
		"/opt/lampp/etc/ssl.key/server.key", []string{"/opt/lampp/logs", "/opt/lampp/phpmyadmin"}, "/opt/lampp/logs/www-access_log", "/opt/lampp/etc/mime.types"},
	{"freebsd", "/usr/local", "/usr/local/etc/apache24/httpd.conf", "/usr/local/libexec/apache24", "/usr/local/www/apache24/data", "/usr/local/www/chat", "/usr/local/etc/apache24/server.crt",
		"/usr/local/etc/apache24/server.key", []string{"/var/log", "/var/run"}, "/var/log/www-access.log", "/usr/local/etc/apache24/mime.types"},
	{"container", "/usr/local/apache2", "/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2/modules", "/usr/local/apache2/htdocs", "/usr/local/apache2/chat", "/usr/local/apache2/conf/server.crt",
		"/usr/local/apache2/conf/server.key", []string{"/usr/local/apache2/logs"}, "/usr/local/apache2/logs/www.log", "/usr/local/apache2/conf/mime.types"},
}

// TestSystems: full-size files in the styles of six systems start with nothing
// changed but paths, ports and users, and answer as httpd does with the same
// files; and their WebSockets echo, with TLS and without.
func TestSystems(t *testing.T) {
	for _, s := range systems {
		t.Run(s.name, func(t *testing.T) {
			ours, theirs := s.install(t, false), s.install(t, true)
			ours.start(t, build("wshttpd"), "-X", "-d", ours.path(s.root), "-f", ours.path(s.conf))
			theirs.startApache(t)
			for _, q := range systemQuestions {
				got, want := ours.ask(t, q), theirs.ask(t, q)
				if got != want {
					t.Errorf("%+v is answered\n%s\nhttpd answers\n%s", q, got, want)
				}
				if !strings.HasPrefix(want, strconv.Itoa(q.status)) {
					t.Errorf("%+v: httpd answers\n%s", q, want)
				}
			}
			for _, scheme := range []string{"ws", "wss"} {
				ours.echo(t, scheme)
			}
			got, want := ours.logged(t, s.log), theirs.logged(t, s.log)
			if !slices.Equal(got, want) {
				t.Errorf("%s holds\n%s\nhttpd's\n%s", s.log, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// startApache starts httpd, with a pid file that no other one has.
func (s *installed) startApache(t *testing.T) {
	t.Helper()
	s.start(t, "/usr/sbin/apache2", "-X", "-d", s.path(s.root), "-f", s.path(s.conf), "-c", "PidFile "+filepath.Join(t.TempDir(), "httpd.pid"))
}

// asInstalled is the name of a system whose tree is this machine's own.
const asInstalled = "as installed"

// TestDebianAsInstalled: the tree that Debian's package has put below
// /etc/apache2 starts with nothing changed but paths, ports and users, and
// answers as under httpd.
func TestDebianAsInstalled(t *testing.T) {
	s := system{
		name: asInstalled, root: "/etc/apache2", conf: "/etc/apache2/apache2.conf", modules: "/usr/lib/apache2/modules", www: "/var/www/html", chat: "/srv/nothing",
		cert: "/etc/none.pem", key: "/etc/none.key", folders: []string{"/var/log/apache2", "/var/run/apache2", "/usr/lib/cgi-bin", "/usr/share/apache2/icons"},
		log: "/var/log/apache2/access.log", types: "/etc/mime.types",
	}
	ours, theirs := s.install(t, false), s.install(t, true)
	ours.start(t, build("wshttpd"), "-X", "-d", ours.path(s.root), "-f", ours.path(s.conf))
	theirs.startApache(t)
	for path, status := range map[string]int{"/": 200, "/a.txt": 200, "/folder": 301, "/nowhere": 404, "/.htaccess": 403, "/icons/none": 404} {
		q := systemQuestion{scheme: "http", host: "www.example.test", path: path, status: status}
		if got, want := ours.ask(t, q), theirs.ask(t, q); got != want || !strings.HasPrefix(want, strconv.Itoa(status)) {
			t.Errorf("%s is answered\n%s\nhttpd answers\n%s", path, got, want)
		}
	}
	if got, want := ours.logged(t, s.log), theirs.logged(t, s.log); !slices.Equal(got, want) {
		t.Errorf("%s holds\n%s\nhttpd's\n%s", s.log, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// systemQuestion is a request that each of the systems is asked.
type systemQuestion struct {
	scheme, host, path string
	user, password     string
	agent              string
	status             int // that says what the question is for
}

var systemQuestions = []systemQuestion{
	{scheme: "http", host: "www.example.test", path: "/", status: 200},
	{scheme: "http", host: "www.example.test", path: "/a.txt", status: 200},
	{scheme: "http", host: "www.example.test", path: "/private", status: 401},
	{scheme: "http", host: "www.example.test", path: "/private/", status: 401},
	{scheme: "http", host: "www.example.test", path: "/private/", user: "alice", password: "alice-secret", status: 200},
	{scheme: "http", host: "www.example.test", path: "/private/", user: "alice", password: "wrong", status: 401},
	{scheme: "http", host: "www.example.test", path: "/private/", user: "mallory", password: "x", status: 401},
	{scheme: "http", host: "www.example.test", path: "/old/page?q=1", status: 301},
	{scheme: "http", host: "www.example.test", path: "/folder", status: 301},
	{scheme: "http", host: "www.example.test", path: "/nowhere", status: 404},
	{scheme: "http", host: "www.example.test", path: "/.htaccess", status: 403},
	{scheme: "http", host: "example.test", path: "/a.txt", status: 200},
	{scheme: "http", host: "chat.example.test", path: "/", status: 200},
	{scheme: "http", host: "chat.example.test", path: "/", agent: "EvilBot/1.0", status: 403},
	{scheme: "http", host: "chat.example.test", path: "/a.txt", status: 404},
	{scheme: "http", host: "nobody.example.test", path: "/a.txt", status: 200},
	{scheme: "https", host: "www.example.test", path: "/", status: 200},
	{scheme: "https", host: "www.example.test", path: "/folder", status: 301},
	{scheme: "https", host: "www.example.test", path: "/nowhere", status: 404},
}

// installed is a system on this machine.
type installed struct {
	system
	dir   string // that stands for the root of the disk
	ports map[string]int
	pool  *x509.CertPool
	said  *lockedBuffer
	// sockets counts the WebSockets that the log of accesses should hold.
	sockets int
	end     func()
}

func (s *installed) path(name string) string { return filepath.Join(s.dir, name) }

// install copies a tree, with its paths, ports and users changed, and puts what
// it serves beside it. Of what httpd gets, the lines that load what is not a
// module of this machine's are taken out.
func (s system) install(t *testing.T, forHTTPD bool) *installed {
	t.Helper()
	m := &installed{system: s, dir: t.TempDir(), ports: map[string]int{"80": freePort(t), "443": freePort(t)}, said: &lockedBuffer{}}
	tree, from := filepath.Join("..", "httpdconf", "testdata", "systems", s.name), ""
	if s.name == asInstalled {
		tree, from = s.root, s.root
	}
	err := filepath.WalkDir(tree, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name) // through the links of an administrator's tree
		if err != nil {
			return err
		}
		rest := from + strings.TrimPrefix(name, tree)
		mode := fs.FileMode(0o644)
		if strings.Contains(rest, "libexec") {
			mode = 0o755
		}
		m.write(t, rest, m.adapted(string(text), forHTTPD), mode)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		s.www + "/index.html": "www", s.www + "/a.txt": "text", s.www + "/private/index.html": "private", s.www + "/folder/index.html": "folder", s.www + "/.htaccess": "x",
		s.www + "/missing.html": "missing", s.www + "/error/missing.html": "missing", s.chat + "/index.html": "chat", s.types: "text/html html\ntext/plain txt\n",
	} {
		m.write(t, name, text, 0o644)
	}
	for _, name := range append(s.folders, s.modules) {
		if err := os.MkdirAll(m.path(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	m.certify(t)
	m.modules(t, forHTTPD)
	if err := os.Chmod(filepath.Dir(m.dir), 0o755); err != nil { // the servers change their user
		t.Fatal(err)
	}
	return m
}

func (m *installed) write(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// modules puts the plugin where the configuration has it; httpd needs its own
// modules too.
func (m *installed) modules(t *testing.T, forHTTPD bool) {
	t.Helper()
	plugin, err := os.ReadFile(build("modules/mod_websocket_echo.so"))
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, m.system.modules+"/mod_websocket_echo.so", string(plugin), 0o755)
	files, err := filepath.Glob("/usr/lib/apache2/modules/*.so")
	if err != nil || forHTTPD && len(files) == 0 {
		t.Fatalf("no modules of httpd, %v: apt-get install apache2", err)
	}
	for _, file := range files {
		if !forHTTPD {
			break
		}
		if err := os.Symlink(file, filepath.Join(m.path(m.system.modules), filepath.Base(file))); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	diskPath    = regexp.MustCompile(`(^|[\s"':=(|])(/(?:etc|var|usr|opt|srv|run|Library|Users|private/etc|private/var))([/"'\s>]|$)`)
	listenPort  = regexp.MustCompile(`(?m)^(\s*Listen )(80|443)\b`)
	hostPort    = regexp.MustCompile(`(?m)^(\s*<VirtualHost \S+:)(80|443)>`)
	namePort    = regexp.MustCompile(`(?m)^(\s*ServerName \S+:)(80|443)$`)
	serverUser  = regexp.MustCompile(`(?m)^(\s*)(User|Group) .*$`)
	unknownHere = regexp.MustCompile(`(?m)^\s*LoadModule (websocket\w*|log_config|logio|unixd|version|watchdog)_module .*$`)
)

// adapted changes paths, ports and users in a configuration.
func (m *installed) adapted(text string, forHTTPD bool) string {
	text = diskPath.ReplaceAllString(text, "${1}"+m.dir+"$2$3")
	text = listenPort.ReplaceAllStringFunc(text, func(line string) string {
		at := strings.LastIndex(line, " ") + 1
		return line[:at] + "127.0.0.1:" + strconv.Itoa(m.ports[line[at:]])
	})
	for _, re := range []*regexp.Regexp{hostPort, namePort} {
		text = re.ReplaceAllStringFunc(text, func(line string) string {
			at := strings.LastIndex(line, ":") + 1
			port := strings.TrimSuffix(line[at:], ">")
			return line[:at] + strconv.Itoa(m.ports[port]) + strings.TrimPrefix(line[at:], port)
		})
	}
	text = serverUser.ReplaceAllStringFunc(text, func(line string) string {
		if strings.Contains(line, "User ") {
			return "User nobody"
		}
		return "Group nogroup"
	})
	if forHTTPD {
		text = unknownHere.ReplaceAllString(text, "")
	}
	return text
}

// certify writes a certificate for the names that end in example.test.
func (m *installed) certify(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.example.test"}, DNSNames: []string{"example.test", "*.example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	m.pool = x509.NewCertPool()
	m.pool.AppendCertsFromPEM(cert)
	m.write(t, m.cert, string(cert), 0o644)
	m.write(t, m.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
}

// start runs a server until the test ends, or end is called.
func (m *installed) start(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = m.said, m.said
	for name, value := range map[string]string{ // what Debian's envvars exports
		"APACHE_RUN_USER": "nobody", "APACHE_RUN_GROUP": "nogroup", "APACHE_PID_FILE": "/var/run/apache2/apache2.pid", "APACHE_RUN_DIR": "/var/run/apache2",
		"APACHE_LOG_DIR": "/var/log/apache2",
	} {
		if strings.HasPrefix(value, "/") {
			value = m.path(value)
		}
		cmd.Env = append(cmd.Environ(), name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it is told to end
	m.end = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	t.Cleanup(m.end)
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", m.address("http")); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s does not start:\n%s", program, m.said)
		default:
		}
	}
	t.Fatalf("%s does not listen:\n%s", program, m.said)
}

// address is where a scheme is served.
func (m *installed) address(scheme string) string {
	port := m.ports["80"]
	if scheme == "https" || scheme == "wss" {
		port = m.ports["443"]
	}
	return "127.0.0.1:" + strconv.Itoa(port)
}

// ask asks a question, and returns what the servers should agree in: status,
// some fields, and the body of what is no error page.
func (m *installed) ask(t *testing.T, q systemQuestion) string {
	t.Helper()
	transport := &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("tcp", m.address(q.scheme)) },
		TLSClientConfig:   &tls.Config{RootCAs: m.pool, ServerName: "www.example.test"},
		DisableKeepAlives: true, DisableCompression: true,
	}
	r, err := http.NewRequest(http.MethodGet, q.scheme+"://"+q.host+q.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if q.user != "" {
		r.SetBasicAuth(q.user, q.password)
	}
	r.Header.Set("User-Agent", q.agent)
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%+v: %v\n%s", q, err, m.said)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	said := strconv.Itoa(answer.StatusCode) + "\n"
	for _, name := range []string{"Location", "Content-Type", "Content-Language", "Www-Authenticate", "X-Content-Type-Options", "Content-Security-Policy", "Strict-Transport-Security", "Connection"} {
		said += name + ": " + answer.Header.Get(name) + "\n"
	}
	if !strings.HasPrefix(string(body), "<!DOCTYPE") {
		said += string(body)
	}
	return strings.NewReplacer(":"+strconv.Itoa(m.ports["80"])+"/", ":80/", ":"+strconv.Itoa(m.ports["443"])+"/", ":443/").Replace(said)
}

// echo has a WebSocket echo.
func (m *installed) echo(t *testing.T, scheme string) {
	t.Helper()
	dialer := websocket.Dialer{
		NetDial:         func(string, string) (net.Conn, error) { return net.Dial("tcp", m.address(scheme)) },
		TLSClientConfig: &tls.Config{RootCAs: m.pool}, HandshakeTimeout: 10 * time.Second,
	}
	c, answer, err := dialer.Dial(scheme+"://www.example.test/echo", nil)
	if err != nil {
		reason := ""
		if answer != nil {
			body, _ := io.ReadAll(answer.Body) // as far as it came
			reason = answer.Status + "\n" + string(body)
		}
		t.Fatalf("%s: %v, %s\n%s", scheme, err, reason, m.said)
	}
	defer c.Close()
	echo(t, c, websocket.TextMessage, []byte("hello over "+scheme))
	if err := c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, c); code != 1000 {
		t.Errorf("%s: closed with %d", scheme, code)
	}
	if scheme == "ws" { // TLS has a log of its own
		m.sockets++
	}
}

var loggedRequest = regexp.MustCompile(`"((?:[^"\\]|\\.)*)" (\d+)`)

// logged ends the server and returns which requests an access log holds, with
// their statuses; those of WebSockets are wshttpd's alone, and counted apart.
func (m *installed) logged(t *testing.T, name string) (list []string) {
	t.Helper()
	m.end()
	text, err := os.ReadFile(m.path(name))
	if err != nil {
		t.Fatal(err)
	}
	sockets := 0
	for line := range strings.Lines(string(text)) {
		found := loggedRequest.FindStringSubmatch(line)
		switch {
		case found == nil:
			t.Errorf("no line of an access log: %q", line)
		case found[2] == "101":
			sockets++
		default:
			list = append(list, fmt.Sprint(found[1:]))
		}
	}
	if m.sockets != sockets {
		t.Errorf("%d WebSockets are logged, want %d", sockets, m.sockets)
	}
	if len(list) == 0 {
		t.Errorf("%s is empty", name)
	}
	slices.Sort(list) // httpd logs in any order
	return list
}
