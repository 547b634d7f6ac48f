package pluginloader

// #include "cplugin.h"
import "C"

import (
	"fmt"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// exitTime bounds what plugins do at the end of the process.
const exitTime = 2 * time.Second

// Exit ends the process through C's exit, so that the atexit functions and
// destructors of plugins run, which os.Exit leaves out. Where they hang it
// ends without them.
func Exit(code int) {
	time.AfterFunc(exitTime, func() { C.wshttpd_exit_now(C.int(code)) })
	C.wshttpd_exit(C.int(code))
}

// NoteSignals notes how signals are handled. What a plugin changes after it is
// put right. Call it once the server has set its own handling up; New does so
// for a process that never does.
func NoteSignals() { C.wshttpd_signals_note() }

// Describe says what kind of plugin p is, and where it comes from, for logs.
func Describe(p wsplugin.Plugin) string {
	if c, ok := p.(*cPlugin); ok {
		return "C plugin " + c.path
	}
	return fmt.Sprintf("Go plugin %T", p)
}
