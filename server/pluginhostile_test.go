package server

import (
	"os"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// TestParityOfHostileModules compares what both say of modules whose structure
// or table is odd.
func TestParityOfHostileModules(t *testing.T) {
	for _, lines := range []string{
		"MODULE none\nHosTakes a", "MODULE nothing\nHosTakes a", "MODULE no_usage\nHosNoUsage a b", "MODULE no_usage\nHosNowhere a",
		"MODULE odd_args\nHosOddArgs a", "MODULE odd_args\nHosMinusArgs a", "MODULE null_records\nHosTakes a", "MODULE null_records",
		"MODULE no_name\nHosTakes a", "MODULE rewrites\nHosTells a", "MODULE old", "MODULE garbled", "MODULE newer_minor\nHosTakes a",
		"MODULE slots\nHosDeprecated a", "MODULE zero", "MODULE null_records\nMODULE newer_minor\nHosTakes a",
	} {
		t.Run(lines, func(t *testing.T) { agreeOnError(t, hostile(t, lines)) })
	}
}

// hostile puts LoadModule lines of modules of hostile.c in the places of MODULE.
func hostile(t *testing.T, lines string) string {
	var text strings.Builder
	for line := range strings.Lines(lines) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "MODULE "); is {
			line = "LoadModule " + name + "_module " + apxs(t, "hostile") + "\n"
		}
		text.WriteString(line)
	}
	return text.String() + "\n"
}

// TestModulesThatEndHttpd: these end httpd, or read where nothing is; here they
// are refused, or made good.
func TestModulesThatEndHttpd(t *testing.T) {
	for lines, want := range map[string]string{
		"MODULE no_function\nHosNoFunction a": "HosNoFunction is improperly configured internally (server bug)",
		"MODULE slots\nHosString a":           "the module keeps no record",
		"MODULE slots\nHosFlag On":            "the module keeps no record",
		"MODULE slots\nHosInt 1":              "the module keeps no record",
		"MODULE slots\nHosFile f":             "the module keeps no record",
		"MODULE has_index\nHosTakes a":        "HosTakes of index a takes a, record NULL",
		"MODULE small":                        "API module structure 'small_module' in file FILE is garbled - it has 1 bytes of data, and not 112",
		"MODULE function":                     "API module structure 'function_module' in file FILE is garbled - it has 0 bytes of data",
	} {
		t.Run(lines, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(root+"/docs", 0o755); err != nil {
				t.Fatal(err)
			}
			loader := pluginloader.New(func(int, string, ...any) {})
			_, text := loadModules(t, loader, root, "ErrorLog log\nLoadModule authz_core_module x\n"+hostile(t, lines))
			if want = strings.ReplaceAll(want, "FILE", apxs(t, "hostile")); !strings.Contains(text, want) {
				t.Errorf("got\n%s\nwant %q", text, want)
			}
		})
	}
}
