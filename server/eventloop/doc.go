// Package eventloop moves bytes between sockets and handlers. It knows
// sockets and buffers, and neither protocols nor plugins.
//
// A Conn is driven by the goroutine that calls its Run: it waits until the
// socket is readable, reads once into a buffer from a pool, and lends what it
// read to Handler.OnData. While a connection is idle it holds no buffer.
//
//	Run ──readable──▶ read once ──▶ OnData(p)     p lent until it returns
//	    ──Interrupt──────────────▶ OnData(nil)    from its own goroutine
//	    ──EOF, error─────────────▶ OnClose(err)   once, then Run returns
//	NotifyWritable ──writable────▶ OnWritable()   on a goroutine of its own
//
// # Who may call what
//
// OnData and OnClose are called from one goroutine, never at the same time.
// OnWritable comes from another and may overlap with them. All methods of Conn
// but Run may be called from any goroutine and at any time, also after Close.
package eventloop
