package server

import (
	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
)

// LoadModule is what a configuration loads modules by that are plugins' own
// (httpdconf.Options): they live in the loader with which the server is made
// then.
func LoadModule(loader *pluginloader.Loader) func(string, string, httpdconf.PluginReading) (*httpdconf.PluginModule, *httpdconf.PluginModuleError) {
	loader.Identify(Software(), Software(), BuildTime())
	return func(ident, path string, reading httpdconf.PluginReading) (*httpdconf.PluginModule, *httpdconf.PluginModuleError) {
		loader.SetReading(pluginloader.Reading(reading))
		m, err := loader.LoadModule(ident, path)
		if err != nil {
			return nil, &httpdconf.PluginModuleError{Text: err.Text, Hint: err.Remedy, IsLacking: err.IsLacking}
		}
		module := &httpdconf.PluginModule{Source: m.Source, Hooks: m.Hooks, Base: pluginRecords{loader.MainRecords()}}
		for i := range m.Directives {
			module.Directives = append(module.Directives, pluginDirective(loader, &m.Directives[i]))
		}
		return module, nil
	}
}

func pluginDirective(loader *pluginloader.Loader, d *pluginloader.Directive) httpdconf.PluginDirective {
	return httpdconf.PluginDirective{
		Name: d.Name, Usage: d.Usage, Where: d.Override, Args: d.Args,
		Run: func(line httpdconf.PluginLine) (httpdconf.ModuleRecords, string) {
			l := pluginloader.Line{
				Section: line.Section, Override: line.Override, Text: line.Text, File: line.File, Number: line.Number,
			}
			if line.Host != nil {
				l.Host = line.Host
			}
			if r, has := line.Records.(pluginRecords); has {
				l.Records = r.Records
			}
			loader.SetReading(pluginloader.Reading(line.Reading))
			records, text := d.Run(l, line.Words)
			return pluginRecords{records}, text
		},
	}
}

// pluginRecords are the records of modules, as the model holds them.
type pluginRecords struct{ *pluginloader.Records }

// Merge has the modules merge (httpdconf.ModuleRecords).
func (r pluginRecords) Merge(over httpdconf.ModuleRecords) httpdconf.ModuleRecords {
	return pluginRecords{pluginloader.MergeRecords(r.Records, over.(pluginRecords).Records)}
}
