package pluginloader

import (
	"net/netip"
	"time"
)

// Request is what a plugin may ask of the request that opened its connection,
// in the words of httpd's request_rec.
type Request struct {
	Host any // the Key of the virtual host, nil for the main server

	Line     string // the_request: "GET /path?query HTTP/1.1"
	Method   string
	Protocol string
	Hostname string // of the Host field, without its port
	Scheme   string // http or https
	Target   string // unparsed_uri
	Path     string // uri: decoded
	Filename string // what Path is mapped to
	PathInfo string // the rest of Path, behind what exists
	User     string // "" where nobody has authenticated
	AuthType string
	Handler  string
	Local    netip.AddrPort
	Peer     netip.AddrPort // of the TCP connection
	Client   netip.AddrPort // whom the request is from: Peer, unless a proxy says otherwise
	Header   []Field        // as received, fields of one name joined
	Env      []Field        // subprocess_env

	ServerName   string // of the host, by UseCanonicalName; without brackets
	ServerPort   int
	DocumentRoot string
	LimitBody    int64  // bytes
	AskedType    string // AuthType of the path, "" for none
	AskedRealm   string // AuthName of the path
	Signature    string // the footer of error pages, "" for none

	// Records are those of modules for the path; nil where there are none.
	Records *Records

	// Level returns httpd's number of the LogLevel that holds at the path.
	Level func(module string) int
}

// Field is a name and a value: an entry of one of httpd's tables.
type Field struct{ Name, Value string }

// requester is what a connection has that knows its whole request. The methods
// may be called from any goroutine.
type requester interface {
	// Request returns what the plugin may ask for.
	Request() *Request

	// ReplyFields returns the fields of the answer that were set so far, and
	// SetReplyFields replaces them; both only while Connect runs.
	ReplyFields() []Field
	SetReplyFields(list []Field)

	// LogAs writes a record of a module's at one of httpd's levels. ofRequest
	// adds what httpd says of the request behind the text.
	LogAs(module string, level int, origin Origin, text string, ofRequest bool)
}

// Host is a virtual host, or the main server, as plugins see it (server_rec).
type Host struct {
	Key         any // by which requests and lines name it, nil for the main server
	Name, Admin string
	Port        int // 0 where ServerName has none
	Timeout     time.Duration
	File        string // where it is defined; empty for the main server
	Line        int

	// Level returns httpd's number of the LogLevel, and Log writes a record to
	// the host's error log.
	Level func(module string) int
	Log   func(module string, level int, origin Origin, text string)
}

// Origin is where a record comes from, as far as that is known.
type Origin struct {
	Source string // "mod_x.c(12)"
	Status string // of a call that has failed: "(2)No such file or directory"
}
