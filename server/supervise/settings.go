package supervise

import (
	"fmt"
	"io"
	"runtime"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// Where the configuration is looked for unless -d and -f say otherwise.
const (
	DefaultRoot = "/etc/httpd"
	DefaultFile = "conf/httpd.conf"
)

// WriteVersion writes what httpd -v prints, and with build what -V adds;
// software and built describe this binary. Tools look for "threaded", and for
// the lines of HTTPD_ROOT and the like.
func WriteVersion(w io.Writer, software, built string, build bool) {
	fmt.Fprintf(w, "Server version: %s\nServer built:   %s\n", software, built)
	if !build {
		return
	}
	fmt.Fprintf(w, "Server's Module Magic Number: %s\n", httpdconf.ClaimedMagic)
	fmt.Fprintf(w, "Architecture:   %d-bit\nServer MPM:     event\n  threaded:     yes (fixed thread count)\n    forked:     no\n", 32<<(^uint(0)>>63))
	fmt.Fprintf(w, "Server compiled with....\n -D APR_HAS_SENDFILE\n -D APR_HAVE_IPV6 (IPv4-mapped addresses enabled)\n"+
		" -D AP_HAVE_RELIABLE_PIPED_LOGS\n -D HTTPD_ROOT=%q\n -D DEFAULT_PIDLOG=%q\n -D DEFAULT_ERRORLOG=%q\n"+
		" -D AP_TYPES_CONFIG_FILE=%q\n -D SERVER_CONFIG_FILE=%q\n -D GO_VERSION=%q\n",
		DefaultRoot, "run/httpd.pid", "logs/error_log", "conf/mime.types", DefaultFile, runtime.Version())
}
