package httpdconf

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// HTTPLimits are a host's bounds of requests and of the connections that they
// come on. All are set: see defaultLimits.
type HTTPLimits struct {
	Line, Fields, FieldSize int // of a request's head, in bytes and lines; Fields 0 for no limit

	KeepAlive     bool
	KeepAliveTime time.Duration // between requests
	MaxRequests   int           // on one connection; 0 for no limit

	Header, Body ReadTime

	Redirects, Subrequests int // inside the server, of one request
}

// ReadTime is how long a part of a request may take to come: First, and a
// second more for each Rate bytes, up to Last.
type ReadTime struct {
	First, Last time.Duration // 0 for no limit
	Rate        int           // 0 where First is all
}

// defaultLimits are httpd's, with mod_reqtimeout's whether it is loaded or not.
func defaultLimits() HTTPLimits {
	return HTTPLimits{
		Line: 8190, Fields: 100, FieldSize: 8190,
		KeepAlive: true, KeepAliveTime: 5 * time.Second, MaxRequests: 100,
		Header: ReadTime{20 * time.Second, 40 * time.Second, 500}, Body: ReadTime{20 * time.Second, 0, 500},
		Redirects: 10, Subrequests: 10,
	}
}

// Cap is a bound of the connections, and the line that sets it.
type Cap struct {
	Connections int // 0 where no line sets it
	Range       hcl.Range
}

// limitCommands are the rows of the directives that bound requests.
func limitCommands() map[string]command {
	core := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	http := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"http_core.c", set, effect}
	}
	return map[string]command{
		"LimitRequestLine":       core("bytes of a request line, 8190 by default; of the first host of the address", (*walk).limitLine),
		"LimitRequestFields":     core("header fields of a request, 100 by default; of the first host of the address", (*walk).limitFields),
		"LimitRequestFieldsize":  core("bytes of a header field, 8190 by default; of the first host of the address", (*walk).limitFieldSize),
		"LimitRequestBody":       core("bytes of a body that a request may announce, 1073741824 by default", (*walk).limitBody),
		"LimitInternalRecursion": core("how often a request may be redirected inside the server, and how deep rules may look others up for it, both 10 by default", (*walk).limitRecursion),
		"KeepAlive":              http("whether a connection takes another request", (*walk).setKeepAlive),
		"KeepAliveTimeout":       http("how long it is waited for, 5 s by default", (*walk).setKeepAliveTimeout),
		"MaxKeepAliveRequests":   http("how many a connection takes, 100 by default", (*walk).setMaxKeepAlive),
		"RequestReadTimeout":     {"mod_reqtimeout.c", (*walk).setReadTimeout, "`header=` and `body=` of the first host of the address; a WebSocket has none once it is open. Without a line they are 20-40 and 20 s, MinRate 500"},
	}
}

// limit sets a limit of the host that is read. A virtual host's go over those
// of the main server, wherever these stand.
func (w *walk) limit(set func(l *HTTPLimits)) {
	set(&w.host.Limits)
	if w.limitSets == nil {
		w.limitSets = make(map[*Host][]func(*HTTPLimits))
	}
	w.limitSets[w.host] = append(w.limitSets[w.host], set)
}

// inheritLimits fills a virtual host's limits.
func (w *walk) inheritLimits(h *Host) {
	h.Limits = w.config.Main.Limits
	for _, set := range w.limitSets[h] {
		set(&h.Limits)
	}
}

// nonNegative reads a number as atoi does, and refuses one below 0.
func nonNegative(n *syntax.Node, word syntax.Arg, note string) (int, *problem) {
	value, _ := leadingNumber(word.Text)
	if value < 0 {
		return 0, &problem{text: fmt.Sprintf("%s %q must be a non-negative integer%s", n.Name, word.Text, note), at: word.Range}
	}
	return int(min(value, 1<<30)), nil
}

