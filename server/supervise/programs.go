package supervise

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/server/supervise/logsink"
)

// programs are those that a configuration writes its logs to, by their names
// there. They run as who started the server, as httpd's do, and outlive a
// worker that dies; those of an older configuration end with its last worker.
type programs map[string]*logsink.Program

// startPrograms starts what ErrorLog and CustomLog name. complain may be called
// from any goroutine.
func startPrograms(cfg *httpdconf.Config, complain func(text string)) (programs, error) {
	list := make(programs)
	stdio := os.Stderr
	if IsDetached() { // whoever waits for the end of what it has started would wait for them
		stdio = nil
	}
	for _, h := range append([]*httpdconf.Host{cfg.Main}, cfg.Hosts...) {
		names := []string{h.ErrorLog}
		for _, l := range h.AccessLogs {
			names = append(names, l.File)
		}
		for _, name := range names {
			if !logsink.IsProgram(name) || list[name] != nil {
				continue
			}
			p, err := logsink.Start(name, stdio, complain)
			if err != nil {
				list.end()
				return nil, err
			}
			list[name] = p
		}
	}
	return list, nil
}

// end ends all of them at once, and waits for that.
func (list programs) end() {
	var ending sync.WaitGroup
	for _, p := range list {
		ending.Go(p.End)
	}
	ending.Wait()
}

// input returns the pipe to the program of this name, nil if there is none.
func (list programs) input(name string) *os.File {
	if p := list[name]; p != nil {
		return p.Input
	}
	return nil
}

// same reports whether both are the same processes.
func (list programs) same(others programs) bool {
	for name, p := range list {
		return others[name] == p // they were started together
	}
	return len(others) == 0
}

// names returns the names in an order that stays.
func (list programs) names() []string {
	var names []string
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// joinNames makes one word of names, which hold any byte; splitNames takes it
// apart.
func joinNames(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = base64.StdEncoding.EncodeToString([]byte(name))
	}
	return strings.Join(words, ",")
}

func splitNames(list string) []string {
	names := splitList(list)
	for i, word := range names {
		name, _ := base64.StdEncoding.DecodeString(word) // joinNames has written it
		names[i] = string(name)
	}
	return names
}
