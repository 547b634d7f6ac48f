package server

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Decision is one step on the way from a request to its answer.
type Decision struct {
	Step  Step
	Text  string
	Lines []hcl.Range // what made it so; none for a default, or where no line could
}

// Step says what a decision is about.
type Step string

// The steps, in the order in which most requests take them.
const (
	StepConnection     Step = "connection" // a Listen line
	StepTLS            Step = "tls"
	StepHost           Step = "host"
	StepPath           Step = "path"   // decoded and normalised
	StepClient         Step = "client" // for whom a proxy says that it is
	StepEnvironment    Step = "environment"
	StepRewrite        Step = "rewrite"
	StepRedirect       Step = "redirect"
	StepFile           Step = "file"    // by an Alias or DocumentRoot, and how far it exists
	StepSection        Step = "section" // covers the request; later ones go over earlier ones
	StepIf             Step = "if"
	StepHandler        Step = "handler"
	StepAccess         Step = "access" // a line of Require, Allow or Deny, and what comes of all
	StepAuthentication Step = "authentication"
	StepHandshake      Step = "handshake"
	StepOrigin         Step = "origin"
	StepPlugin         Step = "plugin"
	StepDocument       Step = "document" // ErrorDocument
	StepLog            Step = "log"      // a record that is or might be written
)

// trace collects the decisions about one request, for Explain. A nil one, which
// all requests have that are served, collects nothing and costs a comparison;
// so its methods take what is there anyway, and make texts only behind it.
type trace struct {
	decisions []Decision
	route     *route                        // as it is at the end
	covering  []*httpdconf.Section          // of it
	plugin    *httpdconf.PluginRef          // that would be asked
	asked     map[*httpdconf.AuthzRule]bool // of Require, by this call of Decide
}

// add adds a decision. Lines without a name of a file are none.
func (t *trace) add(step Step, text string, lines ...hcl.Range) {
	d := Decision{Step: step, Text: text}
	for _, l := range lines {
		if l.Filename != "" {
			d.Lines = append(d.Lines, l)
		}
	}
	t.decisions = append(t.decisions, d)
}

// say adds a decision that no line has made.
func (t *trace) say(step Step, text string) {
	if t != nil {
		t.add(step, text)
	}
}

// at adds a decision that one line has made.
func (t *trace) at(step Step, text string, line hcl.Range) {
	if t != nil {
		t.add(step, text, line)
	}
}

// certified tells whose certificate a client under TLS gets.
func (t *trace) certified(h *httpdconf.Host, serverName string) {
	if t == nil {
		return
	}
	line := h.Range
	if h.SSL != nil && len(h.SSL.Certificates) > 0 {
		line = h.SSL.Certificates[0].Range
	}
	t.add(StepTLS, fmt.Sprintf("the client names %q, and gets the certificate of %s", serverName, h.Name), line)
}

// hostChoice says why a host was chosen: by an address, and by a name or its
// ServerPath, or as the first of those at the address.
type hostChoice struct {
	table *hostTable // of the address; nil where no host is at it
	name  string     // as it stands in ServerName, ServerAlias or VirtualHost; else ""
	path  string     // of ServerPath; else ""
}

func (a hostAddress) String() string {
	ip, port := "*", "*"
	if a.ip.IsValid() {
		ip = a.ip.String()
	}
	if a.port != 0 {
		port = fmt.Sprint(a.port)
	}
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return ip + ":" + port
}

