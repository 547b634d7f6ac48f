// Command bench measures what messages cost a WebSocket server, and whether
// wshttpd reaches what it has to. README.md tells how.
//
// It is a module of its own, so that nothing of it reaches the server's
// dependency list.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/bench/foreign"
	"github.com/wshttpd/wshttpd/bench/load"
	"github.com/wshttpd/wshttpd/bench/runner"
)

const usage = `usage: bench COMMAND [OPTIONS], -h after the command for its options

  run       measure wshttpd and others in turns, print tables
  blocking  measure wshttpd while some of its callbacks block
  echo      load one server with messages
  mixed     the same while other connections make the plugin sleep
  connect   load one server with handshakes
  idle      open connections and look at the server's memory
  foreign   echo with a client of other people
`

func main() {
	// Children are to die with the thread that started them, and their core
	// is inherited from it: it must be this one, and stay.
	runtime.LockOSThread()
	switch err := command(os.Args[1:], os.Stdout); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func command(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	if err := raiseDescriptors(); err != nil {
		return err
	}
	switch name, args := args[0], args[1:]; name {
	case "run":
		return runner.Run(args, out)
	case "blocking":
		return runner.Blocking(args, out)
	case "echo", "mixed", "connect", "idle", "foreign":
		return generate(name, args, out)
	}
	return errUsage
}

// raiseDescriptors takes the limit as far as it goes; children inherit it.
func raiseDescriptors() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of descriptors: %w", err)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of descriptors: %w", err)
	}
	return nil
}

// generate loads one server and prints one line of JSON.
func generate(name string, args []string, out io.Writer) error {
	var o load.Options
	conns, sleepers, draft, raw, http := 100, 0, false, false, false
	switch name {
	case "mixed":
		conns, sleepers = 1000, 50
	case "connect":
		conns = 64
	case "idle":
		conns = 10000
	}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "`address` of the server")
	flags.StringVar(&o.Path, "path", "/echo", "path of the URL")
	flags.BoolVar(&draft, "draft76", false, "speak draft-76 instead of version 13")
	flags.BoolVar(&raw, "raw", false, "send bytes without WebSocket")
	flags.BoolVar(&http, "http", false, "ask for a file of -size bytes, as load.File makes it")
	flags.BoolVar(&o.Text, "text", false, "send text, printable ASCII")
	flags.IntVar(&o.Conns, "connections", conns, "how many connections")
	flags.IntVar(&o.Size, "size", 64, "payload of a message in `bytes`")
	flags.IntVar(&o.Pipeline, "pipeline", 1, "messages under way on each connection")
	flags.DurationVar(&o.Warm, "warm", 200*time.Millisecond, "how long to load before measuring")
	flags.DurationVar(&o.Time, "time", 1500*time.Millisecond, "how long to measure")
	flags.IntVar(&o.PID, "pid", 0, "the server's `process`, whose CPU time is charged to the messages; 0 for none")
	flags.IntVar(&o.Sleepers, "sleepers", sleepers, "connections besides whose first message of each batch begins with S and a digit")
	flags.DurationVar(&o.Sleep, "sleep", time.Second, "whole seconds that such a message makes the plugin sleep")
	flags.IntVar(&o.SleeperPipeline, "sleeper-pipeline", 2, "messages of such a batch")
	settle := flags.Duration("settle", 2*time.Second, "idle: how long to wait before measuring")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case raw:
		o.Protocol = load.Raw
	case http:
		o.Protocol = load.HTTP
	case draft:
		o.Protocol = load.Draft76
	}
	r, err := one(name, o, *settle)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

func one(name string, o load.Options, settle time.Duration) (*load.Result, error) {
	switch name {
	case "connect":
		return load.Connect(o)
	case "idle":
		return load.Idle(o, settle)
	case "foreign":
		if o.Protocol != load.Version13 {
			return nil, errors.New("the foreign client speaks version 13 only")
		}
		f := foreign.Load{URL: "ws://" + o.Addr + o.Path, Connections: o.Conns, Size: o.Size, Pipeline: o.Pipeline, Time: o.Time, Text: o.Text, PID: o.PID}
		return f.Run()
	}
	return load.Echo(o)
}
