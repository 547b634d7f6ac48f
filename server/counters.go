package server

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/wshttpd/wshttpd/httpdconf"
	"github.com/wshttpd/wshttpd/ws"
)

// speaker is a version of the protocol, as it is counted and logged: so that an
// operator can see when an old one can be dropped.
type speaker int

const (
	version13 speaker = iota
	version8
	version7
	versionDraft76
	versionDraft75
	speakers // how many there are
)

func (v speaker) String() string {
	return [...]string{"version 13", "version 8", "version 7", "draft-76", "draft-75"}[v]
}

// speakerOf returns the speaker of a version of RFC 6455 and its drafts.
func speakerOf(v ws.Version) speaker {
	switch v {
	case 8:
		return version8
	case 7:
		return version7
	}
	return version13
}

// draftSpeaker returns the speaker of a draft of hixie.
func draftSpeaker(draft75 bool) speaker {
	if draft75 {
		return versionDraft75
	}
	return versionDraft76
}

// counters counts the WebSockets that were opened, by version.
type counters [speakers]atomic.Int64

// String lists the counters, also those that are 0.
func (c *counters) String() string {
	var list []string
	for v := range speakers {
		list = append(list, fmt.Sprintf("%v: %d", v, c[v].Load()))
	}
	return strings.Join(list, ", ")
}

// logCounters writes the counters to the error log.
func (s *Server) logCounters() {
	s.log.printf("websocket", httpdconf.LevelNotice, "", "WebSockets opened since the start: %v", &s.opened)
}
