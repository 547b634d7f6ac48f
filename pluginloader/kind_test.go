package pluginloader

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestFilesAreJudgedBeforeTheyAreOpened: each of these would end the process,
// or hang it, if it came as far as dlopen or plugin.Open.
func TestFilesAreJudgedBeforeTheyAreOpened(t *testing.T) {
	good := read(t, compile(t, "foreign.c"))
	patched := func(offset int, bytes ...byte) []byte {
		data := slices.Clone(good)
		copy(data[offset:], bytes)
		return data
	}
	fifo := filepath.Join(t.TempDir(), "fifo.so")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(t.TempDir(), "object.o")
	if out, err := exec.Command("cc", "-c", "-o", object, "testdata/needy.c").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	tests := []struct{ name, path, why string }{
		{"missing", "/nope/echo.so", "no such file or directory"},
		{"directory", t.TempDir(), "it is a directory"},
		{"fifo", fifo, "no regular file"},
		{"empty", write(t, "empty.so", nil), "the file is empty"},
		{"text", write(t, "text.so", []byte("#!/bin/sh\necho\n")), "no shared library"},
		{"Windows", write(t, "echo.dll", []byte("MZ\x90\x00 and so on")), "Windows library"},
		{"macOS", write(t, "echo.dylib", []byte("\xcf\xfa\xed\xfe and so on")), "macOS library"},
		{"magic only", write(t, "magic.so", []byte("\x7fELF")), "it is truncated"},
		{"half of it", write(t, "half.so", good[:len(good)/2]), "it is truncated"},
		{"the last byte is missing", write(t, "last.so", good[:len(good)-1]), "it is truncated"},
		{"another machine", write(t, "arm.so", patched(18, 0xb7, 0)), "built for aarch64, this server is x86-64"},
		{"class of 32 bits", write(t, "32.so", patched(4, 1)), ""},
		{"32 bits", built(t, "i386.so", "cc", "-m32", "-shared", "-nostdlib", "-x", "c", "/dev/null"), "it is a 32-bit library"},
		{"other byte order", write(t, "big.so", patched(5, 2)), ""},
		{"program", built(t, "program", "cc", "-no-pie", "testdata/offsets.c", "-I."), "of type ET_EXEC"},
		{"Apache module", compile(t, "module.c"), "it is the Apache module example_module, not a plugin"},
		{"segments cut", write(t, "cut.so", withoutSections(good)[:len(good)/2]), "it is truncated: a segment ends at"},
		{"section too long", write(t, "long.so", withLongSection(good)), "ends at 1099511"},
		{"no dynamic segment", write(t, "static.so", withoutDynamic(good)), "no dynamic segment"},
		{"object file", object, "it is no shared library but of type ET_REL"},
		{"Go, c-shared", goBuild(t, "cshared", "-trimpath", "-buildmode=c-shared"), "a second Go runtime"},
	}
	l := New((&recorder{}).log)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := l.Load(tt.path, "echo_init")
			e, ok := err.(*Error)
			if !ok || e.Sentence != sentenceOpen || !strings.Contains(e.Cause, tt.why) {
				t.Errorf("%+v, want %q", err, tt.why)
			}
			if again, err2 := l.Load(tt.path, "echo_init"); again != nil || err2 == nil {
				t.Error("the second attempt succeeds")
			}
		})
	}
}

// withoutDynamic turns the dynamic segment of a library into one of no meaning.
func withoutDynamic(library []byte) []byte {
	data := slices.Clone(library)
	at := binary.NativeEndian.Uint64(data[32:]) // e_phoff
	for range binary.NativeEndian.Uint16(data[56:]) {
		if elf.ProgType(binary.NativeEndian.Uint32(data[at:])) == elf.PT_DYNAMIC {
			binary.NativeEndian.PutUint32(data[at:], uint32(elf.PT_NULL))
		}
		at += 56 // a program header
	}
	return data
}

// withoutSections takes the section headers away, which stand at the end of a
// file: programs run without them.
func withoutSections(library []byte) []byte {
	data := slices.Clone(library)
	binary.NativeEndian.PutUint64(data[40:], 0) // e_shoff
	binary.NativeEndian.PutUint32(data[60:], 0) // e_shnum, e_shstrndx
	return data
}

// withLongSection has the first section end far behind the file.
func withLongSection(library []byte) []byte {
	data := slices.Clone(library)
	const header, size = 64, 32
	at := binary.NativeEndian.Uint64(data[40:]) // e_shoff; the entry 0 is empty
	binary.NativeEndian.PutUint64(data[at+header+size:], 1<<40)
	return data
}

