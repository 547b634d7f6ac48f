package server

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// exprEnv is what expressions see of a request (httpd 2.4
// server/util_expr_eval.c). It does not outlive the handler.
type exprEnv struct {
	ctx *fasthttp.RequestCtx
	r   *route
}

// exprHeaders are the variables that are headers. It is constant.
var exprHeaders = map[string]string{
	"HTTP_HOST": "Host", "HTTP_USER_AGENT": "User-Agent", "HTTP_REFERER": "Referer", "HTTP_COOKIE": "Cookie", "HTTP_ACCEPT": "Accept",
	"HTTP_FORWARDED": "Forwarded", "HTTP_PROXY_CONNECTION": "Proxy-Connection",
}

// apiVersion is httpd's of its modules, as far as this server claims it.
const apiVersion = "20120211"

// exprVariables are the variables that are no headers. It is constant.
var exprVariables = map[string]func(e exprEnv) string{
	"REQUEST_METHOD":        exprMethod,
	"REQUEST_SCHEME":        func(e exprEnv) string { return e.r.scheme },
	"REQUEST_URI":           func(e exprEnv) string { return e.r.path },
	"DOCUMENT_URI":          func(e exprEnv) string { return e.r.path },
	"REQUEST_FILENAME":      func(e exprEnv) string { return e.r.mappedName() },
	"SCRIPT_FILENAME":       func(e exprEnv) string { return e.r.mappedName() },
	"PATH_INFO":             func(e exprEnv) string { return e.r.place.rest },
	"QUERY_STRING":          func(e exprEnv) string { return e.r.query },
	"THE_REQUEST":           exprRequestLine,
	"SERVER_PROTOCOL":       func(e exprEnv) string { return string(e.ctx.Request.Header.Protocol()) },
	"SERVER_NAME":           func(e exprEnv) string { return e.r.serverNameForURL() },
	"SERVER_PORT":           func(e exprEnv) string { return strconv.Itoa(e.r.serverPort()) },
	"SERVER_ADMIN":          func(e exprEnv) string { return e.r.admin() },
	"SERVER_SOFTWARE":       func(e exprEnv) string { return serverBanner(e.r.tokens) },
	"API_VERSION":           func(exprEnv) string { return apiVersion },
	"DOCUMENT_ROOT":         func(e exprEnv) string { return e.r.host.DocumentRoot },
	"CONTEXT_DOCUMENT_ROOT": func(e exprEnv) string { return e.r.host.DocumentRoot },
	"REMOTE_ADDR":           func(e exprEnv) string { return e.Remote().String() },
	"REMOTE_HOST":           func(e exprEnv) string { return e.Remote().String() }, // as under HostnameLookups Off
	"REMOTE_PORT":           func(e exprEnv) string { return strconv.Itoa(int(e.r.client.Port())) },
	"CONN_REMOTE_ADDR":      func(e exprEnv) string { return remoteOf(e.ctx).Addr().String() },
	"REMOTE_USER":           func(e exprEnv) string { return e.r.user },
	"AUTH_TYPE":             exprAuthType,
	"HANDLER":               exprHandler,
	"CONTENT_TYPE":          func(e exprEnv) string { return string(e.ctx.Response.Header.ContentType()) },
	"REQUEST_STATUS":        func(e exprEnv) string { return strconv.Itoa(e.ctx.Response.StatusCode()) },
	"LAST_MODIFIED":         exprLastModified,
	"IS_SUBREQ":             func(e exprEnv) string { return strconv.FormatBool(e.r.isSubrequest) },
	"HTTPS":                 func(e exprEnv) string { return onOff(e.r.isTLS) },
	"IPV6": func(e exprEnv) string {
		return onOff(localAddr(e.ctx).Addr().Is6() && !localAddr(e.ctx).Addr().Is4In6())
	},
	"HTTP2":     func(exprEnv) string { return "off" },
	"TIME":      func(exprEnv) string { return time.Now().Format(compactTime) },
	"TIME_YEAR": func(exprEnv) string { return time.Now().Format("2006") },
	"TIME_MON":  func(exprEnv) string { return time.Now().Format("01") },
	"TIME_DAY":  func(exprEnv) string { return time.Now().Format("02") },
	"TIME_HOUR": func(exprEnv) string { return time.Now().Format("15") },
	"TIME_MIN":  func(exprEnv) string { return time.Now().Format("04") },
	"TIME_SEC":  func(exprEnv) string { return time.Now().Format("05") },
	"TIME_WDAY": func(exprEnv) string { return strconv.Itoa(int(time.Now().Weekday())) },
}

// compactTime is the format of TIME and LAST_MODIFIED.
const compactTime = "20060102150405"

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// exprMethod is GET for an ErrorDocument, whatever was asked for.
func exprMethod(e exprEnv) string {
	if e.r.isDocument {
		return fasthttp.MethodGet
	}
	return string(e.ctx.Method())
}

func exprRequestLine(e exprEnv) string {
	return fmt.Sprintf("%s %s %s", e.ctx.Method(), e.r.target, e.ctx.Request.Header.Protocol())
}

func exprAuthType(e exprEnv) string {
	if e.r.user == "" {
		return ""
	}
	return "Basic" // there is no other
}

// exprHandler is empty until the handler is chosen, which is behind access. The
// type of a file that is sent without one takes its place (httpd 2.4
// server/config.c, ap_invoke_handler).
func exprHandler(e exprEnv) string { return cmp.Or(e.r.chosenHandler(), e.r.mediaType) }

