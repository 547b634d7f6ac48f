package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// handle is a connection as C plugins know it: a structure in C memory whose
// state holds the slot's number and generation.
type handle struct {
	servers *C.wshttpd_server // the block that the structure stands in
	index   int               // in the block

	slot uint32

	mu         sync.RWMutex
	generation uint32        // guarded by mu; 0 before the first connection
	conn       wsplugin.Conn // guarded by mu; nil when the connection is over

	strings sync.Mutex
	lent    map[string]*C.char // strings lent to the plugin; guarded by strings

	freed time.Time // guarded by handleTable.mu
}

// handleTable knows all handles. A slot is used again only once it has been
// free for a minute, or many others have been freed after it: a pointer that a
// plugin kept must not meet another connection.
type handleTable struct {
	slots atomic.Pointer[[]*handle] // by slot number; grows

	mu   sync.Mutex
	free []*handle // in the order in which they were freed; guarded by mu
}

const (
	blockSize   = 256 // structures allocated at once
	restingTime = time.Minute
	restingMany = 65536
)

// handles is the table of this process, as the process has one C heap.
var handles handleTable

// take gives a connection a handle.
func (t *handleTable) take(c wsplugin.Conn) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) == 0 || len(t.free) <= restingMany && time.Since(t.free[0].freed) < restingTime {
		t.grow()
	}
	h := t.free[0]
	t.free[0] = nil
	t.free = t.free[1:]
	h.mu.Lock()
	h.generation++
	h.conn = c
	state := uint64(h.generation)<<32 | uint64(h.slot) + 1
	h.mu.Unlock()
	C.wshttpd_server_set(h.servers, C.size_t(h.index), C.uint64_t(state))
	return h
}

// grow makes a block of new slots and puts them in front of those that rest.
// mu is held.
func (t *handleTable) grow() {
	servers := C.wshttpd_servers_new(blockSize)
	if servers == nil {
		panic("out of memory for the structures of C plugins")
	}
	var slots []*handle
	if old := t.slots.Load(); old != nil {
		slots = append(slots, *old...)
	}
	fresh := make([]*handle, blockSize)
	for i := range fresh {
		fresh[i] = &handle{servers: servers, index: i, slot: uint32(len(slots) + i)}
	}
	slots = append(slots, fresh...)
	t.slots.Store(&slots)
	t.free = append(fresh, t.free...)
}

// release takes the connection away: the structure stays readable, and its
// functions do nothing from here on.
func (t *handleTable) release(h *handle) {
	C.wshttpd_server_set(h.servers, C.size_t(h.index), 0)
	h.mu.Lock()
	h.conn = nil
	h.mu.Unlock()
	h.strings.Lock()
	for _, s := range h.lent {
		C.free(unsafe.Pointer(s))
	}
	h.lent = nil
	h.strings.Unlock()
	t.mu.Lock()
	h.freed = time.Now()
	t.free = append(t.free, h)
	t.mu.Unlock()
}

// find returns the handle and the connection that a structure's state names,
// nil where that is over.
func (t *handleTable) find(state uint64) (*handle, wsplugin.Conn) {
	slots := t.slots.Load()
	slot := uint32(state) - 1
	if slots == nil || int(slot) >= len(*slots) {
		return nil, nil
	}
	h := (*slots)[slot]
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.generation != uint32(state>>32) {
		return nil, nil
	}
	return h, h.conn
}

// lend returns a C string that stays at one address until the connection is
// over; key names what it is.
func (h *handle) lend(state uint64, key, value string) *C.char {
	h.strings.Lock()
	defer h.strings.Unlock()
	if s := h.lent[key]; s != nil {
		return s
	}
	// release may have come first: it empties what is lent under this lock,
	// after it has taken the connection away.
	h.mu.RLock()
	live := h.conn != nil && h.generation == uint32(state>>32)
	h.mu.RUnlock()
	if !live {
		return nil
	}
	if h.lent == nil {
		h.lent = make(map[string]*C.char)
	}
	s := C.CString(value)
	h.lent[key] = s
	return s
}

// headerLooker is what a connection has that tells an absent header field from
// an empty one.
type headerLooker interface {
	LookupHeader(name string) (value string, present bool)
}

//export wshttpd_go_header_get
func wshttpd_go_header_get(state C.uint64_t, key *C.char) *C.char {
	h, conn := handles.find(uint64(state))
	if conn == nil {
		return nil
	}
	name := C.GoString(key)
	value := conn.Header(name)
	present := value != ""
	if l, ok := conn.(headerLooker); ok {
		value, present = l.LookupHeader(name)
	}
	if !present {
		return nil
	}
	return h.lend(uint64(state), "header "+fold(name)+" "+name, value)
}

//export wshttpd_go_header_set
func wshttpd_go_header_set(state C.uint64_t, key, value *C.char) {
	if _, conn := handles.find(uint64(state)); conn != nil {
		conn.SetHeader(C.GoString(key), C.GoString(value))
	}
}

//export wshttpd_go_protocol_count
func wshttpd_go_protocol_count(state C.uint64_t) C.size_t {
	if _, conn := handles.find(uint64(state)); conn != nil {
		return C.size_t(len(conn.Protocols()))
	}
	return 0
}

//export wshttpd_go_protocol_index
func wshttpd_go_protocol_index(state C.uint64_t, index C.size_t) *C.char {
	h, conn := handles.find(uint64(state))
	if conn == nil {
		return nil
	}
	protocols := conn.Protocols()
	if uint64(index) >= uint64(len(protocols)) {
		return nil
	}
	return h.lend(uint64(state), "protocol "+protocols[index], protocols[index])
}

//export wshttpd_go_protocol_set
func wshttpd_go_protocol_set(state C.uint64_t, protocol *C.char) {
	if _, conn := handles.find(uint64(state)); conn != nil {
		conn.SetProtocol(C.GoString(protocol))
	}
}

//export wshttpd_go_send
func wshttpd_go_send(state C.uint64_t, t C.int, buffer *C.uchar, size C.size_t) C.size_t {
	_, conn := handles.find(uint64(state))
	if conn == nil {
		return 0
	}
	payload := unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(size))
	return C.size_t(conn.Send(wsplugin.MessageType(t), payload))
}

//export wshttpd_go_close
func wshttpd_go_close(state C.uint64_t) {
	if _, conn := handles.find(uint64(state)); conn != nil {
		conn.Close()
	}
}
