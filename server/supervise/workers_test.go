package supervise

import (
	"testing"

	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// TestProgramsAreUsedAsLongAsAWorkerHasThem: one in whose place another serves
// the same configuration has the same as that.
func TestProgramsAreUsedAsLongAsAWorkerHasThem(t *testing.T) {
	one, two := new(logsink.Program), new(logsink.Program)
	former := programs{"|a": one, "|b": two}
	with := func(w *worker) *Master { return &Master{logs: programs{"|a": two}, older: []*worker{w}} }
	tests := []struct {
		name string
		m    *Master
		want bool
	}{
		{"by an older worker", with(&worker{logs: programs{"|a": one, "|b": two}}), true},
		{"by nobody", with(&worker{logs: programs{"|a": two}}), false},
		{"by one without programs", with(&worker{}), false},
		{"by the configuration that is served", &Master{logs: programs{"|a": one, "|b": two}}, true},
	}
	for _, tt := range tests {
		if got := tt.m.uses(former); got != tt.want {
			t.Errorf("used %s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
