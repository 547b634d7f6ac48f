// Files serves a folder by fasthttp's own file server. With "cached" it keeps
// what it has opened for ten seconds, as it does by default, and changes show
// late; else it looks at the folder for each request, as httpd does.
package main

import (
	"log"
	"os"

	"github.com/valyala/fasthttp"
)

func main() {
	how, folder, addr := os.Args[1], os.Args[2], os.Args[3]
	fs := fasthttp.FS{Root: folder, AcceptByteRange: true, SkipCache: how != "cached"}
	s := fasthttp.Server{Handler: fs.NewRequestHandler()}
	log.Fatal(s.ListenAndServe(addr))
}
