package server

import (
	"runtime"
	"strings"
	"sync"
	"testing"
)

// goroutineOf returns what the runtime calls the goroutine that asks.
func goroutineOf() string {
	var b [64]byte
	head, _, _ := strings.Cut(string(b[:runtime.Stack(b[:], false)]), " [")
	return head
}

// TestWorkersAreUsedAgain: but not one that a plugin may have changed, nor one
// whose work ended it.
func TestWorkersAreUsedAgain(t *testing.T) {
	var w workers
	did := make(chan string)
	do := func(unchanged bool) string {
		w.run(func() bool {
			defer func() { did <- goroutineOf() }()
			return unchanged
		})
		return <-did
	}
	settled := func(idle int) {
		t.Helper()
		for w.mu.Lock(); len(w.idle) != idle; w.mu.Lock() {
			w.mu.Unlock()
			runtime.Gosched()
		}
		w.mu.Unlock()
	}
	first := do(true)
	settled(1)
	if again := do(false); again != first {
		t.Errorf("%s is followed by %s", first, again)
	}
	second := do(true)
	if second == first {
		t.Errorf("%s is used again after a plugin had it", first)
	}
	settled(1)
	w.run(func() bool {
		defer close(did)
		runtime.Goexit()
		return true
	})
	<-did
	settled(0)
	w.end()
}

// TestWorkersEnd: those that are idle, and those that are at work, afterwards.
func TestWorkersEnd(t *testing.T) {
	var w workers
	before := runtime.NumGoroutine()
	release := make(chan struct{})
	var begun, done sync.WaitGroup
	for i := range 1000 {
		begun.Add(1)
		done.Add(1)
		w.run(func() bool {
			defer done.Done()
			begun.Done()
			if i >= 500 {
				<-release
			}
			return true
		})
	}
	begun.Wait()
	w.end()
	close(release)
	done.Wait()
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}
