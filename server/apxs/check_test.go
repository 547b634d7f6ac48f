package apxs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/server/doctor"
)

// faulty is a plugin in C whose init functions go wrong in all ways.
const faulty = `#include <stdlib.h>
#include <unistd.h>
#include "websocket_plugin.h"

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)server, (void)type, (void)buffer;
    return size;
}

static WebSocketPlugin good = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};
static WebSocketPlugin newer = {sizeof(WebSocketPlugin), 1, NULL, NULL, on_message, NULL};
static WebSocketPlugin small = {16, WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};
static WebSocketPlugin deaf = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, NULL, NULL};

WebSocketPlugin *good_init(void) { return &good; }
WebSocketPlugin *newer_init(void) { return &newer; }
WebSocketPlugin *small_init(void) { return &small; }
WebSocketPlugin *deaf_init(void) { return &deaf; }
WebSocketPlugin *null_init(void) { return NULL; }
WebSocketPlugin *crash_init(void) { *(volatile int *)8 = 1; return &good; }
WebSocketPlugin *abort_init(void) { abort(); }
WebSocketPlugin *exit_init(void) { exit(0); }
WebSocketPlugin *exit3_init(void) { _exit(3); }

__attribute__((constructor)) static void constructor(void)
{
    if (getenv("CRASH_AT_ONCE") != NULL)
        abort();
}
`

