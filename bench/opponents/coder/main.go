// Coder is an echo server on github.com/coder/websocket, without compression and
// with one payload buffer for each connection. The library writes each message
// by itself.
package main

import (
	"bytes"
	"context"
	"log"
	"net/http"
	"os"

	"github.com/coder/websocket"
)

func main() {
	options := &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		c.SetReadLimit(64 << 20)
		// The handler returns, so that what belongs to the request is freed.
		go serve(c)
	})))
}

func serve(c *websocket.Conn) {
	defer c.CloseNow()
	ctx := context.Background()
	var payload bytes.Buffer
	for {
		kind, r, err := c.Reader(ctx)
		if err != nil {
			return
		}
		payload.Reset()
		if _, err := payload.ReadFrom(r); err != nil {
			return
		}
		if c.Write(ctx, kind, payload.Bytes()) != nil {
			return
		}
	}
}
