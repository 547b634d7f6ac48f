package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader"
)

// Checked is what a plugin is, and whether it loads, as check-plugin --json
// prints it.
type Checked struct {
	Library
	Init    string   `json:"init,omitempty"` // as asked for
	Differs []string `json:"differs"`        // of a Go plugin, from this server
	Inits   []string `json:"inits"`          // exports that may be init functions
	Loads   bool     `json:"loads"`          // it was loaded, and INIT has answered
	Told             // of a plugin that is a module too
}

// Told is what a plugin's module has said of itself when it was loaded.
type Told struct {
	Directives []string `json:"directives,omitempty"`
	Hooks      []string `json:"hooks,omitempty"` // by which it would have httpd call it
}

// tryTime bounds how long opening a plugin and its INIT take.
const tryTime = 60 * time.Second

// tryOption stands in front of the arguments of the process that loads.
const tryOption = "--try"

const checkUsage = "Usage: %s check-plugin [--json] FILE [INIT]\n"

// CheckPlugin is the command check-plugin with its arguments. It returns the
// exit status: 0 where the plugin loads, 1 where not, 2 for a wrong usage.
func CheckPlugin(stdout, stderr io.Writer, program string, args []string) int {
	if len(args) > 0 && args[0] == tryOption {
		return try(args[1:])
	}
	asJSON := len(args) > 0 && args[0] == "--json"
	if asJSON {
		args = args[1:]
	}
	if len(args) == 0 || len(args) > 2 || strings.HasPrefix(args[0], "-") {
		fmt.Fprintf(stderr, checkUsage, program)
		return 2
	}
	init := ""
	if len(args) == 2 {
		init = args[1]
	}
	c := InspectPlugin(args[0], init)
	if asJSON {
		writeJSON(stdout, c)
	} else {
		c.Write(stdout)
	}
	if c.Loads {
		return 0
	}
	return 1
}

// InspectPlugin looks at a file and, unless that has shown that it cannot be
// loaded, loads it in a process of its own and calls INIT there; an empty init
// calls none.
func InspectPlugin(file, init string) *Checked {
	path, err := filepath.Abs(file)
	if err != nil {
		path = file
	}
	i := pluginloader.Inspect(path, init)
	c := &Checked{Library: newLibrary(i), Init: init, Differs: listOf(i.Differs), Inits: listOf(likelyInits(i.Exports))}
	if i.Problem == nil {
		c.try(path)
	}
	return c
}

// likelyInits are the exports that look like init functions, or the only one.
func likelyInits(exports []string) []string {
	var list []string
	for _, name := range exports {
		if lower := strings.ToLower(name); strings.HasSuffix(lower, "init") && !strings.HasPrefix(name, "_") {
			list = append(list, name)
		}
	}
	if len(list) == 0 && len(exports) == 1 {
		return exports
	}
	return list
}

// outcome is what the process that loads says, a line for each step: opened,
// then INIT.
type outcome struct {
	Opened          bool
	Problem, Remedy string
	Told            Told
}

// try loads the plugin in a process of its own.
func (c *Checked) try(path string) {
	steps, errText, err := runTry(path, c.Init)
	var last outcome
	for _, step := range steps {
		last = step
	}
	if len(steps) > 0 {
		c.Told = steps[0].Told
	}
	done := len(steps) == 2 || len(steps) == 1 && (last.Problem != "" || c.Init == "")
	switch {
	case done:
		c.Problem, c.Remedy, c.Loads = last.Problem, last.Remedy, last.Problem == ""
	case last.Opened:
		c.Problem = c.InitFound + " " + howEnded(err, errText)
	case c.ApacheModule != "":
		c.Problem = "opening it, and loading its module " + c.ApacheModule + ", " + howEnded(err, errText)
	default:
		c.Problem = "opening it " + howEnded(err, errText)
	}
}

// runTry runs the process that loads. What it writes to stderr comes back;
// stdout is ours.
func runTry(path, init string) (steps []outcome, errText string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), tryTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "check-plugin", tryOption, path, init)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stderr, &stderr, []*os.File{w}
	cmd.WaitDelay = time.Second // a program of the plugin's may hold the pipes
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, "", err
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	_ = r.SetReadDeadline(time.Now().Add(time.Second))
	for d := json.NewDecoder(r); ; {
		var step outcome
		if d.Decode(&step) != nil {
			return steps, stderr.String(), err
		}
		steps = append(steps, step)
	}
}

// howEnded says how a process has ended that should have said more. Go's
// runtime turns the signals of faults into an exit, and names them on stderr.
func howEnded(err error, stderr string) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("does not return within %v", tryTime)
	}
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if signal, found := strings.CutPrefix(line, "[signal "); found {
			line, _, _ = strings.Cut(signal, " code=")
			return "ends the process: " + line
		}
		if strings.HasPrefix(line, "SIG") || strings.HasPrefix(line, "panic: ") {
			return "ends the process: " + line
		}
	}
	if err != nil {
		return "ends the process: " + err.Error()
	}
	return "ends the process with exit status 0"
}

// try is what the process does that loads.
func try(args []string) int {
	if len(args) != 2 {
		return 2
	}
	e := json.NewEncoder(os.NewFile(3, "outcome"))
	var told Told
	say := func(err error) bool {
		step := outcome{Told: told}
		if step.Opened = err == nil; !step.Opened {
			step.Problem = err.Error()
			if e, ok := errors.AsType[*pluginloader.Error](err); ok {
				step.Remedy = e.Remedy
			}
		}
		_ = e.Encode(step) // the other end has gone with its process
		return err == nil
	}
	l := pluginloader.New(func(int, string, ...any) {})
	err := l.Open(args[0])
	if err == nil {
		told = askModule(l, args[0])
	}
	if !say(err) || args[1] == "" {
		return 0
	}
	_, err = l.Load(args[0], args[1])
	say(err)
	return 0
}

// askModule loads the module that a library holds too, if it does.
func askModule(l *pluginloader.Loader, path string) (told Told) {
	ident := pluginloader.Inspect(path, "").Module
	if ident == "" {
		return told
	}
	m, err := l.LoadModule(ident, path)
	if err != nil {
		return told
	}
	for _, d := range m.Directives {
		told.Directives = append(told.Directives, d.Name)
	}
	told.Hooks = m.Hooks
	return told
}

// Write writes what was found as text; what to do about it comes last.
func (c *Checked) Write(w io.Writer) {
	p := page{margin: 10}
	p.record("plugin", "%s", strings.TrimSpace(c.Path+" "+c.Init))
	p.library(&c.Library)
	p.told(c.Told)
	if len(c.Differs) > 0 {
		p.detail("differs: " + strings.Join(c.Differs, "\ndiffers: "))
	}
	switch {
	case c.Loads && c.Init != "":
		p.detail(fmt.Sprintf("loads: %s was called and has answered", cmp.Or(c.InitFound, c.Init)))
	case c.Loads:
		p.detail("loads: yes; no init function was called")
		p.detail("init: " + cmp.Or(listed(c.Inits), "none of its exports looks like one"))
	default:
		p.detail("loads: no")
		p.detail("problem: " + c.Problem)
		p.detail(c.Remedy)
	}
	_, _ = w.Write(p.Bytes()) // stdout; who would be told
}
