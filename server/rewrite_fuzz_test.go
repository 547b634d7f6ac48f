package server

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
)

// unlistening makes a server of a configuration in home, which stands for HOME,
// and does not have it listen.
func unlistening(t testing.TB, home, conf string) *Server {
	t.Helper()
	file := filepath.Join(home, "httpd.conf")
	conf = "ErrorLog /dev/null\n" + strings.ReplaceAll(conf, "HOME", home)
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := httpdconf.Load(file, httpdconf.Options{ServerRoot: home})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := New(cfg, pluginloader.New(func(int, string, ...any) {}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if err := s.openLogs(); err != nil {
		t.Fatal(err)
	}
	return s
}

// asking is the context of a request for a target.
func asking(target string) *fasthttp.RequestCtx {
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	ctx.Request.Header.SetRequestURI(target)
	return ctx
}

// mappedTree holds what may be opened, below docs, out and shared, and what may
// not.
func mappedTree(t testing.TB) string {
	home := t.TempDir()
	for _, name := range []string{"docs/a.txt", "docs/sub/b.txt", "docs/index.html", "out/c.txt", "out/deep/d.txt", "shared/e.txt", "shared/files/f.txt", "secret.txt", "outer/g.txt", "docs2/h.txt"} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"docs/link.txt": "../secret.txt", "docs/up": "..", "out/up": "../outer"} {
		if err := os.Symlink(target, filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// FuzzMapPath: whatever is asked for, and by whatever Alias it is mapped, no file
// is opened but below DocumentRoot and the folders of the Alias lines, and none
// over a link.
func FuzzMapPath(f *testing.F) {
	for _, target := range []string{
		"/a.txt", "/al/c.txt", "/al/../a.txt", "/al/%2e%2e/secret.txt", "/aler/g.txt", "/al//deep/d.txt", "/m/deep/d.txt", "/m/..%2fsecret.txt", "/m/....//secret.txt", "/file", "/file/../x",
		"/shared-files/f.txt", "/shared/e.txt", "/link.txt", "/up/secret.txt", "/al/up/g.txt", "/sub/..%5c..%5csecret.txt", "/%61l/c.txt", "/al/c.txt/", "/n-deep-d", "http://h/al/c.txt", "/a.txt%00", "/al;/c.txt", "/2/h.txt",
	} {
		f.Add(target)
	}
	home := mappedTree(f)
	s := unlistening(f, home, `
LoadModule alias_module x
DocumentRoot HOME/docs
Options None
Alias /al HOME/out
Alias /file HOME/out/c.txt
Alias /slash/ HOME/out/
Alias /odd/ HOME/out
AliasMatch ^/m/(.*)$ HOME/out/$1
AliasMatch ^/n-(\w+)-(\w+)$ HOME/out/$1/$2.txt
AliasMatch ^/shared(-files)?/([^/]+)$ HOME/shared/$2
`)
	allowed := []string{home + "/docs/", home + "/out/", home + "/shared/"}
	f.Fuzz(func(t *testing.T, target string) {
		path, query, status := parseTarget(target, httpdconf.PathRules{})
		if status != 0 {
			return
		}
		ctx := asking(target)
		r := &route{host: s.cfg.Main, path: path, query: query, target: target, settings: s.cfg.Main.Base, merged: &s.routes.merged, scheme: "http"}
		s.walk(ctx, r)
		file, status := s.openFile(ctx, r)
		if status != 0 {
			return
		}
		defer file.Close()
		opened, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(file.fd))
		if err != nil {
			t.Fatal(err)
		}
		if !below(opened, allowed) {
			t.Fatalf("%q opens %s", target, opened)
		}
	})
}

func below(name string, folders []string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return false
}

// FuzzRewriteRules runs a rule, as one of the host and as one of a folder. What
// comes of it in the time that one match may take is clean: a path without dots,
// a file below DocumentRoot or where the line says, a Location without control
// bytes.
func FuzzRewriteRules(f *testing.F) {
	for _, seed := range [][4]string{
		{`^/x/(.*)$`, "/$1", "L", "/x/a.txt?q"},
		{`^/x/(.*)$`, "/$1", "PT", "/x/../a.txt"},
		{`^/x/(.*)$`, "%1%{QUERY_STRING}", "PT", "/x/?../../etc/passwd"},
		{`.*`, "%{QUERY_STRING}", "L", "/?/etc/passwd"},
		{`(.+)`, "http://other.example/$1?x=$1", "R=301,B", "/a%0d%0aX: y"},
		{`^/?(.*)-(.*)$`, "$1_$2", "N", "/a-b-c"},
		{`(a+)+$`, "$0$0$0", "N=20", "/aaaaaaaaaaaaaaaaaaaaaaaaab"},
		{`^(.*)$`, "%{HTTP_HOST}$1", "R,NE", "/%3fx"},
		{`^/(.*)`, "/${low:$1}", "E=a:$1,CO=n:$1:d,T=$1", "/ABC%20"},
		{`!^/y`, "-", "F", "/x"},
		{`^`, "/~root/$0", "", "/"},
		{`^`, "/etc/%{QUERY_STRING}", "", "/?../x"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	home := mappedTree(f)
	s := unlistening(f, home, "LoadModule rewrite_module x\nDocumentRoot HOME/docs\n")
	f.Fuzz(func(t *testing.T, pattern, to, flags, target string) {
		if len(pattern)+len(to)+len(flags)+len(target) > 1000 || strings.ContainsAny(pattern+to+flags, "\x00\r\n\"\\") {
			return
		}
		path, query, status := parseTarget(target, httpdconf.PathRules{})
		if status != 0 {
			return
		}
		cfg, diags := httpdconf.Load("/dev/null", httpdconf.Options{ServerRoot: home, Getenv: func(string) string { return "" }, Before: []string{
			"ErrorLog /dev/null", "DocumentRoot " + home + "/docs", "LoadModule rewrite_module x", "RewriteMap low int:tolower", "RewriteEngine On",
			`RewriteRule "` + pattern + `" "` + to + `" "[` + flags + `]"`,
		}})
		if diags.HasErrors() {
			return
		}
		ctx := asking(target)
		ctx.Request.Header.SetHost("main.example")
		host := s.cfg.Main
		host.Rewrite, host.Base = cfg.Main.Rewrite, cfg.Main.Base
		r := &route{host: host, path: path, query: query, target: target, authority: "main.example", settings: host.Base, scheme: "http"}
		began := time.Now()
		status = s.rewritePath(ctx, r)
		if took := time.Since(began); took > rewriteTime+time.Second {
			t.Fatalf("%q with %q takes %v", pattern, path, took)
		}
		checkRewritten(t, ctx, r, host.Rewrite.Rules[0], home, status)

		inner := &route{host: host, path: path, query: query, target: target, authority: "main.example", settings: host.Base, scheme: "http"}
		inner.walk()
		inner.settings.Rewrite = &httpdconf.RewriteDir{Engine: host.Base.Rewrite.Engine, Dir: home + "/docs/", Rules: host.Rewrite.Rules}
		ctx = asking(target)
		status = s.rewriteHere(ctx, inner)
		checkRewritten(t, ctx, inner, host.Rewrite.Rules[0], home, status)
		if inner.inside == nil {
			return
		}
		if next, status := s.redirectedInside(inner); status == 0 {
			checkRewritten(t, ctx, next, host.Rewrite.Rules[0], home, 0)
		}
	})
}

func checkRewritten(t *testing.T, ctx *fasthttp.RequestCtx, r *route, rule *httpdconf.RewriteRule, home string, status int) {
	t.Helper()
	if location := string(ctx.Response.Header.Peek("Location")); strings.ContainsAny(location, "\r\n\x00") {
		t.Fatalf("Location: %q", location)
	}
	if status != 0 {
		return
	}
	if path, above := removeDots(r.path); above || path != r.path || !strings.HasPrefix(path, "/") {
		t.Fatalf("%q becomes the path %q", r.target, r.path)
	}
	if r.translated == "" {
		return
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(rule.Output, "/"), "/")
	_, err := os.Stat("/" + first)
	isWritten := rule.Has(httpdconf.RuleUnsafePrefix) || first != "" && err == nil
	if canonical(r.translated) != r.translated || !isWritten && !strings.HasPrefix(r.translated, home+"/docs") && r.translated != "/" {
		t.Fatalf("%q becomes the file %q by %q", r.target, r.translated, rule.Output)
	}
}
