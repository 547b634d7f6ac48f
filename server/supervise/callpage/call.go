package callpage

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
)

// Call is a call that is noted.
type Call struct {
	Callback Callback
	Plugin   string         // its name; empty where that is not known
	Client   netip.AddrPort // not valid where there is none
	Lasts    bool           // MarkLasting was called
}

// String says what a process was doing: "in on_message of FILE (INIT) at
// <Location /ws> for client 192.0.2.1:5678", or "loading FILE with its INIT".
// Plugin's bytes are as they are.
func (c Call) String() string {
	text := "in " + c.Callback.String() + " of "
	if c.Callback == Load {
		text = c.Callback.String() + " "
	}
	if c.Plugin == "" {
		text += "a plugin"
	}
	text += c.Plugin
	if c.Client.IsValid() {
		text += " for client " + c.Client.String()
	}
	return text
}

// Calls returns the calls that are under way, or were when the process died.
// Those that last come last.
func (p *Page) Calls() []Call {
	if p == nil {
		return nil
	}
	var list, lasting []Call
	for i := range p.slots {
		if c := p.call(i); c.Callback != 0 && c.Lasts {
			lasting = append(lasting, c)
		} else if c.Callback != 0 {
			list = append(list, c)
		}
	}
	return append(list, lasting...)
}

// call returns what is noted in a slot; its Callback is 0 where nothing is.
func (p *Page) call(i int) Call {
	s := &p.slots[i]
	word := atomic.LoadUint64(&s.word)
	if word == 0 {
		return Call{}
	}
	c := Call{Callback: Callback(word), Lasts: atomic.LoadUint32(&s.lasts) != 0}
	c.Plugin, _ = p.text(Name(word >> 8))
	switch s.family {
	case 4:
		c.Client = netip.AddrPortFrom(netip.AddrFrom16(s.client).Unmap(), uint16(s.port))
	case 6:
		c.Client = netip.AddrPortFrom(netip.AddrFrom16(s.client), uint16(s.port))
	}
	return c
}

// At returns the call at a place.
func (p *Page) At(at Place) Call { return p.call(int(at - 1)) }

// Serial reports whether there is a call at a place. As long as the serial stays
// the same it is the same call.
func (p *Page) Serial(at Place) (serial uint64, runs bool) {
	s := &p.slots[at-1]
	return s.serial, atomic.LoadUint64(&s.word) != 0
}

// MarkLasting notes that the call at a place lasts, so that it is not taken for
// the one that has ended the process.
func (p *Page) MarkLasting(at Place) { atomic.StoreUint32(&p.slots[at-1].lasts, 1) }

// told is how many calls Describe names.
const told = 16

// Describe says in one text what calls there are, those that last behind the
// others.
func Describe(list []Call) string {
	if len(list) == 0 {
		return "no callback of a plugin was running"
	}
	var parts []string
	for i, c := range list[:min(len(list), told)] {
		text := c.String()
		if c.Lasts && (i == 0 || !list[i-1].Lasts) {
			text = "and for long " + text
		}
		parts = append(parts, text)
	}
	if n := len(list) - told; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, ", ")
}
