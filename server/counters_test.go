package server

import (
	"strings"
	"testing"
)

// TestVersionsAreCounted: an operator sees who still speaks an old version.
func TestVersionsAreCounted(t *testing.T) {
	l := one(t, &scripted{}, "SupportDraft75 On")
	for range 2 {
		l.upgrade(t, "/ws")
	}
	l.dial(t).send("GET /ws HTTP/1.1\r\nHost: x\r\n" + strings.Replace(upgradeFields, "13", "7", 1) + "\r\n").expect(accepted + "\r\n")
	dialDraft76(l, t)
	l.dial(t).send("GET /ws HTTP/1.1\r\n" + draft75Head + "\r\n").expect(draft75Reply + "\r\n")
	l.dial(t).send("GET /ws HTTP/1.1\r\n" + draft76Refused + "\r\n").receive("GET")
	l.logged(t, "WebSocket opened for /ws, draft-76")
	if got, want := l.opened.String(), "version 13: 2, version 8: 0, version 7: 1, draft-76: 1, draft-75: 1"; got != want {
		t.Errorf("counted %q, want %q", got, want)
	}
	l.LogCheck("USR1", true)
	l.logged(t, "WebSockets opened since the start: version 13: 2, version 8: 0")
}

// draft76Refused is a head without its second key.
const draft76Refused = "Upgrade: WebSocket\r\nConnection: Upgrade\r\nHost: x\r\nSec-WebSocket-Key1: 1 1\r\n"
