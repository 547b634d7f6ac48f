// Package logsink writes log records to where ErrorLog and CustomLog say: to a
// file, to a program, to syslog. It knows no format and no level but syslog's
// priority, and nothing of requests.
//
//	            ┌─ a file: written at once
//	Write ──────┤
//	            └─ all that may stall: queue of 1 MiB ─▶ goroutine ─┬─▶ pipe ─▶ program, started again when it ends
//	                                                                └─▶ /dev/log, a datagram a record
//
// What a sink does not take it drops and counts, and says so once it takes
// records again: whoever logs never waits for who reads. Records are borrowed
// until Write returns.
package logsink
