package server

import (
	"crypto/rand"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// preconditions judges the conditional headers of a request (RFC 9110, section
// 13.2.2): 0 to go on, 304 or 412.
func preconditions(ctx *fasthttp.RequestCtx, changed time.Time, etag string) int {
	header := func(name string) (string, bool) {
		lines := headerLines(ctx, name)
		return strings.Join(lines, ", "), len(lines) > 0
	}
	modified := changed.Truncate(time.Second)
	if v, sent := header("If-Match"); sent {
		if !matchesETag(v, etag, true) {
			return fasthttp.StatusPreconditionFailed
		}
	} else if v, sent := header("If-Unmodified-Since"); sent {
		if t, err := time.Parse(httpTime, v); err == nil && modified.After(t) {
			return fasthttp.StatusPreconditionFailed
		}
	}
	isRead := ctx.IsGet() || ctx.IsHead()
	if v, sent := header("If-None-Match"); sent {
		switch {
		case !matchesETag(v, etag, false):
			return 0
		case isRead:
			return fasthttp.StatusNotModified
		}
		return fasthttp.StatusPreconditionFailed
	}
	if v, sent := header("If-Modified-Since"); sent && isRead {
		if t, err := time.Parse(httpTime, v); err == nil && !modified.After(t) && !t.After(time.Now()) {
			return fasthttp.StatusNotModified
		}
	}
	return 0
}

// matchesETag reports whether a list of entity tags holds etag; strong wants
// neither of the two to be weak (RFC 9110, section 8.8.3.2).
func matchesETag(list, etag string, strong bool) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return true
		}
		if strong && (strings.HasPrefix(tag, "W/") || strings.HasPrefix(etag, "W/")) {
			continue
		}
		if strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// span is a range of a file: bytes from start up to end, which it excludes.
type span struct{ start, end int64 }

// maxRanges is how many ranges are served; more are answered by the whole file
// (httpd's default of MaxRanges). maxOverlaps is that of MaxRangeOverlaps.
const (
	maxRanges   = 200
	maxOverlaps = 20
)

// wantedRanges returns the Range header where it is to be obeyed, else "".
func wantedRanges(ctx *fasthttp.RequestCtx, changed time.Time, etag string) string {
	lines := headerLines(ctx, "Range")
	if len(lines) != 1 || string(ctx.Method()) == fasthttp.MethodOptions {
		return ""
	}
	if condition := headerLines(ctx, "If-Range"); len(condition) > 0 {
		t, err := time.Parse(httpTime, condition[0])
		isSame := err == nil && changed.Truncate(time.Second).Equal(t)
		if !isSame && (strings.HasPrefix(etag, "W/") || condition[0] != etag) {
			return ""
		}
	}
	return lines[0]
}

// parseRanges reads a Range header (RFC 9110, section 14.1.2). good is false
// where it is to be ignored; a good one without a span cannot be satisfied.
func parseRanges(s string, size int64) (spans []span, good bool) {
	set, isBytes := strings.CutPrefix(strings.ToLower(s), "bytes=")
	if !isBytes {
		return nil, false
	}
	count, overlaps, sum := 0, 0, int64(0)
	for text := range strings.SplitSeq(set, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		r, satisfiable, ok := parseSpan(text, size)
		if count++; !ok || count > maxRanges {
			return nil, false
		}
		if !satisfiable {
			continue
		}
		if n := len(spans); n > 0 && r.start <= spans[n-1].end && spans[n-1].start <= r.end {
			// httpd sends neighbours in one piece.
			sum -= spans[n-1].end - spans[n-1].start
			r = span{min(r.start, spans[n-1].start), max(r.end, spans[n-1].end)}
			spans = spans[:n-1]
		}
		sum += r.end - r.start
		for _, other := range spans {
			if r.start < other.end && other.start < r.end {
				overlaps++
				break
			}
		}
		if spans = append(spans, r); overlaps > maxOverlaps {
			return nil, false
		}
	}
	return spans, count > 0 && sum <= size // more than the file: then the file as a whole
}

func parseSpan(s string, size int64) (r span, satisfiable, ok bool) {
	first, last, found := strings.Cut(s, "-")
	if !found {
		return r, false, false
	}
	number := func(s string) (int64, bool) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && s[0] != '+' && n >= 0
	}
	if first == "" {
		n, good := number("0" + last)
		if !good || last == "" {
			return r, false, false
		}
		return span{max(size-n, 0), size}, n > 0 && size > 0, true
	}
	start, good := number(first)
	if !good {
		return r, false, false
	}
	end := size
	if last != "" {
		n, good := number(last)
		if !good || n < start {
			return r, false, false
		}
		if n < size {
			end = n + 1
		}
	}
	return span{start, end}, start < size, true
}

// sendRanges sends a file, or the parts of it that a Range header asks for. It
// owns the file.
func (s *Server) sendRanges(ctx *fasthttp.RequestCtx, file *openedFile, mediaType, header string) {
	h, size := &ctx.Response.Header, file.size
	spans, good := parseRanges(header, size)
	switch {
	case header == "" || !good:
		s.sendPiece(ctx, file, 0, size)
	case len(spans) == 0:
		_ = file.Close() // it was only read
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		s.answer(ctx, fasthttp.StatusRequestedRangeNotSatisfiable)
	case len(spans) == 1:
		r := spans[0]
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", r.start, r.end-1, size))
		ctx.SetStatusCode(fasthttp.StatusPartialContent)
		s.sendPiece(ctx, file, r.start, r.end-r.start)
	default:
		s.sendParts(ctx, file, mediaType, spans)
	}
}

// sendParts sends several ranges (RFC 9110, section 14.6).
func (s *Server) sendParts(ctx *fasthttp.RequestCtx, file *openedFile, mediaType string, spans []span) {
	boundary := rand.Text()
	var parts []io.Reader
	var total int64
	text := func(s string) {
		parts = append(parts, strings.NewReader(s))
		total += int64(len(s))
	}
	for _, r := range spans {
		head := "\r\n--" + boundary + "\r\n"
		if mediaType != "" {
			head += "Content-type: " + mediaType + "\r\n"
		}
		text(head + fmt.Sprintf("Content-range: bytes %d-%d/%d\r\n\r\n", r.start, r.end-1, file.size))
		parts = append(parts, &filePiece{file, r.start, r.end})
		total += r.end - r.start
	}
	text("\r\n--" + boundary + "--\r\n")
	ctx.SetStatusCode(fasthttp.StatusPartialContent)
	ctx.Response.Header.SetContentType("multipart/byteranges; boundary=" + boundary)
	ctx.Response.SetBodyStream(&partsBody{io.MultiReader(parts...), file}, int(total))
}
