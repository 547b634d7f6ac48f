package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

// Records are what modules keep of a section, or of a server outside of
// sections. They last as long as the process.
type Records struct{ vector *C.ap_conf_vector_t }

// MainRecords are those of the main server, nil where no module is loaded.
func (l *Loader) MainRecords() *Records {
	a := &apache
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	if len(a.modules) == 0 {
		return nil
	}
	return a.recordsOf(a.server(nil).lookup_defaults)
}

// recordsOf returns the one Records of a vector. modulesMu is held.
func (a *apacheProcess) recordsOf(vector *C.ap_conf_vector_t) *Records {
	if a.known == nil {
		a.known = make(map[*C.ap_conf_vector_t]*Records)
	}
	if a.known[vector] == nil {
		a.known[vector] = &Records{vector}
	}
	return a.known[vector]
}

// MergeRecords returns what the records of a path come to that over covers too,
// behind base; either may be nil. The same two always come to the same.
func MergeRecords(base, over *Records) *Records {
	if base == nil || over == nil {
		if over == nil {
			return base
		}
		return over
	}
	a := &apache
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	if m := a.merged[[2]*Records{base, over}]; m != nil {
		return m
	}
	m := maker{a.configPool()}
	result := a.recordsOf(m.vector())
	for _, module := range a.modules {
		C.wshttpd_module_merge_dir(module.structure, m.pool, result.vector, base.vector, over.vector)
	}
	if a.merged == nil {
		a.merged = make(map[[2]*Records]*Records)
	}
	a.merged[[2]*Records{base, over}] = result
	return result
}

// mergeServers gives the virtual hosts what they inherit from the main server.
func (a *apacheProcess) mergeServers(main *C.server_rec, hosts []*C.server_rec) {
	a.modulesMu.Lock()
	defer a.modulesMu.Unlock()
	for _, s := range hosts {
		for _, m := range a.modules {
			C.wshttpd_module_merge_server(m.structure, a.configPool(), main, s)
		}
	}
}
