// Package foreign loads an echo server with a client that is not ours,
// fasthttp/websocket on a goroutine for each connection. It is the check on
// package load: dearer, and of other people.
package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/wshttpd/wshttpd/bench/load"
	"github.com/wshttpd/wshttpd/bench/proc"
)

// Load is one measurement; every field but Text and PID must be set.
type Load struct {
	URL         string // "ws://127.0.0.1:8080/echo"
	Connections int
	Size        int // bytes
	Pipeline    int
	Time        time.Duration
	Text        bool
	PID         int // the server's process, 0 for none
}

// client is one connection's share of a load.
type client struct {
	conn      *websocket.Conn
	messages  int
	latencies []time.Duration // of every batch
	err       error
}

// Run connects every client, lets all of them begin at once, and adds up.
func (l *Load) Run() (*load.Result, error) {
	if l.Connections < 1 || l.Pipeline < 1 || l.Size < 0 {
		return nil, errors.New("connections and pipeline are at least 1, size at least 0")
	}
	clients := make([]*client, l.Connections)
	for i := range clients {
		conn, _, err := websocket.DefaultDialer.Dial(l.URL, nil)
		if err != nil {
			return nil, fmt.Errorf("connect %d of %d: %w", i+1, l.Connections, err)
		}
		defer conn.Close()
		clients[i] = &client{conn: conn}
	}
	cpuBefore, err := proc.CPU(l.PID)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { c.err = c.exchange(l, byte(i), begin.Add(l.Time)) })
	}
	all.Wait()
	elapsed := time.Since(begin)
	cpuAfter, err := proc.CPU(l.PID)
	if err != nil {
		return nil, err
	}
	return l.sum(clients, elapsed, cpuAfter-cpuBefore)
}

// exchange sends batches and compares the replies until the time is over.
func (c *client) exchange(l *Load, seed byte, until time.Time) error {
	kind := websocket.BinaryMessage
	if l.Text {
		kind = websocket.TextMessage
	}
	payload := bytes.Repeat([]byte{'a' + seed%26}, l.Size)
	for time.Now().Before(until) {
		sent := time.Now()
		for range l.Pipeline {
			if err := c.conn.WriteMessage(kind, payload); err != nil {
				return err
			}
		}
		for range l.Pipeline {
			gotKind, got, err := c.conn.ReadMessage()
			if err != nil {
				return err
			}
			if gotKind != kind || !bytes.Equal(got, payload) {
				return fmt.Errorf("message %d came back as another one", c.messages)
			}
			c.messages++
		}
		c.latencies = append(c.latencies, time.Since(sent))
	}
	return nil
}

func (l *Load) sum(clients []*client, elapsed, cpu time.Duration) (*load.Result, error) {
	r := &load.Result{Connections: l.Connections, Size: l.Size, Pipeline: l.Pipeline, Seconds: elapsed.Seconds()}
	var latencies []time.Duration
	r.Slowest = clients[0].messages
	for _, c := range clients {
		if c.err != nil {
			return nil, c.err
		}
		r.Messages += c.messages
		latencies = append(latencies, c.latencies...)
		r.Slowest, r.Fastest = min(r.Slowest, c.messages), max(r.Fastest, c.messages)
	}
	if r.Messages == 0 {
		return nil, errors.New("no message came back")
	}
	slices.Sort(latencies)
	r.PerSecond = float64(r.Messages) / r.Seconds
	r.ServerShare = float64(cpu) / float64(elapsed)
	r.LatencyP50 = micros(latencies[len(latencies)/2])
	r.LatencyP99 = micros(latencies[len(latencies)*99/100])
	r.ServerCPU = micros(cpu) / float64(r.Messages)
	r.SlowestToFastest = float64(r.Slowest) / float64(r.Fastest)
	return r, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
