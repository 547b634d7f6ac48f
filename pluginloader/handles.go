package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// handle is a connection as C plugins know it: a structure in C memory whose
// state holds the slot's number and its generation, which changes with each
// connection:
//
//	state:  generation (32 bits) | slot number + 1 (32 bits)
type handle struct {
	memory *C.wshttpd_slot
	number uint32 // of the slot

	mu         sync.RWMutex
	generation uint32        // guarded by mu; 0 before the first connection
	conn       wsplugin.Conn // guarded by mu; nil when the connection is over
	session    *cSession     // guarded by mu; nil with conn

	lending  sync.Mutex
	lent     map[string]*C.char // strings lent to the plugin; guarded by lending
	request  *C.request_rec     // once the plugin has asked for it; guarded by lending
	answered bool               // on_connect has returned; guarded by lending
	began    time.Time          // of the present connection, before on_connect

	timers timers // that the plugin has set

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

// handles is the table of this process: C functions have no receiver, so that
// it cannot be a Loader's.
var handles handleTable

// state is what the structure holds for the present connection. mu is held.
func (h *handle) state() uint64 { return uint64(h.generation)<<32 | uint64(h.number) + 1 }

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
	h.conn, h.answered, h.began = c, false, time.Now()
	state := h.state()
	h.mu.Unlock()
	h.timers.reset()
	host, _, err := net.SplitHostPort(c.RemoteAddr())
	if err != nil {
		host = c.RemoteAddr()
	}
	C.wshttpd_slot_set(h.memory, C.uint64_t(state), (*C.char)(unsafe.Pointer(unsafe.StringData(host))), C.size_t(len(host)))
	return h
}

// grow makes a block of new slots and puts them in front of those that rest.
// mu is held.
func (t *handleTable) grow() {
	memory := C.wshttpd_slots_new(blockSize)
	if memory == nil {
		panic("out of memory for the structures of C plugins")
	}
	block := unsafe.Slice(memory, blockSize)
	var slots []*handle
	if old := t.slots.Load(); old != nil {
		slots = append(slots, *old...)
	}
	fresh := make([]*handle, blockSize)
	for i := range fresh {
		fresh[i] = &handle{memory: &block[i], number: uint32(len(slots) + i)}
	}
	slots = append(slots, fresh...)
	t.slots.Store(&slots)
	t.free = append(fresh, t.free...)
}

// release takes the connection away: the structure stays readable, and its
// functions do nothing from here on.
func (t *handleTable) release(h *handle) {
	C.wshttpd_slot_set(h.memory, 0, nil, 0)
	h.mu.Lock()
	h.conn, h.session = nil, nil
	h.mu.Unlock()
	h.lending.Lock()
	for _, s := range h.lent {
		C.free(unsafe.Pointer(s))
	}
	h.lent = nil
	if h.request != nil {
		C.wshttpd_pool_destroy(h.request.pool)
		h.request = nil
	}
	h.lending.Unlock()
	t.mu.Lock()
	h.freed = time.Now()
	t.free = append(t.free, h)
	t.mu.Unlock()
}

// find returns the handle and the connection that a structure's state names,
// nil where that is over.
func (t *handleTable) find(state uint64) (*handle, wsplugin.Conn) {
	slots := t.slots.Load()
	number := uint32(state) - 1
	if slots == nil || int(number) >= len(*slots) {
		return nil, nil
	}
	h := (*slots)[number]
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.state() != state {
		return nil, nil
	}
	return h, h.conn
}

// lend returns a C string that stays at one address until the connection is
// over; key names what it is.
func (h *handle) lend(state uint64, key, value string) *C.char {
	h.lending.Lock()
	defer h.lending.Unlock()
	if s := h.lent[key]; s != nil {
		return s
	}
	if !h.isLive(state) {
		return nil
	}
	if h.lent == nil {
		h.lent = make(map[string]*C.char)
	}
	s := C.CString(value)
	h.lent[key] = s
	return s
}

// isLive reports whether the connection that a state names is not over: release
// may have come first, which gives up what is lent once it has taken the
// connection away. lending is held.
func (h *handle) isLive(state uint64) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.conn != nil && h.state() == state
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
	value, present := lookup(conn, name)
	if !present {
		return nil
	}
	return h.lend(uint64(state), "header "+strings.ToLower(name), value)
}

func lookup(conn wsplugin.Conn, name string) (value string, present bool) {
	if l, ok := conn.(headerLooker); ok {
		return l.LookupHeader(name)
	}
	value = conn.Header(name)
	return value, value != ""
}

//export wshttpd_go_header_set
func wshttpd_go_header_set(state C.uint64_t, key, value *C.char) {
	h, conn := handles.find(uint64(state))
	if conn != nil && !h.setOut(uint64(state), key, value) {
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

// maxPayload is more than any memory holds. A plugin that passes -1 as a size
// must not end the process.
const maxPayload = 1 << 40

//export wshttpd_go_send
func wshttpd_go_send(state C.uint64_t, t C.int, buffer *C.uchar, size C.size_t) C.size_t {
	_, conn := handles.find(uint64(state))
	if conn == nil || uint64(size) > maxPayload {
		return 0
	}
	payload := unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(size))
	return C.size_t(conn.Send(wsplugin.MessageType(t), payload))
}

//export wshttpd_go_send_gathered
func wshttpd_go_send_gathered(state C.uint64_t, records *C.uchar, size C.size_t) {
	_, conn := handles.find(uint64(state))
	if g, gathers := conn.(gatherer); gathers {
		g.SendAll(unsafe.Slice((*byte)(unsafe.Pointer(records)), int(size)), true)
	}
}

//export wshttpd_go_close
func wshttpd_go_close(state C.uint64_t) {
	if _, conn := handles.find(uint64(state)); conn != nil {
		conn.Close()
	}
}
