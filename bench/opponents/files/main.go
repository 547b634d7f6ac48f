// Files serves a folder by fasthttp's own file server: open files and answers'
// heads are kept, as it does by default.
package main

import (
	"log"
	"os"

	"github.com/valyala/fasthttp"
)

func main() {
	fs := fasthttp.FS{Root: os.Args[1], AcceptByteRange: true}
	s := fasthttp.Server{Handler: fs.NewRequestHandler()}
	log.Fatal(s.ListenAndServe(os.Args[2]))
}