func (w *walk) limitLine(n *syntax.Node, words []syntax.Arg) *problem {
	value, p := nonNegative(n, words[0], "")
	w.limit(func(l *HTTPLimits) { l.Line = value })
	return p
}

func (w *walk) limitFields(n *syntax.Node, words []syntax.Arg) *problem {
	value, p := nonNegative(n, words[0], " (0 = no limit)")
	w.limit(func(l *HTTPLimits) { l.Fields = value })
	return p
}

func (w *walk) limitFieldSize(n *syntax.Node, words []syntax.Arg) *problem {
	value, p := nonNegative(n, words[0], "")
	w.limit(func(l *HTTPLimits) { l.FieldSize = value })
	if p != nil {
		p.text = strings.Replace(p.text, n.Name, "LimitRequestFieldsize", 1)
	}
	return p
}

func (w *walk) limitBody(n *syntax.Node, words []syntax.Arg) *problem {
	value, err := strconv.ParseInt(strings.TrimSpace(words[0].Text), 10, 64)
	if err != nil || value < 0 {
		return &problem{text: "LimitRequestBody requires a non-negative integer.", at: words[0].Range}
	}
	w.core().LimitBody, w.core().LimitRange = &value, n.Range()
	return nil
}

// limitRecursion is httpd 2.4 server/core.c, set_recursion_limit: one number
// stands for both.
func (w *walk) limitRecursion(n *syntax.Node, words []syntax.Arg) *problem {
	const least = 4
	var numbers [2]int
	for i, low := range []struct{ code, text string }{
		{"AH00119", "Limiting internal redirects to very low numbers may cause normal requests to fail."},
		{"AH00120", "Limiting the subrequest depth to a very low level may cause normal requests to fail."},
	}[:len(words)] {
		value, _ := leadingNumber(words[i].Text)
		if value <= 0 {
			return &problem{text: "The recursion limit must be greater than zero.", at: words[i].Range}
		}
		if value < least {
			w.fail(warning(n, words[i].Range, LevelWarn, "core", low.code, low.text, ""))
		}
		numbers[i] = int(min(value, 1<<30))
	}
	w.limit(func(l *HTTPLimits) { l.Redirects, l.Subrequests = numbers[0], numbers[len(words)-1] })
	return nil
}

func (w *walk) setKeepAlive(_ *syntax.Node, words []syntax.Arg) *problem {
	on := strings.EqualFold(words[0].Text, "on")
	w.limit(func(l *HTTPLimits) { l.KeepAlive = on })
	return nil
}

// setKeepAliveTimeout reads a time with its unit (httpd 2.4 server/util.c,
// ap_timeout_parameter_parse). 0 in a virtual host leaves it at the main
// server's (server/vhost.c, ap_fini_vhost_config).
func (w *walk) setKeepAliveTimeout(_ *syntax.Node, words []syntax.Arg) *problem {
	value, unit := leadingNumber(words[0].Text)
	scale, known := map[string]time.Duration{"": time.Second, "s": time.Second, "ms": time.Millisecond, "mi": time.Minute, "min": time.Minute, "h": time.Hour}[strings.ToLower(unit)]
	if !known || value < 0 || words[0].Text == unit {
		return &problem{text: "KeepAliveTimeout has wrong format", at: words[0].Range}
	}
	if value > 0 || w.host == w.config.Main {
		w.limit(func(l *HTTPLimits) { l.KeepAliveTime = time.Duration(min(value, 1<<31)) * scale })
	}
	return nil
}

func (w *walk) setMaxKeepAlive(_ *syntax.Node, words []syntax.Arg) *problem {
	value, _ := leadingNumber(words[0].Text)
	w.limit(func(l *HTTPLimits) { l.MaxRequests = int(min(max(value, 0), 1<<30)) })
	return nil
}

