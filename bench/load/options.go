package load

import (
	"errors"
	"time"
)

// Protocol is what is spoken on a connection.
type Protocol int

// The protocols; the zero value is the one of today's browsers.
const (
	Version13 Protocol = iota
	Draft76
	Raw  // the bytes of the messages and nothing else
	HTTP // GET of a file with the content of File(Size)
)

// Options says what to load, and how. Zero stands for the default.
type Options struct {
	Addr     string // "127.0.0.1:8080"
	Path     string // "/echo"
	Protocol Protocol
	Text     bool // printable ASCII; Draft76 has nothing else

	Conns    int           // 100; at once under way in Connect
	Size     int           // payload in bytes; no default
	Pipeline int           // 1; messages of a batch
	Warm     time.Duration // 200 ms before the measurement
	Time     time.Duration // 1.5 s
	Patience time.Duration // 5 s for what is under way at the end

	// Sleepers are connections besides Conns that do not count. The first
	// message of each of their batches begins with 'S' and a digit: the
	// seconds that the plugin is to sleep.
	Sleepers        int
	SleeperPipeline int           // 2
	Sleep           time.Duration // 1 s; whole seconds, 9 at most

	PID int // the server's process, 0 for none
}

// parallel is how many handshakes are under way while connections are opened.
const parallel = 64

func (o Options) withDefaults() (Options, error) {
	if o.Path == "" {
		o.Path = "/"
	}
	if o.Conns == 0 {
		o.Conns = 100
	}
	if o.Pipeline == 0 {
		o.Pipeline = 1
	}
	if o.SleeperPipeline == 0 {
		o.SleeperPipeline = 2
	}
	if o.Sleep == 0 {
		o.Sleep = time.Second
	}
	if o.Warm == 0 {
		o.Warm = 200 * time.Millisecond
	}
	if o.Time == 0 {
		o.Time = 1500 * time.Millisecond
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	switch {
	case o.Conns < 0 || o.Pipeline < 0 || o.Size < 0 || o.Sleepers < 0 || o.SleeperPipeline < 0:
		return o, errors.New("a negative number")
	case o.Protocol == HTTP && (o.Pipeline > 1 || o.Sleepers > 0):
		return o, errors.New("HTTP has one request under way on each connection, and nobody sleeps")
	case (o.Protocol == Raw || o.Protocol == HTTP) && o.Size == 0:
		return o, errors.New("what is empty cannot be seen without frames")
	case o.Sleepers > 0 && o.Size < 2:
		return o, errors.New("such a short message cannot begin with S and a digit")
	case o.Sleep < 0 || o.Sleep > 9*time.Second || o.Sleep%time.Second != 0:
		return o, errors.New("the seconds to sleep do not make one digit")
	}
	return o, nil
}
