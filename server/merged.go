package server

import (
	"sync"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// maxMerged bounds how many sets of sections are remembered. Wildcards and
// expressions could make more of them than there are lines in a configuration.
const maxMerged = 4096

// merged remembers the settings that sections come to, so that each set of
// them is merged once. Its zero value is ready, and a nil one remembers
// nothing. Any goroutine may use it.
type merged struct {
	mu    sync.RWMutex
	roots map[*httpdconf.Host]*mergedNode // guarded by mu, with all below it
	nodes int                             // guarded by mu
}

// mergedNode is what the sections on the way to it come to.
type mergedNode struct {
	records httpdconf.Records
	next    map[*httpdconf.Section]*mergedNode
}

// of returns what sections, in their order, make of a host's base.
func (m *merged) of(h *httpdconf.Host, sections []*httpdconf.Section) httpdconf.Records {
	if m == nil {
		return mergeAll(h.Base, sections)
	}
	m.mu.RLock()
	node := m.roots[h]
	for _, s := range sections {
		if node == nil {
			break
		}
		node = node.next[s]
	}
	m.mu.RUnlock()
	if node != nil {
		return node.records
	}
	return m.learn(h, sections)
}

// learn merges and remembers, while there is room.
func (m *merged) learn(h *httpdconf.Host, sections []*httpdconf.Section) httpdconf.Records {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.roots == nil {
		m.roots = make(map[*httpdconf.Host]*mergedNode)
	}
	node := m.roots[h]
	if node == nil {
		node = &mergedNode{records: h.Base}
		m.roots[h] = node
	}
	for i, s := range sections {
		next := node.next[s]
		if next == nil {
			if m.nodes >= maxMerged {
				return mergeAll(node.records, sections[i:])
			}
			m.nodes++
			next = &mergedNode{records: node.records.Merge(s.Records)}
			if node.next == nil {
				node.next = make(map[*httpdconf.Section]*mergedNode)
			}
			node.next[s] = next
		}
		node = next
	}
	return node.records
}

func mergeAll(r httpdconf.Records, sections []*httpdconf.Section) httpdconf.Records {
	for _, s := range sections {
		r = r.Merge(s.Records)
	}
	return r
}
