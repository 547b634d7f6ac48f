package httpdconf

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// dumps are those that -S, -M and -t -D ask for, in httpd's own formats and
// order: scripts read them. It is constant.
var dumps = []struct {
	name string
	dump func(w io.Writer, c *Config)
}{
	{"DUMP_VHOSTS", dumpHosts}, {"DUMP_RUN_CFG", dumpRunConfig}, {"DUMP_MODULES", dumpModules}, {"DUMP_INCLUDES", dumpIncludes},
}

// WriteDumps writes the dumps that -D has defined, and reports whether there
// was one.
func WriteDumps(w io.Writer, c *Config, defines []string) (any bool) {
	for _, d := range dumps {
		if slices.Contains(defines, d.name) {
			d.dump(w, c)
			any = true
		}
	}
	return any
}

// dumpHosts lists the virtual hosts by address (httpd 2.4 server/vhost.c,
// ap_vhost_dump).
func dumpHosts(w io.Writer, c *Config) {
	fmt.Fprintln(w, "VirtualHost configuration:")
	at := make(map[HostAddress][]*Host)
	var exact, wild []HostAddress
	for _, h := range c.Hosts {
		for _, a := range h.Addresses {
			if at[a] == nil {
				if a.Host == "*" {
					wild = append(wild, a)
				} else {
					exact = append(exact, a)
				}
			}
			at[a] = append(at[a], h)
		}
	}
	for _, a := range append(exact, wild...) {
		dumpAddress(w, c, a, at[a])
	}
}

func dumpAddress(w io.Writer, c *Config, a HostAddress, hosts []*Host) {
	address, port := a.Host, "*"
	if strings.Contains(address, ":") {
		address = "[" + address + "]"
	}
	if a.Port != 0 {
		port = strconv.Itoa(a.Port)
	}
	fmt.Fprintf(w, "%-22s ", address+":"+port)
	if len(hosts) == 1 {
		fmt.Fprintf(w, "%s (%s)\n", c.nameOf(hosts[0]), hosts[0].place())
		return
	}
	fmt.Fprintf(w, "is a NameVirtualHost\n%8s default server %s (%s)\n", "", c.nameOf(hosts[0]), hosts[0].place())
	for _, h := range hosts {
		fmt.Fprintf(w, "%8s port %s namevhost %s (%s)\n", "", port, c.nameOf(h), h.place())
		for _, alias := range h.Aliases {
			kind := "alias"
			if strings.ContainsAny(alias, "*?") {
				kind = "wild alias"
			}
			fmt.Fprintf(w, "%16s %s %s\n", "", kind, alias)
		}
	}
}

// nameOf is a host's name, or that of the main server.
func (c *Config) nameOf(h *Host) string {
	if h.Name == "" {
		return c.Main.ServerName()
	}
	return h.Name
}

// place is where a host stands: at the line of its opening.
func (h *Host) place() string { return fmt.Sprintf("%s:%d", h.Range.Filename, h.Range.End.Line) }

// dumpRunConfig lists what the server runs with (httpd 2.4 server/core.c,
// core_dump_config, and those of other modules).
func dumpRunConfig(w io.Writer, c *Config) {
	fmt.Fprintf(w, "ServerRoot: %q\nMain DocumentRoot: %q\nMain ErrorLog: %q\n", c.ServerRoot, c.Main.DocumentRoot, c.Main.ErrorLog)
	fmt.Fprintf(w, "Mutex default: dir=%q mechanism=default \n", c.RuntimeDir+"/")
	fmt.Fprintf(w, "PidFile: %q\n", c.PidFile)
	for _, d := range c.Defines {
		if d.HasValue {
			fmt.Fprintf(w, "Define: %s=%s\n", d.Name, d.Value)
		} else {
			fmt.Fprintf(w, "Define: %s\n", d.Name)
		}
	}
	nobody := "#-1" // httpd's default
	u, g := cmp.Or(c.User, nobody), cmp.Or(c.Group, nobody)
	fmt.Fprintf(w, "User: name=%q id=%s\nGroup: name=%q id=%s\n", u, idOf(u, userID), g, idOf(g, groupID))
}

