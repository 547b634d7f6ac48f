// Faulty is a Go plugin with one good init function and many bad ones.
package main

import (
	"runtime"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// Echo_init is found by its first letter alone.
func Echo_init() wsplugin.Plugin { return &echo{} }

// Destroyed is read by the test through StateInit.
var destroyed int

// CountInit gives a plugin that counts what happens to it.
func CountInit() wsplugin.Plugin { return &echo{} }

// StateInit is good if two plugins were destroyed.
func StateInit() wsplugin.Plugin {
	if destroyed != 2 {
		return nil
	}
	return &echo{}
}

type echo struct{}

func (*echo) Connect(c wsplugin.Conn) wsplugin.Session { return session{c} }
func (*echo) Destroy()                                 { destroyed++ }

type session struct{ wsplugin.Conn }

func (s session) Message(t wsplugin.MessageType, payload []byte) { s.Send(t, payload) }
func (session) Disconnect()                                      {}

// NilInit returns nothing.
func NilInit() wsplugin.Plugin { return nil }

// PanicInit panics.
func PanicInit() wsplugin.Plugin { panic("init has a bug") }

// ExitInit ends its goroutine.
func ExitInit() wsplugin.Plugin {
	runtime.Goexit()
	return nil
}

// IntInit is of another type.
func IntInit() int { return 0 }

// ArgumentInit as well.
func ArgumentInit(string) wsplugin.Plugin { return nil }

// VarInit is a variable.
var VarInit = func() wsplugin.Plugin { return &echo{} }

func main() {}
