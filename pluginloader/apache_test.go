package pluginloader

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apacheHeaders returns where apache2-dev has put httpd's headers and APR's.
func apacheHeaders(t *testing.T) (flags []string) {
	t.Helper()
	dir, err := exec.Command("apxs", "-q", "INCLUDEDIR").Output()
	if err != nil {
		t.Fatalf("%v: apt-get install apache2-dev", err)
	}
	apr, err := exec.Command("apr-1-config", "--includes", "--cppflags").Output()
	if err != nil {
		t.Fatalf("%v: apt-get install libapr1-dev", err)
	}
	return append([]string{"-I" + strings.TrimSpace(string(dir))}, strings.Fields(string(apr))...)
}

// TestOffsetsAreApaches compares every offset with httpd's own headers; that
// apache.h has them is asserted where it is compiled.
func TestOffsetsAreApaches(t *testing.T) {
	const source = `
#include <stddef.h>
#include "httpd.h"
#include "http_config.h"
#include "util_cfgtree.h"
#include "apr_uri.h"
#define SIZE(type, bytes) _Static_assert(sizeof(type) == bytes, #type);
#define OFFSET(type, field, bytes) _Static_assert(offsetof(type, field) == bytes, #type " " #field);
#include "apache_offsets.h"
_Static_assert(MODULE_MAGIC_NUMBER_MAJOR == 20120211 && MODULE_MAGIC_COOKIE == 0x41503234UL, "magic");
`
	file := write(t, "offsets.c", []byte(source))
	args := append([]string{"-fsyntax-only", "-I."}, append(apacheHeaders(t), file)...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Errorf("httpd's headers differ from apache_offsets.h:\n%s", out)
	}
}

// apacheFunctions are httpd's functions that are offered to plugins.
var apacheFunctions = []string{
	"ap_log_error_", "ap_log_rerror_", "ap_log_cerror_", "ap_log_cserror_", "ap_log_perror_", "ap_getword",
	"ap_hook_handler", "ap_set_string_slot", "ap_set_flag_slot", "ap_set_int_slot",
}

// TestTheServerExportsApachesFunctions: dlopen finds them in the executable,
// with no flag of the linker's but those of go build.
func TestTheServerExportsApachesFunctions(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "wshttpd")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "..")
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range apacheFunctions {
		if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == name && s.Section != elf.SHN_UNDEF }) {
			t.Errorf("%s is not among the dynamic symbols", name)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(libraries, func(name string) bool { return strings.HasPrefix(name, "libapr") }) {
		t.Errorf("the server is linked with %q; APR is opened where it is installed", libraries)
	}
}

// TestWithoutAPR hides libapr from the dynamic linker: plugins that use none of
// it work, request returns NULL to them, and others are told what to install.
func TestWithoutAPR(t *testing.T) {
	hide := compile(t, "hideapr.c")
	needy := write(t, "needy.c", []byte("extern void apr_palloc(void), apr_table_get(void);\nvoid *needy_init(void) { apr_palloc(); apr_table_get(); return 0; }\n"))
	library := built(t, "needy.so", "cc", "-fPIC", "-shared", needy)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=without APR", "LD_AUDIT="+hide,
		"PLAIN="+compile(t, "asks.c"), "NEEDY="+library)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"asks: request is NULL",
		"no library has it",
		"apr_palloc",
		"libapr-1.so.0 was not found: install the packages libapr1 and libaprutil1",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("without APR: %q is not in\n%s", want, out)
		}
	}
}

// childWithoutAPR loads what TestWithoutAPR names.
func childWithoutAPR() {
	l := New(func(int, string, ...any) {})
	p, err := l.Load(os.Getenv("PLAIN"), "asks_init")
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	p.Connect(newFakeConn()).Disconnect()
	if _, err := l.Load(os.Getenv("NEEDY"), "needy_init"); err != nil {
		fmt.Println(err, err.(*Error).Remedy)
	}
	os.Exit(0)
}

// TestRefusedModules: what LoadModule names is looked at before it is used.
func TestRefusedModules(t *testing.T) {
	l := New(func(int, string, ...any) {})
	hooks := compile(t, "module.c", "-DHOOKS")
	for ident, want := range map[string]string{
		"decoy":          "API module structure 'decoy' in file " + hooks + " is garbled - expected signature 41503234 but saw",
		"missing_module": "Can't locate API module structure `missing_module' in file " + hooks + ": ",
	} {
		if m, err := l.LoadModule(ident, hooks); m != nil || err == nil || !strings.HasPrefix(err.Text, want) || err.IsLacking {
			t.Errorf("%s: %+v, %v, want %q", ident, m, err, want)
		}
	}
	old := compile(t, "module.c", "-DHOOKS", "-DVERSION=20051115")
	if _, err := l.LoadModule("example_module", old); err == nil || !strings.Contains(err.Text, "is not compatible with this version of Apache (found 20051115, need 20120211)") {
		t.Errorf("a module of httpd 2.2: %v", err)
	}
	if _, err := l.LoadModule("example_module", compile(t, "module.c")); err == nil || !err.IsLacking {
		t.Errorf("a module that needs more of httpd: %v", err)
	}
	if m, err := l.LoadModule("example_module", hooks); err != nil || m.Source != "module.c" || !slices.Equal(m.Hooks, []string{"handler", "fixups"}) {
		t.Errorf("%+v, %v", m, err)
	}
}
