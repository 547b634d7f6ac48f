package server

import (
	"runtime"
	"sync"
)

// workers are the goroutines that serve HTTP. One that has served a connection
// waits for the next: its stack has grown by then, and growing it again would be
// a twelfth of what a short connection costs.
type workers struct {
	mu    sync.Mutex
	idle  []chan task
	ended bool
}

// task serves a connection. It reports whether the goroutine is as it was
// before: a plugin may have bound it to its thread.
type task func() (unchanged bool)

// run has a goroutine do t.
func (w *workers) run(t task) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		next := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		next <- t
		return
	}
	w.mu.Unlock()
	go w.work(t)
}

func (w *workers) work(t task) {
	var next chan task
	for t != nil && t() {
		if next == nil {
			next = make(chan task, 1)
		}
		if !w.rest(next) {
			return
		}
		t = <-next // nil once end was called
	}
}

// rest puts a goroutine that next leads to among the idle ones, where there
// are not enough of them.
func (w *workers) rest(next chan task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || len(w.idle) >= 16*runtime.GOMAXPROCS(0) {
		return false
	}
	w.idle = append(w.idle, next)
	return true
}

// end ends those that are idle, and the others when they have done their work.
func (w *workers) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
}