// chosenHandler is the handler once it is chosen.
func (r *route) chosenHandler() string {
	if !r.isTyped {
		return ""
	}
	return r.handler()
}

// exprLastModified is the beginning of time until a file is sent.
func exprLastModified(e exprEnv) string {
	t, err := time.Parse(httpTime, string(e.ctx.Response.Header.Peek("Last-Modified")))
	if err != nil {
		t = time.Unix(0, 0)
	}
	return t.Local().Format(compactTime)
}

// Variable returns a variable; those without an entry are empty here.
func (e exprEnv) Variable(name string) string {
	if header := exprHeaders[name]; header != "" {
		return e.varying(header)
	}
	if variable := exprVariables[name]; variable != nil {
		return variable(e)
	}
	return e.sslVariable(name)
}

// header returns the lines of a header as one.
func (e exprEnv) header(name string) string {
	return strings.Join(headerLines(e.ctx, name), ", ")
}

// varying is header for what an answer then depends on; on the host every answer
// does (httpd 2.4 server/util_expr_eval.c, add_vary).
func (e exprEnv) varying(name string) string {
	if !strings.EqualFold(name, "Host") && !slices.Contains(e.r.vary, name) {
		e.r.vary = append(e.r.vary, name)
	}
	return e.header(name)
}

// Function returns what a function finds.
func (e exprEnv) Function(name, arg string) (string, error) {
	switch name {
	case "req", "http":
		return e.varying(arg), nil
	case "req_novary":
		return e.header(arg), nil
	case "resp":
		return string(e.ctx.Response.Header.Peek(arg)), nil
	case "reqenv":
		value, _ := e.r.env.get(arg)
		return value, nil
	case "note":
		value, _ := e.r.notes.get(arg)
		return value, nil
	case "ssl":
		return e.sslVariable(arg), nil
	case "osenv":
		return os.Getenv(arg), nil
	case "env":
		return e.environment(arg), nil
	case "file":
		text, err := os.ReadFile(arg)
		if err != nil {
			//lint:ignore ST1005 httpd's own words
			return "", fmt.Errorf("Cannot open file %s", arg)
		}
		return string(text), nil
	case "filesize":
		info, err := os.Stat(arg)
		if err != nil || !info.Mode().IsRegular() {
			return "0", nil
		}
		return strconv.FormatInt(info.Size(), 10), nil
	}
	return "", nil
}

// environment looks a name up among notes, the request's environment and the
// process's.
func (e exprEnv) environment(name string) string {
	for _, list := range []environ{e.r.notes, e.r.env} {
		if value, set := list.get(name); set {
			return value
		}
	}
	return os.Getenv(name)
}

// Test answers the operators that look at a file.
func (e exprEnv) Test(operator byte, name string) bool {
	stat := os.Stat
	if operator == 'L' || operator == 'h' {
		stat = os.Lstat
	}
	info, err := stat(name)
	if err != nil {
		return false
	}
	switch operator {
	case 'd':
		return info.IsDir()
	case 'e':
		return true
	case 'f':
		return info.Mode().IsRegular()
	case 's':
		return info.Mode().IsRegular() && info.Size() > 0
	case 'L', 'h':
		return info.Mode()&os.ModeSymlink != 0
	case 'x':
		return unix.Access(name, unix.X_OK) == nil
	}
	return false
}

// List holds nothing: no list passes httpdconf.
func (e exprEnv) List(string, string) []string { return nil }

// Remote is the client's address.
func (e exprEnv) Remote() netip.Addr { return e.r.client.Addr() }

// walk finds the settings of a request: the walks by path, and then If
// sections, whose conditions are judged for each request.
func (s *Server) walk(ctx *fasthttp.RequestCtx, r *route) {
	r.tokens = s.cfg.Tokens
	s.aliasHere(ctx, r)
	r.walk()
	if r.settings.Core != nil && len(r.settings.Core.Ifs) > 0 {
		s.walkIfs(ctx, r, r.settings.Core.Ifs)
	}
}

// walkIfs merges the If sections that hold, and then those that stand in them
// (httpd 2.4 server/request.c, ap_if_walk_sub). A condition that cannot be
// evaluated does not hold.
func (s *Server) walkIfs(ctx *fasthttp.RequestCtx, r *route, list []*httpdconf.Section) {
	held := false
	var inner []*httpdconf.Section
	before := len(r.covering)
	for _, section := range list {
		if section.Else && held {
			continue
		}
		held = section.Condition == nil || s.holds(ctx, r, section)
		r.trace.condition(section, held)
		if held {
			r.covering = append(r.covering, section)
			if section.Records.Core != nil {
				inner = append(inner, section.Records.Core.Ifs...)
			}
		}
	}
	if len(r.covering) > before {
		r.settings = r.merged.of(r.host, r.covering)
	}
	if len(inner) > 0 {
		s.walkIfs(ctx, r, inner)
	}
}

func (s *Server) holds(ctx *fasthttp.RequestCtx, r *route, section *httpdconf.Section) bool {
	holds, err := section.Condition.Bool(exprEnv{ctx, r})
	if err != nil {
		s.logOf(r).printf("core", httpdconf.LevelError, r.client.String(), "AH00039: Failed to evaluate <If > condition: %v", err)
	}
	return holds && err == nil
}
