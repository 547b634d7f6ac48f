package server

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/ws"
)

// fields are header fields in order, as httpd's tables: names in any case, and
// more than once.
type fields []ws.Field

func (f fields) get(name string) (value string, is bool) {
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			return field.Value, true
		}
	}
	return "", false
}

func (f *fields) add(name, value string) { *f = append(*f, ws.Field{Name: name, Value: value}) }

func (f *fields) unset(name string) {
	*f = slices.DeleteFunc(*f, func(field ws.Field) bool { return strings.EqualFold(field.Name, name) })
}

// set replaces the first field of a name, and takes the others away.
func (f *fields) set(name, value string) {
	at := slices.IndexFunc(*f, func(field ws.Field) bool { return strings.EqualFold(field.Name, name) })
	if at < 0 {
		f.add(name, value)
		return
	}
	(*f)[at].Value = value
	rest := (*f)[at+1:]
	rest.unset(name)
	*f = (*f)[:at+1+len(rest)]
}

// headerEdits applies the lines of one table.
type headerEdits struct {
	s   *Server
	env exprEnv
}

// apply runs lines in order, those that are early or all others (httpd 2.4
// modules/metadata/mod_headers.c, do_headers_fixup).
func (h headerEdits) apply(list []*httpdconf.HeaderEdit, to *fields, early bool) {
	for _, e := range list {
		if e.Early == early && h.applies(e) {
			h.edit(e, to)
		}
	}
}

func (h headerEdits) applies(e *httpdconf.HeaderEdit) bool {
	switch {
	case e.Env != "":
		name, negated := strings.CutPrefix(e.Env, "!")
		set := h.env.r.isSet(name)
		return set != negated
	case e.If != nil:
		holds, err := e.If.Bool(h.env)
		if err != nil {
			h.fail("AH10373: Can't evaluate header expression: %v", err)
		}
		return holds && err == nil
	}
	return true
}

func (h headerEdits) fail(format string, args ...any) {
	h.s.logOf(h.env.r).printf("headers", httpdconf.LevelError, h.env.r.client.String(), format, args...)
}

func (h headerEdits) edit(e *httpdconf.HeaderEdit, to *fields) {
	old, is := to.get(e.Name)
	switch e.Action {
	case httpdconf.HeaderSet:
		to.set(e.Name, h.value(e))
	case httpdconf.HeaderSetIfEmpty:
		if !is {
			to.set(e.Name, h.value(e))
		}
	case httpdconf.HeaderAdd:
		to.add(e.Name, h.value(e))
	case httpdconf.HeaderAppend:
		to.merge(e.Name, h.value(e))
	case httpdconf.HeaderMerge:
		if value := h.value(e); !slices.Contains(elements(old), value) {
			to.merge(e.Name, value)
		}
	case httpdconf.HeaderUnset:
		to.unset(e.Name)
	case httpdconf.HeaderNote:
		if is {
			h.env.r.notes.set(h.value(e), old)
		}
	case httpdconf.HeaderEcho:
		for _, field := range splitFields(rawHeaders(h.env.ctx)) {
			if e.Regexp.Match(field.Name) {
				to.add(field.Name, field.Value)
			}
		}
	case httpdconf.HeaderEditOnce, httpdconf.HeaderEditAll:
		for i, field := range *to {
			if strings.EqualFold(field.Name, e.Name) {
				(*to)[i].Value = h.replace(e, field.Value)
			}
		}
	}
}

// merge appends to the first field of a name, behind a comma.
func (f *fields) merge(name, value string) {
	for i, field := range *f {
		if strings.EqualFold(field.Name, name) {
			(*f)[i].Value = field.Value + ", " + value
			return
		}
	}
	f.add(name, value)
}

// elements are the elements of a list in a header.
func elements(list string) []string {
	parts := strings.Split(list, ",")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " \t")
	}
	return parts
}

