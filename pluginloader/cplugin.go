package pluginloader

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// cLibrary is an opened C library.
type cLibrary struct {
	library unsafe.Pointer
	exports []string
}

// openC opens a C library for itself alone: two plugins may export the same
// names. If it needs what other plugins have, these are opened for all, and it
// is tried once more. mu is held.
func (l *Loader) openC(path string, k kind) (opened, *Error) {
	file := path
	if !strings.Contains(file, "/") { // else dlopen looks among the system's libraries
		file = "./" + file
	}
	C.wshttpd_apr_open() // what does not need it works without
	library, err := dlopen(file, local)
	if err != nil && l.promote(k.undefined) {
		library, err = dlopen(file, local)
	}
	if err != nil {
		text, remedy := k.whyNotBound(err.Error())
		return nil, &Error{sentenceOpen, fmt.Sprintf("%s: %s", path, text), remedy}
	}
	return &cLibrary{library, k.exports}, nil
}

// promote makes the libraries that define one of the symbols visible to all.
// It reports whether there are any. mu is held.
func (l *Loader) promote(symbols []string) bool {
	promoted := false
	for _, lib := range l.libraries {
		c, ok := lib.open.(*cLibrary)
		if !ok || !slices.ContainsFunc(symbols, func(s string) bool { return !isDefined(s, nil) && slices.Contains(c.exports, s) }) {
			continue
		}
		if _, err := dlopen(lib.path, promotion); err == nil {
			promoted = true
		}
	}
	return promoted
}

// Ways to open a library: for itself alone, for all that are opened later, and
// from the former to the latter.
const (
	local     = C.WSHTTPD_LOCAL
	global    = C.WSHTTPD_GLOBAL
	promotion = C.WSHTTPD_PROMOTE
)

func dlopen(path string, way C.int) (unsafe.Pointer, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var text *C.char
	library := C.wshttpd_open(name, way, &text)
	if library == nil {
		defer C.free(unsafe.Pointer(text))
		return nil, errors.New(C.GoString(text))
	}
	return library, nil
}

// whyNotBound lists all symbols and libraries that are missing, of which the
// dynamic linker names one.
func (k *kind) whyNotBound(linker string) (why, remedy string) {
	var libraries []unsafe.Pointer
	var lost []string
	for _, name := range k.needed {
		if library, err := dlopen(name, local); err == nil {
			libraries = append(libraries, library)
		} else {
			lost = append(lost, name)
		}
	}
	if len(lost) > 0 {
		return fmt.Sprintf("needs %s: not found", strings.Join(lost, ", ")), "install what contains it"
	}
	var missing []string
	for _, symbol := range k.undefined {
		if !isDefined(symbol, libraries) {
			missing = append(missing, symbol)
		}
	}
	switch {
	case len(missing) == 0:
		return linker, ""
	case len(missing) > 4:
		why = fmt.Sprintf("needs %s and %d more: no library has them", strings.Join(missing[:4], ", "), len(missing)-4)
	default:
		why = fmt.Sprintf("needs %s: no library has it", strings.Join(missing, ", "))
	}
	return why, remedyMissing(missing)
}

// remedyMissing says what to do about symbols that nobody has.
func remedyMissing(symbols []string) string {
	has := func(prefix string) bool {
		return slices.ContainsFunc(symbols, func(s string) bool { return strings.HasPrefix(s, prefix) })
	}
	switch {
	case has("apr_") && C.wshttpd_apr_is_open() == 0:
		return "libapr-1.so.0 was not found: install the packages libapr1 and libaprutil1"
	case has("apr_"):
		return "install the packages libapr1 and libaprutil1, or newer ones"
	case has("_Z"):
		return "it is C++ and was linked as C: link it by c++, or with -lstdc++"
	case has("ap_"):
		return "these are httpd's own, for what only httpd does: filters, phases, bodies and answers of requests; build the plugin without what calls them"
	}
	return ""
}

func isDefined(symbol string, libraries []unsafe.Pointer) bool {
	return findSymbol(symbol, libraries) != nil
}

// findSymbol returns where the process, or else one of the libraries, has a
// symbol; nil if none has.
func findSymbol(symbol string, libraries []unsafe.Pointer) unsafe.Pointer {
	name := C.CString(symbol)
	defer C.free(unsafe.Pointer(name))
	if address := C.wshttpd_defined(name); address != nil {
		return address
	}
	for _, library := range libraries {
		if address := C.wshttpd_symbol(library, name); address != nil {
			return address
		}
	}
	return nil
}

