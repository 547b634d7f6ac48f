package server

import (
	"encoding/binary"
	"flag"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// storm is how long TestStormOfSenders lasts; a minute is for a day without
// hurry.
var storm = flag.Duration("storm", time.Second, "how long senders storm a connection")

// TestStormOfSenders: eight goroutines send to one connection, which echoes
// meanwhile: nothing is lost, and none of them overtakes itself.
func TestStormOfSenders(t *testing.T) {
	const senders, echoes = 8, 8
	var started sync.WaitGroup
	started.Add(1)
	counts := make(chan [senders]uint32, 1)
	var conn wsplugin.Conn
	p := &scripted{connect: func(c wsplugin.Conn) bool {
		conn = c
		started.Done()
		return true
	}}
	l := one(t, p)
	c := l.upgrade(t, "/ws")
	if err := c.SetDeadline(time.Now().Add(*storm + 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	started.Wait()
	go func() {
		var sent [senders]uint32
		var all sync.WaitGroup
		end := time.Now().Add(*storm)
		for s := range senders {
			all.Go(func() {
				var m [5]byte
				m[0] = byte(s)
				for time.Now().Before(end) {
					binary.BigEndian.PutUint32(m[1:], sent[s])
					if conn.Send(wsplugin.Binary, m[:]) != len(m) {
						return
					}
					sent[s]++
				}
			})
		}
		all.Wait()
		counts <- sent
		conn.Close()
	}()
	go func() {
		m := []byte{echoes, 0, 0, 0, 0}
		for n := uint32(0); ; n++ {
			binary.BigEndian.PutUint32(m[1:], n)
			if _, err := io.WriteString(c.Conn, frame(0x82, string(m))); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var next [senders + 1]uint32
	var f [7]byte
	for {
		if _, err := io.ReadFull(c.r, f[:2]); err != nil {
			t.Fatal(err)
		}
		if f[0] == 0x88 {
			break
		}
		if _, err := io.ReadFull(c.r, f[2:]); err != nil {
			t.Fatal(err)
		}
		s, n := f[2], binary.BigEndian.Uint32(f[3:])
		if f[0] != 0x82 || f[1] != 5 || int(s) > senders || next[s] != n {
			t.Fatalf("frame %x, message %d of sender %d is due", f, next[min(int(s), senders)], s)
		}
		next[s]++
	}
	sent := <-counts
	if [senders]uint32(next[:senders]) != sent {
		t.Errorf("%v came, %v were sent", next[:senders], sent)
	}
	if next[echoes] == 0 {
		t.Error("nothing was echoed meanwhile")
	}
}
