package server

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// route is what a request was found to mean: by it access is decided, a plugin
// chosen, a file opened.
type route struct {
	host      *httpdconf.Host
	settings  httpdconf.Records
	target    string // as in the request line
	authority string // of the request: Host, or the target's own
	path      string // decoded and normalised
	query     string
	filename  string // DocumentRoot and path
	place     place  // how far filename exists
}

// handler returns the handler that SetHandler names for the path, "" for none.
func (r *route) handler() string {
	if r.settings.Core == nil || r.settings.Core.Handler == nil || *r.settings.Core.Handler == "none" {
		return ""
	}
	return *r.settings.Core.Handler
}

// routes finds hosts and settings. It is immutable.
type routes struct {
	main  *httpdconf.Host
	hosts []*httpdconf.Host
}

func newRoutes(cfg *httpdconf.Config) *routes { return &routes{main: cfg.Main, hosts: cfg.Hosts} }

// find returns the host of a request: the address it came in at decides first,
// an exact one before one of any address, and one with a port before one of
// any port; then, among the hosts of that address, the name. No name matches:
// the first of them (httpd 2.4 server/vhost.c, ap_update_vhost_given_ip and
// check_hostalias).
func (t *routes) find(local netip.AddrPort, authority string) *httpdconf.Host {
	candidates := t.at(local)
	if len(candidates) == 0 {
		return t.main
	}
	name := hostName(authority)
	for _, h := range candidates {
		if isNamed(h, name) {
			return h
		}
	}
	return candidates[0]
}

// at returns the hosts of the best of the addresses that match.
func (t *routes) at(local netip.AddrPort) []*httpdconf.Host {
	if len(t.hosts) == 0 {
		return nil
	}
	ip, port := local.Addr().Unmap().String(), int(local.Port())
	for _, wanted := range []httpdconf.HostAddress{{Host: ip, Port: port}, {Host: ip}, {Host: "*", Port: port}, {Host: "*"}} {
		var list []*httpdconf.Host
		for _, h := range t.hosts {
			for _, a := range h.Addresses {
				if a == wanted {
					list = append(list, h)
					break
				}
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// hostName is an authority's host as names are compared: without its port and
// a final dot.
func hostName(authority string) string {
	host, _, _ := cutPort(authority)
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isNamed(h *httpdconf.Host, name string) bool {
	if name == "" {
		return false
	}
	if strings.EqualFold(h.Name, name) {
		return true
	}
	for _, alias := range h.Aliases {
		if httpdconf.MatchAlias(alias, name) {
			return true
		}
	}
	return false
}

// place is how far a file name exists below DocumentRoot.
type place struct {
	dirs []string    // DocumentRoot and the folders below it that exist, outermost first
	base string      // what stands behind the last of them: a file, or the first missing element
	rest string      // what stands behind base: there is no such file then
	info os.FileInfo // of base, or of the last folder if base is empty; links are not followed. nil: missing
	link bool        // base, or a folder on the way, is a symbolic link
}

// locate walks down from root along a decoded path. Links are followed here;
// whether they may be is a question of Options.
func locate(root, path string) place {
	root = strings.TrimSuffix(root, "/")
	p := place{dirs: []string{root}}
	rest := strings.Trim(path, "/")
	p.info, _ = os.Lstat(root) // nil: nothing exists below it either
	for rest != "" {
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		name := filepath.Join(p.dirs[len(p.dirs)-1], element)
		info, err := os.Lstat(name)
		if err != nil || strings.IndexByte(element, 0) >= 0 {
			p.base, p.rest, p.info = element, rest, nil
			return p
		}
		target := info
		if info.Mode()&os.ModeSymlink != 0 {
			p.link = true
			if target, err = os.Stat(name); err != nil {
				p.base, p.rest, p.info = element, rest, nil
				return p
			}
		}
		p.info = target
		if !target.IsDir() {
			p.base, p.rest = element, rest
			return p
		}
		p.dirs = append(p.dirs, name)
	}
	return p
}

// dir returns the deepest folder that exists.
func (p *place) dir() string { return p.dirs[len(p.dirs)-1] }

// walk fills the settings of a route: base, Directory sections, Files, then
// Locations, later over earlier (httpd 2.4 server/request.c, ap_directory_walk,
// ap_file_walk and ap_location_walk).
func (r *route) walk() {
	r.filename = strings.TrimSuffix(r.host.DocumentRoot, "/") + r.path
	r.place = locate(r.host.DocumentRoot, r.path)
	files := r.host.Files
	r.settings = r.host.Base
	for _, s := range r.host.Directories {
		if s.Covers(r.place.dir()) {
			r.settings = r.settings.Merge(s.Records)
			files = append(files[:len(files):len(files)], s.Files...)
		}
	}
	r.settings = withFiles(r.settings, files, r.place.base)
	for _, s := range r.host.Locations {
		if s.Covers(r.path) {
			r.settings = r.settings.Merge(s.Records)
		}
	}
}

// withFiles merges the Files sections that cover a name, and what stands in
// them.
func withFiles(settings httpdconf.Records, sections []*httpdconf.Section, name string) httpdconf.Records {
	for _, s := range sections {
		if name != "" && s.Covers(name) {
			settings = withFiles(settings.Merge(s.Records), s.Files, name)
		}
	}
	return settings
}

// options returns the Options that hold in a folder: those of links in it are
// asked before Files and Location play a part.
func (r *route) options(dir string) httpdconf.OptionFlags {
	settings := r.host.Base
	for _, s := range r.host.Directories {
		if s.Covers(dir) {
			settings = settings.Merge(s.Records)
		}
	}
	if settings.Core == nil {
		return (*httpdconf.OptionSet)(nil).Flags()
	}
	return settings.Core.Options.Flags()
}
