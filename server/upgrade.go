package server

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/draft76"
	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
	"github.com/wshttpd/wshttpd/server/eventloop"
	"github.com/wshttpd/wshttpd/ws"
)

// upgrade answers a request that asks to become a WebSocket, at a path whose
// handler is websocket-handler and whose access rules let it through: by a
// refusal, which is an ordinary answer, or by taking the connection out of
// HTTP.
//
// The headers say which protocol is meant. A request that fits none is judged
// as one of version 13, 8 or 7 that lacks its version.
func (s *Server) upgrade(ctx *fasthttp.RequestCtx, r *route) {
	decide(ctx)
	if meant, draft75 := s.meansDraft(ctx, r); meant {
		s.upgradeDraft(ctx, r, draft75)
		return
	}
	s.upgradeHybi(ctx, r)
}

// decide marks a request in memory as one that is answered here: all others go
// to a goroutine.
func decide(ctx *fasthttp.RequestCtx) {
	if m, inMemory := ctx.Conn().(*memConn); inMemory {
		m.decided = true
	}
}

// meansDraft reports whether the drafts are spoken here and the request is one
// of them: draft-76 by its two keys, draft-75 by having no header of any other
// protocol, where SupportDraft75 is On. Their clients send a Connection header
// of the one word (hixie-76, section 4.1).
func (s *Server) meansDraft(ctx *fasthttp.RequestCtx, r *route) (meant, draft75 bool) {
	sent := func(name string) bool { return len(headerLines(ctx, name)) > 0 }
	connection := headerLines(ctx, "Connection")
	switch {
	case !s.speaksDrafts || sent("Sec-WebSocket-Key") || sent("Sec-WebSocket-Version"):
		return false, false
	case len(connection) != 1 || !strings.EqualFold(connection[0], "upgrade"):
		return false, false
	case sent("Sec-WebSocket-Key1") && sent("Sec-WebSocket-Key2"):
		return true, false
	case sent("Sec-WebSocket-Key1") || sent("Sec-WebSocket-Key2"):
		return false, false
	}
	supported := r.settings.Draft76 != nil && r.settings.Draft76.SupportDraft75
	return supported, supported
}

// upgradeHybi is upgrade for versions 13, 8 and 7. The first condition that
// fails decides (RFC 6455, section 4.2.1).
func (s *Server) upgradeHybi(ctx *fasthttp.RequestCtx, r *route) {
	wanted := wsRequest(ctx)
	handshake, refusal := ws.CheckRequest(&wanted)
	if refusal != nil {
		if refusal.ListVersions && s.speaksHybi {
			ctx.Response.Header.Set("Sec-WebSocket-Version", ws.SupportedVersions)
		}
		r.trace.say(StepHandshake, refusal.Reason)
		s.refuse(ctx, refusal.Status, refusal.Reason)
		return
	}
	if !s.speaksHybi {
		r.trace.say(StepHandshake, "mod_websocket, which speaks this version, is not loaded")
		s.refuse(ctx, fasthttp.StatusBadRequest, "No module that speaks this WebSocket version is loaded.")
		return
	}
	settings := webSocketSettings(r)
	plugin := s.plugins[settings.Plugin]
	if plugin == nil {
		s.refuseWithoutPlugin(ctx, r)
		return
	}
	var former []string // hybi-11 renamed it back from what hybi-07 to hybi-10 call it
	if handshake.Version == 8 || handshake.Version == 7 {
		former = headerLines(ctx, "Sec-WebSocket-Origin")
	}
	if !s.originAccepted(r, settings, headerLines(ctx, "Origin"), former) {
		s.refuse(ctx, fasthttp.StatusForbidden, wrongOrigin)
		return
	}
	if r.trace != nil {
		s.explainUpgrade(ctx, r, speakerOf(handshake.Version), settings.Plugin)
		return
	}
	s.accept(ctx, &opening{
		speaker: speakerOf(handshake.Version),
		plugin:  s.uses[settings.Plugin],
		request: s.copyRequest(ctx, r, plugin, handshake.Protocols),
		timeout: r.host.Timeout,
		hybi: hybi{
			decoder:       ws.Decoder{Version: handshake.Version, MaxMessage: settings.MaxMessageSize, Memory: &buffers},
			allowReserved: settings.AllowReservedStatus,
		},
		key: handshake.Key,
	})
}

