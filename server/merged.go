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
	mergeStep
	next map[*httpdconf.Section]*mergedNode
}

// mergeStep is how far the sections of a request are merged: those of one walk
// among each other, and then over what the walks before it came to (httpd 2.4
// server/request.c, ap_location_walk). Under AuthMerging that makes a
// difference.
type mergeStep struct {
	records httpdconf.Records // outer and inner
	outer   httpdconf.Records // of the walks before
	inner   httpdconf.Records // of this one
	walk    httpdconf.SectionKind
}

// noWalk is the step in front of all sections.
const noWalk httpdconf.SectionKind = -1

// with returns the step behind one more section.
func (m mergeStep) with(s *httpdconf.Section) mergeStep {
	next := mergeStep{outer: m.outer, inner: s.Records, walk: walkOf(s.Kind) + httpdconf.SectionKind(s.Depth)}
	if next.walk == m.walk {
		next.inner = m.inner.Merge(s.Records)
	} else {
		next.outer = m.records
	}
	next.records = next.outer.Merge(next.inner)
	return next
}

// walkOf returns the kind that stands for all of one walk.
func walkOf(kind httpdconf.SectionKind) httpdconf.SectionKind {
	switch kind {
	case httpdconf.DirectoryMatchSection:
		return httpdconf.DirectorySection
	case httpdconf.FilesMatchSection:
		return httpdconf.FilesSection
	case httpdconf.LocationMatchSection:
		return httpdconf.LocationSection
	}
	return kind
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
		node = &mergedNode{mergeStep: mergeStep{records: h.Base, walk: noWalk}}
		m.roots[h] = node
	}
	for i, s := range sections {
		next := node.next[s]
		if next == nil {
			if m.nodes >= maxMerged {
				return node.all(sections[i:])
			}
			m.nodes++
			next = &mergedNode{mergeStep: node.with(s)}
			if node.next == nil {
				node.next = make(map[*httpdconf.Section]*mergedNode)
			}
			node.next[s] = next
		}
		node = next
	}
	return node.records
}

func mergeAll(base httpdconf.Records, sections []*httpdconf.Section) httpdconf.Records {
	return mergeStep{records: base, walk: noWalk}.all(sections)
}

func (m mergeStep) all(sections []*httpdconf.Section) httpdconf.Records {
	for _, s := range sections {
		m = m.with(s)
	}
	return m.records
}
