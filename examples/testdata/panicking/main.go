// Panicking is a plugin with faults on demand: the first word of a message
// says which.
package main

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// PanickingInit is a good init function.
func PanickingInit() wsplugin.Plugin { return plugin{} }

// InitPanics is a bad one.
func InitPanics() wsplugin.Plugin { panic("init has a bug") }

// NilInit is another.
func NilInit() wsplugin.Plugin { return nil }

// WrongType is none at all.
func WrongType() int { return 0 }

// later is when a message has long been answered.
const later = 100 * time.Millisecond

type plugin struct{}

func (plugin) Connect(c wsplugin.Conn) wsplugin.Session {
	switch {
	case strings.Contains(c.URI(), "panic"):
		panic("connect has a bug")
	case strings.Contains(c.URI(), "goexit"):
		runtime.Goexit()
	case strings.Contains(c.URI(), "decline"):
		c.SetHeader("X-Dropped", "1")
		return nil
	}
	return session{c}
}

type session struct{ wsplugin.Conn }

func (s session) Message(t wsplugin.MessageType, payload []byte) {
	switch string(payload) {
	case "panic":
		panic("message has a bug")
	case "goexit":
		runtime.Goexit()
	case "stray": // in a goroutine that nobody guards
		go panic("a goroutine has a bug")
		select {}
	case "fatal": // which nothing recovers
		new(sync.Mutex).Unlock()
	case "exit":
		os.Exit(0)
	case "stray later":
		time.AfterFunc(later, func() { panic("a goroutine has a bug") })
	case "exit later":
		time.AfterFunc(later, func() { os.Exit(0) })
	}
	s.Send(t, payload)
}

func (s session) Disconnect() {
	if strings.Contains(s.URI(), "late") {
		panic("disconnect has a bug")
	}
}

func main() {}