// upgradeDraft is upgrade for draft-76 and draft-75.
func (s *Server) upgradeDraft(ctx *fasthttp.RequestCtx, r *route, draft75 bool) {
	handshake, refusal := draft76.CheckRequest(draftRequest(ctx, draft75))
	if refusal != nil {
		r.trace.say(StepHandshake, refusal.Reason)
		s.refuse(ctx, refusal.Status, refusal.Reason)
		return
	}
	plugin := s.draftPlugin(r)
	if plugin == nil {
		s.refuseWithoutPlugin(ctx, r)
		return
	}
	// The limit and the origin check stand in mod_websocket's record and hold
	// here too.
	settings := webSocketSettings(r)
	origins := headerLines(ctx, "Origin")
	if !s.originAccepted(r, settings, origins, nil) {
		s.refuse(ctx, fasthttp.StatusForbidden, wrongOrigin)
		return
	}
	if r.trace != nil {
		s.explainUpgrade(ctx, r, draftSpeaker(draft75), r.settings.Draft76.Plugin)
		return
	}
	o := &opening{
		speaker: draftSpeaker(draft75),
		plugin:  s.uses[r.settings.Draft76.Plugin],
		request: s.copyRequest(ctx, r, plugin, handshake.Protocols),
		timeout: r.host.Timeout,
		draft: &draftPending{
			proto:     hixie{decoder: draft76.Decoder{MaxText: settings.MaxMessageSize, Draft75: draft75}},
			handshake: handshake,
			response: draft76.Response{
				Draft75:   draft75,
				Location:  draft76.Location(r.scheme == "https", r.authority, pathAndQuery(r.target)),
				Origin:    strings.Join(origins, ", "),
				HasOrigin: len(origins) > 0,
			},
		},
	}
	body := ctx.Request.Body()
	switch {
	case draft75:
		s.accept(ctx, o)
	case len(body) == len(o.key3): // a client that declares key 3 as a body
		copy(o.key3[:], body)
		s.accept(ctx, o)
	default:
		s.awaitKey3(ctx, o)
	}
}

// wrongOrigin is the reason of a refusal by the origin check.
const wrongOrigin = "The origin of the request is not accepted here."

func (s *Server) refuseWithoutPlugin(ctx *fasthttp.RequestCtx, r *route) {
	s.logOf(r).printf("websocket", httpdconf.LevelError, r.client.String(),
		"no WebSocket plugin is assigned for location %s (did you forget to define a WebSocketHandler?)", r.path)
	s.refuse(ctx, fasthttp.StatusInternalServerError, "No WebSocket plugin is assigned to this location.")
}

// opening is an upgrade request that was found good. What is left is to ask
// the plugin, and to answer.
type opening struct {
	speaker speaker
	plugin  *pluginUse
	request request
	timeout time.Duration // without progress, for writes
	hybi    hybi          // versions 13, 8 and 7
	key     string        // theirs
	draft   *draftPending // the drafts, else nil
	key3    [8]byte       // of draft-76, once it has come
	access  awaited       // of draft-76 that waits for its key 3
}

// draftPending is what an opening of the drafts goes on with.
type draftPending struct {
	proto     hixie
	handshake draft76.Handshake
	response  draft76.Response
}

// isProtocol reports whether a plugin's choice can stand in the answer.
func (o *opening) isProtocol(name string) bool {
	if o.draft != nil {
		return draft76.IsProtocol(name)
	}
	return ws.IsToken(name)
}

// appendAnswer appends the 101.
func (o *opening) appendAnswer(dst []byte, protocol string, fields []ws.Field) []byte {
	if o.draft == nil {
		return ws.AppendResponse(dst, o.key, protocol, fields)
	}
	answer := &o.draft.response
	answer.Protocol = protocol
	for _, f := range fields {
		answer.Fields = append(answer.Fields, draft76.Field(f))
	}
	dst = draft76.AppendResponse(dst, answer)
	if answer.Draft75 {
		return dst
	}
	proof := o.draft.handshake.Answer(o.key3)
	return append(dst, proof[:]...)
}

// carrier is the connection that an upgrade is asked for on: a netConn, or the
// front of one that is in a loop.
type carrier interface {
	// socket returns what c is driven by from now on.
	socket(c *conn) (*eventloop.Conn, error)

	// accepted tells that c has a session.
	accepted(c *conn)
}

