package httpdconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// TestMasterLeavesUnknownDirectives: the master of workers loads no plugin, and
// leaves to the workers what only a plugin's module can know.
func TestMasterLeavesUnknownDirectives(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"own.so":      "",
		"own.conf":    "ErrorLog log\nListen 8080\nLoadModule own_module own.so\nOwnDirective a\n<Location /x>\nOwnToo b\n</Location>\n",
		"text.conf":   "ErrorLog log\nListen 8080\nLoadModule own_module own.so\n<Own text>\n<Location no tag\n<Own inner>\n</own>\n</x>\n</Own>\n<Own more>\n<A>\n</A>\n</Own>\n",
		"nested.conf": "ErrorLog log\nListen 8080\nLoadModule own_module own.so\n<Own x>\n<Own y>\nDefine V\n</Own>\n</Own>\n<IfDefine V>\nNonsense\n</IfDefine>\nSSLEngine on\n",
		"if.conf":     "ErrorLog log\nListen 8080\nLoadModule own_module own.so\n<IfModule mod_own.c>\n<IfModule own.c>\n<IfModule own_module>\n<IfModule !own.cpp>\nSSLEngine on\n</IfModule>\n</IfModule>\n</IfModule>\n</IfModule>\n",
		"stock.conf":  "ErrorLog log\nListen 8080\nLoadModule own_module own.so\nSSLEngine on\n",
		"alone.conf":  "ErrorLog log\nListen 8080\nOwnDirective a\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		file   string
		leaves bool
		want   string
	}{
		{"own.conf", true, ""},
		{"own.conf", false, "Invalid command 'OwnDirective'"},
		{"text.conf", true, ""},
		{"text.conf", false, "but saw </x>"},
		{"nested.conf", true, "Invalid command 'SSLEngine'"},
		{"if.conf", true, "Invalid command 'SSLEngine'"},
		{"if.conf", false, ""},
		{"stock.conf", true, "Invalid command 'SSLEngine'"},
		{"alone.conf", true, "Invalid command 'OwnDirective'"},
	} {
		_, diags := httpdconf.Load(filepath.Join(root, tt.file), httpdconf.Options{ServerRoot: root, LeaveUnknown: tt.leaves})
		var text strings.Builder
		for _, d := range diags.Errs() {
			text.WriteString(d.Error() + "\n")
		}
		if tt.want == "" && diags.HasErrors() || tt.want != "" && !strings.Contains(text.String(), tt.want) {
			t.Errorf("%s, left %v: %v, want %q", tt.file, tt.leaves, diags, tt.want)
		}
	}
}
