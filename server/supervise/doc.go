// Package supervise is the outer side of the process: its command line, its
// pid file and its signals. It parses no network input and loads no plugin.
//
// One process in the foreground stands for httpd's parent and children, so
// that a graceful restart (USR1, HUP) checks the configuration, says what it
// found, and changes nothing.
package supervise