// accept asks the plugin, and answers 101 if it gives a session.
func (s *Server) accept(ctx *fasthttp.RequestCtx, o *opening) {
	switch on := ctx.Conn().(type) {
	case *memConn:
		head, status, reason := s.ask(on.front, on.head, o)
		if status != fasthttp.StatusSwitchingProtocols {
			s.refuse(ctx, status, reason)
			return
		}
		on.head = head
		ctx.SetConnectionClose() // fasthttp's part is over, and its answer is not used
	case *netConn:
		head, status, reason := s.ask(on, nil, o)
		if status != fasthttp.StatusSwitchingProtocols {
			s.refuse(ctx, status, reason)
			return
		}
		if len(s.accessLogs) > 0 {
			on.head = head
		}
		ctx.HijackSetNoResponse(true) // the 101 is ours: words, order and case matter
		ctx.Hijack(func(hijacked net.Conn) { s.takeover(on, hijacked, head) })
	default:
		s.refuse(ctx, fasthttp.StatusInternalServerError, cannotUpgrade)
	}
}

const (
	cannotUpgrade = "This connection cannot become a WebSocket."
	pluginFailed  = "The WebSocket plugin failed."
	lateKey3      = "The bytes behind the WebSocket handshake did not come in time."
)

// ask has the plugin decide. With status 101 the carrier has a session, and
// head is the answer, appended to dst; else status and reason say how to refuse.
func (s *Server) ask(on carrier, dst []byte, o *opening) (head []byte, status int, reason string) {
	c := newConn(s, o)
	sock, err := on.socket(c)
	if err != nil { // the client has gone
		return nil, fasthttp.StatusInternalServerError, cannotUpgrade
	}
	c.attach(sock, o.timeout)
	accepted, crashed := c.connect()
	switch {
	case crashed:
		return nil, fasthttp.StatusInternalServerError, pluginFailed
	case !accepted:
		return nil, fasthttp.StatusForbidden, ""
	}
	protocol, fields := c.reply.Swap(&sentReply).close(o.request.protocols)
	if protocol != "" && !o.isProtocol(protocol) {
		c.log(httpdconf.LevelWarn, "plugin chose subprotocol %q, which cannot stand in the header: left out", protocol)
		protocol = ""
	}
	s.opened[o.speaker].Add(1)
	if c.logs(httpdconf.LevelInfo) { // else the arguments cost a handshake two allocations
		c.log(httpdconf.LevelInfo, "WebSocket opened for %s, %v", o.request.target, o.speaker)
	}
	on.accepted(c)
	return o.appendAnswer(dst, protocol, fields), fasthttp.StatusSwitchingProtocols, ""
}

// awaitKey3 takes the connection out of HTTP before anything is answered: the
// 8 bytes behind a draft-76 head are no body that fasthttp would read
// (hixie-76, section 5.2, step 1).
func (s *Server) awaitKey3(ctx *fasthttp.RequestCtx, o *opening) {
	switch on := ctx.Conn().(type) {
	case *memConn:
		on.awaits = o
		ctx.SetConnectionClose()
	case *netConn:
		on.awaits = o
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(hijacked net.Conn) { s.takeoverDraft76(on, hijacked, o) })
	default:
		s.refuse(ctx, fasthttp.StatusInternalServerError, cannotUpgrade)
	}
}

// takeoverDraft76 waits for key 3 before the plugin is asked. A refusal is an
// ordinary answer, although fasthttp is gone; a client that ends before its
// key is complete gets none.
func (s *Server) takeoverDraft76(nc *netConn, hijacked net.Conn, o *opening) {
	early, err := drain(nc, hijacked)
	for err == nil && len(early) < len(o.key3) {
		early, err = nc.readKey(early)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		nc.access = o.access.refused(fasthttp.StatusRequestTimeout, len(early))
		s.refuseDetached(nc, fasthttp.StatusRequestTimeout, lateKey3)
		return
	case err != nil:
		_ = nc.close() // the client has gone
		return
	}
	n := copy(o.key3[:], early)
	returned := false
	defer func() {
		if !returned { // the plugin has ended the goroutine
			nc.access = o.access.refused(fasthttp.StatusInternalServerError, n)
			s.refuseDetached(nc, fasthttp.StatusInternalServerError, pluginFailed)
		}
	}()
	head, status, reason := s.ask(nc, nil, o)
	returned = true
	if status != fasthttp.StatusSwitchingProtocols {
		nc.access = o.access.refused(status, n)
		s.refuseDetached(nc, status, reason)
		return
	}
	nc.session.access = o.access.accepted(n)
	s.begin(nc, head, early[n:], nil)
}

// draftPlugin returns the plugin that mod_websocket_draft76's record names for
// the path, nil if none.
func (s *Server) draftPlugin(r *route) wsplugin.Plugin {
	if r.settings.Draft76 == nil {
		return nil
	}
	return s.plugins[r.settings.Draft76.Plugin]
}

