package server

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// loadLibraries opens what the LoadFile lines name, before any plugin that may
// need it.
func loadLibraries(cfg *httpdconf.Config, loader *pluginloader.Loader) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range cfg.Libraries {
		if err := loader.LoadFile(l.File); err != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  fmt.Sprintf("Cannot load %s into server: %v", l.File, err),
				Subject:  l.Range.Ptr(),
			})
		}
	}
	return diags
}

// loadPlugins calls INIT once for each WebSocketHandler line, in file order.
// Every line that fails gets a diagnostic, and the others are tried.
func loadPlugins(cfg *httpdconf.Config, loader *pluginloader.Loader) (map[*httpdconf.PluginRef]wsplugin.Plugin, hcl.Diagnostics) {
	plugins := make(map[*httpdconf.PluginRef]wsplugin.Plugin, len(cfg.Plugins))
	var diags hcl.Diagnostics
	for _, ref := range cfg.Plugins {
		p, err := loader.LoadConfigured(ref.File, ref.Init, ref.UserConfig)
		if err != nil {
			diags = append(diags, pluginDiagnostic(ref, err))
			continue
		}
		plugins[ref] = p
	}
	return plugins, diags
}

// pluginDiagnostic puts a refusal at the argument that it is about.
func pluginDiagnostic(ref *httpdconf.PluginRef, err error) *hcl.Diagnostic {
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  err.Error(),
		Subject:  ref.Range.Ptr(),
	}
	if e, ok := errors.AsType[*pluginloader.Error](err); ok {
		d.Summary = e.Sentence
		d.Detail = e.Cause
		if e.Remedy != "" {
			d.Detail += "\n" + e.Remedy
		}
	}
	return d
}

// inUse returns the lines of the sections that ended up with one, in reverse
// order of the configuration: a second WebSocketHandler in a section has
// replaced the first, which is then nobody's.
func inUse(cfg *httpdconf.Config, plugins map[*httpdconf.PluginRef]wsplugin.Plugin) []*httpdconf.PluginRef {
	used := make(map[*httpdconf.PluginRef]bool)
	for _, h := range append([]*httpdconf.Host{cfg.Main}, cfg.Hosts...) {
		markUsed(used, h.Base)
		for _, list := range [][]*httpdconf.Section{h.Directories, h.Files, h.Locations} {
			markSections(used, list)
		}
	}
	var list []*httpdconf.PluginRef
	for i := len(cfg.Plugins) - 1; i >= 0; i-- {
		if ref := cfg.Plugins[i]; used[ref] && plugins[ref] != nil {
			list = append(list, ref)
		}
	}
	return list
}

func markSections(used map[*httpdconf.PluginRef]bool, sections []*httpdconf.Section) {
	for _, section := range sections {
		markUsed(used, section.Records)
		markSections(used, section.Files)
	}
}

func markUsed(used map[*httpdconf.PluginRef]bool, r httpdconf.Records) {
	if r.WebSocket != nil {
		used[r.WebSocket.Plugin] = true
	}
	if r.Draft76 != nil {
		used[r.Draft76.Plugin] = true
	}
}
