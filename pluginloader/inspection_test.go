package pluginloader

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestInspect says what files are and what they need, without loading them.
func TestInspect(t *testing.T) {
	needy, needsLibrary := compile(t, "needy.c"), compile(t, "dependent.c", "-Wl,--no-as-needed", "-lm")
	i := Inspect(needy, "needy_init")
	nobody := slices.IndexFunc(i.Symbols, func(s NeededSymbols) bool { return s.In == "" })
	if nobody < 0 || !slices.Contains(i.Symbols[nobody].Names, "nobody_has_this") || !slices.Contains(i.Symbols[nobody].Names, "apr_palloc_of_no_release") {
		t.Errorf("nobody has nobody_has_this, but %v", i.Symbols)
	}
	if i.Kind != "C library" || i.Machine == "" || i.Init != "needy_init" || !slices.Equal(i.Exports, []string{"needy_init"}) || i.Problem != nil {
		t.Errorf("needy.so is %+v", i)
	}
	i = Inspect(needsLibrary, "")
	if at := slices.IndexFunc(i.Needed, func(n NeededLibrary) bool { return n.Name == "libm.so.6" }); at < 0 || !filepath.IsAbs(i.Needed[at].Path) {
		t.Errorf("dependent.so needs %v", i.Needed)
	}
	if i := Inspect("../build/modules/mod_websocket_dumb_increment.so", ""); len(i.Symbols) != 1 || !strings.Contains(i.Symbols[0].In, "libc.so") || i.Problem != nil {
		t.Errorf("the counter's symbols come from %v", i.Symbols)
	}
}

func TestInspectFindsInit(t *testing.T) {
	tests := []struct{ file, init, found, problem string }{
		{"mod_websocket_echo.so", "echo_init", "echo_init", ""},
		{"mod_websocket_echo.so", "_echo_init@0", "echo_init", ""},
		{"mod_websocket_echo.so", "echo_int", "", sentenceInit},
		{"echo.so", "echo_init", "EchoInit", ""},
		{"echo.so", "ech_init", "", sentenceInit},
		{"none.so", "echo_init", "", sentenceOpen},
	}
	for _, tt := range tests {
		i := Inspect("../build/modules/"+tt.file, tt.init)
		if i.Init != tt.found || (i.Problem == nil) != (tt.problem == "") || i.Problem != nil && i.Problem.Sentence != tt.problem {
			t.Errorf("Inspect(%s, %s) finds %q, problem %v", tt.file, tt.init, i.Init, i.Problem)
		}
	}
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("no library\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if i := Inspect(text, "x"); i.Kind != "" || i.Problem == nil {
		t.Errorf("a text is %+v", i)
	}
}
