package pluginloader

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wantLayout is apache-websocket's own, in bytes, as its compiled plugins have
// it on 64-bit machines: size of a structure, offset and size of its fields.
const wantLayout = `WebSocketServer 80
WebSocketServer.size 0 4
WebSocketServer.version 4 4
WebSocketServer.state 8 8
WebSocketServer.request 16 8
WebSocketServer.header_get 24 8
WebSocketServer.header_set 32 8
WebSocketServer.protocol_count 40 8
WebSocketServer.protocol_index 48 8
WebSocketServer.protocol_set 56 8
WebSocketServer.send 64 8
WebSocketServer.close 72 8
WebSocketPlugin 40
WebSocketPlugin.size 0 4
WebSocketPlugin.version 4 4
WebSocketPlugin.destroy 8 8
WebSocketPlugin.on_connect 16 8
WebSocketPlugin.on_message 24 8
WebSocketPlugin.on_disconnect 32 8
types -1 0 128 255 256 257
versions 1 0
`

// TestHeaderHasTheOriginalLayout compiles the header as authors of plugins do,
// in several standards of the language and in C++.
func TestHeaderHasTheOriginalLayout(t *testing.T) {
	for _, language := range [][]string{
		{"-std=c99", "-pedantic"}, {"-std=c17", "-pedantic"}, {"-std=gnu89", "-Wno-comment"}, {"-x", "c++", "-std=c++17"},
	} {
		t.Run(strings.Join(language, " "), func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "offsets")
			args := append(language, "-Wall", "-Wextra", "-Werror", "-I.", "-o", program, "testdata/offsets.c")
			if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
				t.Fatalf("cc: %v (apt-get install gcc g++, if it is not there)\n%s", err, out)
			}
			out, err := exec.Command(program).Output()
			if err != nil || string(out) != wantLayout {
				t.Errorf("%v\n%s\nwant\n%s", err, out, wantLayout)
			}
		})
	}
}

// TestOnlyOurSymbolsAreExported looks at what this binary exports: a function
// of ours would win over a plugin's own of the same name.
func TestOnlyOurSymbolsAreExported(t *testing.T) {
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	// What the Go runtime, its C side and the C compiler's start files export.
	foreign := []string{"_cgo", "x_cgo_", "crosscall", "__", "_init", "_fini", "_start", "main", "fatalf"}
	ours := 0
	for _, s := range symbols {
		if s.Section == elf.SHN_UNDEF || elf.ST_TYPE(s.Info) != elf.STT_FUNC || strings.ContainsAny(s.Name, ".:/") {
			continue // names of Go have what those of C cannot
		}
		if strings.HasPrefix(s.Name, "wshttpd_") {
			ours++
			continue
		}
		known := slices.Contains(apacheFunctions, s.Name) || strings.HasPrefix(s.Name, "ap_hook_")
		for _, prefix := range foreign {
			known = known || strings.HasPrefix(s.Name, prefix)
		}
		if !known {
			t.Errorf("%s is exported", s.Name)
		}
	}
	if ours == 0 {
		t.Error("no symbol begins with wshttpd_: the test looks in the wrong place")
	}
}
