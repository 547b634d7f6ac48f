package httpdconf

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// dumps are the names by which -D asks for a dump, in httpd's order. DUMP_CONFIG
// is one only with mod_info, which this server does not have.
var dumps = []struct {
	name  string
	write func(*Config, io.Writer)
}{
	{"DUMP_INCLUDES", (*Config).dumpIncludes},
	{"DUMP_VHOSTS", (*Config).dumpHosts},
	{"DUMP_RUN_CFG", (*Config).dumpRun},
	{"DUMP_MODULES", (*Config).dumpModules},
}

// Dump writes what the names among defines ask for, in httpd's order and form.
// It reports false where they ask for nothing.
func (c *Config) Dump(w io.Writer, defines []string) bool {
	var out bytes.Buffer
	dumped := false
	for _, d := range dumps {
		if slices.Contains(defines, d.name) {
			d.write(c, &out)
			dumped = true
		}
	}
	_, _ = w.Write(out.Bytes()) // stdout; who would be told
	return dumped
}

// IsDump reports whether -D with this name asks for a dump.
func IsDump(define string) bool {
	for _, d := range dumps {
		if d.name == define {
			return true
		}
	}
	return false
}

// DumpBroken writes what is asked for and can be told of a configuration with
// errors: httpd lists the files while it reads them.
func (c *Config) DumpBroken(w io.Writer, defines []string) {
	if slices.Contains(defines, "DUMP_INCLUDES") {
		c.dumpIncludes(w)
	}
}

// dumpIncludes is httpd 2.4 server/config.c, dump_config_name and the like.
func (c *Config) dumpIncludes(w io.Writer) {
	fmt.Fprintf(w, "Included configuration files:\n  (*) %s\n", c.File)
	for _, i := range c.Run.Includes {
		fmt.Fprintf(w, "%*s(%d) %s\n", 2+2*i.Depth, "", i.Line, i.File)
	}
}

// mutexes are what modules of httpd lock. Here there is nothing behind them,
// but a list without them would differ.
var mutexes = map[string][]string{
	"mod_watchdog.c": {"watchdog-callback"}, "mod_ssl.c": {"ssl-stapling-refresh", "ssl-stapling", "ssl-cache"},
	"mod_rewrite.c": {"rewrite-map"}, "mod_proxy.c": {"proxy"}, "mod_auth_digest.c": {"authdigest-client"},
	"mod_authn_socache.c": {"authn-socache"}, "util_ldap.c": {"ldap-cache"}, "mod_lua.c": {"lua-ivm-shm"},
}

// dumpRun is httpd 2.4 server/core.c, core_dump_config, and
// modules/arch/unix/mod_unixd.c, unixd_dump_config.
func (c *Config) dumpRun(w io.Writer) {
	fmt.Fprintf(w, "ServerRoot: \"%s\"\nMain DocumentRoot: \"%s\"\nMain ErrorLog: \"%s\"\n", c.ServerRoot, c.Main.DocumentRoot, c.Main.ErrorLog)
	fmt.Fprintf(w, "Mutex default: dir=\"%s/\" mechanism=default \n", strings.TrimSuffix(c.runtimeDir(), "/"))
	for _, m := range c.Modules {
		for _, name := range mutexes[m.Source] {
			fmt.Fprintf(w, "Mutex %s: using_defaults\n", name)
		}
	}
	fmt.Fprintf(w, "PidFile: \"%s\"\n", c.PidFileOrDefault())
	for _, d := range c.Run.Defines {
		fmt.Fprintf(w, "Define: %s\n", d)
	}
	unused := ""
	if os.Geteuid() != 0 {
		unused = " not_used"
	}
	for _, a := range []struct {
		title string
		Account
	}{{"User", c.Run.User}, {"Group", c.Run.Group}} {
		fmt.Fprintf(w, "%s: name=\"%s\" id=%d%s\n", a.title, a.Name, uint32(a.ID), unused)
	}
}

// moduleOrder is that of httpd's own list of what is built in.
var moduleOrder = []string{
	"core.c", "mod_so.c", "mod_watchdog.c", "http_core.c", "mod_log_config.c", "mod_logio.c", "mod_version.c", "mod_unixd.c",
}

// dumpModules is httpd 2.4 modules/mapping/mod_so.c, dump_loaded_modules.
func (c *Config) dumpModules(w io.Writer) {
	fmt.Fprintln(w, "Loaded Modules:")
	for _, source := range moduleOrder {
		fmt.Fprintf(w, " %s (static)\n", identOf(source))
	}
	for _, m := range c.Modules {
		if !m.Static {
			fmt.Fprintf(w, " %s (shared)\n", m.Ident)
		}
	}
}

// WriteStatic writes the list of -l.
func WriteStatic(w io.Writer) {
	fmt.Fprintln(w, "Compiled in modules:")
	for _, source := range moduleOrder {
		fmt.Fprintf(w, "  %s\n", source)
	}
}

// WriteDirectives writes the list of -L: the directives of what is built in,
// and of the WebSocket modules, which this server has in itself too (httpd 2.4
// server/config.c, ap_show_directives).
func WriteDirectives(w io.Writer) {
	table := stockTable()
	modules := append(slices.Clone(moduleOrder), "event.c", "mod_websocket.c", "mod_websocket_draft76.c")
	var out bytes.Buffer
	for _, module := range modules {
		for _, key := range slices.Sorted(maps.Keys(table)) {
			for _, info := range table[key] {
				if info.Module == module {
					fmt.Fprintf(&out, "%s (%s)\n\t%s\n\t%s\n", info.Name, module, info.Usage, info.allowed())
				}
			}
		}
	}
	_, _ = w.Write(out.Bytes()) // stdout; who would be told
}

// allowed says where a directive may stand (httpd 2.4 server/config.c,
// show_overrides).
func (d *directiveInfo) allowed() string {
	const (
		within  = orOptions | orFileInfo | orIndexes
		section = accessConf | orAuthConfig | orLimit
	)
	text := "Allowed in *.conf "
	switch outside := d.Where&serverConf != 0; {
	case d.Where&within != 0, outside && d.Where&section != 0:
		text += "anywhere"
	case outside:
		text += "only outside <Directory>, <Files>, <Location>, or <If>"
	default:
		text += "only inside <Directory>, <Files>, <Location>, or <If>"
	}
	if d.Module == "mod_unixd.c" || d.Module == "mod_version.c" {
		if d.Where&(orAll|accessConf) != 0 {
			text += " [no per-dir config]"
		}
	}
	return text + d.inHtaccess()
}

func (d *directiveInfo) inHtaccess() string {
	const intro = " and in .htaccess\n\twhen AllowOverride "
	if d.Where&orAll == orAll {
		return intro + "isn't None"
	}
	var when []string
	for _, class := range []struct {
		flag override
		name string
	}{{orAuthConfig, "AuthConfig"}, {orLimit, "Limit"}, {orOptions, "Options"}, {orFileInfo, "FileInfo"}, {orIndexes, "Indexes"}} {
		if d.Where&class.flag != 0 {
			when = append(when, class.name)
		}
	}
	if len(when) == 0 {
		return ""
	}
	return intro + "includes " + strings.Join(when, " or ")
}
