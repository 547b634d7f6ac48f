package runner

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// report is everything that a run found out.
type report struct {
	Machine machine       `json:"machine"`
	Rounds  int           `json:"rounds"`
	Seconds float64       `json:"seconds"` // of one measurement
	Cells   []*cellResult `json:"cells"`
}

// options are those of both commands.
type options struct {
	root     string
	rounds   int
	duration time.Duration
	json     string
	command  string
}

func (o *options) flags(name string, args []string, duration time.Duration) *flag.FlagSet {
	o.command = strings.Join(append([]string{"go run .", name}, args...), " ")
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.StringVar(&o.root, "root", "..", "`folder` of the server's source")
	set.IntVar(&o.rounds, "pairs", 5, "rounds of each cell")
	set.DurationVar(&o.duration, "time", duration, "how long a measurement takes")
	set.StringVar(&o.json, "json", "", "`file` for the same as JSON, with every single measurement")
	return set
}

// Run is the command run: cells in turns, tables to out.
func Run(args []string, out io.Writer) error {
	var o options
	set := o.flags("run", args, 1500*time.Millisecond)
	servers := set.String("servers", "all", "servers besides the yardstick, separated by commas: wshttpd,"+strings.Join(opponentNames, ","))
	names := set.String("cells", "", "cells, separated by commas; all by default: "+cellNames(cellsFor(opponentNames, many+reserve)))
	if err := set.Parse(args); err != nil {
		return err
	}
	opponents, err := chooseOpponents(*servers)
	if err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	cells, err := choose(cellsFor(opponents, int(min(limit.Cur, 1<<20))), *names)
	if err != nil {
		return err
	}
	return o.withFarm(func(ctx context.Context, f *farm) error {
		leftOut, err := f.prepare(ctx, neededServers(cells))
		if err != nil {
			return err
		}
		rep := &report{Machine: thisMachine(f.tree.root, o.command), Rounds: o.rounds, Seconds: o.duration.Seconds()}
		for i := range cells {
			c := &cells[i]
			fmt.Fprintf(os.Stderr, "%s: %s\n", c.name, c.title)
			rounds := o.rounds
			if c.fresh {
				rounds = min(rounds, 3)
			}
			res, err := f.measureCell(ctx, c, rounds, o.duration, leftOut)
			if err != nil {
				return errors.Join(err, rep.write(out, o.json))
			}
			rep.Cells = append(rep.Cells, res)
		}
		return errors.Join(rep.write(out, o.json), rep.unmeasured())
	})
}

// unmeasured names the cells of which wshttpd has no value.
func (r *report) unmeasured() error {
	var names []string
	for _, c := range r.Cells {
		if c.Mark == notMeasured {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("not measured: %s", strings.Join(names, ", "))
}

// withFarm runs work with a temporary folder, and stops every server after it,
// or after an interrupt.
func (o *options) withFarm(work func(context.Context, *farm) error) error {
	if o.rounds < 1 || o.duration <= 0 {
		return errors.New("-pairs and -time must be more than 0")
	}
	t, err := newTree(o.root)
	if err != nil {
		return err
	}
	f := &farm{tree: t}
	if f.cores, err = pickCores(); err != nil {
		return err
	}
	if f.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(f.dir)
	if err := writeFiles(f.dir); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	defer f.stopAll()
	if err := work(ctx, f); ctx.Err() == nil {
		return err
	}
	return errors.New("interrupted")
}

func chooseOpponents(list string) ([]string, error) {
	if list == "all" {
		return opponentNames, nil
	}
	asked := strings.Split(list, ",")
	for _, name := range asked {
		if name != ownName && name != rawName && !slices.Contains(opponentNames, name) {
			return nil, fmt.Errorf("no server %q; there are wshttpd,%s", name, strings.Join(opponentNames, ","))
		}
	}
	return slices.DeleteFunc(slices.Clone(opponentNames), func(name string) bool { return !slices.Contains(asked, name) }), nil
}

func neededServers(cells []cell) []string {
	var names []string
	for _, c := range cells {
		for _, cand := range c.candidates {
			if !slices.Contains(names, cand.server) {
				names = append(names, cand.server)
			}
		}
	}
	return names
}

// write prints the tables and writes the JSON file, if one is named.
func (r *report) write(out io.Writer, name string) error {
	if err := r.tables(out); err != nil || name == "" {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}
