package load

import (
	"bytes"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// short is a load that ends soon.
func short(addr string) Options {
	return Options{Addr: addr, Conns: 3, Size: 64, Warm: 5 * time.Millisecond, Time: 25 * time.Millisecond, Patience: 200 * time.Millisecond, PID: os.Getpid()}
}

func TestEveryReplyIsCounted(t *testing.T) {
	version13 := serve(t, echoes)
	raw := serveConns(t, rawEcho)
	draft76 := serveConns(t, draft76Echo)
	for name, change := range map[string]func(*Options){
		"binary":                           func(o *Options) {},
		"text":                             func(o *Options) { o.Text = true },
		"empty":                            func(o *Options) { o.Size = 0 },
		"of one byte":                      func(o *Options) { o.Size = 1 },
		"with the longest 7-bit length":    func(o *Options) { o.Size = 125 },
		"with the shortest 16-bit length":  func(o *Options) { o.Size = 126 },
		"with the longest 16-bit length":   func(o *Options) { o.Size = 65535 },
		"with the shortest 64-bit length":  func(o *Options) { o.Size = 65536 },
		"longer than the socket's buffers": func(o *Options) { o.Size = 8 << 20; o.Patience = 10 * time.Second },
		"in batches":                       func(o *Options) { o.Pipeline = 16 },
		"on many connections":              func(o *Options) { o.Conns = 300 },
		"without WebSocket":                func(o *Options) { o.Addr, o.Protocol = raw, Raw },
		"without WebSocket in batches":     func(o *Options) { o.Addr, o.Protocol, o.Pipeline = raw, Raw, 5 },
		"of draft-76":                      func(o *Options) { o.Addr, o.Protocol = draft76, Draft76 },
		"of draft-76 in batches":           func(o *Options) { o.Addr, o.Protocol, o.Pipeline = draft76, Draft76, 7 },
	} {
		t.Run(name, func(t *testing.T) {
			o := short(version13)
			change(&o)
			r, err := Echo(o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Messages < o.Conns*max(o.Pipeline, 1) || r.Messages%max(o.Pipeline, 1) != 0 || r.PerSecond <= 0 || r.ServerCPU <= 0 {
				t.Errorf("result %+v", r)
			}
			if r.LatencyP50 <= 0 || r.LatencyP99 < r.LatencyP50 || r.LatencyMax < r.LatencyP99 {
				t.Errorf("latencies %+v", r)
			}
			if r.Slowest < 1 || r.Fastest < r.Slowest || r.SlowestToFastest <= 0 || r.SlowestToFastest > 1 {
				t.Errorf("slowest to fastest: %+v", r)
			}
		})
	}
}

func TestServerSeesWhatIsCounted(t *testing.T) {
	var seen atomic.Int64
	addr := serve(t, func(m message) []message {
		seen.Add(1)
		return echoes(m)
	})
	o := short(addr)
	o.Warm = time.Nanosecond
	r, err := Echo(o)
	if err != nil {
		t.Fatal(err)
	}
	// Before the measurement each connection sent at least one, at most a few.
	if extra := int(seen.Load()) - r.Messages; extra < o.Conns || extra > 20*o.Conns {
		t.Errorf("the server saw %d messages, %d are counted", seen.Load(), r.Messages)
	}
}

func TestWrongReplyIsAnError(t *testing.T) {
	var held atomic.Pointer[message]
	for _, test := range []struct {
		name   string
		want   string
		answer func(message) []message
	}{
		{"first byte changed", "byte 2 of 66", func(m message) []message { return changed(m, 0) }},
		{"byte in the middle changed", "byte 33 of 66", func(m message) []message { return changed(m, 31) }},
		{"last byte changed", "byte 65 of 66", func(m message) []message { return changed(m, 63) }},
		{"one byte less", "byte 1 of 66", func(m message) []message { return []message{{m.kind, m.payload[1:]}} }},
		{"text for binary", "byte 0 of 66", func(m message) []message { return []message{{websocket.TextMessage, m.payload}} }},
		{"lost", "did not come", func(m message) []message { return []message{} }},
		{"twice", "", func(m message) []message { return []message{m, m} }},
		{"every second one late", "", func(m message) []message {
			if late := held.Swap(nil); late != nil {
				return []message{m, *late}
			}
			held.Store(&message{m.kind, bytes.Clone(m.payload)})
			return []message{}
		}},
		{"connection closed", "closed", func(m message) []message { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := short(serve(t, test.answer))
			o.Pipeline = 2
			r, err := Echo(o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("result %+v, error %v, want %q", r, err, test.want)
			}
		})
	}
}

func TestReplyOfAnotherConnectionIsAnError(t *testing.T) {
	there, back := make(chan message), make(chan message)
	o := short(serve(t, func(m message) []message {
		m.payload = bytes.Clone(m.payload)
		select {
		case there <- m:
			return []message{<-back}
		case other := <-there:
			back <- m
			return []message{other}
		}
	}))
	o.Conns = 2
	if r, err := Echo(o); err == nil || !strings.Contains(err.Error(), "byte ") {
		t.Errorf("result %+v, error %v", r, err)
	}
}

func TestSleepers(t *testing.T) {
	var slept, begins atomic.Int64
	addr := serve(t, func(m message) []message {
		if string(m.payload[:2]) == "S3" {
			slept.Add(1)
			time.Sleep(30 * time.Millisecond)
		}
		begins.Add(1)
		return echoes(m)
	})
	o := short(addr)
	o.Time = 100 * time.Millisecond
	o.Sleepers, o.Sleep = 2, 3*time.Second
	r, err := Echo(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.SleeperMessages < 4 || slept.Load() < 4 || int(slept.Load()) > r.SleeperMessages+o.Sleepers*6 {
		t.Errorf("%d messages of sleepers, %d slept for", r.SleeperMessages, slept.Load())
	}
	if r.LatencyMax > 25_000 {
		t.Logf("slowest echo beside sleepers: %v us", r.LatencyMax) // a busy machine
	}
	if r.Connections != 3 || r.Messages < r.SleeperMessages {
		t.Errorf("result %+v", r)
	}
}

func TestSleepersLostMessageIsAnError(t *testing.T) {
	o := short(serve(t, func(m message) []message {
		if m.payload[0] == 'S' {
			return []message{}
		}
		return echoes(m)
	}))
	o.Sleepers, o.Patience = 1, 50*time.Millisecond
	if r, err := Echo(o); err == nil {
		t.Errorf("result %+v", r)
	}
}

func TestNothingIsAllocatedForAMessage(t *testing.T) {
	o := short(serveConns(t, rawEcho))
	o.Protocol, o.Conns = Raw, 10
	l, err := newLoop(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.assign()
	if err := l.openAll(); err != nil {
		t.Fatal(err)
	}
	l.startAll(others)
	var before, after runtime.MemStats
	if err := l.pass(20*time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&before)
	if err := l.pass(50*time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	messages := uint64(0)
	for i := range l.conns {
		messages += uint64(l.conns[i].messages)
	}
	if got := after.Mallocs - before.Mallocs; got > messages/20 {
		t.Errorf("%d allocations for about %d messages", got, messages)
	}
}

func TestWhatCannotBeLoadedIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for name, o := range map[string]Options{
		"nobody listens":        short(addr),
		"no address":            short("localhost"),
		"raw and empty":         {Addr: addr, Protocol: Raw},
		"sleepers, one byte":    {Addr: addr, Sleepers: 1, Size: 1},
		"half a second":         {Addr: addr, Sleepers: 1, Size: 2, Sleep: time.Second / 2},
		"a negative number":     {Addr: addr, Conns: -1},
		"a server that is gone": {Addr: serve(t, echoes), PID: 1 << 22, Size: 1, Conns: 1, Warm: 1, Time: 1},
	} {
		if r, err := Echo(o); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
