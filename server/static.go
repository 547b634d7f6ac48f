package server

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// allowedMethods are those of a static file.
const allowedMethods = "GET,POST,OPTIONS,HEAD"

// serveFile answers with the file that the path names (httpd 2.4
// server/core.c, default_handler).
func (s *Server) serveFile(ctx *fasthttp.RequestCtx, r *route) {
	if r.place.what == isFolder && !strings.HasSuffix(r.path, "/") && s.cfg.HasModule("dir_module") {
		r.trace.say(StepFile, "a folder is asked for without a slash behind it: 301 to it with one")
		s.redirectToSlash(ctx, r) // whatever the method
		return
	}
	switch method := string(ctx.Method()); {
	case method == "GET", method == "HEAD", method == "POST":
	case method == "OPTIONS":
		ctx.Response.Header.Set("Allow", allowedMethods)
		return
	default:
		ctx.Response.Header.Set("Allow", allowedMethods)
		s.answer(ctx, s.refusalOf(method))
		return
	}
	switch status := s.mayOpen(ctx, r); {
	case status != 0:
		r.trace.unsent(status)
		s.answer(ctx, status)
	case r.place.what == isFolder:
		s.serveDirectory(ctx, r)
	default:
		s.sendFile(ctx, r)
	}
}

// refusalOf is how a method is refused that no file answers.
func (s *Server) refusalOf(method string) int {
	if knownMethods[method] || slices.Contains(s.cfg.Methods, method) {
		return fasthttp.StatusMethodNotAllowed
	}
	return fasthttp.StatusNotImplemented
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
		return s.deny(ctx, r, p.why)
	case p.what == isNothing, p.rest != "":
		return fasthttp.StatusNotFound
	case p.what == isOther:
		return s.deny(ctx, r, "neither a file nor a folder")
	}
	return 0
}

func (s *Server) deny(ctx *fasthttp.RequestCtx, r *route, why string) int {
	s.logOf(r).printf("core", httpdconf.LevelError, r.client.String(), "%s: %s", why, r.filename)
	return fasthttp.StatusForbidden
}

// serveDirectory answers with the file that stands for the folder (httpd 2.4
// modules/mappers/mod_dir.c).
func (s *Server) serveDirectory(ctx *fasthttp.RequestCtx, r *route) {
	if !s.cfg.HasModule("dir_module") {
		s.answer(ctx, fasthttp.StatusNotFound)
		return
	}
	names := []string{"index.html"}
	if r.settings.Index != nil && r.settings.Index.DirectoryIndex != nil {
		names = r.settings.Index.DirectoryIndex
	}
	for _, name := range names {
		index := *r
		index.path = r.path + name
		if strings.HasPrefix(name, "/") {
			index.path = name
		}
		path, above := removeDots(index.path)
		if above {
			continue
		}
		index.path = path
		index.isSubrequest, index.folder, index.translated = true, r.place.name(), ""
		if status := s.rewritePath(ctx, &index); status != 0 {
			s.answer(ctx, status)
			return
		}
		s.walk(ctx, &index)
		if p := &index.place; p.what == isNothing || p.what == isFolder || p.rest != "" {
			continue
		}
		r.trace.index(r, &index)
		if refusal := s.access(ctx, &index); refusal != 0 {
			s.answer(ctx, refusal)
			return
		}
		if status := s.rewriteHere(ctx, &index); status != 0 {
			s.answer(ctx, status)
			return
		}
		if index.inside != nil {
			*r = index
			return
		}
		if s.isUnserved(&index, index.handler()) {
			s.answer(ctx, fasthttp.StatusNotImplemented)
			return
		}
		if status := s.mayOpen(ctx, &index); status != 0 {
			s.answer(ctx, status)
			return
		}
		*r = index // for the log, as in httpd
		s.sendFile(ctx, r)
		return
	}
	r.trace.index(r, nil)
	if !s.cfg.HasModule("autoindex_module") {
		s.answer(ctx, fasthttp.StatusNotFound)
		return
	}
	s.deny(ctx, r, "AH01276: Cannot serve directory, and wshttpd lists none")
	s.answer(ctx, fasthttp.StatusForbidden)
}

