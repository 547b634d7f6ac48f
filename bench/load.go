package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// load is one measurement.
type load struct {
	url         string
	connections int
	size        int // bytes
	pipeline    int
	duration    time.Duration
	text        bool
	pid         int
}

// result is what a load came to. Times are in microseconds.
type result struct {
	Connections      int     `json:"connections"`
	Size             int     `json:"size"`
	Pipeline         int     `json:"pipeline"`
	Seconds          float64 `json:"seconds"`
	Messages         int     `json:"messages"`
	PerSecond        float64 `json:"per_second"`
	LatencyP50       float64 `json:"latency_p50_us"`
	LatencyP99       float64 `json:"latency_p99_us"`
	ServerCPU        float64 `json:"server_cpu_us_per_message,omitempty"`
	SlowestToFastest float64 `json:"slowest_to_fastest"`
}

// client is one connection's share of a load.
type client struct {
	conn      *websocket.Conn
	messages  int
	latencies []time.Duration // of every batch
	err       error
}

// run connects every client, lets all of them begin at once, and adds up.
func (l *load) run() (*result, error) {
	if l.connections < 1 || l.pipeline < 1 || l.size < 0 {
		return nil, errors.New("connections and pipeline are at least 1, size at least 0")
	}
	clients := make([]*client, l.connections)
	for i := range clients {
		conn, _, err := websocket.DefaultDialer.Dial(l.url, nil)
		if err != nil {
			return nil, fmt.Errorf("connect %d of %d: %w", i+1, l.connections, err)
		}
		defer conn.Close()
		clients[i] = &client{conn: conn}
	}
	cpuBefore, err := cpuTime(l.pid)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { c.err = c.exchange(l, byte(i), begin.Add(l.duration)) })
	}
	all.Wait()
	elapsed := time.Since(begin)
	cpuAfter, err := cpuTime(l.pid)
	if err != nil {
		return nil, err
	}
	return l.sum(clients, elapsed, cpuAfter-cpuBefore)
}

// exchange sends batches and compares the replies until the time is over.
func (c *client) exchange(l *load, seed byte, until time.Time) error {
	kind := websocket.BinaryMessage
	if l.text {
		kind = websocket.TextMessage
	}
	payload := bytes.Repeat([]byte{'a' + seed%26}, l.size)
	for time.Now().Before(until) {
		sent := time.Now()
		for range l.pipeline {
			if err := c.conn.WriteMessage(kind, payload); err != nil {
				return err
			}
		}
		for range l.pipeline {
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

func (l *load) sum(clients []*client, elapsed, cpu time.Duration) (*result, error) {
	r := &result{Connections: l.connections, Size: l.size, Pipeline: l.pipeline, Seconds: elapsed.Seconds()}
	var latencies []time.Duration
	slowest, fastest := clients[0].messages, 0
	for _, c := range clients {
		if c.err != nil {
			return nil, c.err
		}
		r.Messages += c.messages
		latencies = append(latencies, c.latencies...)
		slowest, fastest = min(slowest, c.messages), max(fastest, c.messages)
	}
	if r.Messages == 0 {
		return nil, errors.New("no message came back")
	}
	slices.Sort(latencies)
	r.PerSecond = float64(r.Messages) / elapsed.Seconds()
	r.LatencyP50 = micros(latencies[len(latencies)/2])
	r.LatencyP99 = micros(latencies[len(latencies)*99/100])
	r.ServerCPU = micros(cpu) / float64(r.Messages)
	r.SlowestToFastest = float64(slowest) / float64(fastest)
	return r, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
