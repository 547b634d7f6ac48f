// Fasthttp is an echo server on github.com/fasthttp/websocket over fasthttp,
// with a pool of write buffers and one payload buffer for each connection. The
// library writes each message by itself.
package main

import (
	"bytes"
	"log"
	"os"
	"sync"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

func main() {
	upgrader := websocket.FastHTTPUpgrader{WriteBufferPool: new(sync.Pool), ReadBufferSize: 4096, WriteBufferSize: 4096}
	s := fasthttp.Server{
		Handler: func(r *fasthttp.RequestCtx) { _ = upgrader.Upgrade(r, serve) },
		// The default of 256 Ki goroutines would be enough too.
		Concurrency: 1 << 20,
		Logger:      log.New(discard{}, "", 0),
	}
	log.Fatal(s.ListenAndServe(os.Args[1]))
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func serve(c *websocket.Conn) {
	var payload bytes.Buffer
	for {
		kind, r, err := c.NextReader()
		if err != nil {
			return
		}
		payload.Reset()
		if _, err := payload.ReadFrom(r); err != nil {
			return
		}
		if c.WriteMessage(kind, payload.Bytes()) != nil {
			return
		}
	}
}
