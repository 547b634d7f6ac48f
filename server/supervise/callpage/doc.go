// Package callpage is memory in which a worker notes which callbacks of plugins
// it is inside of, and which its master, who shares it, reads once the worker
// has died (plugins.md, section 5.1). It knows no plugin and no connection.
//
//	┌ header ─┬ slot 0 ─┬ slot 1 ─┬ … ─┬ names ──────────────────────────┐
//	│         │ word    │         │    │ length, "FILE (INIT) at <Loc…>" │
//	│ orderly,│ serial  │         │    │ length, …                       │
//	│ open    │ client  │         │    │                                 │
//	└─────────┴─────────┴─────────┴────┴─────────────────────────────────┘
//
// A slot is one call under way. Who calls takes one with Enter and gives it back
// with Leave; that is a handful of stores and no lock. What is called stands in
// the names, once for each plugin.
//
// The reader trusts nothing: whatever the bytes are, Calls returns a bounded
// list of what can be made of them. Texts are as they were written and have to
// be escaped by who prints them.
package callpage
