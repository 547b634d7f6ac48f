package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// TestLibrariesAreLoadedBeforePlugins: a plugin may need what LoadFile names.
func TestLibrariesAreLoadedBeforePlugins(t *testing.T) {
	root := t.TempDir()
	for name, source := range map[string]string{
		"library": "int provided_by_the_library(void) { return 1; }\n",
		"plugin": "extern int provided_by_the_library(void);\n" +
			"static struct { unsigned size, version; void *none[2], *message, *last; } plugin = {40, 0, {0, 0}, (void *)&plugin, 0};\n" +
			"void *needy_init(void) { return provided_by_the_library() ? &plugin : 0; }\n",
	} {
		file := filepath.Join(root, name+".c")
		if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cc", "-fPIC", "-shared", "-o", filepath.Join(root, name+".so"), file).CombinedOutput(); err != nil {
			t.Fatalf("cc: %v\n%s", err, out)
		}
	}
	text := "LoadModule websocket_module x\n<Location /ws>\nSetHandler websocket-handler\nWebSocketHandler plugin.so needy_init\n</Location>\n"
	loader := func() *pluginloader.Loader { return pluginloader.New(func(int, string, ...any) {}) }
	if _, diags := New(config(t, root, text), loader()); !diags.HasErrors() {
		t.Error("without the library the plugin loads")
	}
	if _, diags := New(config(t, root, "LoadFile library.so\n"+text), loader()); diags.HasErrors() {
		t.Error(diags)
	}
}