// setReadTimeout is httpd 2.4 modules/filters/mod_reqtimeout.c,
// set_reqtimeouts.
func (w *walk) setReadTimeout(n *syntax.Node, _ []syntax.Arg) *problem {
	for _, word := range n.Words() {
		wrong := func(text string) *problem {
			return &problem{text: "RequestReadTimeout: " + word.Text + ": " + text, at: word.Range}
		}
		key, value, _ := strings.Cut(word.Text, "=")
		var t ReadTime
		if text := t.read(value); text != "" {
			return wrong(text)
		}
		switch strings.ToLower(key) {
		case "header":
			w.limit(func(l *HTTPLimits) { l.Header = t })
		case "body":
			w.limit(func(l *HTTPLimits) { l.Body = t })
		case "handshake": // of TLS: header bounds it too
		default:
			return wrong("Unknown RequestReadTimeout parameter")
		}
	}
	return nil
}

// read reads what stands behind header= and body=.
func (t *ReadTime) read(value string) (wrong string) {
	times, rate, hasRate := strings.Cut(value, ",")
	first, last, hasLast := strings.Cut(times, "-")
	if hasLast && !hasRate {
		return "Must set MinRate option if using timeout range"
	}
	*t = ReadTime{}
	for _, part := range []struct {
		text string
		into *time.Duration
		is   bool
	}{{first, &t.First, true}, {last, &t.Last, hasLast}} {
		if !part.is {
			continue
		}
		seconds, err := strconv.Atoi(part.text)
		if err != nil || seconds < 0 {
			return "Value '" + part.text + "' not numerical"
		}
		*part.into = time.Duration(seconds) * time.Second
	}
	if hasRate {
		name, number, _ := strings.Cut(rate, "=")
		value, err := strconv.Atoi(number)
		if !strings.EqualFold(name, "MinRate") {
			return "Unknown option '" + name + "'"
		}
		if err != nil || value <= 0 {
			return "Value '" + number + "' not numerical"
		}
		t.Rate = value
	}
	return ""
}

// capCommands are the rows of an MPM that bound connections.
func capCommands(mpm string) map[string]command {
	const effect = "connections at once, with ServerLimit times ThreadsPerChild as httpd computes it"
	rows := map[string]command{
		"MaxRequestWorkers": {mpm, (*walk).setWorkers, effect}, "MaxClients": {mpm, (*walk).setWorkers, effect},
		"ServerLimit": {mpm, (*walk).setServerLimit, "bounds `MaxRequestWorkers`"},
	}
	if mpm != "prefork.c" {
		rows["ThreadsPerChild"] = command{mpm, (*walk).setThreads, "bounds `MaxRequestWorkers`"}
	}
	return rows
}

// workers are the numbers by which an MPM bounds its threads.
type workers struct {
	max, limit, threads int
	at                  hcl.Range
}

func (w *walk) setWorkers(n *syntax.Node, words []syntax.Arg) *problem {
	value, _ := leadingNumber(words[0].Text)
	w.workers.max, w.workers.at = int(min(max(value, 1), 1<<20)), n.Range()
	return nil
}

func (w *walk) setServerLimit(_ *syntax.Node, words []syntax.Arg) *problem {
	value, _ := leadingNumber(words[0].Text)
	w.workers.limit = int(min(max(value, 1), 1<<20))
	return nil
}

func (w *walk) setThreads(_ *syntax.Node, words []syntax.Arg) *problem {
	value, _ := leadingNumber(words[0].Text)
	w.workers.threads = int(min(max(value, 1), 1<<20))
	return nil
}

// finishCap bounds MaxRequestWorkers as httpd does (httpd 2.4
// server/mpm/event/event.c, event_check_config): 16 processes of 25 threads are
// the default, of prefork 256 of one.
func (w *walk) finishCap() {
	c := w.workers
	if c.max == 0 {
		return
	}
	limit, threads := 16, 25
	if w.modules.isLoaded("prefork.c") {
		limit, threads = 256, 1
	}
	if c.limit > 0 {
		limit = c.limit
	}
	if c.threads > 0 && threads > 1 {
		threads = c.threads
	}
	w.config.Cap = Cap{Connections: min(c.max, limit*threads), Range: c.at}
}