func (t *trace) host(h *httpdconf.Host, c hostChoice, local netip.AddrPort, authority string) {
	if t == nil {
		return
	}
	where := fmt.Sprintf("the main server: no VirtualHost is for %s", local)
	if c.table != nil {
		where = fmt.Sprintf("among the hosts of %s", c.table.address)
		switch named, isAlias := h.AliasRanges[c.name]; {
		case c.path != "":
			t.add(StepHost, fmt.Sprintf("%s, the first whose ServerPath %s covers the target", where, c.path), h.Range)
		case c.name == "":
			t.add(StepHost, fmt.Sprintf("%s, the first: none has the name %q", where, hostName(authority)), h.Range)
		case isAlias:
			t.add(StepHost, fmt.Sprintf("%s, the one whose ServerAlias %s is %q", where, c.name, hostName(authority)), h.Range, named)
		case !strings.EqualFold(h.Name, c.name):
			t.add(StepHost, fmt.Sprintf("%s, the one whose VirtualHost names %s", where, c.name), h.Range)
		default:
			t.add(StepHost, fmt.Sprintf("%s, the one whose ServerName is %q", where, hostName(authority)), h.Range, h.NameRange)
		}
		return
	}
	t.add(StepHost, where, h.NameRange)
}

// routed tells which route is the request's.
func (t *trace) routed(r *route) {
	if t != nil {
		t.route = r
	}
}

// path tells what a target is taken for; a status refuses it.
func (t *trace) path(target, path string, status int) {
	switch {
	case t == nil:
	case status != 0:
		t.add(StepPath, fmt.Sprintf("%s cannot be a path here: %d", target, status))
	case target == path:
		t.add(StepPath, path)
	default:
		t.add(StepPath, fmt.Sprintf("%s is the path %s", target, path))
	}
}

func (t *trace) client(from, to netip.AddrPort, header string) {
	if t != nil && from != to {
		t.add(StepClient, fmt.Sprintf("%s of a trusted proxy names %s, for whom %s asks", header, to.Addr(), from.Addr()))
	}
}

func (t *trace) variable(rule *httpdconf.EnvRule, v httpdconf.EnvVar) {
	switch {
	case t == nil:
	case v.Unset:
		t.add(StepEnvironment, v.Name+" is not set", rule.Range)
	default:
		t.add(StepEnvironment, fmt.Sprintf("%s is %q", v.Name, v.Value), rule.Range)
	}
}

func (t *trace) redirect(m *httpdconf.Mapping, target string) {
	switch {
	case t == nil:
	case target == "":
		t.add(StepRedirect, fmt.Sprint(m.Status), m.Range)
	default:
		t.add(StepRedirect, fmt.Sprintf("%d to %s", m.Status, target), m.Range)
	}
}

// rewritten tells what a rule of mod_rewrite does to what it was asked about.
func (t *trace) rewritten(rule *httpdconf.RewriteRule, w *rewriting, result rewriteResult) {
	if t == nil {
		return
	}
	text := fmt.Sprintf("does not apply to %q", w.uri)
	switch result {
	case rewriteAnswered:
		text = fmt.Sprintf("%q is answered %d", w.uri, w.status)
	case rewriteChanged:
		text = fmt.Sprintf("%q becomes %s", w.uri, w.name)
		if w.query != w.r.query {
			text += "?" + w.query
		}
	case rewriteKept:
		text = fmt.Sprintf("%q is kept", w.uri)
	}
	t.add(StepRewrite, text, rule.Range)
}

// ruled tells what a condition of a rule says.
func (t *trace) ruled(c *httpdconf.RewriteCond, holds bool) {
	switch {
	case t == nil:
	case holds:
		t.add(StepRewrite, "holds", c.Range)
	default:
		t.add(StepRewrite, "does not hold", c.Range)
	}
}

// inside tells what is served instead of a request, and that it starts anew.
func (t *trace) inside(next *route) {
	if t != nil {
		t.route = next
		t.add(StepRewrite, fmt.Sprintf("%s is served instead, as if it had been asked for", next.path))
	}
}

// mapped tells which line has made a file name of the path; nil stands for
// DocumentRoot.
func (t *trace) mapped(r *route, name string, by *httpdconf.Mapping) {
	if t == nil {
		return
	}
	if r.translated != "" {
		t.add(StepFile, "rules of mod_rewrite have come to the file name "+name)
		return
	}
	line := r.host.RootRange
	if by != nil {
		line = by.Range
	}
	t.add(StepFile, fmt.Sprintf("%s is the file name %s", r.path, name), line)
}