// redirectToSlash sends the client to the folder's path with a slash.
func (s *Server) redirectToSlash(ctx *fasthttp.RequestCtx, r *route) {
	location := r.ownURL(ctx, escapePath(r.path)+"/")
	if r.query != "" {
		location += "?" + r.query
	}
	ctx.Response.Header.Set("Location", location)
	s.answer(ctx, fasthttp.StatusMovedPermanently)
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
	file, info, status := s.openFile(ctx, r)
	if status != 0 {
		s.answer(ctx, status)
		return
	}
	h := &ctx.Response.Header
	etag := etagOf(info)
	h.Set("Last-Modified", info.ModTime().UTC().Format(httpTime))
	h.Set("ETag", etag)
	h.Set("Accept-Ranges", "bytes")
	mediaType := s.typeOf(r, r.place.base)
	if r.forcedType != "" {
		mediaType = r.forcedType
	}
	switch status := preconditions(ctx, info, etag); status {
	case 0:
	case fasthttp.StatusNotModified:
		_ = file.Close() // it was only read
		ctx.SetStatusCode(status)
		return
	default:
		_ = file.Close()
		s.answer(ctx, status)
		return
	}
	s.sendRanges(ctx, file, info.Size(), mediaType, wantedRanges(ctx, info, etag))
}

// openFile opens the file that the walk has judged, and no other: the way to it
// is gone once more, under the same Options, and what has taken its place since
// then is not sent. It returns why not, as a status.
func (s *Server) openFile(ctx *fasthttp.RequestCtx, r *route) (*os.File, os.FileInfo, int) {
	p, file := follow(r.filename, r.options, true)
	switch {
	case p.what == isRefused:
		return nil, nil, s.deny(ctx, r, p.why)
	case file == nil:
		return nil, nil, fasthttp.StatusNotFound
	}
	info, err := file.Stat()
	if err != nil || p.id != r.place.id {
		_ = file.Close() // nothing was read
		return nil, nil, fasthttp.StatusNotFound
	}
	return file, info, 0
}

// httpTime is the format of times in headers (RFC 9110, section 5.6.7).
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"

// etagOf is httpd's default: size and time in microseconds, weak while the
// file may still be written to (httpd 2.4 server/util_etag.c, ap_make_etag).
func etagOf(info os.FileInfo) string {
	weak := ""
	if time.Since(info.ModTime()) < time.Second {
		weak = "W/"
	}
	return fmt.Sprintf(`%s"%x-%x"`, weak, info.Size(), info.ModTime().UnixMicro())
}

// partBody is a body that ends with the bytes announced for it, however its
// file grows, and closes the file. Its one method beyond these lets the kernel
// send the file where there is nothing but a piece of it.
type partBody struct {
	io.Reader // all of the body
	file      *os.File
	start     int64 // of the piece
	size      int64 // of the piece; -1 where the body is more than that
}

func (b *partBody) Close() error { return b.file.Close() }

// SupportsBodyWriteTo has fasthttp call WriteTo (fasthttp.BodyWriterTo).
func (b *partBody) SupportsBodyWriteTo() bool { return b.size >= 0 }

// WriteTo writes the piece. The buffer in front of the connection must be empty
// for the kernel to take over.
func (b *partBody) WriteTo(w io.Writer) (int64, error) {
	if _, err := b.file.Seek(b.start, io.SeekStart); err != nil {
		return 0, err
	}
	if buffered, ok := w.(*bufio.Writer); ok && b.size > minSendfile {
		if err := buffered.Flush(); err != nil {
			return 0, err
		}
	}
	return io.Copy(w, &io.LimitedReader{R: b.file, N: b.size})
}

// minSendfile is the size in bytes up to which head and file share a packet.
const minSendfile = 4 << 10
