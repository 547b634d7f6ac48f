package runner

import (
	"fmt"
	"os"
	"path/filepath"
)

// location is a WebSocket of the server under test.
type location struct {
	path, module, init string
}

// writeConfig writes the httpd.conf of the server under test into dir and
// returns its name. Limits and checks are the defaults.
func writeConfig(dir, addr string, locations []location) (string, error) {
	text := fmt.Appendf(nil, `Listen %s
ServerName localhost
PidFile %q
ErrorLog %q
LogLevel warn
LoadModule websocket_module         modules/mod_websocket.so
LoadModule websocket_draft76_module modules/mod_websocket_draft76.so
`, addr, filepath.Join(dir, "httpd.pid"), filepath.Join(dir, "error.log"))
	for _, l := range locations {
		text = fmt.Appendf(text, `
<Location %s>
    SetHandler websocket-handler
    WebSocketHandler %q %s
</Location>
`, l.path, l.module, l.init)
	}
	name := filepath.Join(dir, "httpd.conf")
	return name, os.WriteFile(name, text, 0o644)
}
