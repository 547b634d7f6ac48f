package examples

import (
	"bytes"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// text is the expression for an element's text.
func text(id string) string { return "document.getElementById('" + id + "').textContent" }

// isState is the expression for a page's state.
func isState(state string) string {
	return "document.getElementById('state')?.dataset.state === '" + state + "'"
}

// logged is the expression for a number of log entries, by what stands in the
// second column and in the last.
func logged(what, content, number string) string {
	return "[...document.getElementById('log').rows].filter((r) => r.cells[1].textContent === '" + what +
		"' && r.cells[3].textContent === '" + content + "').length === " + number
}

func click(id string) string { return "document.getElementById('" + id + "').click(); true" }

// isLabelled is true when every field and every scrolling region has a name.
const isLabelled = "[...document.querySelectorAll('input, textarea')].every((e) => e.labels.length === 1) && " +
	"[...document.querySelectorAll('[role=region]')].every((e) => document.getElementById(e.getAttribute('aria-labelledby')) !== null)"

// watchFalls counts in window.falls how often the counter has become less. It
// looks at every number: a busy browser may show several at a time.
const watchFalls = "window.falls = 0; window.former = 0; new MutationObserver((records) => { for (const r of records) " +
	"for (const node of r.addedNodes) { const n = Number(node.textContent); if (n < former) falls++; former = n; } })" +
	".observe(document.getElementById('counter'), { childList: true }); true"

// browse runs the steps in Chromium.
func browse(t *testing.T, steps ...string) {
	t.Helper()
	client(t, "node", append([]string{"testdata/clients/chromium.js", "chromium"}, steps...)...)
}

// echoSteps is what a person may do with client.html.
func echoSteps(page string) []string {
	return []string{
		"go " + page, isState("open"), isLabelled,
		"document.getElementById('text').value = 'from a test'; document.getElementById('text').focus(); true",
		"press Control+Enter",
		text("received") + " === '1' && " + text("sent") + " === '1'",
		logged("received", "from a test", "1"),
		"document.getElementById('log').rows[0].cells[2].textContent === '11 B'",
		"/^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}$/.test(document.getElementById('log').rows[0].cells[0].textContent)",
		"document.getElementById('binary').checked = true; document.getElementById('send').click(); true",
		text("received") + " === '2'",
		logged("received", "66 72 6f 6d 20 61 20 74 65 73 74", "1"),
		click("send-many"),
		text("received") + " === '102'",
		"/ms$/.test(" + text("latency") + ")",
		click("disconnect"),
		isState("closed") + " && /code 1000/.test(" + text("state") + ")",
		"document.getElementById('send').disabled && document.getElementById('disconnect').disabled",
		click("clear"),
		"document.getElementById('log').rows.length === 0",
		click("connect"),
		isState("open"),
	}
}

// incrementSteps is what a person may do with increment.html.
func incrementSteps(page string) []string {
	return []string{
		"go " + page, isState("open") + " && /dumb-increment-protocol/.test(" + text("state") + ")", isLabelled,
		watchFalls,
		"Number(" + text("counter") + ") > 10",
		click("reset"),
		"window.falls === 1 && Number(" + text("counter") + ") > 10",
		"press r",
		"window.falls === 2",
		"/^\\d+ ms$/.test(" + text("interval") + ")",
		click("close"),
		isState("closed") + " && /code 1005/.test(" + text("state") + ")",
		logged("sent", "reset", "2"), // the log stands still now
		click("connect"),
		isState("open"),
		click("disconnect"),
		isState("closed") + " && /code 1000/.test(" + text("state") + ")",
	}
}

// TestChromium drives the pages as a person would.
func TestChromium(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	for _, plugins := range []string{"", "-c"} {
		t.Run("echo"+plugins+" and dumb-increment"+plugins, func(t *testing.T) {
			t.Parallel()
			browse(t, slices.Concat(
				[]string{"go " + p.http("/"), "document.querySelectorAll('a').length === 8",
					"document.querySelector(\"a[href$='/echo" + plugins + "']\").click(); true",
					isState("open") + " && document.getElementById('url').value.endsWith('/echo" + plugins + "')"},
				echoSteps(p.http("/client.html?path=/echo"+plugins)),
				incrementSteps(p.http("/increment.html?path=/dumb-increment"+plugins)),
			)...)
		})
	}
}

// policy forbids all that a page could bring along in itself, and all that
// comes from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"

// front stands before a server: it adds a strict security policy, and cuts
// all WebSockets when /cut is asked for.
func front(t *testing.T, p *process) string {
	t.Helper()
	target, err := url.Parse(p.http("/"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Set("Content-Security-Policy", policy)
		return nil
	}
	var mu sync.Mutex
	var upgraded []net.Conn // guarded by mu
	cut := func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range upgraded {
			c.Close()
		}
		upgraded = nil
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { cut() })
	s := httptest.NewUnstartedServer(mux)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateHijacked {
			mu.Lock()
			defer mu.Unlock()
			upgraded = append(upgraded, c)
		}
	}
	s.Start()
	t.Cleanup(func() {
		cut()
		s.Close()
	})
	return s.URL
}

