// Sleepy echoes; a message that begins with 'S' and a digit makes it sleep so
// many seconds first.
// It stands for plugins that wait for a database or a lock.
package main

import (
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// SleepyInit is what "WebSocketHandler modules/sleepy.so sleepy_init" calls.
func SleepyInit() wsplugin.Plugin { return sleepy{} }

type sleepy struct{}

func (sleepy) Connect(c wsplugin.Conn) wsplugin.Session { return session{c} }

type session struct{ wsplugin.Conn }

func (s session) Message(t wsplugin.MessageType, payload []byte) {
	if len(payload) > 1 && payload[0] == 'S' {
		time.Sleep(time.Duration(payload[1]-'0') * time.Second)
	}
	s.Send(t, payload)
}

func (session) Disconnect() {}

func main() {} // never called in a plugin
