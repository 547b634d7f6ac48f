package server

import (
	"errors"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Version is the version of this server.
const Version = "0.1.0"

// serverToken is the value of the Server header.
const serverToken = "wshttpd"

// BuildTime returns when the source of this binary was committed, as httpd -v
// prints a time; "unknown" where the build does not say.
func BuildTime() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key != "vcs.time" {
			continue
		}
		if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
			return t.Format("2006-01-02T15:04:05")
		}
	}
	return "unknown"
}

// headBytes bounds the whole of a request's head where no limit is above it:
// every HTTP connection holds a buffer of that size.
const headBytes = 24 << 10

// maxHeadRoom bounds what limits above headBytes make of that buffer.
const maxHeadRoom = 1 << 20

// headRoom is headBytes, or more where LimitRequestLine or
// LimitRequestFieldSize ask for it.
func headRoom(l *httpdconf.HTTPLimits) int {
	return min(max(headBytes, l.Line+2*l.FieldSize), maxHeadRoom)
}

// newHTTP makes the part of fasthttp that serves HTTP on one connection. It
// takes no connection by itself, keeps no deadline and reads no body: a
// netConn and receiveHead see to these.
func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                       s.serveRequest,
		ErrorHandler:                  s.answerBadHead,
		HeaderReceived:                s.receiveHead,
		Logger:                        httpLog{s},
		Name:                          serverBanner(s.cfg.Tokens),
		Concurrency:                   1 << 30, // openSet counts
		ReadBufferSize:                s.routes.headRoom,
		MaxRequestBodySize:            16, // draft-76's key 3 is the largest
		NoDefaultContentType:          true,
		DisablePreParseMultipartForm:  true,
		DisableHeaderNamesNormalizing: false,
		SecureErrorLogMessage:         true,
		KeepHijackedConns:             true,
		ExpectHandler:                 func(*fasthttp.RequestCtx) int { return fasthttp.StatusExpectationFailed },
	}
}

// serveRequest is the handler that fasthttp calls.
func (s *Server) serveRequest(ctx *fasthttp.RequestCtx) {
	headOf(ctx).take(receivedHeader(ctx), s.limitsOf(ctx))
	s.guarded(ctx)
}

// guarded serves a request; a panic of ours, or a plugin's that got this far,
// costs this request only.
func (s *Server) guarded(ctx *fasthttp.RequestCtx) {
	var began time.Time
	if len(s.accessLogs) > 0 { // nobody else asks
		began = time.Now()
	}
	var r *route
	defer func() {
		if cause := recover(); cause != nil {
			s.logPanic(ctx, cause)
			ctx.Response.Reset()
			s.refuse(ctx, fasthttp.StatusInternalServerError, statusText(fasthttp.StatusInternalServerError))
		}
		if r == nil {
			r = s.routeOfBadHead(ctx)
		}
		keepAlive(ctx, r)
		s.logAccess(ctx, r, began)
		keepConnectionField(ctx)
	}()
	r = s.serveHTTP(ctx)
}

// answerBadHead answers a head that fasthttp could not read.
func (s *Server) answerBadHead(ctx *fasthttp.RequestCtx, err error) {
	headOf(ctx).take(receivedHeader(ctx), s.limitsOf(ctx))
	status := fasthttp.StatusBadRequest
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrSmallReadBuffer), isSmallBuffer(err):
		status = fasthttp.StatusRequestHeaderFieldsTooLarge
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		status = fasthttp.StatusRequestTimeout
	}
	if s.isNoRequest(ctx, status) {
		return
	}
	s.logAccess(ctx, s.refuseHead(ctx, status), time.Now())
}

// isNoRequest reports whether a client has gone before its request line had
// ended, or has not ended one on a connection that was kept alive: none is
// answered, nor logged (httpd 2.4 server/protocol.c, ap_read_request).
func (s *Server) isNoRequest(ctx *fasthttp.RequestCtx, status int) bool {
	c, is := ctx.Conn().(*netConn)
	if !is || c.line.whole || status == fasthttp.StatusRequestHeaderFieldsTooLarge || status == fasthttp.StatusRequestTimeout && c.keepAlives == 0 {
		return false
	}
	c.mute = true
	return true
}

// refuseHead refuses a request whose head is no good.
func (s *Server) refuseHead(ctx *fasthttp.RequestCtx, status int) *route {
	s.refuse(ctx, status, statusText(status))
	r := s.routeOfBadHead(ctx)
	s.finish(ctx, r)
	return r
}

// routeOfBadHead returns what little is known of a request whose head is no
// good. The host is the one that answers for names which nobody has.
func (s *Server) routeOfBadHead(ctx *fasthttp.RequestCtx) *route {
	r := newRoute(ctx)
	*r = route{host: s.routes.find(localAddr(ctx), ""), merged: &s.routes.merged, client: remoteOf(ctx), tokens: s.cfg.Tokens, bad: s.badLineOf(ctx)}
	r.settings = r.host.Base
	if r.bad != nil {
		r.path, r.query = r.bad.path, r.bad.query
	}
	return r
}

func isSmallBuffer(err error) bool {
	_, small := errors.AsType[*fasthttp.ErrSmallBuffer](err)
	return small
}