// init finds an init function, calls it, and checks what it returns before
// anything of it is used.
func (c *cLibrary) init(l *Loader, path, name, userConfig string) (wsplugin.Plugin, *Error) {
	var function unsafe.Pointer
	var found string
	for _, candidate := range initNames(name) {
		if function = c.symbol(candidate); function != nil {
			found = candidate
			break
		}
	}
	if function == nil {
		return nil, withoutInit(path, "symbol", initNames(name), c.exports)
	}
	refuse := func(why string) (wsplugin.Plugin, *Error) {
		return nil, &Error{sentenceResponse, fmt.Sprintf("%s: %s: %s", path, name, why), ""}
	}
	if found != name {
		l.log(levelInfo, "%s: %s stands for %s", path, found, name)
	}
	text := lasting.text(userConfig)
	p := C.wshttpd_init_call(function, text)
	switch {
	case p == nil:
		return refuse("returned NULL")
	case p.version != C.WEBSOCKET_PLUGIN_VERSION_0:
		return refuse(fmt.Sprintf("plugin version %d, known is %d", uint(p.version), C.WEBSOCKET_PLUGIN_VERSION_0))
	case p.size < C.sizeof_WebSocketPlugin:
		return refuse(fmt.Sprintf("size %d, need %d: built with another header?", uint(p.size), C.sizeof_WebSocketPlugin))
	case p.on_message == nil:
		return refuse("on_message is NULL")
	}
	C.wshttpd_on_start(p, text)
	return &cPlugin{structure: p, path: path, loader: l}, nil
}

func (c *cLibrary) symbol(name string) unsafe.Pointer {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	return C.wshttpd_symbol(c.library, cName)
}

// cPlugin is what an init function of a C library has returned.
type cPlugin struct {
	structure *C.WebSocketPlugin
	path      string
	loader    *Loader
	first     sync.Once // the first on_connect has returned
}

// callbackPadding is how many zero bytes stand behind a message.
const callbackPadding = 64

// MaxCallbacks bounds how many C callbacks run at once: each holds a thread,
// and the Go runtime ends the process beyond 10,000 of them.
const MaxCallbacks = int(C.WSHTTPD_MAX_THREADS)

// enter waits until another C callback may run, leave tells that it is over.
func (l *Loader) enter() {
	if l.tryEnter() {
		return
	}
	if !l.crowded.Swap(true) {
		l.log(levelWarn, "%d callbacks of C plugins run at once: others wait", MaxCallbacks)
	}
	l.room.L.Lock()
	defer l.room.L.Unlock()
	l.waiting.Add(1)
	for !l.tryEnter() {
		l.room.Wait()
	}
	l.waiting.Add(-1)
}

