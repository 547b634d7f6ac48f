package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"unsafe"
)

// apacheProcess is what plugins find of httpd in the process beside their own
// connections: the servers, and where records go that belong to none.
type apacheProcess struct {
	mu      sync.Mutex
	log     func(level int, format string, args ...any) // of the last Loader; guarded by mu
	hosts   []Host                                      // the main one first; guarded by mu
	servers map[any]*C.server_rec                       // by Key of the hosts; guarded by mu
	process *C.process_rec                              // written once, with the first of servers

	names atomic.Pointer[[]string] // of modules in the log
	asked atomic.Pointer[Reading]  // what modules may ask of the configuration

	modulesMu   sync.Mutex // held while a module's functions run on the configuration
	modules     []*Module  // by module_index; this and what follows guarded by modulesMu
	registering *Module
	known       map[*C.ap_conf_vector_t]*Records
	merged      map[[2]*Records]*Records
	tree        nodes
	temp        *C.apr_pool_t // of the configuration that is being read, nil for none
	running     []running     // the innermost last

	runner atomic.Int64 // the thread of running, 0 for none
}

// apache is that of this process: C functions have no receiver, so that it
// cannot be a Loader's.
var apache apacheProcess

// SetHosts tells what the servers are, the main one first. It is called before
// the first connection; records of plugins went to the Loader's log so far.
func (l *Loader) SetHosts(hosts []Host) {
	apache.mu.Lock()
	apache.hosts = hosts
	if C.wshttpd_apr_is_open() == 0 {
		apache.mu.Unlock()
		return
	}
	apache.fill()
	main := apache.servers[nil]
	var virtual []*C.server_rec
	for _, host := range hosts {
		if host.Key != nil {
			virtual = append(virtual, apache.servers[host.Key])
		}
	}
	apache.mu.Unlock() // a module may log
	apache.mergeServers(main, virtual)
	apache.endReading()
	C.wshttpd_set_running()
}

// server returns the server_rec of the host with this key. APR is open.
func (a *apacheProcess) server(key any) *C.server_rec {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.servers == nil {
		a.fill()
	}
	return a.newServer(key)
}

// newServer returns the server_rec of a host, which is made where there is none
// yet. mu is held.
func (a *apacheProcess) newServer(key any) *C.server_rec {
	if s := a.servers[key]; s != nil {
		return s
	}
	m := maker{C.wshttpd_root_pool()}
	s := (*C.server_rec)(m.zeros(C.sizeof_server_rec))
	s.process = a.process
	s.log.level = levelWarn
	s.module_config, s.lookup_defaults = m.vector(), m.vector()
	if key != nil {
		s.is_virtual = 1
	}
	a.servers[key] = s
	return s
}

// fill makes the server_recs, which stay for as long as the process, and fills
// them with what is known of the hosts. mu is held.
func (a *apacheProcess) fill() {
	m := maker{C.wshttpd_root_pool()}
	if a.process == nil {
		a.process = (*C.process_rec)(m.zeros(C.sizeof_process_rec))
		a.process.pool, a.process.pconf = m.pool, C.wshttpd_pool_new(m.pool)
		a.process.short_name = m.text("wshttpd")
	}
	if a.servers == nil {
		a.servers = make(map[any]*C.server_rec)
	}
	last := a.newServer(nil)
	C.ap_server_conf = last
	for _, host := range a.hosts {
		s := a.newServer(host.Key)
		m.host(s, &host)
		if s != last {
			last.next = s
			last = s
		}
	}
}

// host fills a server_rec.
func (m maker) host(s *C.server_rec, host *Host) {
	s.log = *m.levels(host.Level)
	s.defn_name, s.defn_line_number = m.optional(host.File), C.uint(host.Line)
	s.port = C.uint16_t(host.Port)
	s.server_admin, s.server_hostname = m.text(host.Admin), m.text(host.Name)
	s.timeout = C.int64_t(host.Timeout.Microseconds())
}

// levels makes what the macros in front of the log functions look at.
func (m maker) levels(level func(module string) int) *C.struct_ap_logconf {
	l := (*C.struct_ap_logconf)(m.zeros(C.sizeof_struct_ap_logconf))
	l.level = C.int(level(noModule))
	if names := apache.names.Load(); names != nil {
		own := unsafe.Slice((*C.schar)(m.zeros(maxModules)), maxModules)
		for i, name := range *names {
			own[i] = C.schar(level(name))
		}
		l.module_levels = &own[0]
	}
	return l
}

// maxModules bounds the modules that plugins bring along.
const maxModules = int(C.WSHTTPD_MODULES)

// vector makes an array of configuration records.
func (m maker) vector() *C.ap_conf_vector_t { return C.ap_create_per_dir_config(m.pool) }

// noModule stands for the module of a record that names none.
const noModule = ""

// levelMask has a record's level, beside flags.
const levelMask = 15

//export wshttpd_go_log
func wshttpd_go_log(r *C.wshttpd_record) {
	level, module := int(r.level)&levelMask, moduleName(int(r.module_index))
	text, origin := C.GoString(r.text), Origin{Status: C.GoString(r.status)}
	if r.file != nil {
		origin.Source = fmt.Sprintf("%s(%d)", path.Base(C.GoString(r.file)), int(r.line))
	}
	if r.handle != 0 {
		if _, conn := handles.find(uint64(r.handle)); conn != nil {
			if known, ok := conn.(requester); ok {
				known.LogAs(module, level, origin, text, r.of_request != 0)
				return
			}
		}
	}
	apache.record(r.server, module, level, origin, text)
}

// record writes a record of a server, the main one where it is NULL.
func (a *apacheProcess) record(server *C.server_rec, module string, level int, origin Origin, text string) {
	a.mu.Lock()
	log, host := a.log, a.hostOf(server)
	a.mu.Unlock()
	switch {
	case host != nil:
		host.Log(module, level, origin, text)
	case log != nil:
		if origin.Status != "" {
			text = origin.Status + ": " + text
		}
		log(level, "%s", text)
	}
}

// keyOf returns the key of a server_rec, nil of one that is unknown.
func (a *apacheProcess) keyOf(server *C.server_rec) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.servers {
		if s == server {
			return key
		}
	}
	return nil
}

// hostOf returns the host of a server_rec, nil while none is known. mu is held.
func (a *apacheProcess) hostOf(server *C.server_rec) *Host {
	if len(a.hosts) == 0 {
		return nil
	}
	for i := range a.hosts {
		if a.servers[a.hosts[i].Key] == server {
			return &a.hosts[i]
		}
	}
	return &a.hosts[0]
}

// moduleName is what records call the module with an index.
func moduleName(index int) string {
	names := apache.names.Load()
	if names == nil || index < 0 || index >= len(*names) {
		return noModule
	}
	return (*names)[index]
}
