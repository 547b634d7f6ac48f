package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// expire tells how long an answer may be kept, where nothing has told so yet
// (httpd 2.4 modules/metadata/mod_expires.c, expires_filter and
// set_expiration_fields).
func (s *Server) expire(ctx *fasthttp.RequestCtx, r *route) {
	status, mediaType := ctx.Response.StatusCode(), r.mediaType
	if status >= 400 || r.isDocument || len(ctx.Response.Header.Peek("Expires")) > 0 {
		return
	}
	if status >= 300 && status != fasthttp.StatusNotModified {
		mediaType = "text/html" // the page of a redirect
	}
	e, is := r.settings.Expires.Of(mediaType)
	if !is || e.SinceModification && r.modified.IsZero() {
		return
	}
	now := ctx.Time()
	until := now.Add(e.After)
	if e.SinceModification {
		until = r.modified.Add(e.After)
	}
	if until.Before(now) {
		until = now
	}
	age := fmt.Sprintf("max-age=%d", until.Sub(now)/time.Second)
	if told := string(ctx.Response.Header.Peek("Cache-Control")); told != "" {
		age = strings.Join([]string{told, age}, ", ")
	}
	ctx.Response.Header.Set("Cache-Control", age)
	ctx.Response.Header.Set("Expires", until.UTC().Format(httpTime))
}
