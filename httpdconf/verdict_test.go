package httpdconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLacksAreOfStockDirectives: a name that no table has would never be said.
func TestLacksAreOfStockDirectives(t *testing.T) {
	table := stockTable()
	for name, list := range lacks {
		if table[name] == nil {
			t.Errorf("%s is no directive", name)
		}
		for _, l := range list {
			if l.how == "" || strings.ToLower(strings.Join(append(l.only, l.unless...), "")) != strings.Join(append(l.only, l.unless...), "") {
				t.Errorf("%s: %+v can never be said", name, l)
			}
		}
	}
}

// TestVerdicts: what becomes of single lines behind a few modules.
func TestVerdicts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "httpd.conf")
	tests := []struct {
		line string
		fate Fate
		how  string // in it
	}{
		{"ServerAdmin me", Honoured, ""},
		{"Options FollowSymLinks", Honoured, ""},
		{"Options Indexes FollowSymLinks", Honoured, ""},
		{"LoadModule autoindex_module x\nOptions Indexes FollowSymLinks", Changes, "not listed"},
		{"Options -Indexes", Honoured, ""},
		{"Options +MultiViews", Honoured, ""},
		{"LoadModule negotiation_module x\nOptions +MultiViews", Changes, "MultiViews"},
		{"TraceEnable Off", Honoured, ""},
		{"TraceEnable extended", Changes, "413"},
		{"HostnameLookups Off", Harmless, ""},
		{"HostnameLookups Double", Changes, "addresses"},
		{"EnableSendfile Off", Harmless, ""},
		{"AddLanguage en .en", Honoured, ""},
		{"FileETag Size", Honoured, ""},
		{"FileETag Digest", Changes, "ETag"},
		{"AddType text/x .x", Honoured, ""},
		{"AddHandler cgi-script .cgi", Changes, "501"},
		{"SetOutputFilter DEFLATE", Changes, "filter"},
		{"LoadModule proxy_module x", Harmless, "IfModule mod_proxy.c is false"},
		{"LoadModule alias_module x", Honoured, ""},
		{"Define X", Honoured, ""},
		{"Timeout ten", Honoured, ""},
		{"Foo", Refused, "Invalid command"},
		{"<IfModule mod_ssl.c>\n</IfModule>", Skipped, "no LoadModule"},
		{"<IfModule mod_dav.c>\n</IfModule>", Changes, "wshttpd does not have mod_dav.c"},
		{"<IfModule !mod_dav.c>\n</IfModule>", Changes, "true here and false in httpd"},
		{"<IfModule mod_mime.c>\n</IfModule>", Honoured, ""},
		{"DAV On", Refused, "not allowed here"},
		{"DAVMinTimeout 1", Refused, "mod_dav, which wshttpd does not have"},
		{"</Location>", Refused, "without matching"},
		{"Include none.conf", Refused, "Could not open"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			at := 3
			if strings.HasPrefix(tt.line, "LoadModule") && strings.Contains(tt.line, "\n") {
				at++ // what is asked about stands behind it
			}
			text := "LoadModule mime_module x\nLoadModule dav_module x\n" + tt.line + "\nErrorLog " + dir + "/log\n"
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			cfg, diags := Load(file, Options{Program: "httpd", ServerRoot: dir, Judge: true})
			r := cfg.Report(diags)
			var found []Verdict
			for _, v := range r.Verdicts {
				if v.Line == at {
					found = append(found, v)
				}
			}
			if len(found) != 1 || found[0].Fate != tt.fate || !strings.Contains(found[0].How, tt.how) || tt.how == "" && found[0].How != "" {
				t.Errorf("%+v, want %v with %q", found, tt.fate, tt.how)
			}
			if r.Starts() != (tt.fate != Refused) {
				t.Errorf("Starts() = %v", r.Starts())
			}
		})
	}
}

// TestWhatIsObeyedIsNotMissed: a lack of a directive without effect is none once
// the directive has one.
func TestWhatIsObeyedIsNotMissed(t *testing.T) {
	info := &directiveInfo{Name: "ContentDigest"}
	if how := new(moduleSet).missed(info, "On", true); how == "" {
		t.Error("nothing is missed")
	}
	if how := new(moduleSet).missed(info, "On", false); how != "" {
		t.Errorf("%s, although it is obeyed", how)
	}
}
