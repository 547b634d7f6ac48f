package server

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// serveFile answers with the file that the path names, or with what stands for
// it (httpd 2.4 server/core.c, default_handler, behind modules/mappers/mod_dir.c,
// dir_fixups).
func (s *Server) serveFile(ctx *fasthttp.RequestCtx, r *route) {
	switch hasDir := s.cfg.HasModule("dir_module"); {
	case hasDir && r.lacksSlash() && r.settings.Index.AddsSlash():
		r.trace.say(StepFile, "a folder is asked for without a slash behind it: 301 to it with one")
		s.redirectToSlash(ctx, r) // whatever the method
	case r.lacksSlash():
		s.serveListing(ctx, r)
	case r.place.what == isFolder:
		s.serveDirectory(ctx, r)
	case !s.serveFallback(ctx, r):
		s.serveNamed(ctx, r)
	}
}

// serveNamed answers with the file that the path names, or says why not.
func (s *Server) serveNamed(ctx *fasthttp.RequestCtx, r *route) {
	if !s.takesMethod(ctx, r) {
		return
	}
	if status := s.mayOpen(ctx, r); status != 0 {
		r.trace.unsent(status)
		s.answer(ctx, status)
		return
	}
	s.sendFile(ctx, r)
}

// takesMethod reports whether the request's method is one by which a file is
// sent, and answers the others.
func (s *Server) takesMethod(ctx *fasthttp.RequestCtx, r *route) bool {
	switch method := string(ctx.Method()); method {
	case "GET", "HEAD", "POST":
		return true
	case "OPTIONS":
		ctx.Response.Header.Set("Allow", allowedMethods(r.host))
	default:
		ctx.Response.Header.Set("Allow", allowedMethods(r.host))
		s.answer(ctx, s.refusalOf(method))
	}
	return false
}

// mayOpen returns why a path must not be opened as a file, as a status: files
// named .ht* never, nothing but files and folders.
func (s *Server) mayOpen(ctx *fasthttp.RequestCtx, r *route) int {
	path := r.path
	if r.translated != "" {
		path = r.translated
	}
	for element := range strings.SplitSeq(path, "/") {
		if len(element) >= 3 && strings.EqualFold(element[:3], ".ht") {
			return s.deny(ctx, r, "the name begins with .ht")
		}
	}
	switch p := &r.place; {
	case p.what == isRefused:
		return s.denyPlace(r, p)
	case p.what == isNothing, p.rest != "" && !r.takesPathInfo():
		return fasthttp.StatusNotFound
	case p.what == isOther:
		return s.deny(ctx, r, "neither a file nor a folder")
	}
	return 0
}

// takesPathInfo reports whether a file answers for what stands behind its name.
func (r *route) takesPathInfo() bool {
	core := r.settings.Core
	return r.place.what == isFile && core != nil && core.PathInfo != nil && *core.PathInfo
}

// denyPlace refuses a place that must not be served, and says why.
func (s *Server) denyPlace(r *route, p *place) int {
	s.logOf(r).because(p.err).printf("core", httpdconf.LevelError, r.client.String(), "%s: %s", p.why, r.filename)
	return fasthttp.StatusForbidden
}

func (s *Server) deny(ctx *fasthttp.RequestCtx, r *route, why string) int {
	s.logOf(r).printf("core", httpdconf.LevelError, r.client.String(), "%s: %s", why, r.filename)
	return fasthttp.StatusForbidden
}