func (l *Loader) tryEnter() bool {
	for {
		n := l.running.Load()
		if int(n) >= MaxCallbacks {
			return false
		}
		if l.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *Loader) leave() {
	l.running.Add(-1)
	if l.waiting.Load() > 0 {
		l.room.L.Lock()
		l.room.Signal()
		l.room.L.Unlock()
	}
}

// pooledBuffer is the largest buffer in bytes that goes back to the pool.
const pooledBuffer = 64 << 10

// Connect asks the plugin (wsplugin.Plugin).
func (p *cPlugin) Connect(c wsplugin.Conn) wsplugin.Session {
	h := handles.take(c)
	s := &cSession{plugin: p, handle: h, conn: c}
	s.gather, _ = c.(gatherer)
	h.begin(s)
	if p.structure.on_connect != nil {
		p.loader.enter()
		s.private = C.wshttpd_on_connect(p.structure, h.memory)
		p.loader.leave()
		p.first.Do(func() { p.loader.mendSignals(p.path) })
		if s.private == 0 {
			h.timers.end()
			handles.release(h)
			return nil
		}
	}
	h.adopt(c)
	if C.wshttpd_has_idle(p.structure) != 0 {
		s.idle = s.beginIdle()
	}
	s.accepted.Store(true)
	h.timers.begin()
	return s
}

// Destroy tells the plugin that the server ends (wsplugin.Destroyer).
func (p *cPlugin) Destroy() { C.wshttpd_destroy(p.structure) }

// cSession is one connection inside a C plugin.
type cSession struct {
	plugin  *cPlugin
	handle  *handle
	private C.uintptr_t // the plugin's own pointer, of which Go makes nothing
	conn    wsplugin.Conn
	gather  gatherer // conn, if it is such

	accepted atomic.Bool // on_connect has returned

	idle *idler // nil of a plugin that wants no on_idle
}

// gatherer is what a connection has whose driver takes away what a callback has
// sent as soon as the callback lasts (Flush).
type gatherer interface {
	// Gathers reports whether messages of the types Text and Binary may stay
	// here until the callback that begins now returns: they are all accepted,
	// and its goroutine keeps its thread.
	Gathers() bool

	// SendAll is Send for each of them, in order; with wait, it may wait for
	// room, else there is always some.
	SendAll(messages Gathered, wait bool)
}

// Message hands the plugin the payload with zeros behind it: a copy, unless it
// has just that room behind it, and zeros there (wsplugin.Session).
func (s *cSession) Message(t wsplugin.MessageType, payload []byte) {
	l := s.plugin.loader
	b := l.batches.Get().(*batch)
	b.list = append(b.list[:0], C.wshttpd_message{_type: C.int(t), size: C.size_t(len(payload))})
	if behind := payload[len(payload):cap(payload)]; len(behind) != callbackPadding || !bytes.Equal(behind, zeros[:]) {
		b.bytes = append(append(b.bytes[:0], payload...), zeros[:]...)
		payload = b.bytes
	}
	s.call(payload, b.list)
	l.putBack(b)
}

// Message is one of those that came together.
type Message struct {
	Type    wsplugin.MessageType
	Payload []byte
}

// MessageBatch is Message for several at once: the way into C and back costs
// as much as all the rest, and is gone only once.
func (s *cSession) MessageBatch(messages []Message) {
	l := s.plugin.loader
	b := l.batches.Get().(*batch)
	b.list = b.list[:0]
	at := 0
	for _, m := range messages {
		b.list = append(b.list, C.wshttpd_message{offset: C.size_t(at), size: C.size_t(len(m.Payload)), _type: C.int(m.Type)})
		at += len(m.Payload) + callbackPadding
	}
	b.bytes = slices.Grow(b.bytes[:0], at)[:at]
	for i := range messages {
		rest := b.bytes[b.list[i].offset:]
		end := copy(rest, messages[i].Payload)
		*(*[callbackPadding]byte)(rest[end:]) = zeros
	}
	s.call(b.bytes, b.list)
	l.putBack(b)
}

// batch holds copies of messages while C has them.
type batch struct {
	bytes []byte
	list  []C.wshttpd_message
}

func (l *Loader) putBack(b *batch) {
	if cap(b.bytes) <= pooledBuffer {
		l.batches.Put(b)
	}
}

// call calls on_message for each message, and sends what was gathered.
func (s *cSession) call(buffer []byte, list []C.wshttpd_message) {
	l := s.plugin.loader
	start := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(buffer)))
	s.idle.pause()
	defer s.idle.resume()
	l.enter()
	if s.gather == nil || !s.gather.Gathers() {
		for _, m := range list {
			C.wshttpd_on_message(s.plugin.structure, s.private, s.handle.memory, m._type,
				(*C.uchar)(unsafe.Pointer(&buffer[m.offset])), m.size)
		}
		l.leave()
		return
	}
	g := C.wshttpd_on_messages(s.plugin.structure, s.private, s.handle.memory, start, unsafe.SliceData(list), C.size_t(len(list)))
	l.leave()
	s.gather.SendAll(unsafe.Slice((*byte)(unsafe.Pointer(&g.records)), int(g.used)), true)
}

var zeros [callbackPadding]byte

// Flush lets what a callback has sent so far leave, although the callback goes
// on. It does not wait.
func (s *cSession) Flush() {
	if s.gather == nil {
		return
	}
	var records [C.sizeof_wshttpd_gather]byte
	n := C.wshttpd_take_gathered(s.handle.memory, (*C.uchar)(unsafe.Pointer(&records)))
	defer C.wshttpd_taken(s.handle.memory)
	s.gather.SendAll(records[:n], false)
}

// Gathered is messages of the types Text and Binary that a callback has gathered
// (cplugin.h). It is C's memory, and lent.
type Gathered []byte

// Next cuts the first message off; there is one.
func (g Gathered) Next() (m Message, rest Gathered) {
	t, size := binary.NativeEndian.Uint32(g), int(binary.NativeEndian.Uint32(g[4:]))
	end := 8 + size
	return Message{wsplugin.MessageType(t), g[8:end:end]}, g[8+(size+7)&^7:]
}

// Disconnect tells the plugin, and takes the handle away (wsplugin.Session).
func (s *cSession) Disconnect() {
	s.handle.timers.end()
	s.idle.end()
	if s.plugin.structure.on_disconnect != nil {
		s.plugin.loader.enter()
		C.wshttpd_on_disconnect(s.plugin.structure, s.private, s.handle.memory)
		s.plugin.loader.leave()
	}
	handles.release(s.handle)
}

// mendSignals repairs the dispositions of signals that a plugin has changed.
func (l *Loader) mendSignals(path string) {
	var changed [16]C.int
	n := int(C.wshttpd_signals_mend(&changed[0], C.int(len(changed))))
	for _, s := range changed[:min(n, len(changed))] {
		l.log(levelWarn, "plugin %s changed the handling of signal %d: set again, or marked to run on a stack of its own", path, int(s))
	}
}