// TestPagesUnderAStrictPolicy: chromium.js takes what the policy forbids for a
// failure.
func TestPagesUnderAStrictPolicy(t *testing.T) {
	base := front(t, serve(t, readConf(t, "httpd.conf")))
	const lost = "code 1006; next try in 0.5 s"
	t.Run("a lost connection is opened again, with pauses that grow", func(t *testing.T) {
		browse(t, "go "+base+"/client.html", isState("open"),
			"fetch('/cut'); true",
			logged("closed", lost, "1"),
			isState("open"), // the pause starts anew after this
			"fetch('/cut'); true",
			logged("closed", lost, "2"),
			isState("open")+" && "+logged("open", "", "3"),
			// No WebSocket is to be had there.
			"document.getElementById('url').value = location.origin.replace('http', 'ws') + '/nothing-here'; true",
			click("connect"),
			logged("closed", "code 1006; next try in 1 s", "1"),
			logged("closed", "code 1006; next try in 2 s", "1"),
			click("disconnect"),
			isState("closed")+" && !/next try/.test("+text("state")+")",
			"document.getElementById('disconnect').disabled && (window.entries = document.getElementById('log').rows.length) > 0",
			"(window.stopped ??= performance.now()) && performance.now() - window.stopped > 4500", // longer than the pause
			"document.getElementById('log').rows.length === window.entries",
			// Nor is this an address.
			"document.getElementById('url').value = 'nonsense:'; true",
			click("connect"),
			isState("closed")+" && !/code/.test("+text("state")+") && document.getElementById('disconnect').disabled",
		)
	})
	t.Run("the other pages", func(t *testing.T) {
		browse(t, "go "+base+"/increment.html", isState("open"), "Number("+text("counter")+") > 3",
			"fetch('/cut'); true", logged("closed", lost, "1"),
			isState("open"), "Number("+text("counter")+") > 3",
			"go "+base+"/", "document.styleSheets.length === 1")
	})
}

// pages returns the files in html.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("html/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// TestPagesDependOnNothing: no address outside, nothing inline.
func TestPagesDependOnNothing(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)//[a-z0-9-]+\.|<style|\sstyle=|\son[a-z]+="|<script>|javascript:|innerHTML|eval\(`)
	for _, file := range pages(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.ReplaceAll(content, []byte(`xmlns="http://www.w3.org/2000/svg"`), nil) // a name, which nobody fetches
		if found := forbidden.Find(content); found != nil {
			t.Errorf("%s contains %q", file, found)
		}
	}
}

// TestPagesAreServed: each file as it is, with its own media type.
func TestPagesAreServed(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	types := map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
	paths := map[string]string{"/": "html/index.html"}
	for _, file := range pages(t) {
		paths["/"+filepath.Base(file)] = file
	}
	for path, file := range paths {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.Get(p.http(path))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 || !bytes.Equal(got, want) {
			t.Errorf("GET %s: %d, %d bytes, %v; want 200 and the %d bytes of %s", path, r.StatusCode, len(got), err, len(want), file)
		}
		mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mediaType != types[filepath.Ext(file)] {
			t.Errorf("GET %s: type %q, %v; want %q", path, mediaType, err, types[filepath.Ext(file)])
		}
	}
	for _, path := range []string{"/../conf/httpd.conf", "/%2e%2e/conf/httpd.conf", "/nothing-here"} {
		r, err := http.DefaultClient.Do(&http.Request{Method: "GET", URL: &url.URL{Scheme: "http", Host: strings.TrimPrefix(p.http(""), "http://"), Opaque: path}})
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode < 400 || r.StatusCode > 404 {
			t.Errorf("GET %s: %d, want a refusal", path, r.StatusCode)
		}
	}
}

// TestOnlyOwnPagesConnect: the example configuration keeps other sites' pages
// out.
func TestOnlyOwnPagesConnect(t *testing.T) {
	p := serve(t, readConf(t, "httpd.conf"))
	for _, path := range []string{"/echo", "/echo-c", "/dumb-increment", "/dumb-increment-c", "/mirror-c", "/chat?name=Ann"} {
		const protocol = "dumb-increment-protocol"
		dial(t, p.url(path), http.Header{"Origin": {p.http("")}}, protocol)
		refused(t, p.url(path), http.Header{"Origin": {"http://example.com"}}, 403, protocol)
	}
}
