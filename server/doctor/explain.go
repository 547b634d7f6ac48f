package doctor

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// Explanation is how one request is answered, as --json prints it.
type Explanation struct {
	Request   Request    `json:"request"`
	Decisions []Decision `json:"decisions"` // in the order in which they are made

	Host     string   `json:"host,omitempty"`     // ServerName
	HostLine *Source  `json:"host_line"`          // of its VirtualHost; null for the main server
	Path     string   `json:"path,omitempty"`     // decoded and normalised
	Filename string   `json:"filename,omitempty"` // what the path is mapped to
	Handler  string   `json:"handler,omitempty"`  // of SetHandler
	Sections []Source `json:"sections"`           // that cover it; later ones go over earlier ones
	Plugin   *Source  `json:"plugin"`             // the WebSocketHandler line; null for none

	Answer Answer `json:"answer"`
}

// Request is what is explained.
type Request struct {
	URL    string   `json:"url"`
	Method string   `json:"method"`
	Header []string `json:"header"` // lines as sent
	From   string   `json:"from"`
	To     string   `json:"to"`
	TLS    bool     `json:"tls"`
}

// Decision is one step. Its names are those of server.Step.
type Decision struct {
	Step  string   `json:"step"`
	Text  string   `json:"text"`
	Lines []Source `json:"lines"` // that made it so; empty for a default
}

// Source is a line of the configuration as it stands.
type Source struct {
	Place
	Source string `json:"source"`
}

// Answer is what the client gets. Status 101 stands for a handshake that comes
// as far as its plugin, and 0 for no answer, for which Refused has the reason.
type Answer struct {
	Status   int      `json:"status"`
	Reason   string   `json:"reason"`
	Location string   `json:"location,omitempty"` // of a redirection
	Header   []string `json:"header"`             // lines
	Refused  string   `json:"refused,omitempty"`
}

// Explain is the command explain: it loads the configuration and its plugins,
// has the request answered by the server's own code, and writes to w what has
// decided the answer. What is wrong with the configuration, or with the
// question, goes to stderr; the exit status is then 1.
func Explain(w, stderr io.Writer, c *supervise.CommandLine) (code int) {
	_, file := c.Paths()
	loader := pluginloader.New(server.StartupLog(stderr, c.Level))
	o := c.Options()
	o.LoadModule = server.LoadModule(loader)
	cfg, diags := httpdconf.Load(file, o)
	var s *server.Server
	if !diags.HasErrors() {
		var more hcl.Diagnostics
		s, more = server.New(cfg, loader)
		diags = append(diags, more...)
	}
	if diags.HasErrors() {
		httpdconf.WriteDiagnostics(stderr, c.Program, cfg, c.Level, diags)
		return 1
	}
	q, request, err := newQuestion(cfg, c.Explain)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", c.Program, err)
		return 1
	}
	e := newExplanation(cfg, request, s.Explain(q))
	if c.JSON {
		writeJSON(w, e)
		return 0
	}
	e.write(w)
	return 0
}

// target is where a request goes.
type target struct {
	tls, upgrades bool
	authority     string // of the Host header
	host          string // of it, without port
	port          int
	uri           string // of the request line
}

// parseTarget reads a URL, or a path, which is for the first listener.
func parseTarget(cfg *httpdconf.Config, s string) (target, error) {
	t := target{uri: s}
	if scheme, rest, absolute := strings.Cut(s, "://"); absolute {
		t.upgrades = scheme == "ws" || scheme == "wss"
		t.tls = scheme == "https" || scheme == "wss"
		if !t.tls && !t.upgrades && scheme != "http" {
			return t, fmt.Errorf("%q is no URL of http, https, ws or wss", s)
		}
		i := strings.IndexAny(rest, "/?#")
		if i < 0 {
			i = len(rest)
		}
		t.authority, t.uri = rest[:i], rest[i:]
		if !strings.HasPrefix(t.uri, "/") {
			t.uri = "/" + t.uri
		}
	} else if len(cfg.Listeners) > 0 {
		t.authority = "localhost"
		t.port = cfg.Listeners[0].Port
		if t.port != 80 {
			t.authority += ":" + strconv.Itoa(t.port)
		}
	}
	u, err := url.Parse("http://" + t.authority)
	if err != nil || strings.ContainsAny(t.uri, " \r\n") {
		return t, fmt.Errorf("%q is no URL", s)
	}
	t.host = u.Hostname()
	if port, err := strconv.Atoi(u.Port()); err == nil {
		t.port = port
	}
	t.port = cmp.Or(t.port, map[bool]int{false: 80, true: 443}[t.tls])
	return t, nil
}

// newQuestion makes a request of the command line.
func newQuestion(cfg *httpdconf.Config, a *supervise.Explain) (*server.Question, Request, error) {
	t, err := parseTarget(cfg, a.URL)
	if err != nil {
		return nil, Request{}, err
	}
	q := &server.Question{TLS: t.tls}
	if _, err := netip.ParseAddr(t.host); err != nil {
		q.ServerName = t.host
	}
	if q.From, err = addressOf(a.From, "127.0.0.1", 50000); err != nil {
		return nil, Request{}, err
	}
	if q.To, err = addressOf(a.To, t.localAddress(cfg, q.From.Addr()), t.port); err != nil {
		return nil, Request{}, err
	}
	r := Request{URL: a.URL, Method: cmp.Or(a.Method, "GET"), From: q.From.String(), To: q.To.String(), TLS: t.tls}
	if r.Header, err = t.header(a.Headers); err != nil {
		return nil, r, err
	}
	q.Head = fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%s\r\n\r\n", r.Method, t.uri, strings.Join(r.Header, "\r\n"))
	return q, r, nil
}

