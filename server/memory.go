package server

import (
	"sync"
	"time"

	"github.com/wshttpd/wshttpd/ws"
)

const (
	// keptMemory bounds in bytes the buffers that are kept for later messages,
	// all together, and keptFor is how long one stays that nobody takes.
	keptMemory = 16 << 20
	keptFor    = time.Second

	// smallestKept is the size from which on buffers are worth to be kept.
	smallestKept = 4 << 10
)

// memory lends the buffers of messages that do not lie within one read, and
// of large answers that clients are slow to take (ws.Memory). Without it a
// message of 1 MiB costs as much again for fresh pages.
type memory struct {
	mu     sync.Mutex
	kept   []keptBuffer // the latest last, guarded by mu like all that follows
	size   int
	expiry *time.Timer // runs while anything is kept
}

type keptBuffer struct {
	buf   []byte
	since time.Time
}

// buffers is shared by all connections of the process, as the memory is.
var buffers memory

// Get returns a buffer that is kept, the latest that fits, or a new one
// (ws.Memory).
func (m *memory) Get(least, most int) []byte {
	if most >= smallestKept {
		m.mu.Lock()
		for i := len(m.kept) - 1; i >= 0; i-- {
			b := m.kept[i].buf
			if len(b) < least || len(b) > 2*most {
				continue
			}
			m.kept = append(m.kept[:i], m.kept[i+1:]...)
			m.size -= len(b)
			m.mu.Unlock()
			return b
		}
		m.mu.Unlock()
	}
	return make([]byte, least)
}

// Put keeps a buffer for a while, unless there are enough (ws.Memory).
func (m *memory) Put(b []byte) {
	if len(b) < smallestKept {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size+len(b) > keptMemory {
		return
	}
	m.size += len(b)
	m.kept = append(m.kept, keptBuffer{b, time.Now()})
	switch {
	case len(m.kept) > 1:
	case m.expiry == nil:
		m.expiry = time.AfterFunc(keptFor, m.expire)
	default:
		m.expiry.Reset(keptFor)
	}
}

// expire gives up what nobody has taken for long.
func (m *memory) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := m.kept[:0]
	m.size = 0
	for _, k := range m.kept {
		if time.Since(k.since) < keptFor {
			left = append(left, k)
			m.size += len(k.buf)
		}
	}
	clear(m.kept[len(left):])
	m.kept = left
	if len(left) > 0 {
		m.expiry.Reset(keptFor)
	}
}

var _ ws.Memory = (*memory)(nil)
