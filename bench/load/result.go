package load

import (
	"time"

	"github.com/wshttpd/wshttpd/bench/proc"
)

// Result is what a load came to. Times are in microseconds; what does not apply
// is 0.
type Result struct {
	Connections int     `json:"connections"`
	Size        int     `json:"size"`
	Pipeline    int     `json:"pipeline"`
	Seconds     float64 `json:"seconds"`
	Messages    int     `json:"messages"` // or handshakes
	PerSecond   float64 `json:"per_second"`

	// ServerCPU is the server's user and system time for each message.
	ServerCPU   float64 `json:"server_cpu_us,omitempty"`
	ServerShare float64 `json:"server_share,omitempty"` // of one core
	ClientShare float64 `json:"client_share"`
	Threads     int     `json:"server_threads,omitempty"`

	// Of batches: from the send to the end of the last reply.
	LatencyP50 float64 `json:"latency_p50_us,omitempty"`
	LatencyP99 float64 `json:"latency_p99_us,omitempty"`
	LatencyMax float64 `json:"latency_max_us,omitempty"`

	Slowest          int     `json:"slowest,omitempty"` // messages of one connection
	Fastest          int     `json:"fastest,omitempty"`
	SlowestToFastest float64 `json:"slowest_to_fastest,omitempty"`

	Sleepers        int `json:"sleepers,omitempty"`
	SleeperMessages int `json:"sleeper_messages,omitempty"`

	// Of Idle: resident memory with no connection, with half of them and with
	// all; its growth for each of all, and for each of the second half.
	RSSEmpty  int64   `json:"rss_empty,omitempty"`
	RSSHalf   int64   `json:"rss_half,omitempty"`
	RSSFull   int64   `json:"rss_full,omitempty"`
	BytesEach float64 `json:"bytes_each,omitempty"`
	BytesMore float64 `json:"bytes_more,omitempty"`
}

// usage is what server and client have used at one moment.
type usage struct {
	at             time.Time
	server, client time.Duration
}

func (l *loop) usage() (usage, error) {
	u := usage{at: time.Now()}
	var err error
	if u.server, err = proc.CPU(l.o.PID); err != nil {
		return u, err
	}
	u.client, err = proc.OwnCPU()
	return u, err
}

// account fills in what was used between two moments.
func (r *Result) account(before, after usage, messages int) {
	elapsed := after.at.Sub(before.at)
	r.Messages = messages
	r.Seconds = elapsed.Seconds()
	r.PerSecond = float64(messages) / r.Seconds
	r.ServerShare = float64(after.server-before.server) / float64(elapsed)
	r.ClientShare = float64(after.client-before.client) / float64(elapsed)
	if messages > 0 {
		r.ServerCPU = micros(after.server-before.server) / float64(messages)
	}
}

func (r *Result) latency(l *loop) {
	r.LatencyP50 = micros(time.Duration(l.latencies.ValueAtQuantile(50)))
	r.LatencyP99 = micros(time.Duration(l.latencies.ValueAtQuantile(99)))
	r.LatencyMax = micros(time.Duration(l.latencies.Max()))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