// addressOf reads an address, with or without a port; empty stands for another.
func addressOf(s, otherwise string, port int) (netip.AddrPort, error) {
	s = cmp.Or(s, otherwise)
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a, nil
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", s)
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// localAddress is where a connection comes in if nothing says so: at the
// address in the URL, at that of the listener if it has one, else on the
// loopback.
func (t *target) localAddress(cfg *httpdconf.Config, from netip.Addr) string {
	if ip, err := netip.ParseAddr(t.host); err == nil {
		return ip.String()
	}
	for _, l := range cfg.Listeners {
		if ip, err := netip.ParseAddr(l.Host); l.Port == t.port && err == nil && !ip.IsUnspecified() {
			return ip.String()
		}
	}
	if from.Is6() && !from.Is4In6() {
		return "::1"
	}
	return "127.0.0.1"
}

// exampleKey is the key of RFC 6455, section 1.3.
const exampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

// header returns the lines of the request: those given, and in front of them
// what each request has, or each handshake, unless it was given.
func (t *target) header(given []string) ([]string, error) {
	own := []string{"Host: " + t.authority}
	if t.upgrades {
		own = append(own, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: "+exampleKey)
	}
	var lines []string
	for _, line := range own {
		name, _, _ := strings.Cut(line, ":")
		if !hasField(given, name) {
			lines = append(lines, line)
		}
	}
	for _, line := range given {
		if name, _, isField := strings.Cut(line, ":"); !isField || name == "" || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("%q is no header: write 'Name: value'", line)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func hasField(lines []string, name string) bool {
	for _, line := range lines {
		if n, _, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func newExplanation(cfg *httpdconf.Config, request Request, found *server.Explanation) *Explanation {
	e := &Explanation{Request: request, Path: found.Path, Filename: found.Filename, Handler: found.Handler, Sections: []Source{}, Decisions: []Decision{}}
	for _, d := range found.Decisions {
		decision := Decision{Step: string(d.Step), Text: d.Text, Lines: []Source{}}
		for _, l := range d.Lines {
			decision.Lines = append(decision.Lines, sourceOf(cfg, l))
		}
		e.Decisions = append(e.Decisions, decision)
	}
	for _, s := range found.Sections {
		e.Sections = append(e.Sections, sourceOf(cfg, s.Range))
	}
	if found.Host != nil {
		e.Host = found.Host.Name
		if found.Host != cfg.Main {
			line := sourceOf(cfg, found.Host.Range)
			e.HostLine = &line
		}
	}
	if found.Plugin != nil {
		line := sourceOf(cfg, found.Plugin.Range)
		e.Plugin = &line
	}
	e.Answer = newAnswer(found)
	return e
}

func newAnswer(found *server.Explanation) Answer {
	a := Answer{Status: found.Status, Header: []string{}}
	if found.Refused != nil {
		a.Refused = found.Refused.Error()
		return a
	}
	a.Reason = http.StatusText(found.Status)
	if found.Status == http.StatusSwitchingProtocols {
		return a // the plugin has a say in the rest
	}
	_, lines, _ := bytes.Cut(found.Header, []byte("\r\n"))
	for line := range bytes.SplitSeq(bytes.TrimSpace(lines), []byte("\r\n")) {
		a.Header = append(a.Header, string(line))
		if value, is := bytes.CutPrefix(line, []byte("Location: ")); is {
			a.Location = string(value)
		}
	}
	return a
}

// sourceOf returns a directive as it stands, on one line.
func sourceOf(cfg *httpdconf.Config, r hcl.Range) Source {
	s := Source{Place: placeOf(r)}
	if file := cfg.Files[r.Filename]; file != nil && r.Start.Byte <= r.End.Byte && r.End.Byte <= len(file.Bytes) {
		text := strings.ReplaceAll(string(file.Bytes[r.Start.Byte:r.End.Byte]), "\\\n", "")
		s.Source = strings.Join(strings.Fields(text), " ")
	}
	return s
}

// write writes the explanation as text.
func (e *Explanation) write(w io.Writer) {
	p := page{margin: 16}
	p.record("request", "%s %s", e.Request.Method, e.Request.URL)
	for _, line := range e.Request.Header {
		p.detail(line)
	}
	for _, d := range e.Decisions {
		p.decision(&d)
	}
	switch a := &e.Answer; {
	case a.Refused != "":
		p.record("answer", "none: %s", a.Refused)
	default:
		p.record("answer", "%d %s", a.Status, a.Reason)
		for _, line := range a.Header {
			p.detail(line)
		}
	}
	_, _ = w.Write(p.Bytes()) // stdout; who would be told
}

// decision writes one step: the lines that made it so, and what that is.
func (p *page) decision(d *Decision) {
	if len(d.Lines) == 0 {
		p.record(d.Step, "%s", d.Text)
		return
	}
	for i, l := range d.Lines {
		place := l.Place.String()
		if i == 0 {
			p.record(d.Step, "%s  %s", place, shortened(l.Source, p.margin+len(place)+2))
		} else {
			p.detail(place + "  " + l.Source)
		}
	}
	p.detail(d.Text)
}
