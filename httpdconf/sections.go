package httpdconf

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf/expr"
	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// sectionCommands are the rows of the core's containers.
func sectionCommands() map[string]command {
	row := func(effect string, set func(*walk, *syntax.Node, []syntax.Arg) *problem) command {
		return command{"core.c", set, effect}
	}
	return map[string]command{
		"<VirtualHost":    row("a host of its own by address, port and name", (*walk).virtualHost),
		"<Location":       row("directives for a path and all below it, or for a wildcard", (*walk).location),
		"<LocationMatch":  row("directives for paths that match a regular expression (PCRE)", (*walk).location),
		"<Directory":      row("directives for a folder and all below it", (*walk).directory),
		"<DirectoryMatch": row("directives for folders that match a regular expression", (*walk).directory),
		"<Files":          row("directives for file names", (*walk).filesSection),
		"<FilesMatch":     row("directives for file names that match a regular expression", (*walk).filesSection),
	}
}

// opener returns the arguments of a section without its bracket, or what is
// wrong with them.
func opener(n *syntax.Node) (arg string, p *problem) {
	end := strings.LastIndexByte(n.Args, '>')
	if end < 0 {
		return "", &problem{text: fmt.Sprintf("<%s> directive missing closing '>'", n.Name)}
	}
	if end == 0 {
		return "", &problem{text: fmt.Sprintf("<%s> directive requires additional arguments", n.Name)}
	}
	return n.Args[:end], nil
}

func (w *walk) virtualHost(n *syntax.Node, _ []syntax.Arg) *problem {
	if w.host != w.config.Main {
		return &problem{text: "<VirtualHost> cannot occur within <VirtualHost> section", at: n.NameRange()}
	}
	arg, p := opener(n)
	if p != nil {
		return p
	}
	h, p := w.openVirtualHost(n, arg)
	if p != nil {
		return p
	}
	w.config.Hosts = append(w.config.Hosts, h)
	outer := w.place
	w.place = place{host: h, records: &h.Base, override: w.override, isPlugins: w.isPlugins}
	w.nodes(n.Children)
	w.place = outer
	return nil
}

// location is Location and LocationMatch (httpd 2.4 server/core.c, urlsection).
func (w *walk) location(n *syntax.Node, _ []syntax.Arg) *problem {
	s, p := w.pathSection(n, LocationSection, LocationMatchSection)
	if p != nil {
		return p
	}
	if s.Regexp == nil && !strings.HasPrefix(s.Pattern, "/") && s.Pattern != "" && !isWildcard(s.Pattern) {
		w.warn(n, n.ArgsRange(), "core", fmt.Sprintf("<Location %s> covers nothing: a path begins with a slash", s.Pattern), fmt.Sprintf("did you mean <Location /%s>?", s.Pattern))
	}
	w.host.Locations = append(w.host.Locations, s)
	w.inside(n, s)
	return nil
}

// directory is Directory and DirectoryMatch (httpd 2.4 server/core.c,
// dirsection).
func (w *walk) directory(n *syntax.Node, _ []syntax.Arg) *problem {
	s, p := w.pathSection(n, DirectorySection, DirectoryMatchSection)
	if p != nil {
		return p
	}
	if s.Regexp == nil {
		if !filepath.IsAbs(s.Pattern) && s.Pattern != "" {
			w.warn(n, n.ArgsRange(), "core", fmt.Sprintf("<Directory %s> is relative to where the server was started, and covers nothing", s.Pattern),
				fmt.Sprintf("did you mean %s?", w.rootRelative(s.Pattern)))
		}
		s.Pattern = strings.TrimSuffix(s.Pattern, "/")
		if !isWildcard(s.Pattern) && s.Pattern != "" {
			s.Pattern = filepath.Clean(s.Pattern)
		}
	}
	w.host.Directories = append(w.host.Directories, s)
	w.inside(n, s)
	return nil
}

// filesSection is Files and FilesMatch (httpd 2.4 server/core.c, filesection).
func (w *walk) filesSection(n *syntax.Node, _ []syntax.Arg) *problem {
	if w.methods != nil {
		return &problem{text: fmt.Sprintf("<%s> cannot occur within <Limit> or <LimitExcept> section", n.Name), at: n.NameRange()}
	}
	if outer := isInLocation(n); outer != nil {
		return &problem{text: fmt.Sprintf("<%s> cannot occur within <%s> section", n.Name, outer.Name), at: n.NameRange()}
	}
	s, p := w.pathSection(n, FilesSection, FilesMatchSection)
	if p != nil {
		return p
	}
	if w.section != nil && w.section.Kind == IfSection {
		w.warn(n, n.NameRange(), "core", fmt.Sprintf("<%s> within <%s> covers nothing, as in httpd: conditions are judged behind names", n.Name, enclosing(n).Name),
			fmt.Sprintf("write <%s> around the condition, or look at REQUEST_FILENAME in it", n.Name))
	}
	if w.section != nil {
		w.section.Files = append(w.section.Files, s)
	} else {
		w.host.Files = append(w.host.Files, s)
	}
	w.inside(n, s)
	return nil
}

// pathSection reads the opener of a section that depends on a path: plain, or
// a regular expression where the name ends in Match or "~" stands in front.
func (w *walk) pathSection(n *syntax.Node, plain, match SectionKind) (*Section, *problem) {
	arg, p := opener(n)
	if p != nil {
		return nil, p
	}
	s := &Section{Kind: plain, Range: n.Range()}
	rest := arg
	s.Pattern, rest = syntax.Word(rest)
	isMatch := strings.HasSuffix(strings.ToLower(n.Name), "match")
	if s.Pattern == "~" && !isMatch {
		isMatch = true
		s.Pattern, rest = syntax.Word(rest)
	}
	if isMatch {
		re, err := expr.CompileRegexp(s.Pattern, false)
		if err != nil {
			return nil, &problem{text: "Regex could not be compiled", at: n.ArgsRange(), hint: err.Error()}
		}
		s.Kind, s.Regexp = match, re
	}
	if rest != "" {
		return nil, &problem{
			text: fmt.Sprintf("Multiple <%s> arguments not (yet) supported.", n.Name), at: n.ArgsRange(),
			hint: "a path with a blank needs quotes",
		}
	}
	return s, nil
}

// inside runs what stands in a section.
func (w *walk) inside(n *syntax.Node, s *Section) {
	outer, before := w.place, len(w.unserved)
	w.place = place{host: w.host, section: s, records: &s.Records, override: sectionOverride, isPlugins: w.isPlugins}
	w.nodes(n.Children)
	w.place = outer
	w.checkWebSocketSection(n, s, w.unserved[before:])
	w.unserved = w.unserved[:before]
}