// TestApacheModules: one that is a plugin too is judged by what it needs.
func TestApacheModules(t *testing.T) {
	l := New((&recorder{}).log)
	both := compile(t, "module.c", "-DPLUGIN")
	if k, e := inspect(both); e != nil || k.module != "example_module" {
		t.Errorf("module %q, %v", k.module, e)
	}
	_, err := l.Load(both, "other_init")
	refusal(t, err, sentenceOpen, "is the Apache module example_module", "name the library that has other_init")
	_, err = l.Load(both, "example_init")
	refusal(t, err, sentenceOpen, "needs ap_no_function: no library has it", "these are httpd's own")
	if k, e := inspect(compile(t, "foreign.c")); e != nil || k.module != "" {
		t.Errorf("a plugin is module %q, %v", k.module, e)
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	good := read(t, compile(t, "foreign.c"))
	path := write(t, "cut.so", good)
	for size := len(good) - 1; size >= 0; size -= 97 {
		if err := os.Truncate(path, int64(size)); err != nil {
			t.Fatal(err)
		}
		if k, e := inspect(path); e == nil {
			t.Fatalf("%d of %d bytes pass as %+v", size, len(good), k)
		}
	}
}

func TestKindOfGoodFiles(t *testing.T) {
	k, e := inspect(compile(t, "foreign.c"))
	if e != nil || k.form != cShared || !slices.Contains(k.exports, "foreign_init") || slices.Contains(k.exports, "on_message") {
		t.Errorf("a C library is %+v, %v", k, e)
	}
	k, e = inspect(goBuild(t, "goplugin", "-trimpath", "-buildmode=plugin"))
	if e != nil || k.form != goPlugin || !slices.Contains(k.exports, "EchoInit") {
		t.Errorf("a Go plugin is %+v, %v", k, e)
	}
	if want := "github.com/wshttpd/wshttpd/pluginloader/testdata/goplugin"; k.pkgPath != want {
		t.Errorf("its package is %q, want %q", k.pkgPath, want)
	}
}

// TestDifferentBuildsAreNamed: a plugin that plugin.Open would refuse is
// refused before, with all that differs.
func TestDifferentBuildsAreNamed(t *testing.T) {
	trimmed := goBuild(t, "goplugin", "-trimpath", "-buildmode=plugin")
	whole := goBuild(t, "goplugin", "-buildmode=plugin")
	var whys []string
	for _, path := range []string{trimmed, whole} {
		k, e := inspect(path)
		if e != nil {
			t.Fatal(e)
		}
		whys = append(whys, strings.Join(differences(path, k.build), "\n"))
	}
	// The test binary was built in one of the two ways.
	if !strings.Contains(whys[0]+whys[1], "-trimpath") {
		t.Errorf("neither difference names -trimpath: %q", whys)
	}
	if strings.Contains(whys[0], "-trimpath") && strings.Contains(whys[1], "-trimpath") {
		t.Errorf("both differ: %q", whys)
	}
}

func TestPackageHashesAreRead(t *testing.T) {
	hashes := packageHashes(goBuild(t, "goplugin", "-trimpath", "-buildmode=plugin"))
	if len(hashes["github.com/wshttpd/wshttpd/pluginloader/wsplugin"]) == 0 {
		t.Errorf("%d hashes, none of the API package", len(hashes))
	}
	if got := packageHashes("/dev/null"); len(got) != 0 {
		t.Errorf("/dev/null has %d", len(got))
	}
}

func TestInitNames(t *testing.T) {
	tests := []struct {
		name     string
		c, golan []string
	}{
		{"echo_init", []string{"echo_init"}, []string{"EchoInit", "Echo_init"}},
		{"EchoInit", []string{"EchoInit"}, []string{"EchoInit"}},
		{"_echo_init@0", []string{"_echo_init@0", "echo_init", "echo_init@0"}, []string{"EchoInit@0", "EchoInit", "Echo_init", "Echo_init@0"}},
		{"_echo_init", []string{"_echo_init", "echo_init"}, []string{"EchoInit", "Echo_init"}},
		{"", []string{""}, nil},
	}
	for _, tt := range tests {
		if got := initNames(tt.name); !slices.Equal(got, tt.c) {
			t.Errorf("initNames(%q) = %q, want %q", tt.name, got, tt.c)
		}
		if got := goNames(tt.name); !slices.Equal(got, tt.golan) {
			t.Errorf("goNames(%q) = %q, want %q", tt.name, got, tt.golan)
		}
	}
}

func TestNearestNames(t *testing.T) {
	exports := []string{"EchoInit", "MirrorInit", "echo_init2", "main"}
	for name, want := range map[string]string{
		"echo_init": "EchoInit,echo_init2", "ehco_init": "EchoInit,echo_init2", "miror_init": "MirrorInit", "zzz": "", "echo": "EchoInit,echo_init2",
	} {
		if got := strings.Join(nearest(name, exports), ","); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLoadFile(t *testing.T) {
	l := New((&recorder{}).log)
	if err := l.LoadFile(compile(t, "foreign.c")); err != nil {
		t.Error(err)
	}
	if err := l.LoadFile("/nope.so"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing file: %v", err)
	}
	if err := l.LoadFile(compile(t, "needy.c")); err == nil || !strings.Contains(err.Error(), "nobody_has_this") {
		t.Errorf("a library that lacks symbols: %v", err)
	}
	if err := l.LoadFile(goBuild(t, "goplugin", "-trimpath", "-buildmode=plugin")); err == nil || !strings.Contains(err.Error(), "Go library") {
		t.Errorf("a Go plugin: %v", err)
	}
}

// FuzzInspect: no file makes the judgement panic, and what passes for a C
// library has all of its segments. With -fuzzminimizetime 5x it tries 2000 files
// a second; without, nearly all of the time goes into making finds smaller.
func FuzzInspect(f *testing.F) {
	small := []string{"-nostdlib", "-fno-sanitize=all", "-s", "-Wl,-z,noseparate-code,--build-id=none"}
	good := read(f, compile(f, "needy.c", small...))
	f.Add(good)
	f.Add(good[:64])
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add(read(f, compile(f, "module.c", small...)))
	f.Add(withoutDynamic(good))
	path := filepath.Join(f.TempDir(), "fuzz.so")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		k, e := inspect(path)
		if e == nil && (k.form != cShared && k.form != goPlugin || !bytes.HasPrefix(data, []byte("\x7fELF\x02"))) {
			t.Fatalf("%d bytes pass as %+v", len(data), k)
		}
	})
}
