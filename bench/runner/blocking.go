package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wshttpd/wshttpd/bench/load"
)

// What the echoes of others may suffer while callbacks block: the 99th
// percentile for a second, and for longer.
const (
	blockingP99  = 1.5
	longBlockP99 = 2
	blockingCPU  = 1.2
)

// blockingResult is what came of one plugin.
type blockingResult struct {
	Plugin    string         `json:"plugin"`
	P50       spread         `json:"p50_ratio"`
	P99       spread         `json:"p99_ratio"`
	CPU       spread         `json:"cpu_ratio"`
	Calm      []*load.Result `json:"undisturbed"`
	Disturbed []*load.Result `json:"disturbed"`
	Failed    string         `json:"failed,omitempty"`
}

// Blocking is the command blocking: 1,000 echoing connections, in turns alone
// and beside 50 whose messages make the plugin sleep.
func Blocking(args []string, out io.Writer) error {
	var o options
	// All sleepers wake up at about the same moment.
	set := o.flags("blocking", args, 3*time.Second)
	conns := set.Int("connections", 1000, "connections that echo")
	sleepers := set.Int("sleepers", 50, "connections whose messages make the plugin sleep")
	sleep := set.Duration("sleep", time.Second, "how long: whole seconds, 9 at most")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *conns < 1 || *sleepers < 1 {
		return errors.New("-connections and -sleepers must be more than 0")
	}
	return o.withFarm(func(ctx context.Context, f *farm) error {
		if _, err := f.prepare(ctx, []string{ownName}); err != nil {
			return err
		}
		var all []*blockingResult
		for _, plugin := range []candidate{{"Go", ownName, []string{"-path", "/sleepy"}}, {"C", ownName, []string{"-path", "/sleepy-c"}}} {
			r, err := f.measureBlocking(ctx, &o, plugin, *conns, *sleepers, *sleep)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		if err := writeBlocking(out, &o, *sleep, thisMachine(f.tree.root, o.command), all); err != nil {
			return err
		}
		for _, r := range all {
			if r.Failed != "" {
				return fmt.Errorf("%s plugin: %s", r.Plugin, r.Failed)
			}
		}
		return nil
	})
}

func (f *farm) measureBlocking(ctx context.Context, o *options, plugin candidate, conns, sleepers int, sleep time.Duration) (*blockingResult, error) {
	r := &blockingResult{Plugin: plugin.name}
	calm := &cell{mode: "echo", conns: conns, size: 64, warm: 500 * time.Millisecond}
	calm.setDefaults()
	disturbed := *calm
	disturbed.args = append(disturbed.args, "-sleepers", fmt.Sprint(sleepers), "-sleep", sleep.String())
	for range o.rounds {
		a, err := f.measure(ctx, calm, plugin, o.duration)
		if err == nil {
			r.Calm = append(r.Calm, a)
			a, err = f.measure(ctx, &disturbed, plugin, o.duration)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.Failed = err.Error()
			return r, nil
		}
		r.Disturbed = append(r.Disturbed, a)
	}
	r.P50 = spreadOf(ratios(column(r.Disturbed, p50), column(r.Calm, p50)))
	r.P99 = spreadOf(ratios(column(r.Disturbed, p99), column(r.Calm, p99)))
	r.CPU = spreadOf(ratios(cpus(r.Disturbed), cpus(r.Calm)))
	return r, nil
}

func writeBlocking(out io.Writer, o *options, sleep time.Duration, m machine, all []*blockingResult) error {
	must := blockingP99
	if sleep > time.Second {
		must = longBlockP99
	}
	p := &printer{out: out}
	m.print(p)
	p.f("%d rounds of %v; medians, quartiles in brackets. `%s`\n\n", o.rounds, o.duration, m.Command)
	p.f("| plugin that sleeps %v | p99 of the others, must %.1f | CPU per echo of the others, must %.1f | p50 | p99 alone, ms | p99 beside, ms | threads |\n", sleep, must, blockingCPU)
	p.f("|---|---|---|---|---|---|---|\n")
	for _, r := range all {
		if r.Failed != "" {
			p.f("| %s | failed: %s | | | | | |\n", r.Plugin, r.Failed)
			continue
		}
		mid := func(results []*load.Result, value func(*load.Result) float64) float64 {
			return spreadOf(column(results, value)).Median
		}
		p.f("| %s | %s %s | %s %s | %s | %.1f | %.1f | %.0f |\n", r.Plugin,
			r.P99.text(), yes(r.P99.Median <= must), r.CPU.text(), yes(r.CPU.Median <= blockingCPU), r.P50.text(),
			mid(r.Calm, p99)/1000, mid(r.Disturbed, p99)/1000, mid(r.Disturbed, threads))
	}
	if p.err != nil || o.json == "" {
		return p.err
	}
	text, err := json.MarshalIndent(map[string]any{"machine": m, "plugins": all}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func yes(reached bool) string {
	if reached {
		return "reached"
	}
	return "missed"
}
