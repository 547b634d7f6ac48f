// Package room keeps who is in a chat room, and tells all of them what happens.
// It knows no connection.
package room

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Room is a room. Its methods may be called from any goroutine; all who are in
// it are told of everything in the same order.
type Room struct {
	mu   sync.Mutex
	here map[string]func(message []byte) // how each is told, by name; guarded by mu
}

// New returns an empty room.
func New() *Room { return &Room{here: make(map[string]func([]byte))} }

// message is what all are told.
type message struct {
	From string   `json:"from,omitempty"`
	Text *string  `json:"text,omitempty"`
	Came string   `json:"came,omitempty"`
	Went string   `json:"went,omitempty"`
	Here []string `json:"here,omitempty"`
}

// longestName bounds names, in characters.
const longestName = 32

// Enter lets somebody in, and tells all. tell is called with the room locked:
// it must not wait, nor call the room. Enter reports whether the name is good
// and free.
func (r *Room) Enter(name string, tell func(message []byte)) bool {
	if name == "" || utf8.RuneCountInString(name) > longestName {
		return false
	}
	for _, c := range name {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return false
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here[name] != nil {
		return false
	}
	r.here[name] = tell
	r.tell(message{Came: name, Here: r.names()})
	return true
}

// Leave tells all others that somebody has gone.
func (r *Room) Leave(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.here, name)
	r.tell(message{Went: name, Here: r.names()})
}

// Say tells all what somebody says.
func (r *Room) Say(name, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(message{From: name, Text: &text})
}

// names returns who is here, sorted. mu is held.
func (r *Room) names() []string { return slices.Sorted(maps.Keys(r.here)) }

// tell tells all. mu is held.
func (r *Room) tell(m message) {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings can always be encoded
	}
	for _, tell := range r.here {
		tell(text)
	}
}
