package server

import (
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// destroyPlugins tells plugins that the server ends (plugins.md, section 1.4).
// A plugin, that is a file, of which a callback still runs is not told. It
// returns when all have been, or after some time: then a destroy has not
// returned, and the others do not follow.
func (s *Server) destroyPlugins(within time.Duration) {
	busy := make(map[string]bool)
	for _, u := range s.uses {
		if u.live.Load() > 0 && !busy[u.file] {
			busy[u.file] = true
			s.log.printf("websocket", httpdconf.LevelWarn, "", "a callback of plugin %s has not returned: its destroy is not called", u.file)
		}
	}
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for _, ref := range inUse(s.cfg, s.plugins) {
		if busy[ref.File] {
			continue
		}
		done := make(chan struct{})
		go func() {
			defer close(done) // also where the plugin ends the goroutine
			s.destroy(s.uses[ref])
		}()
		select {
		case <-done:
		case <-timeout.C:
			s.log.printf("websocket", httpdconf.LevelError, "", "destroy of %s has not returned", describePlugin(ref))
			return
		}
	}
}

func (s *Server) destroy(u *pluginUse) {
	at := s.noteDestroy(u)
	defer s.calls.page.Leave(at)
	s.loader.Destroy([]wsplugin.Plugin{u.Plugin})
}
