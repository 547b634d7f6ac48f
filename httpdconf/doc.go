// Package httpdconf reads an httpd.conf and says what it means: a Config of
// plain data. It opens no socket, loads no module and no plugin.
//
//	file ─▶ syntax ─▶ read.go: Define, Include, LoadModule, IfModule ...   first pass
//	                     └─▶ tree ─▶ command.go: a row per directive        second pass
//	                                    └─▶ records of sections ─▶ Config
//
// The first pass runs what httpd runs while it reads; the second looks every
// other name up, checks where it stands and how many arguments it has, and
// calls the row's function (httpd 2.4 server/config.c, ap_build_config and
// ap_walk_config). All errors are reported, in httpd's words; WriteDiagnostics
// prints them.
//
// For one request the sections that match are merged in this order, later over
// earlier (httpd 2.4 server/request.c):
//
//	Directory, shortest path first   ─┐
//	DirectoryMatch                    │  in each step the main server's
//	Files and FilesMatch              │  sections before the virtual host's
//	Location and LocationMatch       ─┘
package httpdconf