// webSocketSettings returns what mod_websocket's record says for the path.
func webSocketSettings(r *route) httpdconf.WebSocketDir {
	if r.settings.WebSocket == nil {
		return httpdconf.WebSocketDir{}
	}
	return *r.settings.WebSocket
}

// originAccepted checks the lines of the headers of a request that name its
// origin: Origin, and what it was called before where the version knows that.
func (s *Server) originAccepted(r *route, d httpdconf.WebSocketDir, origin, former []string) bool {
	mode := s.cfg.OriginCheckDefault
	if d.OriginCheck != nil {
		mode = *d.OriginCheck
	}
	if mode == httpdconf.OriginOff {
		r.trace.origin(s.cfg, &d, mode, r, nil, nil, true)
		return true
	}
	own, _ := newOrigin(r.scheme, r.authority) // an unusable one equals no origin that parses
	passes := originPasses(mode, d.TrustedOrigins, own, origin, former)
	r.trace.origin(s.cfg, &d, mode, r, origin, former, passes)
	if passes {
		return true
	}
	s.logOf(r).printf("websocket", httpdconf.LevelInfo, r.client.String(),
		"origin %q is not accepted for %s", slices.Concat(origin, former), r.path)
	return false
}

// wsRequest gathers what the opening handshake is judged by.
func wsRequest(ctx *fasthttp.RequestCtx) ws.Request {
	return ws.Request{
		Method:   string(ctx.Method()),
		HTTP11:   ctx.Request.Header.IsHTTP11(),
		HasBody:  declaresBody(ctx),
		Version:  headerLines(ctx, "Sec-WebSocket-Version"),
		Key:      headerLines(ctx, "Sec-WebSocket-Key"),
		Protocol: headerLines(ctx, "Sec-WebSocket-Protocol"),
	}
}

// draftRequest gathers what a handshake of the drafts is judged by.
func draftRequest(ctx *fasthttp.RequestCtx, draft75 bool) *draft76.Request {
	r := &draft76.Request{
		Draft75:          draft75,
		Method:           string(ctx.Method()),
		HTTP11:           ctx.Request.Header.IsHTTP11(),
		TransferEncoding: headerLines(ctx, "Transfer-Encoding"),
		ContentLength:    headerLines(ctx, "Content-Length"),
		Key1:             headerLines(ctx, "Sec-WebSocket-Key1"),
		Key2:             headerLines(ctx, "Sec-WebSocket-Key2"),
		Protocol:         headerLines(ctx, "Sec-WebSocket-Protocol"),
	}
	if draft75 {
		r.Protocol = headerLines(ctx, "WebSocket-Protocol")
	}
	return r
}

// declaresKey3 reports whether a body is declared that is draft-76's key 3.
func declaresKey3(raw []byte) bool {
	lengths := rawLines(raw, "Content-Length")
	return len(lengths) == 1 && lengths[0] == "8" && fieldIn(raw, "Sec-WebSocket-Key1") &&
		!fieldIn(raw, "Transfer-Encoding") && !fieldIn(raw, "Expect")
}

// pathAndQuery cuts scheme and authority off a target in absolute form.
func pathAndQuery(target string) string {
	_, rest, absolute := strings.Cut(target, "://")
	if strings.HasPrefix(target, "/") || !absolute {
		return target
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return "/" + strings.TrimPrefix(rest[i:], "/")
	}
	return "/"
}

// declaresBody reports whether a request announces a body, which must not be
// taken for frames.
func declaresBody(ctx *fasthttp.RequestCtx) bool {
	if len(headerLines(ctx, "Transfer-Encoding")) > 0 {
		return true
	}
	for _, length := range headerLines(ctx, "Content-Length") {
		if length != "0" {
			return true
		}
	}
	return false
}

// cloneAll copies strings out of a header.
func cloneAll(list []string) []string {
	for i := range list {
		list[i] = strings.Clone(list[i])
	}
	return list
}

// copyRequest copies the facts that outlive the request's context.
func (s *Server) copyRequest(ctx *fasthttp.RequestCtx, r *route, p wsplugin.Plugin, protocols []string) request {
	return request{
		target:    intern([]byte(r.target)),
		remote:    r.client,
		header:    newHeaderBlock(rawHeaders(ctx)),
		protocols: cloneAll(protocols),
		log:       s.lastingLogOf(r),
		facts:     keepFacts(ctx, r, p),
	}
}
