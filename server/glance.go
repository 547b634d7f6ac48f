package server

import (
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// glance saves the walk along file names of which there is nothing, as those of
// WebSockets: it remembers the folder at which the last such walk of a host
// ended, and asks only whether the next element is still missing. It is right
// only where every link on the way is followed, so that no element counts by
// itself. Any goroutine may use it.
type glance struct {
	follows bool // no Options of the host forbid links
	last    atomic.Pointer[glanced]
}

// glanced is a folder that a walk has found, and what was not in it.
type glanced struct {
	dir     string // without a slash at its end
	missing string
	until   time.Time
}

// glanceTime is how long a folder is taken to be there without a look.
const glanceTime = time.Second

// newGlance judges the Options of a host's Directory sections: links are asked
// for before expressions, Files and Locations play a part.
func newGlance(h *httpdconf.Host) *glance {
	follows := func(core *httpdconf.CoreDir) bool {
		return core == nil || core.Options.Flags()&httpdconf.OptFollowSymLinks != 0
	}
	g := &glance{follows: follows(h.Base.Core)}
	for _, s := range h.Directories {
		g.follows = g.follows && follows(s.Records.Core)
	}
	return g
}

// missing returns the place of a name of which nothing is there, if that can be
// told by one look; with trust, what was missing lately is taken to be so still.
// name is absolute and clean.
func (g *glance) missing(name string, trust bool) (place, bool) {
	if g == nil || !g.follows {
		return place{}, false
	}
	last := g.last.Load()
	if last == nil || time.Now().After(last.until) {
		return place{}, false
	}
	left, below := strings.CutPrefix(name, last.dir+"/")
	if !below || left == "" {
		return place{}, false
	}
	element, _, _ := strings.Cut(left, "/")
	if element == "" {
		return place{}, false
	}
	if !trust || element != last.missing {
		var st unix.Stat_t
		if err := unix.Lstat(name[:len(last.dir)+1+len(element)], &st); err != unix.ENOENT {
			return place{}, false
		}
	}
	return place{what: isNothing, dir: last.dir, base: element, rest: left[len(element):]}, true
}

// learn remembers where a walk has ended.
func (g *glance) learn(p *place) {
	if g != nil && g.follows && p.what == isNothing {
		g.last.Store(&glanced{dir: p.dir, missing: p.base, until: time.Now().Add(glanceTime)})
	}
}