// built is a plugin of these sources.
func built(t *testing.T, files map[string]string, args ...string) (dir string) {
	t.Helper()
	dir = folder(t, files)
	if r := run(t, dir, nil, append([]string{"build-plugin", "-o", "x.so"}, args...)...); r.code != 0 {
		t.Fatalf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return dir
}

// TestCheckPlugin: what is wrong is said, whatever it is, and by a process that
// lives on.
func TestCheckPlugin(t *testing.T) {
	dir := built(t, map[string]string{"x.c": faulty}, "-n", "good_init", "x.c")
	whole, err := os.ReadFile(filepath.Join(dir, "x.so"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := slices.Clone(whole)
	foreign[18] = 183 // e_machine: EM_AARCH64
	put(t, dir, map[string]string{"half.so": string(whole[:len(whole)/2]), "foreign.so": string(foreign), "text.so": "text"})
	tests := []struct {
		args []string
		code int
		text string
	}{
		{[]string{"x.so", "good_init"}, 0, "loads: good_init was called and has answered"},
		{[]string{"x.so", "_good_init@0"}, 0, "loads: good_init was called and has answered"},
		{[]string{"x.so"}, 0, "loads: yes; no init function was called init: abort_init, crash_init, deaf_init"},
		{[]string{"x.so", "good_int"}, 1, "Could not find initialization function in module: " + dir + "/x.so: no symbol good_int it has good_init"},
		{[]string{"x.so", "newer_init"}, 1, "Invalid response from initialization function: " + dir + "/x.so: newer_init: plugin version 1, known is 0"},
		{[]string{"x.so", "small_init"}, 1, "size 16, need 40"},
		{[]string{"x.so", "deaf_init"}, 1, "on_message is NULL"},
		{[]string{"x.so", "null_init"}, 1, "null_init: returned NULL"},
		{[]string{"x.so", "crash_init"}, 1, "problem: crash_init ends the process: SIGSEGV"},
		{[]string{"x.so", "abort_init"}, 1, "problem: abort_init ends the process: SIGABRT"},
		{[]string{"x.so", "exit_init"}, 1, "problem: exit_init ends the process with exit status 0"},
		{[]string{"x.so", "exit3_init"}, 1, "problem: exit3_init ends the process: exit status 3"},
		{[]string{"half.so", "good_init"}, 1, "problem: Could not open WebSocket handler module: " + dir + "/half.so: it is truncated"},
		{[]string{"foreign.so"}, 1, "built for aarch64, this server is"},
		{[]string{"text.so"}, 1, "it is no shared library"},
		{[]string{"y.so"}, 1, "no such file or directory did you mean " + dir + "/x.so?"},
		{[]string{"."}, 1, "it is a directory"},
		{nil, 2, "Usage: wshttpd check-plugin"},
		{[]string{"x.so", "good_init", "more"}, 2, "Usage: wshttpd check-plugin"},
		{[]string{"--jason", "x.so"}, 2, "Usage: wshttpd check-plugin"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			want(t, dir, tt.code, tt.text, append([]string{"check-plugin"}, tt.args...)...)
		})
	}
	t.Run("a constructor that aborts", func(t *testing.T) {
		r := run(t, dir, []string{"CRASH_AT_ONCE=1"}, "check-plugin", "x.so", "good_init")
		if r.code != 1 || !strings.Contains(r.stdout, "problem: opening it ends the process: SIGABRT") {
			t.Errorf("exit status %d\n%s", r.code, r.stdout)
		}
	})
}

// TestCheckPluginOfModules: a plugin that is a module too tells its directives and
// hooks, and which function of it has ended the process.
func TestCheckPluginOfModules(t *testing.T) {
	const source = `
#include "httpd.h"
#include "http_config.h"
#include "http_request.h"
#include "websocket_plugin.h"
#include <stdlib.h>
static const command_rec commands[] = {
    AP_INIT_TAKE1("ModOne", ap_set_string_slot, NULL, OR_ALL, "a word"), AP_INIT_FLAG("ModTwo", ap_set_flag_slot, NULL, OR_ALL, "On or Off"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};
static int decline(request_rec *r) { (void)r; return DECLINED; }
static void hooks(apr_pool_t *p)
{
    (void)p;
    if (getenv("CRASH_IN_HOOKS"))
        abort();
    ap_hook_handler(decline, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(decline, NULL, NULL, APR_HOOK_MIDDLE);
}
AP_DECLARE_MODULE(mod) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, hooks, 0};
static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type, unsigned char *buffer, const size_t size)
{
    return server->send(server, type, buffer, session == NULL ? size : 0);
}
static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};
extern EXPORT WebSocketPlugin *CALLBACK mod_init(void) { return &plugin; }
`
	dir := built(t, map[string]string{"x.c": source}, "x.c")
	want(t, dir, 0, "the Apache module mod_module", "check-plugin", "x.so", "mod_init")
	want(t, dir, 0, "directives: ModOne, ModTwo hooks, which nothing calls: handler, fixups loads: mod_init was called", "check-plugin", "x.so", "mod_init")
	r := run(t, dir, []string{"CRASH_IN_HOOKS=1"}, "check-plugin", "x.so", "mod_init")
	if text := strings.Join(strings.Fields(r.stdout), " "); r.code != 1 || !strings.Contains(text, "problem: opening it, and loading its module mod_module, ends the process: SIGABRT") {
		t.Errorf("exit status %d\n%s", r.code, r.stdout)
	}
}

// TestCheckPluginOfGo: what an init function in Go does wrong is named too.
func TestCheckPluginOfGo(t *testing.T) {
	source := strings.Replace(plugin(`""`), "func main", "func PanicInit() wsplugin.Plugin { panic(\"a bug\") }\n\nfunc CountInit() int { return 1 }\n\nfunc main", 1)
	dir := built(t, map[string]string{"main.go": source}, "-n", "tell_init", ".")
	for init, text := range map[string]string{
		"tell_init":  "loads: TellInit was called and has answered",
		"panic_init": "PanicInit panicked: a bug",
		"count_init": "CountInit is of type func() int, not func() wsplugin.Plugin",
		"tall_init":  "no exported function TallInit or Tall_init it has TellInit",
	} {
		code := 1
		if init == "tell_init" {
			code = 0
		}
		want(t, dir, code, text, "check-plugin", "x.so", init)
	}
}

func TestCheckPluginAsJSON(t *testing.T) {
	dir := built(t, map[string]string{"x.c": cPlugin("1")}, "x.c")
	r := want(t, dir, 0, "", "check-plugin", "--json", "x.so", "tell_init")
	var c doctor.Checked
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		t.Fatalf("%v\n%s", err, r.stdout)
	}
	if !c.Loads || c.Kind != "C library" || c.InitFound != "tell_init" || c.Init != "tell_init" || !slices.Equal(c.Inits, []string{"tell_init"}) || c.Path != dir+"/x.so" {
		t.Errorf("it is %+v", c)
	}
	r = want(t, dir, 1, "", "check-plugin", "--json", "x.so", "none_init")
	c = doctor.Checked{}
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil || c.Loads || !strings.Contains(c.Problem, "no symbol none_init") {
		t.Errorf("%v, %+v", err, c)
	}
}
