package server

import (
	"slices"
	"testing"
)

func TestHeadIndex(t *testing.T) {
	var h headIndex
	for _, raw := range []string{
		"Host: a\r\nUpgrade: x\r\nupgrade:y \r\nX:\r\nOrigin: \t z\t\r\n\r\n",
		"Host: b\r\n\r\n",
	} {
		h.take([]byte(raw), &unlimited)
		if !h.good {
			t.Errorf("%q counts as bad", raw)
		}
		for _, name := range []string{"Host", "UPGRADE", "x", "Origin", "Orig", "None", ""} {
			if got, want := h.lines(name), rawLines([]byte(raw), name); !slices.Equal(got, want) {
				t.Errorf("%q: lines %q are %q, want %q", raw, name, got, want)
			}
		}
	}
	h.take([]byte("A: 1\r\nA: 2\r\nB: 3\r\n\r\n"), &unlimited)
	_ = append(h.lines("A"), "new")
	if got := h.lines("B"); !slices.Equal(got, []string{"3"}) {
		t.Errorf("lines of B are %q after those of A were appended to", got)
	}
}

func TestHeadIndexJudgesLines(t *testing.T) {
	for _, raw := range []string{
		"Host: a\n\r\n", "no colon\r\n\r\n", "Na me: x\r\n\r\n", ": x\r\n\r\n", "A: \x01\r\n\r\n", "A: 1\r\n continued\r\n\r\n", "A : 1\r\n\r\n",
	} {
		var h headIndex
		if h.take([]byte(raw), &unlimited); h.good {
			t.Errorf("%q counts as good", raw)
		}
	}
}
