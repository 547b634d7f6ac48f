package expr

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMatchesOutlastAStandstill stops this process for longer than a match may
// take: a match that is under way then matches all the same.
func TestMatchesOutlastAStandstill(t *testing.T) {
	re, err := CompileRegexp("^(a|b)*c", false)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("ab", 5000) + "c" // long enough for one to be under way
	var failed atomic.Bool
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				if !re.Match(text) {
					failed.Store(true)
				}
			}
		}
	}()
	script := fmt.Sprintf("for i in 1 2 3; do kill -STOP %[1]d; sleep 0.4; kill -CONT %[1]d; sleep 0.2; done", os.Getpid())
	for begin := time.Now(); time.Since(begin) < 10*time.Millisecond; { // the clock of matches runs
		re.Match(text)
	}
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	close(stop)
	<-ended
	if failed.Load() {
		t.Error("a match was given up because the process stood still")
	}
}
