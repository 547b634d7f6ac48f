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

// apacheFunctions are httpd's functions and variables that are offered to
// plugins, beside those that register hooks.
var apacheFunctions = []string{
	"ap_abort_on_oom", "ap_add_version_component", "ap_args_to_table", "ap_array_str_contains", "ap_array_str_index",
	"ap_auth_name", "ap_auth_type", "ap_bin2hex", "ap_build_cont_config", "ap_calloc", "ap_cfg_closefile", "ap_cfg_getc",
	"ap_cfg_getline", "ap_check_cmd_context", "ap_construct_server", "ap_construct_url", "ap_cookie_read",
	"ap_count_dirs", "ap_create_conn_config", "ap_create_per_dir_config", "ap_create_request_config", "ap_cstr_casecmp",
	"ap_cstr_casecmpn", "ap_document_root", "ap_escape_errorlog_item", "ap_escape_html2", "ap_escape_logitem",
	"ap_escape_path_segment", "ap_escape_path_segment_buffer", "ap_escape_quotes", "ap_escape_shell_cmd",
	"ap_escape_urlencoded", "ap_escape_urlencoded_buffer", "ap_exists_config_define", "ap_field_noparam",
	"ap_find_command", "ap_find_command_in_modules", "ap_find_last_token", "ap_find_linked_module", "ap_find_module_name",
	"ap_find_path_info", "ap_find_token", "ap_get_basic_auth_components", "ap_get_basic_auth_pw",
	"ap_get_conn_module_loglevel", "ap_get_conn_server_module_loglevel", "ap_get_limit_req_body", "ap_get_module_config",
	"ap_get_module_flags", "ap_get_remote_host", "ap_get_remote_logname", "ap_get_request_module_loglevel",
	"ap_get_server_banner", "ap_get_server_built", "ap_get_server_description", "ap_get_server_module_loglevel",
	"ap_get_server_name", "ap_get_server_name_for_url", "ap_get_server_port", "ap_get_token", "ap_get_useragent_host",
	"ap_getword", "ap_getword_conf", "ap_getword_conf_nc", "ap_getword_nc", "ap_getword_nulls", "ap_getword_nulls_nc",
	"ap_getword_white", "ap_getword_white_nc", "ap_ht_time", "ap_ind", "ap_is_directory", "ap_is_initial_req",
	"ap_is_matchexp", "ap_is_rdirectory", "ap_is_url", "ap_log_assert", "ap_log_cerror_", "ap_log_cserror_",
	"ap_log_error_", "ap_log_perror_", "ap_log_rerror_", "ap_lookup_provider", "ap_make_dirstr_parent",
	"ap_make_dirstr_prefix", "ap_make_full_path", "ap_malloc", "ap_memeq_timingsafe", "ap_merge_per_dir_configs",
	"ap_method_name_of", "ap_method_number_of", "ap_method_register", "ap_mpm_query", "ap_no2slash", "ap_os_escape_path",
	"ap_os_is_path_absolute", "ap_parse_strict_length", "ap_pbase64decode", "ap_pbase64encode", "ap_pcfg_open_custom",
	"ap_pcfg_openfile", "ap_pregcomp", "ap_pregfree", "ap_pregsub", "ap_psignature", "ap_pstr2_alnum", "ap_realloc",
	"ap_recent_rfc822_date", "ap_regcomp", "ap_regerror", "ap_regexec", "ap_regexec_len", "ap_regfree",
	"ap_register_provider", "ap_retained_data_create", "ap_retained_data_get", "ap_rind", "ap_run_default_port",
	"ap_run_http_scheme", "ap_runtime_dir_relative", "ap_scan_http_field_content", "ap_scan_http_token",
	"ap_scan_vchar_obstext", "ap_server_conf", "ap_server_root", "ap_server_root_relative", "ap_set_config_vectors",
	"ap_set_content_type", "ap_set_content_type_ex", "ap_set_deprecated", "ap_set_file_slot", "ap_set_flag_slot",
	"ap_set_flag_slot_char", "ap_set_int_slot", "ap_set_module_config", "ap_set_string_slot", "ap_set_string_slot_lower",
	"ap_show_mpm", "ap_soak_end_container", "ap_state_query", "ap_str2_alnum", "ap_str_tolower", "ap_str_toupper",
	"ap_strcasecmp_match", "ap_strcasestr", "ap_strcmp_match", "ap_stripprefix", "ap_timeout_parameter_parse",
	"ap_top_module", "ap_unescape_url", "ap_unescape_url_keep2f", "ap_unescape_urlencoded", "ap_walk_config",
}

// TestTheServerExportsApachesFunctions: dlopen finds them in the executable,
// with no flag of the linker's but those of go build; and nothing is called as
// httpd's that is not.
func TestTheServerExportsApachesFunctions(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "wshttpd")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "..")
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours, httpds := apacheSymbols(t, binary), apacheSymbols(t, "/usr/sbin/apache2")
	hooks := 0
	for _, name := range ours {
		if strings.HasPrefix(name, "ap_hook_") {
			hooks++
		} else if !slices.Contains(apacheFunctions, name) {
			t.Errorf("%s is exported, and not in the list", name)
		}
		if !slices.Contains(httpds, name) && name != "ap_hook_fatal_exception" { // Debian's httpd is built without it
			t.Errorf("%s is not one of httpd's", name)
		}
	}
	for _, name := range apacheFunctions {
		if !slices.Contains(ours, name) {
			t.Errorf("%s is not among the dynamic symbols", name)
		}
	}
	for _, name := range httpds {
		if strings.HasPrefix(name, "ap_hook_") && !strings.HasPrefix(name, "ap_hook_get_") && !slices.Contains(ours, name) {
			t.Errorf("%s is not there to note a hook", name)
		}
	}
	if hooks < 60 {
		t.Errorf("%d functions register hooks", hooks)
	}
}

// apacheSymbols lists what a program exports under the prefix of httpd, and
// looks that it is not linked with APR, unless it is httpd.
func apacheSymbols(t *testing.T, file string) (names []string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatalf("%v: apt-get install apache2-bin, if it is httpd", err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "ap_") && s.Section != elf.SHN_UNDEF {
			names = append(names, s.Name)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	isLinked := slices.ContainsFunc(libraries, func(name string) bool { return strings.HasPrefix(name, "libapr") })
	if isLinked && filepath.Base(file) == "wshttpd" {
		t.Errorf("the server is linked with %q; APR is opened where it is installed", libraries)
	}
	return names
}

// TestWithoutAPR hides libapr from the dynamic linker: plugins that use none of
// it work, request returns NULL to them, and others are told what to install.
func TestWithoutAPR(t *testing.T) {
	hide := compile(t, "hideapr.c", "-fno-sanitize=all") // in the linker's own name space there is no sanitizer
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
