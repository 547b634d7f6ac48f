// Package eventloop moves bytes between sockets and handlers. It knows
// sockets and buffers, and neither protocols nor plugins.
//
// A Conn is driven by a loop (Group, Loop.New), or by the goroutine that calls
// its Run: where there is no epoll, and for connections that a goroutine has
// already. Both read once into a buffer that is shared by many connections, or
// into the Space that the handler offers, and lend what was read.
//
//	readable ──▶ Space(), read once ──▶ OnData(p)    p lent until it returns
//	Interrupt ────────────────────────▶ OnData(nil)
//	EOF, error, Close ────────────────▶ OnClose(err) once
//	NotifyWritable, then writable ────▶ OnWritable()
//
// # Loops
//
// A loop is epoll, level-triggered, run by one worker at a time: a goroutine
// locked to its thread, so that system calls which cannot wait go past Go's
// scheduler. Callbacks run in it, and may block:
//
//	callback sleeps ──▶ the monitor (monitor.c) marks the loop as stolen ──▶ a spare worker goes on with it;
//	                    the other keeps its connection until the callback returns
//	known to block  ──▶ the connection is called on a goroutine, until enough calls were brief
//	callback burns  ──▶ it stays in the loop for up to a second; its connection moves to the slow lane
//
// # Who may call what
//
// OnData and OnClose are never called at the same time, nor from a place where
// the other cannot see what it did. OnWritable comes from elsewhere and may
// overlap with them; so may OnRelease. All methods of Conn but Run, Start,
// Leave and SetHandler may be called from any goroutine and at any time, also
// after Close.
//
// # Locks
//
// Conn.mu comes before Loop.mu; no callback runs while one of them is held.
package eventloop
