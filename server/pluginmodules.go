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
			module.Directives = append(module.Directives, pluginDirective(loader, m, &m.Directives[i]))
		}
		return module, nil
	}
}

func pluginDirective(loader *pluginloader.Loader, m *pluginloader.Module, d *pluginloader.Directive) httpdconf.PluginDirective {
	begin := func(line *httpdconf.PluginLine) (done func()) {
		loader.SetReading(pluginloader.Reading(line.Reading))
		if loader.Loading == nil {
			return func() {}
		}
		return loader.Loading(m.Library + " with its " + d.Name)
	}
	return httpdconf.PluginDirective{
		Name: d.Name, Usage: d.Usage, EmptyUsage: d.EmptyUsage, Where: d.Override, Args: d.Args,
		Run: func(line httpdconf.PluginLine) (httpdconf.ModuleRecords, string) {
			defer begin(&line)()
			records, text := d.Run(moduleLine(&line), line.Words)
			return pluginRecords{records}, text
		},
		RunReading: func(line httpdconf.PluginLine) ([]any, string) {
			defer begin(&line)()
			return d.RunReading(moduleLine(&line), line.Words)
		},
	}
}

// moduleLine is a line as the module's function sees it.
func moduleLine(line *httpdconf.PluginLine) pluginloader.Line {
	l := pluginloader.Line{
		Section: line.Section, Override: line.Override, Node: pluginloader.Node(line.Node), Tree: moduleTree(line.Tree), NextLine: line.NextLine,
	}
	if line.Host != nil {
		l.Host = line.Host
	}
	if line.Methods != nil {
		l.Methods = &pluginloader.Methods{Names: line.Methods.Names, Except: line.Methods.Except}
	}
	if r, has := line.Records.(pluginRecords); has {
		l.Records = r.Records
	}
	if line.Walk != nil {
		l.Walk = func(key any, at pluginloader.Place) string {
			host, _ := at.Host.(*httpdconf.Host)
			return line.Walk(key, httpdconf.PluginPlace{
				Host: host, Records: pluginRecords{at.Records}, IsOwn: at.IsOwn, Section: at.Section, Override: at.Override,
			})
		}
	}
	if line.Build != nil {
		l.Build = func(closing string) ([]pluginloader.Node, string) {
			list, problem := line.Build(closing)
			return moduleNodes(list), problem
		}
	}
	return l
}

func moduleTree(t httpdconf.PluginTree) pluginloader.Tree {
	return pluginloader.Tree{
		ID: t.ID, IsWhole: t.IsWhole,
		Parent: func(key any) (pluginloader.Node, bool) {
			n, has := t.Parent(key)
			return pluginloader.Node(n), has
		},
		Children: func(key any) []pluginloader.Node { return moduleNodes(t.Children(key)) },
	}
}

func moduleNodes(list []httpdconf.PluginNode) []pluginloader.Node {
	nodes := make([]pluginloader.Node, len(list))
	for i, n := range list {
		nodes[i] = pluginloader.Node(n)
	}
	return nodes
}

// pluginRecords are the records of modules, as the model holds them.
type pluginRecords struct{ *pluginloader.Records }

// Merge has the modules merge (httpdconf.ModuleRecords).
func (r pluginRecords) Merge(over httpdconf.ModuleRecords) httpdconf.ModuleRecords {
	return pluginRecords{pluginloader.MergeRecords(r.Records, over.(pluginRecords).Records)}
}