// escapePath escapes what cannot stand in a URL's path (httpd 2.4
// server/util.c, ap_os_escape_path).
func escapePath(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		isPlain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("$-_.+!*'(),:@&=/~;", c) >= 0
		if isPlain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// sendFile sends a file that may be opened.
func (s *Server) sendFile(ctx *fasthttp.RequestCtx, r *route) {
	file, status := s.openFile(ctx, r)
	if status != 0 {
		s.answer(ctx, status)
		return
	}
	etag, m := r.etagOf(file), s.metadataOf(r, r.place.base)
	r.describe(&ctx.Response.Header, file, etag, &m)
	status = preconditions(ctx, file.modified, etag)
	if status != fasthttp.StatusNotModified && m.mediaType != "" {
		ctx.SetContentType(m.mediaType)
	}
	if status != 0 {
		_ = file.Close()          // it was only read
		ctx.SetStatusCode(status) // with the header of the file and no page, as in httpd
		return
	}
	s.sendRanges(ctx, file, m.mediaType, wantedRanges(ctx, file.modified, etag))
}

// describe sets the fields of an answer that are about its file.
func (r *route) describe(h *fasthttp.ResponseHeader, file *openedFile, etag string, m *metadata) {
	r.mediaType, r.modified = m.mediaType, file.modified
	for _, field := range [][2]string{
		{"Last-Modified", file.modified.UTC().Format(httpTime)}, {"ETag", etag}, {"Accept-Ranges", "bytes"},
		{"Content-Encoding", m.encoding}, {"Content-Language", m.languages},
	} {
		if field[1] != "" {
			h.Set(field[0], field[1])
		}
	}
}

// openFile opens the file that the walk has judged, and no other: the way to it
// is gone once more, under the same Options, and what has taken its place since
// then is not sent. It returns why not, as a status.
func (s *Server) openFile(ctx *fasthttp.RequestCtx, r *route) (*openedFile, int) {
	p, file := follow(strings.TrimSuffix(r.filename, r.place.rest), r.options, true)
	switch {
	case p.what == isRefused:
		return nil, s.denyPlace(r, &p)
	case file == nil:
		return nil, fasthttp.StatusNotFound
	case p.id != r.place.id:
		_ = file.Close() // nothing was read
		return nil, fasthttp.StatusNotFound
	}
	return file, 0
}

// httpTime is the format of times in headers (RFC 9110, section 5.6.7).
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"

// etagOf returns the ETag of a file, "" for none: as FileETag says, by default
// its size and its time in microseconds; weak while the file may still be written
// to (httpd 2.4 server/util_etag.c, ap_make_etag).
func (r *route) etagOf(file *openedFile) string {
	var set *httpdconf.ETagSet
	if r.settings.Core != nil {
		set = r.settings.Core.ETag
	}
	parts := set.Of()
	var list []string
	for _, part := range []struct {
		kind  httpdconf.ETagParts
		value uint64
	}{{httpdconf.ETagINode, file.id.inode}, {httpdconf.ETagSize, uint64(file.size)}, {httpdconf.ETagMTime, uint64(file.modified.UnixMicro())}} {
		if parts&part.kind != 0 {
			list = append(list, strconv.FormatUint(part.value, 16))
		}
	}
	if len(list) == 0 {
		return ""
	}
	etag := `"` + strings.Join(list, "-") + `"`
	if time.Since(file.modified) < time.Second {
		return "W/" + etag
	}
	return etag
}

// sendPiece sends a piece of a file, which it owns. A small one goes with the
// head, in one write.
func (s *Server) sendPiece(ctx *fasthttp.RequestCtx, file *openedFile, start, size int64) {
	if size > smallPiece || ctx.IsHead() {
		ctx.Response.SetBodyStream(&pieceBody{filePiece{file, start, start + size}}, int(size))
		return
	}
	room := smallPieces.Get().(*[smallPiece]byte)
	n, err := file.ReadAt(room[:size], start)
	_ = file.Close() // it was only read
	if err == nil || err == io.EOF {
		ctx.Response.SetBody(room[:n])
	} else {
		s.answer(ctx, fasthttp.StatusInternalServerError)
	}
	smallPieces.Put(room)
}

// smallPiece is the size in bytes up to which head and file share a packet.
const smallPiece = 4 << 10

var smallPieces = sync.Pool{New: func() any { return new([smallPiece]byte) }}

// pieceBody is a body that ends with the bytes announced for it, however its
// file grows, and closes the file. The kernel sends it where it can.
type pieceBody struct{ filePiece }

// SupportsBodyWriteTo has fasthttp call WriteTo (fasthttp.BodyWriterTo).
func (b *pieceBody) SupportsBodyWriteTo() bool { return true }

// WriteTo writes the piece. The buffer in front of the connection must be empty
// for the kernel to take over.
func (b *pieceBody) WriteTo(w io.Writer) (int64, error) {
	if buffered, ok := w.(*bufio.Writer); ok {
		if err := buffered.Flush(); err != nil {
			return 0, err
		}
	}
	return io.Copy(w, &io.LimitedReader{R: &b.filePiece, N: b.end - b.at})
}

// partsBody is a body of several pieces of a file, which it closes.
type partsBody struct {
	io.Reader
	*openedFile
}
