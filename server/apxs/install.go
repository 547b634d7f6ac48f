package apxs

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/doctor"
)

// libexec is the folder of modules and plugins below the ServerRoot.
const libexec = "modules"

// lines are those by which a configuration loads the plugin.
func (o *options) lines(c *doctor.Checked) string {
	file := filepath.Base(o.out)
	var b strings.Builder
	if c.ApacheModule != "" {
		fmt.Fprintf(&b, "LoadModule %s %s/%s\n", c.ApacheModule, libexec, file)
	}
	init := cmp.Or(o.init, configured(c.Init))
	if init == "" && c.ApacheModule != "" {
		return b.String()
	}
	location := cmp.Or(o.location, "/"+strings.TrimPrefix(strings.TrimSuffix(file, ".so"), "mod_websocket_"))
	fmt.Fprintf(&b, "<Location %s>\n    SetHandler websocket-handler\n    WebSocketHandler %s/%s %s\n</Location>\n",
		location, libexec, file, cmp.Or(init, "INIT"))
	return b.String()
}

// configured is how a configuration writes the name of an init function:
// echo_init for EchoInit.
func configured(init string) string {
	var b strings.Builder
	before := 'A'
	for _, r := range init {
		if unicode.IsUpper(r) && !unicode.IsUpper(before) && before != '_' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	if strings.Contains(init, "_") {
		return init
	}
	return b.String()
}

// installBuilt copies the plugin below the ServerRoot, and adds the lines that
// load it where that is asked for.
func (o *options) installBuilt(stdout io.Writer, c *doctor.Checked, lines string) error {
	root, conf := o.paths.Paths()
	folder := filepath.Join(root, libexec)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	installed := filepath.Join(folder, filepath.Base(o.out))
	if err := replace(o.out, installed); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "installed %s\n", installed)
	if !o.activate {
		fmt.Fprintf(stdout, "\n%s", lines)
		return nil
	}
	if c.Init == "" && c.ApacheModule == "" {
		return fmt.Errorf("%s has no init function that can be guessed: -n INIT names it; it exports %s", o.out, strings.Join(c.Exports, ", "))
	}
	added, err := activate(conf, root, installed, lines, o.commented)
	switch {
	case err != nil:
		return err
	case added == "":
		fmt.Fprintf(stdout, "%s names it already\n", conf)
	default:
		fmt.Fprintf(stdout, "added to %s, which is kept as %s.bak:\n\n%s", conf, filepath.Base(conf), added)
	}
	return nil
}

// activate adds lines to a configuration, unless it names the plugin already,
// and returns them as they were added. What would not load afterwards is left
// as it was.
func activate(conf, root, plugin, lines string, commented bool) (added string, err error) {
	cfg, diags := httpdconf.Load(conf, httpdconf.Options{Program: "wshttpd", ServerRoot: root, LeaveUnknown: true})
	if diags.HasErrors() {
		return "", fmt.Errorf("%s has errors, and is left as it is: wshttpd -t shows them", conf)
	}
	for _, ref := range cfg.Plugins {
		if ref.File == plugin {
			return "", nil
		}
	}
	old, err := os.ReadFile(conf)
	if err != nil {
		return "", err
	}
	if !hasModule(cfg, "websocket_module") {
		lines = "LoadModule websocket_module " + libexec + "/mod_websocket.so\n" + lines
	}
	if commented {
		lines = "#" + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n#") + "\n"
	}
	return lines, rewrite(conf, root, old, slices.Concat(bytes.TrimRight(old, "\n"), []byte("\n\n"+lines)))
}

func hasModule(cfg *httpdconf.Config, ident string) bool {
	for _, m := range cfg.Modules {
		if m.Ident == ident {
			return true
		}
	}
	return false
}

// rewrite puts a new text in the place of a configuration, if it loads, and
// keeps the old one beside it, as apxs does.
func rewrite(conf, root string, old, text []byte) error {
	if err := os.WriteFile(conf+".bak", old, 0o644); err != nil {
		return err
	}
	fresh := conf + ".new"
	defer os.Remove(fresh)
	if err := os.WriteFile(fresh, text, 0o644); err != nil {
		return err
	}
	if _, diags := httpdconf.Load(fresh, httpdconf.Options{Program: "wshttpd", ServerRoot: root, LeaveUnknown: true}); diags.HasErrors() {
		return fmt.Errorf("%s would have errors with these lines, and is left as it is: %w", conf, diags)
	}
	info, err := os.Stat(conf)
	if err != nil {
		return err
	}
	if err := os.Chmod(fresh, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(fresh, conf)
}
