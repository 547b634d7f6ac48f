package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wshttpd/wshttpd/bench/load"
)

// fileSizes are those of the files that the cells of HTTP ask for.
var fileSizes = []int{1 << 10, 64 << 10}

// fileName is the name of the file of a size.
func fileName(size int) string { return fmt.Sprintf("file-%d", size) }

// writeFiles makes the folder of these files, for a server that runs as another
// user too.
func writeFiles(dir string) error {
	docs := filepath.Join(dir, "docs")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(docs, 0o755)); err != nil {
		return err
	}
	for _, size := range fileSizes {
		if err := os.WriteFile(filepath.Join(docs, fileName(size)), load.File(size), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeHTTPDConfig writes the configuration of Debian's httpd and returns its
// name.
func writeHTTPDConfig(dir, addr string) (string, error) {
	text := fmt.Sprintf(`ServerRoot /usr/lib/apache2
Listen %s
ServerName localhost
PidFile %q
ErrorLog %q
LogLevel warn
DocumentRoot %q
MaxKeepAliveRequests 0
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
User nobody
Group nogroup
`, addr, filepath.Join(dir, "apache2.pid"), filepath.Join(dir, "apache2.error.log"), filepath.Join(dir, "docs"))
	name := filepath.Join(dir, "apache2.conf")
	return name, os.WriteFile(name, []byte(text), 0o644)
}

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
DocumentRoot %q
MaxKeepAliveRequests 0
LoadModule websocket_module         modules/mod_websocket.so
LoadModule websocket_draft76_module modules/mod_websocket_draft76.so
`, addr, filepath.Join(dir, "httpd.pid"), filepath.Join(dir, "error.log"), filepath.Join(dir, "docs"))
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
