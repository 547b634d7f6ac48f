//go:build !purego

package mask

import (
	"os"
	"regexp"
	"testing"
)

// assembly returns what this processor can run.
func assembly() []way {
	if !haveAVX2 {
		return nil
	}
	return []way{{"AVX2", 32, xorAVX2, isASCIIAVX2}}
}

func TestAVX2IsFoundWhereTheSystemFindsIt(t *testing.T) {
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Log(err) // only Linux tells
		return
	}
	if want := regexp.MustCompile(`(?m)^flags\s.*\bavx2\b`).Match(cpuinfo); haveAVX2 != want {
		t.Errorf("haveAVX2 = %v, want %v", haveAVX2, want)
	}
}
