package process

import (
	"cmp"
	"os"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader"
	"github.com/wshttpd/wshttpd/server"
)

// configure reads the configuration and reports whether it can be served. What
// there is to say about it goes to stderr; only errors, unless aloud.
// Directives of modules that a plugin brings along are known where there is a
// loader, and else left to those who have one.
func (p *process) configure(aloud bool) (*httpdconf.Config, bool) {
	_, file := p.Paths()
	o := p.Options()
	if o.LeaveUnknown = p.loader == nil; p.loader != nil {
		o.LoadModule = server.LoadModule(p.loader)
	}
	cfg, diags := httpdconf.Load(file, o)
	if aloud || diags.HasErrors() {
		httpdconf.WriteDiagnostics(os.Stderr, p.Program, cfg, p.Level, diags)
	}
	return cfg, !diags.HasErrors()
}

// newLoader makes a loader that tells who has executed this process which
// plugin is being loaded.
func (p *process) newLoader() *pluginloader.Loader {
	loader := pluginloader.New(server.StartupLog(os.Stderr, p.Level))
	if calls := cmp.Or(p.check, p.worker.Progress()).Calls(); calls != nil {
		loader.Loading = calls.Loading
	}
	return loader
}

// newServer makes the server, which loads the plugins, and reports whether it
// may serve. What there is to say goes to stderr.
func (p *process) newServer(cfg *httpdconf.Config) (*server.Server, bool) {
	s, diags := server.New(cfg, p.loader)
	httpdconf.WriteDiagnostics(os.Stderr, p.Program, cfg, p.Level, diags)
	return s, !diags.HasErrors()
}
