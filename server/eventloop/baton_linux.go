package eventloop

/*
#cgo LDFLAGS: -lpthread
#include "monitor.h"
*/
import "C"

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The two lowest bits of a baton's word; above them stands a number that
// changes with each call.
const (
	calling  = C.WSHTTPD_CALLING
	stolen   = C.WSHTTPD_STOLEN
	sequence = 4
)

// baton says who runs a loop and whether a callback is under way. The monitor
// reads it (monitor.c), and takes the loop away from a call that lasts.
type baton struct {
	memory *C.wshttpd_baton
	word   *uint64
	burns  *uint64
	tokens *uint32
	tid    *int32
	parked *uint32
}

func newBaton() (*baton, error) {
	m := C.wshttpd_baton_new()
	if m == nil {
		return nil, errors.New("no thread for the monitor of the event loops")
	}
	b := &baton{
		memory: m,
		word:   (*uint64)(unsafe.Pointer(&m.word)),
		burns:  (*uint64)(unsafe.Pointer(&m.burns)),
		tokens: (*uint32)(unsafe.Pointer(&m.tokens)),
		tid:    (*int32)(unsafe.Pointer(&m.tid)),
		parked: (*uint32)(unsafe.Pointer(C.wshttpd_monitor_parked())),
	}
	return b, nil
}

func (b *baton) end() { C.wshttpd_baton_end(b.memory) }

// enter begins a call; seq is what claim or the last leave has returned.
func (b *baton) enter(seq uint64) {
	atomic.StoreUint64(b.word, seq|calling)
	if atomic.LoadUint32(b.parked) != 0 {
		C.wshttpd_monitor_unpark()
	}
}

// leave ends a call and returns the next one's number. Without ok the loop was
// taken away; burnt tells that the call used the processor for long.
func (b *baton) leave(seq uint64) (next uint64, burnt, ok bool) {
	burnt = atomic.LoadUint64(b.burns) == seq|calling
	next = seq + sequence
	return next, burnt, atomic.CompareAndSwapUint64(b.word, seq|calling, next)
}

// isStolen reports whether the loop waits for a spare thread.
func (b *baton) isStolen() bool { return atomic.LoadUint64(b.word)&stolen != 0 }

// isBurning reports whether a call is under way that uses the processor for
// long.
func (b *baton) isBurning() bool {
	word := atomic.LoadUint64(b.word)
	return word&calling != 0 && atomic.LoadUint64(b.burns) == word
}

// claim makes a thread the one that runs the loop.
func (b *baton) claim(tid int) (seq uint64) {
	atomic.StoreInt32(b.tid, int32(tid))
	seq = atomic.LoadUint64(b.word)&^(calling|stolen) + sequence
	atomic.StoreUint64(b.word, seq)
	return seq
}

const (
	futexWait = 0 | 128 // FUTEX_WAIT_PRIVATE
	futexWake = 1 | 128
)

// give lets n spare threads wake up and work.
func (b *baton) give(n uint32) {
	atomic.AddUint32(b.tokens, n)
	_, _, _ = syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(b.tokens)), futexWake, uintptr(n), 0, 0, 0)
}

// await has a spare thread wait for work for as long as patience, and reports
// whether there is some.
func (b *baton) await(patience time.Duration) bool {
	until := now() + int64(patience)
	for {
		n := atomic.LoadUint32(b.tokens)
		if n > 0 {
			if atomic.CompareAndSwapUint32(b.tokens, n, n-1) {
				return true
			}
			continue
		}
		left := until - now()
		if left <= 0 {
			return false
		}
		wait := syscall.NsecToTimespec(left)
		_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(b.tokens)), futexWait, 0, uintptr(unsafe.Pointer(&wait)), 0, 0)
	}
}
