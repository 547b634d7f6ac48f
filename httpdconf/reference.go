package httpdconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference returns the directives as Markdown, from the tables by which they
// are obeyed: a row for each that has an effect, and lists of the others by
// what happens to them.
func Reference() string {
	table, commands := stockTable(), commandTable()
	var b strings.Builder
	b.WriteString("| directive | module | stands in | effect |\n|---|---|---|---|\n")
	for _, c := range readCommands {
		info := table[strings.ToLower(c.name)][0]
		fmt.Fprintf(&b, "| `%s` | %s | anywhere, acts while reading | %s |\n", shown(info.Name), shortName(info.Module), c.effect)
	}
	var notes, warned, refused, missing []string
	for _, key := range slices.Sorted(maps.Keys(table)) {
		rows := ownRows(commands[key], table[key])
		info := table[key][0]
		if len(rows) > 0 {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", shown(info.Name), owners(rows), contexts(info.Where), rows[0].effect)
			continue
		}
		if info.Where&execOnRead != 0 && info.Module == "core.c" || info.Module == "mod_so.c" || info.Module == "mod_macro.c" || key == "<ifversion" {
			continue // above
		}
		name := "`" + shown(info.Name) + "`"
		switch has := slices.Contains(provided, info.Module); {
		case info.Tier == tierB:
			notes = append(notes, name)
		case info.Tier == tierA && has:
			warned = append(warned, name)
		case has:
			refused = append(refused, name)
		default:
			missing = append(missing, name)
		}
	}
	list := func(title string, names []string) { fmt.Fprintf(&b, "\n%s: %s.\n", title, strings.Join(names, ", ")) }
	list("**Not obeyed yet; each line is warned of**", warned)
	list("**Refuse the start, since they narrow access or are not for this server**", refused)
	list("**Accepted without effect, noted once at level info**", notes)
	list("**Of modules that wshttpd does not have; refuse the start where the module is loaded**", missing)
	return b.String()
}

// readCommands are the directives of the first pass, for Reference.
var readCommands = []struct{ name, effect string }{
	{"Define", "a variable, `${NAME}`"},
	{"UnDefine", "forgets one"},
	{"Include", "reads a file, a folder, or what a wildcard matches"},
	{"IncludeOptional", "the same; nothing may be there"},
	{"<IfModule", "true for modules that are loaded and that wshttpd has, or that httpd builds in"},
	{"<IfDefine", "true for what `Define` or `-D` names"},
	{"<IfVersion", "compares with " + ClaimedVersion},
	{"<IfFile", "true if the file exists"},
	{"<IfDirective", "true if a loaded module has the directive"},
	{"<IfSection", "the same for sections"},
	{"LoadModule", "notes the module; a file that is no stock module of httpd's, but a plugin's, is loaded"},
	{"LoadFile", "loads a library for plugins"},
	{"ServerRoot", "folder of relative paths"},
	{"DefaultRuntimeDir", "must be a folder; no effect"},
	{"<Macro", "lines with arguments, for `Use`"},
	{"Use", "reads the lines of a macro in its place"},
	{"UndefMacro", "forgets one"},
	{"MacroIgnoreBadNesting", "takes a warning away"},
	{"MacroIgnoreEmptyArgs", "takes a warning away"},
}

// shown is a directive's name as the README shows it.
func shown(name string) string {
	if strings.HasPrefix(name, "<") {
		return name + ">"
	}
	return name
}

// ownRows returns the rows of a name whose owner is in the stock table.
func ownRows(rows []command, infos []*directiveInfo) []command {
	var list []command
	for _, c := range rows {
		if slices.ContainsFunc(infos, func(i *directiveInfo) bool { return i.Module == c.module }) {
			list = append(list, c)
		}
	}
	return list
}

func owners(rows []command) string {
	var names []string
	for _, c := range rows {
		names = append(names, shortName(c.module))
	}
	return strings.Join(names, ", ")
}

// contexts says where a directive may stand.
func contexts(o override) string {
	var list []string
	if o&(topOverride) != 0 {
		list = append(list, "server, VirtualHost")
	}
	if o&sectionOverride != 0 {
		list = append(list, "sections")
	}
	return strings.Join(list, ", ")
}
