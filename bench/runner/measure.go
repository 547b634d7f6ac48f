package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/wshttpd/wshttpd/bench/load"
)

// row is what came of one candidate of a cell.
type row struct {
	Name    string         `json:"name"`
	Ratio   *spread        `json:"ratio,omitempty"`   // CPU per message, the yardstick's being 1
	ToOwn   *spread        `json:"to_own,omitempty"`  // the same, wshttpd's being 1
	Bytes   *spread        `json:"bytes,omitempty"`   // memory for each connection
	More    *spread        `json:"more,omitempty"`    // the same for the second half of them
	CPU     *spread        `json:"cpu_us,omitempty"`  // of a message, in microseconds
	Results []*load.Result `json:"results,omitempty"` // by round
	LeftOut string         `json:"left_out,omitempty"`
}

// cellResult is what came of a cell.
type cellResult struct {
	Name  string  `json:"name"`
	Title string  `json:"title"`
	Note  string  `json:"note,omitempty"`
	Must  float64 `json:"must"`
	Goal  float64 `json:"goal"`
	Value float64 `json:"value,omitempty"`
	Mark  mark    `json:"mark"`
	Rows  []row   `json:"rows"`

	subject string
	fresh   bool
}

// mark says what was reached.
type mark string

const (
	reachedGoal mark = "goal"
	reachedMust mark = "must"
	missed      mark = "missed"
	notMeasured mark = "not measured"
)

func markOf(value, must, goal float64) mark {
	switch {
	case value <= goal:
		return reachedGoal
	case value <= must:
		return reachedMust
	}
	return missed
}

// measureCell takes the rounds of a cell. A candidate that fails is left out
// from then on.
func (f *farm) measureCell(ctx context.Context, c *cell, rounds int, d time.Duration, leftOut map[string]string) (*cellResult, error) {
	rows := make([]row, len(c.candidates))
	for i, cand := range c.candidates {
		rows[i] = row{Name: cand.name, LeftOut: leftOut[cand.server]}
	}
	for range rounds {
		for i, cand := range c.candidates {
			if rows[i].LeftOut != "" {
				continue
			}
			r, err := f.measure(ctx, c, cand, d)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				rows[i].LeftOut, rows[i].Results = err.Error(), nil
				continue
			}
			rows[i].Results = append(rows[i].Results, r)
		}
	}
	return summarize(c, rows), nil
}

// measure has the generator load one candidate.
func (f *farm) measure(ctx context.Context, c *cell, cand candidate, d time.Duration) (*load.Result, error) {
	if c.fresh {
		f.stop(cand.server)
		defer f.stop(cand.server)
	}
	p, err := f.server(ctx, cand.server)
	if err != nil {
		return nil, err
	}
	args := []string{c.mode, "-addr", p.addr, "-pid", strconv.Itoa(p.pid()), "-time", d.String()}
	args = append(append(args, c.args...), cand.args...)
	r, err := generate(ctx, f.cores.client, args)
	if err != nil {
		// Whatever state it is in now, the next cell gets a new one.
		f.stop(cand.server)
		return nil, fmt.Errorf("%s: %w", cand.name, err)
	}
	return r, nil
}

// generate runs this program's generator on its core and reads its result.
func generate(ctx context.Context, core int, args []string) (*load.Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, args...)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err := pinned(c, core); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err = <-done:
	case <-ctx.Done():
		_ = c.Process.Signal(syscall.SIGKILL)
		<-done
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errors.New(string(bytes.TrimSpace(bytes.TrimPrefix(last(problems.Bytes(), 600), []byte("bench: ")))))
	}
	r := new(load.Result)
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		return nil, fmt.Errorf("the generator's result: %w", err)
	}
	return r, nil
}

// summarize computes ratios and the mark.
func summarize(c *cell, rows []row) *cellResult {
	res := &cellResult{Name: c.name, Title: c.title, Note: c.note, Must: c.must, Goal: c.goal, Mark: notMeasured, Rows: rows, subject: c.subject, fresh: c.fresh}
	base := cpus(rows[0].Results)
	var own []float64
	for _, r := range rows {
		if r.Name == ownName {
			own = cpus(r.Results)
		}
	}
	for i := range rows {
		r := &rows[i]
		if len(r.Results) == 0 {
			continue
		}
		if c.fresh {
			r.Bytes, r.More = some(column(r.Results, bytesEach)), some(column(r.Results, bytesMore))
		} else {
			each := cpus(r.Results)
			r.CPU, r.Ratio, r.ToOwn = some(each), some(ratios(each, base)), some(ratios(each, own))
		}
		if value := firstOf(r.Bytes, r.Ratio); r.Name == c.subject && value != nil {
			res.Value = value.Median
			res.Mark = markOf(res.Value, c.must, c.goal)
		}
	}
	return res
}

// some is the spread of values; nil if there are none.
func some(values []float64) *spread {
	if len(values) == 0 {
		return nil
	}
	s := spreadOf(values)
	return &s
}

func firstOf(a, b *spread) *spread {
	if a != nil {
		return a
	}
	return b
}

func cpus(results []*load.Result) []float64 { return column(results, cpu) }

// column takes one value of each result.
func column(results []*load.Result, value func(*load.Result) float64) []float64 {
	var all []float64
	for _, r := range results {
		all = append(all, value(r))
	}
	return all
}

func cpu(r *load.Result) float64       { return r.ServerCPU }
func p50(r *load.Result) float64       { return r.LatencyP50 }
func p99(r *load.Result) float64       { return r.LatencyP99 }
func threads(r *load.Result) float64   { return float64(r.Threads) }
func bytesEach(r *load.Result) float64 { return r.BytesEach }
func bytesMore(r *load.Result) float64 { return r.BytesMore }