// idOf is the number of a name, or what stands behind "#".
func idOf(name string, lookup func(string) string) string {
	if id, isNumber := strings.CutPrefix(name, "#"); isNumber {
		n, _ := strconv.ParseInt(id, 10, 64) // what is none is 0, as atol has it
		return strconv.FormatUint(uint64(uint32(n)), 10)
	}
	return lookup(name)
}

func userID(name string) string {
	u, err := user.Lookup(name)
	if err != nil {
		return "-1"
	}
	return u.Uid
}

func groupID(name string) string {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "-1"
	}
	return g.Gid
}

// dumpModules lists the modules, those that are built in first (httpd 2.4
// modules/core/mod_so.c, dump_loaded_modules).
func dumpModules(w io.Writer, c *Config) {
	fmt.Fprintln(w, "Loaded Modules:")
	for _, static := range []bool{true, false} {
		for _, m := range c.Modules {
			if m.Static == static {
				fmt.Fprintf(w, " %s (%s)\n", m.Ident, map[bool]string{true: "static", false: "shared"}[static])
			}
		}
	}
}

// Inclusion is a file that was read: the main file, or one of an Include line.
type Inclusion struct {
	File  string
	Line  int // of the Include line; 0 for the main file
	Depth int // of the main file 0
}

// dumpIncludes lists the files of the configuration (httpd 2.4 server/core.c,
// ap_process_resource_config).
func dumpIncludes(w io.Writer, c *Config) {
	fmt.Fprintln(w, "Included configuration files:")
	for _, i := range c.Includes {
		line := "*"
		if i.Line > 0 {
			line = strconv.Itoa(i.Line)
		}
		fmt.Fprintf(w, "%*s(%s) %s\n", 2*(i.Depth+1), "", line, i.File)
	}
}

// DumpBuiltIn lists the source files of the modules that are built in (-l).
func DumpBuiltIn(w io.Writer) {
	fmt.Fprintln(w, "Compiled in modules:")
	for _, source := range builtIn {
		fmt.Fprintf(w, "  %s\n", source)
	}
}

// DumpDirectives lists the directives that have an effect here, with usage and
// places (-L; httpd 2.4 server/config.c, ap_show_directives).
func DumpDirectives(w io.Writer) {
	table, commands := stockTable(), commandTable()
	for _, key := range slices.Sorted(maps.Keys(table)) {
		for _, info := range table[key] {
			if len(ownRows(commands[key], []*directiveInfo{info})) == 0 && info.Where&execOnRead == 0 {
				continue
			}
			fmt.Fprintf(w, "%s (%s)\n\t%s\n\tAllowed in *.conf %s\n", info.Name, info.Module, info.Usage, placesOf(info.Where))
		}
	}
}

// placesOf is httpd 2.4 server/config.c, show_overrides.
func placesOf(where override) string {
	var text string
	switch {
	case where&(serverConf|orAll) == serverConf, where&serverConf != 0 && where&(orAll|accessConf) == 0:
		text = "only outside <Directory>, <Files>, <Location>, or <If>"
	case where&orAll == 0 && where&accessConf != 0 && where&serverConf == 0:
		text = "only inside <Directory>, <Files>, <Location>, or <If>"
	default:
		text = "anywhere"
	}
	if where&orAll != 0 && where&orAll != orAll {
		text += " and in .htaccess\n\twhen AllowOverride includes " + overrideNames(where)
	} else if where&orAll == orAll {
		text += " and in .htaccess\n\twhen AllowOverride isn't None"
	}
	return text
}

func overrideNames(where override) string {
	var names []string
	for _, o := range []struct {
		bit  override
		name string
	}{{orAuthConfig, "AuthConfig"}, {orLimit, "Limit"}, {orFileInfo, "FileInfo"}, {orIndexes, "Indexes"}, {orOptions, "Options"}} {
		if where&o.bit != 0 {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, " or ")
}
