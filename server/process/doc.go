// Package process is the life of a process of this program, from the command
// line to the exit status. It joins two rooms that do not know each other:
// supervise, which has the master, its workers and their signals, and server,
// which serves and loads plugins. It holds the order of the steps, which is
// httpd's, and nothing that happens in one of them.
//
// Each process is the same binary with the same command line. What it is it
// learns from who has executed it:
//
//	who         reads the configuration            loads plugins   then
//	the first   and says what there is to say      with -X         -t: has a check done · -k: a signal · else: has a master start
//	a check     and says what is wrong             yes             says so, ends
//	a master    anew at each USR1 and HUP          no              has workers serve
//	a worker    and says what is wrong             yes             serves
//
// With -X the first serves; with -DFOREGROUND it is the master.
package process
