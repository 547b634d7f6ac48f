// Echo sends every message back as it came. It is about as short as a plugin
// can be.
package main

import "github.com/wshttpd/wshttpd/pluginloader/wsplugin"

// EchoInit is what "WebSocketHandler modules/echo.so echo_init" calls.
func EchoInit() wsplugin.Plugin { return echo{} }

type echo struct{}

// Connect accepts everybody: the session needs no more than its connection.
func (echo) Connect(c wsplugin.Conn) wsplugin.Session { return session{c} }

type session struct{ wsplugin.Conn }

func (s session) Message(t wsplugin.MessageType, payload []byte) { s.Send(t, payload) }

func (session) Disconnect() {}

func main() {} // never called in a plugin
