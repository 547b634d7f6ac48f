package server

import (
	"net/netip"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// route is what a request was found to mean: by it access is decided, a plugin
// chosen, a file opened.
type route struct {
	host      *httpdconf.Host
	scheme    string // of the host's URLs: http or https
	settings  httpdconf.Records
	target    string         // as in the request line
	authority string         // of the request: Host, or the target's own
	local     netip.AddrPort // at which the connection came in
	isTLS     bool
	path      string // decoded and normalised
	query     string
	filename  string // what path is mapped to
	place     place  // how far filename exists
	merged    *merged
	glance    *glance        // of the host; nil looks at every name whole
	locations *locationIndex // of the host; nil asks each of its sections
	inMemory  bool           // an upgrade, or else it is routed once more: see memConn
	trace     *trace         // nil but for Explain

	client  netip.AddrPort // whom access and logs take for the client
	user    string         // whom authentication has found, or the client has claimed to be
	hasUser bool           // he has claimed to be somebody
	dns     *resolver      // of client; nil until a name is looked up
	env     environ        // what SetEnv, SetEnvIf and RewriteRule set

	tokens       httpdconf.Tokens
	covering     []*httpdconf.Section // of the settings, where If sections are among them
	vary         []string             // header fields that expressions have read
	notes        environ              // what Header note keeps
	isSubrequest bool                 // the file that stands for a folder is looked for
	folder       string               // of isSubrequest: the folder, with a slash behind it
	isTyped      bool                 // the phases are past the choice of a handler
	mediaType    string               // of the file that is sent
	modified     time.Time            // the same
	isDocument   bool                 // an ErrorDocument is served

	located      string               // the file name that the Alias of a Location has given
	translated   string               // the file name that rules of mod_rewrite have given; empty leaves it to Alias
	alias        *httpdconf.Mapping   // that has given the file name; nil where it is below DocumentRoot
	ctx          *fasthttp.RequestCtx // while it is handled
	log          errorLog             // see logOf
	id           string               // of the records in the error log; empty before the first
	next         *route               // what is served in its place, which renamed has made; nil for nothing
	answered     bool                 // by its own error page, since next has failed
	inside       *string              // what is to be served instead, as the target of a request; nil for nothing
	redirects    int                  // inside the server so far
	subrequests  int                  // of rules, that this one is within
	outerPath    string               // of a subrequest of a rule: what it is made for
	leaves       bool                 // a request in memory that has to come again on a goroutine
	rewriteEnded bool                 // END: no more rules
	forcedType   string               // the media type that a rule wants
	cookies      map[string]bool      // names that rules have set
	bad          *badLine             // of a request whose head was refused; nil of others
}

// newRoute returns room for a route, which ends with ctx.
func newRoute(ctx *fasthttp.RequestCtx) *route {
	if m, inMemory := ctx.Conn().(*memConn); inMemory {
		return &m.route
	}
	return new(route)
}

// last returns what was served in the end.
func (r *route) last() *route {
	for r.next != nil {
		r = r.next
	}
	return r
}

// answering returns what the answer is of.
func (r *route) answering() *route {
	for r.next != nil && !r.answered {
		r = r.next
	}
	return r
}

// handler returns the handler that SetHandler names for the path, "" for none.
func (r *route) handler() string {
	if r.settings.Core == nil || r.settings.Core.Handler == nil || *r.settings.Core.Handler == "none" {
		return ""
	}
	return *r.settings.Core.Handler
}

// routes finds hosts and settings.
type routes struct {
	main   *httpdconf.Host
	tables map[hostAddress]*hostTable
	merged merged

	uniform  bool // all hosts have the same limits
	longest  int  // target that one of them takes, in bytes
	headRoom int  // for a head that one of them takes, in bytes

	glances   map[*httpdconf.Host]*glance
	locations map[*httpdconf.Host]*locationIndex
}

func newRoutes(cfg *httpdconf.Config) *routes {
	cfg.NameHosts()
	t := &routes{main: cfg.Main, tables: newHostTables(cfg), uniform: true, glances: make(map[*httpdconf.Host]*glance), locations: make(map[*httpdconf.Host]*locationIndex)}
	for _, h := range append([]*httpdconf.Host{cfg.Main}, cfg.Hosts...) {
		t.glances[h], t.locations[h] = newGlance(h), newLocationIndex(h.Locations)
		t.longest, t.headRoom = max(t.longest, h.Limits.Line), max(t.headRoom, headRoom(&h.Limits))
		t.uniform = t.uniform && h.Limits == cfg.Main.Limits && h.Timeout == cfg.Main.Timeout
	}
	return t
}

// find returns the host of a request: the address it came in at decides first,
// an exact one before one of any address, and one with a port before one of
// any port; then, among the hosts of that address, the name. No name matches:
// the first of them (httpd 2.4 server/vhost.c, ap_update_vhost_given_ip and
// check_hostalias).
func (t *routes) find(local netip.AddrPort, authority string) *httpdconf.Host {
	h, _ := t.choose(local, authority, "")
	return h
}

// choose is find, and says why. A request without Host is for the host whose
// ServerPath covers its target.
func (t *routes) choose(local netip.AddrPort, authority, target string) (*httpdconf.Host, hostChoice) {
	candidates := t.at(local)
	if candidates == nil {
		return t.main, hostChoice{}
	}
	if name := hostName(authority); name != "" {
		h, name := candidates.named(name)
		return h, hostChoice{table: candidates, name: name}
	}
	if path, _, _ := strings.Cut(target, "?"); len(candidates.paths) > 0 {
		if h := candidates.below(path); h != nil {
			return h, hostChoice{table: candidates, path: h.Path}
		}
	}
	return candidates.first, hostChoice{table: candidates}
}

// first returns the host that holds for a connection until its request names
// one: the first of its address (httpd 2.4 include/httpd.h, base_server of
// conn_rec).
func (t *routes) first(local netip.AddrPort) *httpdconf.Host {
	if candidates := t.at(local); candidates != nil {
		return candidates.first
	}
	return t.main
}

// at returns the hosts of the best of the addresses that match, nil if none
// does.
func (t *routes) at(local netip.AddrPort) *hostTable {
	if len(t.tables) == 0 {
		return nil
	}
	ip, port := local.Addr().Unmap(), int(local.Port())
	for _, wanted := range [...]hostAddress{{ip, port}, {ip, 0}, {netip.Addr{}, port}, {netip.Addr{}, 0}} {
		if table := t.tables[wanted]; table != nil {
			return table
		}
	}
	return nil
}

// hostName is an authority's host as names are compared: without its port, a
// final dot and the brackets of IPv6 (httpd 2.4 server/vhost.c, fix_hostname).
func hostName(authority string) string {
	host, _, _ := cutPort(authority)
	if strings.HasPrefix(host, "[") {
		host = strings.Trim(host, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// walk fills the settings of a route: base, Directory sections, Files, then
// Locations, later over earlier (httpd 2.4 server/request.c, ap_directory_walk,
// ap_file_walk and ap_location_walk).
func (r *route) walk() {
	r.filename = r.mapPath()
	var isMissing bool
	if r.place, isMissing = r.glance.missing(r.filename, r.inMemory); !isMissing {
		r.place, _ = follow(r.filename, r.options, false)
		r.glance.learn(&r.place)
	}
	r.settle()
}

// settle merges the sections that cover the route, whose file was looked for.
func (r *route) settle() {
	var room [16]*httpdconf.Section
	covering := room[:0]
	files := r.host.Files
	for _, s := range r.host.Directories {
		if r.inDirectory(s) {
			covering = append(covering, s)
			files = append(files[:len(files):len(files)], s.Files...)
		}
	}
	covering = appendFiles(covering, files, r.place.base)
	covering = r.appendLocations(covering)
	for _, s := range covering {
		r.capture(s)
	}
	r.trace.sections(r, covering)
	r.settings = r.merged.of(r.host, covering)
	if r.settings.Core != nil && len(r.settings.Core.Ifs) > 0 {
		r.covering = append([]*httpdconf.Section(nil), covering...)
	}
}

// appendLocations appends the Location sections that cover the path.
//
// Under MergeSlashes Off those that are no expressions still go by the path
// with its slashes merged (httpd 2.4 server/request.c, ap_location_walk).
func (r *route) appendLocations(dst []*httpdconf.Section) []*httpdconf.Section {
	if r.host.Paths.KeepSlashes {
		merged, _ := removeDots(r.path)
		for _, s := range r.host.Locations {
			if s.Regexp == nil && s.Covers(merged) || s.Regexp != nil && s.Covers(r.path) {
				dst = append(dst, s)
			}
		}
		return dst
	}
	if r.locations != nil {
		return r.locations.appendCovering(dst, r.path)
	}
	for _, s := range r.host.Locations {
		if s.Covers(r.path) {
			dst = append(dst, s)
		}
	}
	return dst
}

// inDirectory reports whether a Directory section covers the route's file: by
// the deepest folder that exists, an expression by the whole name.
func (r *route) inDirectory(s *httpdconf.Section) bool {
	if s.Regexp == nil {
		return s.Covers(r.place.dir)
	}
	return s.Regexp.Match(r.directoryName())
}

// directoryName is what the expressions of Directory sections are asked for: the
// name of the file; for a file that stands for the folder it is in, the folder,
// whose sections it takes over (httpd 2.4 server/request.c, ap_directory_walk).
func (r *route) directoryName() string {
	if r.isSubrequest && r.place.what == isFile && r.place.rest == "" && r.place.dir+"/" == r.folder {
		return r.folder
	}
	return r.place.name()
}

// capture sets the variables that the named groups of a section's expression
// make of what it covers, as MATCH_SITENAME of (?<sitename>...).
func (r *route) capture(s *httpdconf.Section) {
	if s.Regexp == nil || !s.Regexp.HasNames() {
		return
	}
	subject := r.path
	switch s.Kind {
	case httpdconf.DirectoryMatchSection:
		subject = r.directoryName()
	case httpdconf.FilesMatchSection:
		subject = r.place.base
	}
	for name, value := range s.Regexp.Named(subject) { // httpd 2.4 server/core.c, AP_REG_MATCH
		r.env.set("MATCH_"+strings.ToUpper(name), value)
	}
}

// appendFiles appends the Files sections that cover a name, and those in them.
func appendFiles(dst, sections []*httpdconf.Section, name string) []*httpdconf.Section {
	for _, s := range sections {
		if name != "" && s.Covers(name) {
			dst = appendFiles(append(dst, s), s.Files, name)
		}
	}
	return dst
}

// options returns the Options that hold in a folder: those of links in it are
// asked before expressions, Files and Location play a part.
func (r *route) options(dir string) httpdconf.OptionFlags {
	var covering []*httpdconf.Section
	for _, s := range r.host.Directories {
		if s.Regexp == nil && s.Covers(dir) {
			covering = append(covering, s)
		}
	}
	settings := r.merged.of(r.host, covering)
	if settings.Core == nil {
		return (*httpdconf.OptionSet)(nil).Flags()
	}
	return settings.Core.Options.Flags()
}
