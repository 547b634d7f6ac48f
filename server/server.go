package server

import (
	"github.com/wshttpd/wshttpd/httpdconf"
)

// Server serves one configuration.
type Server struct {
	cfg *httpdconf.Config
	log *errorLog
}
