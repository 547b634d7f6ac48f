package server

import (
	"errors"
	"io"
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
		s.logAccess(ctx, r, began)
	}()
	r = s.serveHTTP(ctx)
}

// answerBadHead answers a head that fasthttp could not read.
func (s *Server) answerBadHead(ctx *fasthttp.RequestCtx, err error) {
	headOf(ctx).take(receivedHeader(ctx), s.limitsOf(ctx))
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrSmallReadBuffer), isSmallBuffer(err):
		s.refuse(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, statusText(fasthttp.StatusRequestHeaderFieldsTooLarge))
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		s.refuse(ctx, fasthttp.StatusRequestTimeout, statusText(fasthttp.StatusRequestTimeout))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		s.refuse(ctx, fasthttp.StatusBadRequest, "")
	default:
		s.refuseHead(ctx, fasthttp.StatusBadRequest)
	}
	s.logAccess(ctx, nil, time.Now())
}

// refuseHead refuses a request whose head is no good, as the host does that
// answers for names which nobody has.
func (s *Server) refuseHead(ctx *fasthttp.RequestCtx, status int) {
	s.refuse(ctx, status, statusText(status))
	r := &route{host: s.routes.find(localAddr(ctx), ""), merged: &s.routes.merged, client: remoteOf(ctx), tokens: s.cfg.Tokens}
	r.settings = r.host.Base
	s.finish(ctx, r)
}

func isSmallBuffer(err error) bool {
	_, small := errors.AsType[*fasthttp.ErrSmallBuffer](err)
	return small
}
