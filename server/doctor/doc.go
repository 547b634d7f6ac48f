// Package doctor says what becomes of a configuration, and of one request under
// it: wshttpd -t --report and wshttpd explain. It has no rules of its own. What
// becomes of a directive is what httpdconf has done with it, what a plugin
// needs is what pluginloader finds, and how a request is answered is what
// server decides while it answers it. This package asks them, and prints what
// they say as text or as JSON.
//
// The text has a record a line, which begins with what kind of record it is,
// and further lines of it are indented: grep ^changes finds what differs. The
// JSON has the same and more; its fields are those of Report and Explanation,
// and a field that is there stays.
package doctor
