package pluginloader

// #include "cplugin.h"
import "C"

import "time"

// exitTime bounds what plugins do at the end of the process.
const exitTime = 2 * time.Second

// Exit ends the process through C's exit, so that the atexit functions and
// destructors of plugins run, which os.Exit leaves out. Where they hang it
// ends without them.
func Exit(code int) {
	ExitAfter(code, exitTime)
	C.wshttpd_exit(C.int(code))
}

// ExitAfter ends the process when a time has passed, unless it has ended by
// then, whatever runs in it; nothing of a plugin's is called.
func ExitAfter(code int, d time.Duration) {
	time.AfterFunc(d, func() { C.wshttpd_exit_now(C.int(code)) })
}

// NoteSignals notes how signals are handled. What a plugin changes after it is
// put right. Call it once the server has set its own handling up; New does so
// for a process that never does.
func NoteSignals() { C.wshttpd_signals_note() }
