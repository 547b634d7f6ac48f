// Package supervise is the outer side of the process: its command line, its
// pid file and its signals. It parses no network input and loads no plugin.
//
// A master, which stays root, stands for httpd's parent: it has the pid file,
// the signals and the listening sockets. Workers, which are this program
// executed again, serve:
//
//	wshttpd -k start           reads the configuration, waits, returns 0 or 1
//	  `-- wshttpd              the master, detached (-DFOREGROUND: the first process)
//	        |-- wshttpd        a worker, as User and Group
//	        `-- wshttpd        one of an older configuration, with its WebSockets
//
// A worker tells its master by a byte in a pipe that it serves, or that another
// should; in memory that they share it notes which callbacks of plugins it is
// inside of (callpage), so that the master can say what has ended it.
//
// With -X one process is all of it; USR1 and HUP then check the configuration,
// say what they found, and change nothing.
package supervise
