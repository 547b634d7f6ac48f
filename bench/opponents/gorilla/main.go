// Gorilla is an echo server on github.com/gorilla/websocket, with a pool of
// write buffers and one payload buffer for each connection. The library writes
// each message by itself.
package main

import (
	"bytes"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

func main() {
	upgrader := websocket.Upgrader{WriteBufferPool: new(sync.Pool), ReadBufferSize: 4096, WriteBufferSize: 4096}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		// The handler returns, so that what belongs to the request is freed.
		go serve(c)
	})))
}

func serve(c *websocket.Conn) {
	defer c.Close()
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
