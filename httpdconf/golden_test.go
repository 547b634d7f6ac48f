package httpdconf

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden loads each testdata/golden/NAME.conf and compares what it means,
// and all that is said about it, with NAME.want.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	root, err := filepath.Abs("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".conf")
		t.Run(name, func(t *testing.T) {
			got := describe(t, root, filepath.Join(root, name+".conf"))
			wantFile := filepath.Join(root, name+".want")
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// stamp is what differs from run to run in a warning.
var stamp = regexp.MustCompile(`(?m)^\[[A-Z][a-z]{2} [^\]]*\] (\[[a-z0-9_]+:[a-z]+\]) \[pid \d+\]`)

// describe returns what is printed about a configuration and what it means,
// with the folder as ROOT.
func describe(t *testing.T, root, file string) string {
	t.Helper()
	cfg, diags := Load(file, Options{
		Program: "httpd", ServerRoot: root, Defines: []string{"DEFINED"},
		Getenv: func(name string) string { return map[string]string{"FROM_ENV": "value"}[name] },
	})
	var b bytes.Buffer
	WriteDiagnostics(&b, "httpd", cfg, "info", diags)
	said := stamp.ReplaceAllString(b.String(), "$1")
	b.Reset()
	if !diags.HasErrors() {
		b.WriteString("--- model\n")
		dumpConfig(&b, cfg)
	}
	return strings.ReplaceAll(said+b.String(), root, "ROOT")
}

func dumpConfig(b *bytes.Buffer, c *Config) {
	fmt.Fprintf(b, "root %s\n", c.ServerRoot)
	for _, m := range c.Modules {
		if !m.Static {
			fmt.Fprintf(b, "module %s source %q\n", m.Ident, m.Source)
		}
	}
	for _, l := range c.Listeners {
		fmt.Fprintf(b, "listen host %q port %d %s\n", l.Host, l.Port, l.Protocol)
	}
	if c.PidFile != "" {
		fmt.Fprintf(b, "pid file %s\n", c.PidFile)
	}
	for _, p := range c.Plugins {
		fmt.Fprintf(b, "plugin %s init %s in %s line %d", p.File, p.Init, p.Section, p.Range.Start.Line)
		if p.UserConfig != "" {
			fmt.Fprintf(b, " user config %q", p.UserConfig)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "origin check %d\n", c.OriginCheckDefault)
	dumpHost(b, "main", c.Main)
	for _, h := range c.Hosts {
		dumpHost(b, fmt.Sprintf("host %v", h.Addresses), h)
	}
}

func dumpHost(b *bytes.Buffer, title string, h *Host) {
	fmt.Fprintf(b, "%s\n  name %q port %d aliases %q\n  docs %s timeout %v\n  log %s level %s %v\n  types %s\n",
		title, h.Name, h.Port, h.Aliases, h.DocumentRoot, h.Timeout, h.ErrorLog, h.LogLevels.Default, h.LogLevels.Modules, h.TypesConfig)
	dumpRecords(b, "  ", h.Base)
	for _, s := range h.Unserved {
		fmt.Fprintf(b, "  unserved %s\n", s.Pattern)
	}
	for _, list := range [][]*Section{h.Directories, h.Files, h.Locations} {
		dumpSections(b, "  ", list)
	}
}

func dumpSections(b *bytes.Buffer, indent string, list []*Section) {
	kinds := []string{"Directory", "DirectoryMatch", "Files", "FilesMatch", "Location", "LocationMatch"}
	for _, s := range list {
		fmt.Fprintf(b, "%s%s %q\n", indent, kinds[s.Kind], s.Pattern)
		dumpRecords(b, indent+"  ", s.Records)
		dumpSections(b, indent+"  ", s.Files)
	}
}

func dumpRecords(b *bytes.Buffer, indent string, r Records) {
	line := func(format string, args ...any) { fmt.Fprintf(b, indent+format+"\n", args...) }
	if c := r.Core; c != nil {
		if c.Handler != nil {
			line("handler %s", *c.Handler)
		}
		if c.Options != nil {
			line("options %b add %b remove %b absolute %v", c.Options.Set, c.Options.Add, c.Options.Remove, c.Options.Absolute)
		}
		if c.LogLevels != nil {
			line("levels %d %v", c.LogLevels.Default, c.LogLevels.Modules)
		}
	}
	if d := r.WebSocket; d != nil {
		check := "default"
		if d.OriginCheck != nil {
			check = fmt.Sprint(*d.OriginCheck)
		}
		line("websocket plugin %s limit %d origin %s trusted %q reserved %v", pluginName(d.Plugin), d.MaxMessageSize, check, d.TrustedOrigins, d.AllowReservedStatus)
	}
	if d := r.Draft76; d != nil {
		line("draft76 plugin %s draft75 %v", pluginName(d.Plugin), d.SupportDraft75)
	}
	if a := r.Authz; a != nil {
		line("require merging %d", a.Merging)
		dumpRule(b, indent+"  ", a.Root)
	}
	if a := r.Access; a != nil {
		line("orders %v allow %v deny %v satisfy %v", a.Orders, a.Allow, a.Deny, a.Satisfy)
	}
	if i := r.Index; i != nil {
		line("index %q", i.DirectoryIndex)
	}
	if m := r.Mime; m != nil {
		for _, ext := range slices.Sorted(maps.Keys(m.Types)) {
			line("type .%s %s", ext, m.Types[ext])
		}
		for _, ext := range slices.Sorted(maps.Keys(m.Unserved)) {
			line("unserved .%s %s", ext, m.Unserved[ext])
		}
	}
}

func pluginName(p *PluginRef) string {
	if p == nil {
		return "none"
	}
	return p.Arg
}

func dumpRule(b *bytes.Buffer, indent string, r *AuthzRule) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "%s%s not %v all %v granted %v networks %v methods %v on %v\n", indent, r.Provider, r.Not, r.All, r.Granted, r.Networks, r.Methods, r.Limit)
	for _, child := range r.Rules {
		dumpRule(b, indent+"  ", child)
	}
}
