package eventloop

// #include "monitor.h"
import "C"

// ThreadID tells the threads of this process apart, also those of C; it is
// never 0. It costs a call of C and no system call.
func ThreadID() int64 { return int64(C.wshttpd_thread()) }
