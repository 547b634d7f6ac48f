package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var l load
	flag.StringVar(&l.url, "url", "ws://127.0.0.1:8080/echo", "URL of an echo `Location`")
	flag.IntVar(&l.connections, "connections", 100, "how many connections, each on a goroutine")
	flag.IntVar(&l.size, "size", 64, "payload of a message in `bytes`")
	flag.IntVar(&l.pipeline, "pipeline", 1, "messages under way on each connection")
	flag.DurationVar(&l.duration, "duration", 2*time.Second, "how long to measure")
	flag.BoolVar(&l.text, "text", false, "send text instead of binary messages")
	flag.IntVar(&l.pid, "pid", 0, "process whose CPU time is charged to the messages; 0 for none")
	flag.Parse()
	r, err := l.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	out, err := json.Marshal(r)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Println(string(out))
}
