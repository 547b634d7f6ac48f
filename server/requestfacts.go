package server

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// requestFacts are what a C plugin may ask of its request beside what every
// connection keeps. Connections whose facts are the same share them.
type requestFacts struct {
	host      *httpdconf.Host
	scheme    string
	authority string
	path      string
	filename  string
	pathInfo  string
	user      string
	handler   string
	local     netip.AddrPort
	peer      netip.AddrPort        // zero where it is the client
	records   *pluginloader.Records // of plugins' modules, nil for none
	core      *httpdconf.CoreDir
	authn     *httpdconf.AuthnDir
	env       string // names and values, each with a zero byte behind it
}

// latelyFacts holds facts that were kept, each in the place that its hash gives
// it.
var latelyFacts [64]atomic.Pointer[requestFacts]

// keepFacts copies the facts for a plugin that may ask for them, else it
// returns nil.
func keepFacts(ctx *fasthttp.RequestCtx, r *route, p wsplugin.Plugin) *requestFacts {
	if !pluginloader.AsksForRequest(p) {
		return nil
	}
	f := requestFacts{
		host: r.host, scheme: r.scheme, authority: r.authority, path: r.path,
		filename: r.place.name(), pathInfo: r.place.rest, user: r.user, handler: r.handler(),
		local: localAddr(ctx), env: r.joinedEnv(), core: r.settings.Core, authn: r.settings.Authn,
	}
	if records, has := r.settings.Modules.(pluginRecords); has {
		f.records = records.Records
	}
	if peer := remoteOf(ctx); peer != r.client {
		f.peer = peer
	}
	place := &latelyFacts[maphash.Comparable(hashSeed, f)%uint64(len(latelyFacts))]
	if old := place.Load(); old != nil && *old == f {
		return old
	}
	f.authority, f.path, f.filename = strings.Clone(f.authority), strings.Clone(f.path), strings.Clone(f.filename)
	f.pathInfo, f.user = strings.Clone(f.pathInfo), strings.Clone(f.user)
	place.Store(&f)
	return &f
}

// joinedEnv is the environment as a string, sorted by name.
func (r *route) joinedEnv() string {
	if len(r.env) == 0 {
		return ""
	}
	list := make([]variable, 0, len(r.env))
	for _, v := range r.env {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b variable) int { return cmp.Compare(a.name, b.name) })
	var joined strings.Builder
	for _, v := range list {
		joined.WriteString(v.name + "\x00" + v.value + "\x00")
	}
	return joined.String()
}

// environment is joinedEnv taken apart.
func (f *requestFacts) environment() (list []pluginloader.Field) {
	for rest := f.env; rest != ""; {
		var v pluginloader.Field
		v.Name, rest, _ = strings.Cut(rest, "\x00")
		v.Value, rest, _ = strings.Cut(rest, "\x00")
		list = append(list, v)
	}
	return list
}

// Request returns what a C plugin may ask for.
func (c *conn) Request() *pluginloader.Request {
	f := c.request.facts
	r := &pluginloader.Request{
		Host: c.server.keyOf(f.host), Records: f.records,
		Line: fasthttp.MethodGet + " " + c.request.target + " HTTP/1.1", Method: fasthttp.MethodGet, Protocol: "HTTP/1.1",
		Hostname: hostName(f.authority), Scheme: f.scheme, Target: c.request.target, Path: f.path,
		Filename: f.filename, PathInfo: f.pathInfo, User: f.user, Handler: f.handler,
		Local: f.local, Peer: f.peer, Client: c.request.remote,
		Header: f.hosted(c.request.fields(), c.request.target), Env: f.environment(),
		Level: func(module string) int { return int(c.request.log.levels.Of(module)) },
	}
	if f.user != "" {
		r.AuthType = "Basic"
	}
	if !r.Peer.IsValid() {
		r.Peer = r.Client
	}
	f.answers(r, c.server.cfg.Tokens)
	return r
}

// answers fills what functions of httpd tell of the request.
func (f *requestFacts) answers(r *pluginloader.Request, tokens httpdconf.Tokens) {
	as := &route{host: f.host, scheme: f.scheme, authority: f.authority, local: f.local, settings: httpdconf.Records{Core: f.core}, tokens: tokens}
	r.ServerName, r.ServerPort, r.DocumentRoot = as.serverName(), as.serverPort(), f.host.DocumentRoot
	r.Signature = strings.TrimPrefix(as.signature(), "<hr>\n")
	r.LimitBody = httpdconf.DefaultLimitBody
	if f.core != nil && f.core.LimitBody != nil {
		r.LimitBody = *f.core.LimitBody
	}
	if f.authn == nil {
		return
	}
	if r.AskedRealm = f.authn.Name; f.authn.Type == httpdconf.AuthBasic {
		r.AskedType = "Basic"
	}
}

// hosted puts the host of an absolute target into the Host field (httpd 2.4
// server/vhost.c, update_server_from_aliases and fix_hostname).
func (f *requestFacts) hosted(list []pluginloader.Field, target string) []pluginloader.Field {
	if strings.HasPrefix(target, "/") {
		return list
	}
	for i := range list {
		if strings.EqualFold(list[i].Name, "Host") {
			list[i].Value = f.authority
		}
	}
	return list
}

// ReplyFields returns the fields that the plugin has set so far.
func (c *conn) ReplyFields() (list []pluginloader.Field) {
	r := c.openReply()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.fields {
		list = append(list, pluginloader.Field(f))
	}
	return list
}

// SetReplyFields sets the fields in the place of what ReplyFields has returned.
func (c *conn) SetReplyFields(list []pluginloader.Field) {
	r := c.openReply()
	if r == nil {
		return
	}
	r.clear()
	for _, f := range list {
		if why := r.add(f.Name, f.Value); why != "" {
			c.logLeftOut(f.Name, why)
		}
	}
}

// LogAs writes a record of a module that a plugin is too.
func (c *conn) LogAs(module string, level int, origin pluginloader.Origin, text string, ofRequest bool) {
	if referer, sent := c.request.lookup("Referer"); sent && ofRequest {
		text += ", referer: " + referer // httpd 2.4 server/log.c, do_errorlog_default
	}
	c.request.log.record(module, httpdconf.LogLevel(level), origin, c.request.remote.String(), text)
}

// keyOf is how plugins' modules tell hosts apart: nil is the main server.
func (s *Server) keyOf(h *httpdconf.Host) any {
	if h == s.cfg.Main {
		return nil
	}
	return h
}

// pluginHosts lists the servers for plugins, the main one first.
func (s *Server) pluginHosts() []pluginloader.Host {
	var list []pluginloader.Host
	for _, h := range append([]*httpdconf.Host{s.cfg.Main}, s.cfg.Hosts...) {
		log := s.hostLogs[h]
		list = append(list, pluginloader.Host{
			Key:  s.keyOf(h),
			Name: h.Name, Admin: h.Admin, Port: h.Port, Timeout: h.Timeout, File: h.Range.Filename, Line: h.Range.Start.Line,
			Level: func(module string) int { return int(h.LogLevels.Of(module)) },
			Log: func(module string, level int, origin pluginloader.Origin, text string) {
				log.record(module, httpdconf.LogLevel(level), origin, "", text)
			},
		})
	}
	return list
}
