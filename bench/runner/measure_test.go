package runner

import (
	"slices"
	"strings"
	"testing"

	"github.com/wshttpd/wshttpd/bench/load"
)

func results(cpu ...float64) []*load.Result {
	var all []*load.Result
	for _, x := range cpu {
		all = append(all, &load.Result{ServerCPU: x, BytesEach: 100 * x, PerSecond: 1000, Threads: 3})
	}
	return all
}

func TestMark(t *testing.T) {
	for _, test := range []struct {
		value float64
		want  mark
	}{{1.0, reachedGoal}, {1.10, reachedGoal}, {1.11, reachedMust}, {1.25, reachedMust}, {1.26, missed}} {
		if got := markOf(test.value, 1.25, 1.10); got != test.want {
			t.Errorf("markOf(%v) = %v, want %v", test.value, got, test.want)
		}
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	c := &cell{name: "64", subject: ownName, must: 1.25, goal: 1.10}
	// The machine becomes twice as slow: medians of all would say 1.6.
	res := summarize(c, []row{
		{Name: rawName, Results: results(5, 5, 10)},
		{Name: ownName, Results: results(6, 8, 12)},
		{Name: "gws", Results: results(9, 12, 18)},
		{Name: "ws", LeftOut: "no"},
	})
	if got := res.Rows[1].Ratio; *got != spreadOf([]float64{1.2, 1.6, 1.2}) {
		t.Errorf("ratio of wshttpd %v", *got)
	}
	if got := res.Rows[2].ToOwn; *got != (spread{1.5, 1.5, 1.5}) {
		t.Errorf("gws by wshttpd %v", *got)
	}
	if res.Value != 1.2 || res.Mark != reachedMust {
		t.Errorf("value %v, mark %v", res.Value, res.Mark)
	}
	if res.Rows[3].Ratio != nil {
		t.Error("what was left out has a ratio")
	}
}

func TestWithoutYardstickNothingIsReached(t *testing.T) {
	c := &cell{subject: ownName, must: 1.25, goal: 1.10}
	res := summarize(c, []row{{Name: rawName, LeftOut: "no"}, {Name: ownName, Results: results(1)}})
	if res.Mark != notMeasured || res.Rows[1].Ratio != nil {
		t.Errorf("mark %v, ratio %v", res.Mark, res.Rows[1].Ratio)
	}
}

func TestTables(t *testing.T) {
	echo := summarize(&cell{name: "64", title: "64 B", subject: ownName, must: 1.25, goal: 1.10},
		[]row{{Name: rawName, Results: results(5)}, {Name: ownName, Results: results(6)}, {Name: "ws", LeftOut: "no\nnode"}})
	idle := summarize(&cell{name: "idle", title: "bytes", subject: ownName, must: 1000, goal: 450, fresh: true, note: "fewer"},
		[]row{{Name: ownName, Results: results(5)}})
	r := &report{Machine: machine{Kernel: "9.9", CPU: "Some CPU", Command: "go run . run"}, Rounds: 1, Seconds: 1.5, Cells: []*cellResult{echo, idle}}
	var out strings.Builder
	if err := r.tables(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Some CPU", "Linux 9.9", "`go run . run`",
		"| 64 B | 1.25 | 1.10 | 1.20 [1.20-1.20] | must |",
		"| bytes (fewer) | 1000 | 450 | 500 [500-500] | must |",
		"| wshttpd | 1.20 [1.20-1.20] |",
		"| 64 | raw | 1000 | - | - | - | 3 | 0.00 | 0.00 |",
		"Left out of 64: ws: no; node",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestCells(t *testing.T) {
	cells := cellsFor(opponentNames, 20000)
	for _, c := range cells {
		if c.must < c.goal || c.conns < 1 || c.pipeline < 1 || c.mode == "" {
			t.Errorf("cell %+v", c)
		}
		if !slices.ContainsFunc(c.candidates, func(cand candidate) bool { return cand.name == c.subject }) {
			t.Errorf("%s: nobody is %s", c.name, c.subject)
		}
	}
	few := cellsFor(nil, 1024)
	i := slices.IndexFunc(few, func(c cell) bool { return c.name == "10k" })
	if few[i].conns != 824 || !strings.Contains(few[i].note, "824") {
		t.Errorf("with 1024 descriptors %+v", few[i])
	}
	if _, err := choose(few, "handshake"); err == nil {
		t.Error("handshakes can be measured without bun")
	}
	two, err := choose(cells, "p16,64")
	if err != nil || len(two) != 2 || two[0].name != "p16" || two[1].name != "64" {
		t.Errorf("choose = %v, %v", two, err)
	}
}

func TestOpponents(t *testing.T) {
	got, err := chooseOpponents("wshttpd,bun,gws")
	if err != nil || !slices.Equal(got, []string{"gws", "bun"}) {
		t.Errorf("chooseOpponents = %v, %v", got, err)
	}
	if _, err := chooseOpponents("apache"); err == nil {
		t.Error("apache is known")
	}
}
