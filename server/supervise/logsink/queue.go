package logsink

import (
	"os"
	"sync"
	"time"
)

// atomicBytes is what a pipe takes whole or not at all: records of several
// processes do not mix (POSIX, PIPE_BUF).
const atomicBytes = 4096

// queue hands records to a goroutine that writes them. Its bound is what keeps
// a reader that stalls from costing more than its records.
type queue struct {
	write func([]byte) (int, error)
	ended chan struct{}
	wake  chan struct{} // holds a token while something waits

	mu      sync.Mutex
	waiting [][]byte // guarded by mu
	size    int      // guarded by mu: bytes of waiting
	stopped bool     // guarded by mu
	lost    int      // guarded by mu: records that could not be written
}

func newQueue(write func([]byte) (int, error)) *queue {
	q := &queue{write: write, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	go q.run()
	return q
}

// add copies a record and reports whether there was room.
func (q *queue) add(record []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped || q.size+len(record) > maxQueued {
		return false
	}
	q.waiting = append(q.waiting, append([]byte(nil), record...))
	q.size += len(record)
	q.poke()
	return true
}

func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run writes what waits until the queue is stopped and empty. What cannot be
// written is gone.
func (q *queue) run() {
	defer close(q.ended)
	for range q.wake {
		for {
			record, stopped := q.next()
			if record == nil && stopped {
				return
			}
			if record == nil {
				break
			}
			if _, err := q.write(record); err != nil {
				q.forget()
			}
		}
	}
}

// next takes the first record from what waits, nil if there is none.
func (q *queue) next() (record []byte, stopped bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting = nil
		return nil, q.stopped
	}
	record, q.waiting = q.waiting[0], q.waiting[1:]
	q.size -= len(record)
	return record, q.stopped
}

func (q *queue) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost++
}

// forgotten returns how many records could not be written since it was asked
// last.
func (q *queue) forgotten() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, q.lost = q.lost, 0
	return n
}

// stop waits until all is written. A writer that stalls is given drainTime, and
// then stopped by the deadline of the file that it writes to, nil for none.
func (q *queue) stop(to *os.File) {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.poke()
	select {
	case <-q.ended:
		return
	case <-time.After(drainTime):
	}
	if to != nil && to.SetWriteDeadline(time.Now()) == nil {
		<-q.ended
	}
}
