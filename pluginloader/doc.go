// Package pluginloader makes a wsplugin.Plugin of what a WebSocketHandler line
// names: a Go plugin, or a shared object in C with the interface of
// apache-websocket. It deals in sessions and messages, and knows neither
// frames nor requests nor the configuration.
//
//	FILE ──kind.go──▶ Go plugin ──plugin.Open──▶ EchoInit() ──▶ wsplugin.Plugin
//	              ├─▶ C library ──dlopen───────▶ echo_init() ──▶ cPlugin
//	              └─▶ refused, before anything is opened
//
// # Memory across the border
//
// A C plugin never gets a Go pointer that it could keep. The WebSocketServer
// that it gets lives in C memory for as long as the process; its state holds a
// slot number and a generation, which every function looks up: a structure
// that was kept after on_disconnect meets nobody. Strings handed to C live in C
// memory, at one address for each, until on_disconnect has returned. A message
// is lent as a copy with 64 zero bytes behind it, until on_message returns.
// Strings and payloads that C hands over are used during the call only. What
// an init function returns stays the plugin's, and is read as long as the
// process lives.
//
// # What Apache has
//
// Plugins compiled for httpd may use APR, and look at the request_rec of the
// handshake. libapr is opened, not linked (apr.c), so that it need not be
// there; apache.h lays httpd's structures out, and requestrec.go fills them at
// the first call of request, in a pool of APR's that ends with the connection.
// The functions of httpd that plugins call stand under their own names in
// files that begin with "ap", one for each theme: the executable exports them.
//
// A library may be a module of httpd too (module.go). Its directives join the
// tables of the configuration (directive.go), its functions make and merge
// records (records.go), and the request_rec holds those of its path. What
// records are made of lives in a pool that lasts as long as the process,
// apacheProcess.modulesMu being held while a module's functions run; no lock
// of the log is, since they may write to it. A function that has the directives
// of its section run, or reads on in the file, comes back here (reading.go): the
// lock is given up for that time, as further functions run then.
//
// # Threads
//
// Callbacks are made on the caller's goroutine; inside C one holds a thread of
// the operating system. Functions of the server may be called from any thread,
// those that a plugin has made included. Init functions of C run on the
// goroutine that called Load, one at a time; those of Go on one of their own,
// which they may even end.
//
// No lock is held while a callback runs. Loader.mu comes before
// handleTable.mu, that before handle.lending, that before apacheProcess.mu and
// handle.mu.
//
// Libraries are never unloaded: Go code cannot be, and a C library may have
// left threads behind.
package pluginloader
