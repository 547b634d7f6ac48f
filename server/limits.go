package server

import (
	"math"
	"strconv"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// checkLength judges the size of an announced body, although none is read.
func checkLength(ctx *fasthttp.RequestCtx, r *route) int {
	limit := int64(httpdconf.DefaultLimitBody)
	if core := r.settings.Core; core != nil && core.LimitBody != nil {
		limit = *core.LimitBody
	}
	if limit == 0 {
		return 0
	}
	for _, length := range headerLines(ctx, "Content-Length") {
		if n, err := strconv.ParseInt(length, 10, 64); err == nil && n > limit {
			r.trace.at(StepAccess, "the body is too large: 413", r.limitRange())
			return fasthttp.StatusRequestEntityTooLarge
		}
	}
	return 0
}

// limitRange is the LimitRequestBody line that holds for a route.
func (r *route) limitRange() (line hcl.Range) {
	if core := r.settings.Core; core != nil {
		line = core.LimitRange
	}
	return line
}

// readTime is how long a part of a request may take of which n bytes have come.
func readTime(t httpdconf.ReadTime, n int64) time.Duration {
	if t.First == 0 {
		return math.MaxInt64
	}
	if t.Rate == 0 {
		return t.First
	}
	d := t.First + time.Duration(n)*time.Second/time.Duration(t.Rate)
	if t.Last > 0 {
		d = min(d, t.Last)
	}
	return d
}

// limitConnections bounds how many connections there may be at once: by
// MaxRequestWorkers where it stands, which is often low, for files were written
// for one thread a connection.
func (s *Server) limitConnections() {
	s.maxConns = raiseDescriptorLimit()
	c := s.cfg.Cap
	if c.Connections == 0 || c.Connections >= s.maxConns {
		return
	}
	s.maxConns = c.Connections
	s.log.printf("core", httpdconf.LevelNotice, "", "%d connections at most, WebSockets among them: MaxRequestWorkers (%s:%d)", c.Connections, c.Range.Filename, c.Range.Start.Line)
}