// value puts a value together.
func (h headerEdits) value(e *httpdconf.HeaderEdit) string {
	if e.Text != nil {
		text, err := e.Text.String(h.env)
		if err != nil {
			h.fail("AH02557: Can't evaluate value expression: %v", err)
			return ""
		}
		return text
	}
	var b strings.Builder
	for _, part := range e.Value {
		switch part.Format {
		case 't':
			fmt.Fprintf(&b, "t=%d", h.env.ctx.Time().UnixMicro())
		case 'D':
			fmt.Fprintf(&b, "D=%d", time.Since(h.env.ctx.Time()).Microseconds())
		case 'l':
			b.WriteString(loadAverage())
		case 's':
			b.WriteString(cmp.Or(strings.ReplaceAll(h.env.anyVariable(part.Text), "\n", " "), "(null)"))
		case 'e':
			value, set := h.env.r.env.get(part.Text)
			if !set {
				value = "(null)"
			}
			b.WriteString(unwrapped.Replace(value))
		default:
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

// unwrapped makes blanks of line ends (httpd 2.4 modules/metadata/mod_headers.c,
// unwrap_header).
var unwrapped = strings.NewReplacer("\r", " ", "\n", " ")

// loadAverage is the system's load over 1, 5 and 15 minutes.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); err == nil && len(f) >= 3 {
		return "l=" + strings.Join(f[:3], "/")
	}
	return "l=-1.00/-1.00/-1.00"
}

var groupReference = regexp.MustCompile(`\\[\\$&]|\$[0-9]|&`)

// replace replaces the first match, or all (httpd 2.4
// modules/metadata/mod_headers.c, process_regexp). A match that takes too long
// is none.
func (h headerEdits) replace(e *httpdconf.HeaderEdit, value string) string {
	with := h.value(e)
	replaced, err := e.Regexp.Replace(value, e.Action == httpdconf.HeaderEditAll, func(groups expr.Groups) string {
		return groupReference.ReplaceAllStringFunc(with, func(ref string) string {
			switch ref[0] {
			case '\\':
				return ref[1:]
			case '&':
				return ref
			}
			return groups.Group(int(ref[1] - '0'))
		})
	})
	if err != nil {
		return value
	}
	return replaced
}

// earlyHeaders applies what stands outside of sections and is early, before
// anything is decided (httpd 2.4 modules/metadata/mod_headers.c,
// ap_headers_early).
func (s *Server) earlyHeaders(ctx *fasthttp.RequestCtx, r *route) {
	if d := r.host.Base.Headers; d != nil {
		s.editRequest(ctx, r, d.Request, true)
	}
}

// fixupHeaders applies RequestHeader behind access (ap_headers_fixup).
func (s *Server) fixupHeaders(ctx *fasthttp.RequestCtx, r *route) {
	r.isTyped = true
	if d := r.settings.Headers; d != nil {
		s.editRequest(ctx, r, d.Request, false)
	}
}

func (s *Server) editRequest(ctx *fasthttp.RequestCtx, r *route, list []*httpdconf.HeaderEdit, early bool) {
	if len(list) == 0 {
		return
	}
	header := splitFields(rawHeaders(ctx))
	headerEdits{s, exprEnv{ctx, r}}.apply(list, &header, early)
	setRawHeaders(ctx, joinFields(header))
}

// headersKey is the user value of a request whose header was changed.
type headersKey struct{}

// receivedHeader returns the header of a request as it came, with the blank
// line behind it, and nothing where there is no field. It is borrowed.
func receivedHeader(ctx *fasthttp.RequestCtx) []byte {
	if m, inMemory := ctx.Conn().(*memConn); inMemory && m.header != nil {
		return m.header
	}
	return ctx.Request.Header.RawHeaders()
}

// rawHeaders returns the header of a request, with what RequestHeader has
// changed. It is borrowed.
func rawHeaders(ctx *fasthttp.RequestCtx) []byte {
	if changed, is := ctx.UserValue(headersKey{}).([]byte); is {
		return changed
	}
	return receivedHeader(ctx)
}

func setRawHeaders(ctx *fasthttp.RequestCtx, raw []byte) {
	ctx.SetUserValue(headersKey{}, raw)
	headOf(ctx).take(raw, &unlimited)
}

func splitFields(raw []byte) fields {
	var list fields
	for line := range strings.SplitSeq(string(raw), "\n") {
		if name, value, isField := strings.Cut(line, ":"); isField {
			list.add(name, strings.Trim(value, " \t\r"))
		}
	}
	return list
}

func joinFields(list fields) []byte {
	var b []byte
	for _, f := range list {
		if ws.IsToken(f.Name) && isFieldValue(f.Value) {
			b = append(b, f.Name+": "+f.Value+"\r\n"...)
		}
	}
	return b
}

// without is a header without the fields of these names.
func without(raw []byte, names ...string) []byte {
	list := splitFields(raw)
	for _, name := range names {
		list.unset(name)
	}
	return joinFields(list)
}

// serverFields are the fields of an answer that Header does not reach: httpd
// writes them behind it. It is constant.
var serverFields = map[string]bool{"server": true, "date": true, "content-length": true, "connection": true, "transfer-encoding": true}

// editAnswer applies Header. Success is for what a handler has answered, a 304
// and a 412 for a file among it; an error or a redirect is answered by the
// server, and there Header always alone holds, in a table of its own that begins empty (httpd 2.4
// modules/metadata/mod_headers.c, ap_headers_output_filter and
// ap_headers_error_filter).
func (s *Server) editAnswer(ctx *fasthttp.RequestCtx, r *route) {
	status := ctx.Response.StatusCode()
	isSuccess := status < 300 || status == fasthttp.StatusNotModified || status == fasthttp.StatusPreconditionFailed || r.isDocument
	edits := headerEdits{s, exprEnv{ctx, r}}
	d := r.settings.Headers
	if d == nil {
		d = &httpdconf.HeadersDir{}
	}
	out := answerFields(ctx)
	if len(r.vary) > 0 && isSuccess {
		out.merge("Vary", strings.Join(r.vary, ",")) // as httpd joins them
	}
	var always fields
	edits.apply(d.Always, &always, false)
	if isSuccess {
		edits.apply(d.Success, &out, false)
	}
	edits.write(append(always, out...))
}

// answerFields returns the fields of an answer that may be changed.
func answerFields(ctx *fasthttp.RequestCtx) fields {
	var out fields
	for name, value := range ctx.Response.Header.All() {
		if !serverFields[strings.ToLower(string(name))] {
			out.add(string(name), string(value))
		}
	}
	return out
}

// write makes these the fields of the answer.
func (h headerEdits) write(list fields) {
	header := &h.env.ctx.Response.Header
	for _, field := range answerFields(h.env.ctx) {
		header.Del(field.Name)
	}
	header.DisableNormalizing() // names are sent as they are configured
	for _, field := range list {
		switch {
		case !ws.IsToken(field.Name) || !isFieldValue(field.Value):
			h.fail("Header %q has a name or value that cannot be sent: left out", field.Name)
		case strings.EqualFold(field.Name, "Connection"):
			if strings.EqualFold(field.Value, "close") {
				h.env.ctx.SetConnectionClose()
			}
		case serverFields[strings.ToLower(field.Name)]:
		case strings.EqualFold(field.Name, "Content-Type"):
			header.SetContentType(field.Value)
		default:
			header.Add(field.Name, field.Value)
		}
	}
}
