package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// allowedMethods are those of a static file.
const allowedMethods = "GET,POST,OPTIONS,HEAD"

// serveFile answers with the file that the path names (httpd 2.4
// server/core.c, default_handler).
func (s *Server) serveFile(ctx *fasthttp.RequestCtx, r *route) {
	switch string(ctx.Method()) {
	case fasthttp.MethodGet, fasthttp.MethodHead, fasthttp.MethodPost:
	case fasthttp.MethodOptions:
		ctx.Response.Header.Set("Allow", allowedMethods)
		return
	default:
		ctx.Response.Header.Set("Allow", allowedMethods)
		s.answer(ctx, fasthttp.StatusMethodNotAllowed)
		return
	}
	switch status := s.mayOpen(ctx, r); {
	case status != 0:
		s.answer(ctx, status)
	case r.place.info.IsDir():
		s.serveDirectory(ctx, r)
	default:
		s.sendFile(ctx, r)
	}
}

// mayOpen returns why a path must not be opened as a file, as a status: files
// named .ht* never, links only as Options say, nothing but files and folders.
func (s *Server) mayOpen(ctx *fasthttp.RequestCtx, r *route) int {
	for element := range strings.SplitSeq(r.path, "/") {
		if len(element) >= 3 && strings.EqualFold(element[:3], ".ht") {
			return s.deny(ctx, r, "the name begins with .ht")
		}
	}
	switch p := r.place; {
	case p.info == nil, p.rest != "":
		return fasthttp.StatusNotFound
	case p.base != "" && strings.HasSuffix(r.path, "/"):
		return fasthttp.StatusNotFound // a file is no folder
	case !p.info.IsDir() && !p.info.Mode().IsRegular():
		return s.deny(ctx, r, "neither a file nor a folder")
	case p.link && !r.linksAllowed():
		return s.deny(ctx, r, "AH00037: Symbolic link not allowed or link target not accessible")
	}
	return 0
}

func (s *Server) deny(ctx *fasthttp.RequestCtx, r *route, why string) int {
	s.log.printf("core", httpdconf.LevelError, ctx.RemoteAddr().String(), "%s: %s", why, r.filename)
	return fasthttp.StatusForbidden
}

// linksAllowed asks Options of the folder that each link stands in (httpd 2.4
// server/request.c, resolve_symlink).
func (r *route) linksAllowed() bool {
	names := append(r.place.dirs[1:len(r.place.dirs):len(r.place.dirs)], "")
	if names = names[:len(names)-1]; r.place.base != "" {
		names = append(names, filepath.Join(r.place.dir(), r.place.base))
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		if err != nil {
			return false
		}
		if info.Mode()&os.ModeSymlink == 0 {
			continue
		}
		options := r.options(filepath.Dir(name))
		switch {
		case options&httpdconf.OptFollowSymLinks != 0:
		case options&httpdconf.OptSymLinksIfOwnerMatch != 0 && ownersMatch(name, info):
		default:
			return false
		}
	}
	return true
}

func ownersMatch(name string, link os.FileInfo) bool {
	target, err := os.Stat(name)
	if err != nil {
		return false
	}
	a, okA := link.Sys().(*syscall.Stat_t)
	b, okB := target.Sys().(*syscall.Stat_t)
	return okA && okB && a.Uid == b.Uid
}

// serveDirectory redirects to the path with a slash, or answers with the file
// that stands for the folder (httpd 2.4 modules/mappers/mod_dir.c).
func (s *Server) serveDirectory(ctx *fasthttp.RequestCtx, r *route) {
	if !s.cfg.HasModule("dir_module") {
		s.answer(ctx, fasthttp.StatusNotFound)
		return
	}
	if !strings.HasSuffix(r.path, "/") {
		s.redirectToSlash(ctx, r)
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
		index.walk()
		if index.place.info == nil || index.place.rest != "" || index.place.info.IsDir() {
			continue
		}
		if !s.admitted(ctx, &index) {
			s.answer(ctx, fasthttp.StatusForbidden)
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
		s.sendFile(ctx, &index)
		return
	}
	if !s.cfg.HasModule("autoindex_module") {
		s.answer(ctx, fasthttp.StatusNotFound)
		return
	}
	s.deny(ctx, r, "AH01276: Cannot serve directory, and wshttpd lists none")
	s.answer(ctx, fasthttp.StatusForbidden)
}

func (s *Server) redirectToSlash(ctx *fasthttp.RequestCtx, r *route) {
	location := escapePath(r.path) + "/"
	if r.authority != "" {
		location = "http://" + r.authority + location
	}
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
	file, info, err := openFile(r)
	if err != nil {
		status := fasthttp.StatusNotFound
		if errors.Is(err, os.ErrPermission) {
			status = s.deny(ctx, r, "AH00132: file permissions deny server access")
		}
		s.answer(ctx, status)
		return
	}
	h := &ctx.Response.Header
	etag := etagOf(info)
	h.Set("Last-Modified", info.ModTime().UTC().Format(httpTime))
	h.Set("ETag", etag)
	h.Set("Accept-Ranges", "bytes")
	mediaType := s.typeOf(r, r.place.base)
	switch status := preconditions(ctx, info, etag); status {
	case 0:
	case fasthttp.StatusNotModified:
		_ = file.Close() // it was only read
		ctx.NotModified()
		h.Set("ETag", etag)
		h.Del("Content-Type")
		return
	default:
		_ = file.Close()
		s.answer(ctx, status)
		return
	}
	s.sendRanges(ctx, file, info.Size(), mediaType, wantedRanges(ctx, info, etag))
}

// openFile opens the file that the walk has judged, and no other: whatever
// took its place since then is not sent.
func openFile(r *route) (*os.File, os.FileInfo, error) {
	name := filepath.Join(r.place.dir(), r.place.base)
	flags := os.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if !r.place.link {
		flags |= unix.O_NOFOLLOW
	}
	file, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, r.place.info) {
		err = os.ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
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

// sizedReader is a part of a file that closes it at its end.
type sizedReader struct {
	io.Reader
	file *os.File
}

func (r sizedReader) Close() error { return r.file.Close() }