// sections tells what a file name leads to, and which sections cover the
// request.
func (t *trace) sections(r *route, covering []*httpdconf.Section) {
	if t == nil {
		return
	}
	if !r.isDocument {
		t.covering = slices.Clone(covering)
	}
	t.add(StepFile, r.place.described())
	for _, s := range covering {
		what := r.path
		switch s.Kind {
		case httpdconf.DirectorySection:
			what = r.place.dir + "/"
		case httpdconf.DirectoryMatchSection:
			what = r.place.name()
		case httpdconf.FilesSection, httpdconf.FilesMatchSection:
			what = r.place.base
		}
		t.add(StepSection, "covers "+what, s.Range)
	}
}

// described says what is at a place.
func (p *place) described() string {
	at := p.dir + "/" + p.base
	switch p.what {
	case isFolder:
		return p.dir + "/ is a folder"
	case isFile, isOther:
		what := " is a file"
		if p.what == isOther {
			what = " is neither a file nor a folder"
		}
		if p.rest != "" {
			what += fmt.Sprintf(", and %s stands behind it", p.rest)
		}
		return at + what
	case isRefused:
		return at + " must not be reached: " + p.why
	}
	return fmt.Sprintf("there is no %s in %s/", p.base, p.dir)
}

func (t *trace) condition(s *httpdconf.Section, holds bool) {
	switch {
	case t == nil:
	case holds:
		t.covering = append(t.covering, s)
		t.add(StepIf, "holds: the section covers the request", s.Range)
	default:
		t.add(StepIf, "does not hold", s.Range)
	}
}

// handler tells what SetHandler comes to behind all sections.
func (t *trace) handler(r *route, isUpgrade bool) {
	if t == nil {
		return
	}
	name := r.handler()
	switch {
	case name == "":
		name = "none: the path is a file's"
	case name == "websocket-handler" && !isUpgrade:
		name += ", which leaves to files what asks for no upgrade, or for one that no module loaded speaks"
	}
	var line hcl.Range
	if r.settings.Core != nil {
		line = r.settings.Core.HandlerRange
	}
	t.add(StepHandler, name, line)
}

// index tells which file stands for a folder; nil if none does.
func (t *trace) index(r, index *route) {
	if t == nil {
		return
	}
	var line hcl.Range
	if r.settings.Index != nil {
		line = r.settings.Index.Range
	}
	if index == nil {
		t.add(StepFile, "no file stands for the folder", line)
		return
	}
	t.add(StepFile, fmt.Sprintf("%s stands for the folder", index.path), line)
}

// unsent tells that there is no file to be sent.
func (t *trace) unsent(status int) {
	if t != nil {
		t.add(StepFile, fmt.Sprintf("so there is nothing to send: %d", status))
	}
}

// handshake tells that a handshake is good, and which plugin comes next.
func (t *trace) handshake(by speaker, plugin *httpdconf.PluginRef) {
	t.plugin = plugin
	t.add(StepHandshake, fmt.Sprintf("good, of %v", by))
	t.add(StepPlugin, fmt.Sprintf("%s in %s is asked, and accepts or declines (403)", plugin.Init, plugin.File), plugin.Range)
}

// document tells what stands in an error page's place.
func (t *trace) document(status int, d *httpdconf.ErrorDocument, text string) {
	if t != nil {
		t.add(StepDocument, fmt.Sprintf("in place of the page of %d: %s", status, text), d.Range)
	}
}

// logged takes a record; written says that its level is in the log's.
func (t *trace) logged(module string, level httpdconf.LogLevel, text string, written bool) {
	where := "written"
	if !written {
		where = "not written at this LogLevel"
	}
	t.add(StepLog, fmt.Sprintf("[%s:%s] %s (%s)", module, level, text, where))
}
