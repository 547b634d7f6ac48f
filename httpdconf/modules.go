package httpdconf

import (
	"slices"
	"strings"
)

// ClaimedVersion is the version of httpd that IfVersion compares with and -v
// prints.
const ClaimedVersion = "2.4.71"

// ClaimedMagic is the module magic number of that version.
const ClaimedMagic = "20120211:142"

// builtIn lists the modules that every httpd has in its binary: LoadModule of
// them is nothing, and IfModule is true. It is constant.
var builtIn = []string{
	"core.c", "mod_so.c", "http_core.c", "mod_unixd.c", "mod_version.c", "mod_log_config.c", "mod_logio.c", "mod_watchdog.c",
}

// neverShared are those of them that no build of httpd has as a file: to load
// one is an error.
var neverShared = []string{"core.c", "mod_so.c", "http_core.c"}

// provided lists the modules that this server has, or whose directives it
// takes without harm: IfModule is true where the file loads them. It is
// constant.
var provided = append([]string{
	"event.c", "worker.c", "prefork.c", "mod_systemd.c",
	"mod_authz_core.c", "mod_authz_host.c", "mod_access_compat.c", "mod_authn_core.c", "mod_auth_basic.c", "mod_authn_file.c", "mod_authz_user.c", "mod_authz_groupfile.c", "mod_remoteip.c", "mod_rewrite.c", "mod_ssl.c", "mod_socache_shmcb.c", "mod_dir.c", "mod_mime.c", "mod_alias.c", "mod_headers.c", "mod_reqtimeout.c",
	"mod_macro.c", "mod_setenvif.c", "mod_env.c", "mod_autoindex.c", "mod_negotiation.c", "mod_expires.c", "mod_filter.c",
	"mod_deflate.c", "mod_brotli.c", "mod_mime_magic.c", "mod_userdir.c", "mod_status.c", "mod_unique_id.c",
	"mod_websocket.c", "mod_websocket_draft76.c",
}, builtIn...)

// otherStock lists stock modules without a directive in the stock table, so
// that every stock module is known. It is constant.
var otherStock = []string{
	"mod_asis.c", "mod_authz_user.c", "mod_authz_owner.c", "mod_bucketeer.c",
	"mod_data.c", "mod_lbmethod_bybusyness.c", "mod_lbmethod_byrequests.c", "mod_lbmethod_bytraffic.c",
	"mod_lbmethod_heartbeat.c", "mod_lbmethod_rr.c", "mod_optional_fn_export.c", "mod_proxy_ajp.c",
	"mod_proxy_connect.c", "mod_proxy_fcgi.c", "mod_proxy_fdpass.c", "mod_proxy_http.c", "mod_proxy_http2.c", "mod_proxy_uwsgi.c",
	"mod_proxy_wstunnel.c", "mod_ratelimit.c", "mod_reflector.c", "mod_session_dbd.c", "mod_slotmem_plain.c", "mod_slotmem_shm.c",
	"mod_socache_dbm.c", "mod_socache_dc.c", "mod_socache_memcache.c", "mod_socache_redis.c", "mod_socache_shmcb.c",
	"mod_suexec.c", "mod_systemd.c", "mod_unique_id.c", "mod_allowhandlers.c", "mod_log_rotate.c", "mpm_winnt.c",
}

// sourceOf returns the source name of the module with this identifier:
// "mod_ssl.c" for "ssl_module". The names of stock modules follow one rule but
// for these.
func sourceOf(ident string) string {
	name := strings.TrimSuffix(ident, "_module")
	switch name {
	case "core":
		return "core.c"
	case "http":
		return "http_core.c"
	case "ldap":
		return "util_ldap.c"
	case "mpm_winnt":
		return "mpm_winnt.c"
	case "mpm_event", "mpm_worker", "mpm_prefork":
		return strings.TrimPrefix(name, "mpm_") + ".c"
	}
	return "mod_" + name + ".c"
}

// identOf is the inverse of sourceOf.
func identOf(source string) string {
	switch source {
	case "core.c":
		return "core_module"
	case "http_core.c":
		return "http_module"
	case "util_ldap.c":
		return "ldap_module"
	case "event.c", "worker.c", "prefork.c":
		return "mpm_" + strings.TrimSuffix(source, ".c") + "_module"
	}
	return strings.TrimPrefix(strings.TrimSuffix(source, ".c"), "mod_") + "_module"
}

// shortName returns the module's name in logs: "websocket" (httpd 2.4
// server/core.c, ap_get_module_short_name).
func shortName(source string) string {
	if source == "http_core.c" {
		return "http"
	}
	return strings.TrimPrefix(strings.TrimSuffix(source, ".c"), "mod_")
}

// IsProvided reports whether this server has what the module does, or takes its
// directives without harm.
func (m *Module) IsProvided() bool { return slices.Contains(provided, m.Source) }

// LoadsPlugins reports whether a line names a plugin, or a module that may be
// one's.
func (c *Config) LoadsPlugins() bool {
	return len(c.Plugins) > 0 || slices.ContainsFunc(c.Modules, func(m Module) bool { return m.Source == "" || m.Plugin != nil })
}

// moduleSet is what is known of modules while a configuration is read.
type moduleSet struct {
	loaded []Module
	stock  map[string]bool // by source name: a module of a stock httpd or one of ours
}

func newModuleSet(table map[string][]*directiveInfo) *moduleSet {
	s := &moduleSet{stock: make(map[string]bool)}
	for _, infos := range table {
		for _, info := range infos {
			s.stock[info.Module] = true
		}
	}
	for _, list := range [][]string{provided, otherStock} {
		for _, source := range list {
			s.stock[source] = true
		}
	}
	for _, source := range builtIn {
		s.loaded = append(s.loaded, Module{Ident: identOf(source), Source: source, Static: true})
	}
	return s
}

// has reports whether IfModule is true: name is the source name or the
// identifier of a module that is loaded and that this server provides.
func (s *moduleSet) has(name string) bool {
	return slices.ContainsFunc(s.loaded, func(m Module) bool {
		return m.isLikely(name) || (m.Source == name || m.Ident == name) && (slices.Contains(provided, m.Source) || !s.stock[m.Source])
	})
}

// isLikely reports whether a module whose library is not opened here is likely
// to have a source of this name: those of most follow from the identifier.
func (m *Module) isLikely(source string) bool {
	name, isModule := strings.CutSuffix(m.Ident, "_module")
	return m.isLeft && isModule && (source == name+".c" || source == "mod_"+name+".c")
}

// isLoaded reports whether the module with this source name is loaded or built
// in, provided or not.
func (s *moduleSet) isLoaded(source string) bool {
	return slices.ContainsFunc(s.loaded, func(m Module) bool { return m.Source == source })
}
