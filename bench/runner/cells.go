package runner

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// candidate is what a round of a cell measures once.
type candidate struct {
	name   string // unique in its cell
	server string
	args   []string // for the generator, besides the cell's
}

// cell is one kind of work. The first candidate is the yardstick, the one
// called subject has to reach must and should reach goal.
type cell struct {
	name, title string
	mode        string // of the generator
	args        []string
	size, conns int
	pipeline    int
	warm        time.Duration
	candidates  []candidate
	subject     string
	must, goal  float64
	fresh       bool   // bytes of memory, each measured on a server just started
	note        string // what differs from the title
}

// reserve are descriptors that a process needs besides its connections.
const reserve = 200

// many is the number of connections that stand for a lot of them.
const many = 10000

// cellsFor returns the cells for wshttpd and these opponents, when a process
// may have so many descriptors.
func cellsFor(opponents []string, descriptors int) []cell {
	lot, note := many, ""
	if descriptors < many+reserve {
		lot = max(descriptors-reserve, 1)
		note = fmt.Sprintf("%d connections: a process may have %d descriptors", lot, descriptors)
	}
	all := append([]candidate{{ownName, ownName, nil}}, plain(opponents)...)
	raw := append([]candidate{{rawName, rawName, []string{"-raw"}}}, all...)
	cells := []cell{
		{name: "64", title: "64 B binary, 100 conns, pipeline 1", size: 64, candidates: raw, must: 1.25, goal: 1.10},
		{name: "p16", title: "64 B binary, pipeline 16", size: 64, pipeline: 16, candidates: raw, must: 1.30, goal: 1.10},
		{name: "1k", title: "1 KiB", size: 1 << 10, candidates: raw, must: 1.25, goal: 1.08},
		{name: "64k", title: "64 KiB, 20 conns", size: 64 << 10, conns: 20, candidates: raw, must: 1.30, goal: 1.15},
		{name: "1m", title: "1 MiB, 4 conns", size: 1 << 20, conns: 4, candidates: raw, must: 1.80, goal: 1.40},
		{name: "10k", title: "10,000 conns active", size: 64, conns: lot, warm: 500 * time.Millisecond, candidates: raw, must: 1.30, goal: 1.10, note: note},
	}
	cells = append(cells, ownCells()...)
	if slices.Contains(opponents, bunName) {
		others := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.name == bunName })
		handshake := append([]candidate{{bunName, bunName, nil}}, others...)
		cells = append(cells, cell{name: "handshake", title: "handshakes, against bun's", mode: "connect", conns: 64, candidates: handshake, must: 1.0, goal: 0.85})
	}
	cells = append(cells, httpCells()...)
	cells = append(cells, cell{name: "idle", title: "RSS per idle connection at 10,000, bytes", mode: "idle", conns: lot, fresh: true, candidates: all, must: 1000, goal: 450, note: note})
	for i := range cells {
		cells[i].setDefaults()
	}
	return cells
}

// httpCells ask for files. The yardstick is fasthttp's own file server where it
// looks at the files for each request, as httpd does.
func httpCells() []cell {
	var cells []cell
	servers := []candidate{{filesName, filesName, nil}, {ownName, ownName, nil}, {cachedName, cachedName, nil}, {httpdName, httpdName, nil}}
	asking := func(name, title, mode string, size, conns int) {
		from := make([]candidate, len(servers))
		for i, c := range servers {
			from[i] = candidate{c.name, c.server, []string{"-http", "-path", "/" + fileName(size)}}
		}
		cells = append(cells, cell{name: name, title: title, mode: mode, size: size, conns: conns, candidates: from, must: 1.05, goal: 1.0})
	}
	asking("http", "file of 1 KiB over HTTP, 64 conns", "echo", 1<<10, 64)
	asking("http64k", "file of 64 KiB over HTTP, 20 conns", "echo", 64<<10, 20)
	asking("httpnew", "file of 1 KiB, a connection for each", "connect", 1<<10, 32)
	return cells
}

// ownCells compare wshttpd with itself.
func ownCells() []cell {
	own := func(name string, args ...string) candidate { return candidate{name, ownName, args} }
	binary, text := own("binary"), own("text", "-text")
	goPlugin, cPlugin := own("Go plugin"), own("C plugin", "-path", "/echo-c")
	draft := own("draft-76", "-draft76")
	return []cell{
		{name: "text", title: "text / own binary, 64 B", size: 64, candidates: []candidate{binary, text}, subject: "text", must: 1.05, goal: 1.02},
		{name: "text64k", title: "text / own binary, 64 KiB", size: 64 << 10, conns: 20, candidates: []candidate{binary, text}, subject: "text", must: 1.05, goal: 1.02},
		{name: "c", title: "C echo plugin / Go echo plugin, 64 B", size: 64, candidates: []candidate{goPlugin, cPlugin}, subject: "C plugin", must: 1.15, goal: 1.05},
		{name: "cp16", title: "C echo plugin / Go echo plugin, 64 B, pipeline 16", size: 64, pipeline: 16, candidates: []candidate{goPlugin, cPlugin}, subject: "C plugin", must: 1.15, goal: 1.05},
		{name: "draft76", title: "draft-76 text / version 13 text, 64 B", size: 64, candidates: []candidate{text, draft}, subject: "draft-76", must: 1.15, goal: 1.0},
	}
}

func plain(names []string) []candidate {
	var all []candidate
	for _, name := range names {
		all = append(all, candidate{name, name, nil})
	}
	return all
}

func (c *cell) setDefaults() {
	if c.mode == "" {
		c.mode = "echo"
	}
	if c.conns == 0 {
		c.conns = 100
	}
	if c.pipeline == 0 {
		c.pipeline = 1
	}
	if c.warm == 0 {
		c.warm = 200 * time.Millisecond
	}
	if c.subject == "" {
		c.subject = ownName
	}
	c.args = []string{"-connections", strconv.Itoa(c.conns), "-size", strconv.Itoa(max(c.size, 1)),
		"-pipeline", strconv.Itoa(c.pipeline), "-warm", c.warm.String()}
}

// choose returns the cells that are named; all if none is.
func choose(cells []cell, names string) ([]cell, error) {
	if names == "" {
		return cells, nil
	}
	var chosen []cell
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(cells, func(c cell) bool { return c.name == name })
		if i < 0 && name == "handshake" {
			return nil, errors.New("handshakes are measured against bun, which -servers does not name")
		}
		if i < 0 {
			return nil, fmt.Errorf("no cell %q; there are %s", name, cellNames(cells))
		}
		chosen = append(chosen, cells[i])
	}
	return chosen, nil
}

func cellNames(cells []cell) string {
	var names []string
	for _, c := range cells {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}
