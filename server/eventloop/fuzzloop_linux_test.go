package eventloop

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// do does one thing of an input.
func (r *fuzzRun) do(op, which, arg byte) {
	switch op {
	case opOpen:
		r.add(r.g.loops[int(arg)%len(r.g.loops)], r.k.open(&fakeSock{id: -1}))
		return
	case opAccept:
		r.k.change(func() { r.k.socks[r.fd].accepts = append(r.k.socks[r.fd].accepts, 0) })
		return
	case opAcceptError:
		errno := []syscall.Errno{syscall.EMFILE, syscall.ECONNABORTED, syscall.EINTR, syscall.ENFILE}[arg%4]
		r.k.change(func() { r.k.socks[r.fd].accepts = append(r.k.socks[r.fd].accepts, errno) })
		return
	case opWaitEINTR:
		r.k.change(func() { r.k.eintr++ })
		return
	case opAtOnce:
		r.k.change(func() { r.k.atOnce = int(arg % 4) })
		return
	case opFailAdd:
		r.k.change(func() { r.k.noAdd = true })
		return
	case opWithin:
		r.when = int(arg%3) + 1
		return
	case opSettle:
		r.settle()
		return
	}
	all := r.all()
	if len(all) == 0 {
		return
	}
	h := all[int(which)%len(all)]
	what := func() { h.do(op, arg) }
	switch r.when {
	case 0:
		what()
	case 1:
		r.k.change(func() { r.k.atPoll = append(r.k.atPoll, what) })
	case 2:
		r.k.change(func() { r.k.atSleep = append(r.k.atSleep, what) })
	case 3:
		r.elsewhere(what)
	}
	r.when = 0
}

// do does one thing of an input to a connection.
func (h *fuzzConn) do(op, arg byte) {
	k, s := h.run.k, h.sock
	switch op {
	case opSend:
		k.peerSends(s, int(arg%64)+1)
	case opEOF:
		k.change(func() { s.eof = true })
	case opReset:
		k.change(func() {
			s.reset = true
			if arg%2 == 0 {
				s.rx = nil
			}
		})
	case opRoom:
		k.change(func() { s.room += int(arg) })
	case opArm:
		h.mu.Lock()
		h.armed = append(h.armed, arg%acts)
		h.mu.Unlock()
	case opInterrupt:
		h.interrupt()
	case opInterruptAfter:
		h.interruptAfter(time.Duration(arg%4) * 100 * time.Microsecond)
		if arg%4 == 0 {
			h.asked.Store(false) // that has cancelled it
		}
	case opPause:
		h.pause(true)
	case opResume:
		h.pause(false)
	case opClose:
		h.close()
	case opCloseElsewhere:
		h.run.elsewhere(h.close)
	case opCloseWrite:
		_ = h.c.CloseWrite()
	case opRecvAnswer, opSendAnswer:
		answer := []syscall.Errno{0, syscall.EAGAIN, syscall.EINTR}[arg%3]
		k.change(func() {
			if op == opRecvAnswer {
				s.recvs = append(s.recvs, answer)
			} else {
				s.sends = append(s.sends, answer)
			}
		})
	case opSpurious:
		k.change(func() { s.spurious = true })
	case opNotify:
		h.mu.Lock()
		h.waiting = true
		h.c.NotifyWritable()
		h.mu.Unlock()
	}
}

// busy returns what the loops have to do still, "" when they have nothing and
// wait.
func (r *fuzzRun) busy() string {
	if n := r.others.Load(); n > 0 {
		return fmt.Sprintf("%d other goroutines", n)
	}
	before, _ := r.k.idle()
	for _, h := range r.all() {
		h.c.mu.Lock()
		detached := h.c.detached
		h.c.mu.Unlock()
		if detached || h.inside.Load() > 0 {
			return fmt.Sprintf("connection %d: detached %v, in a callback %v", h.id, detached, h.inside.Load() > 0)
		}
	}
	loops := r.g.loops
	r.g.mu.Lock()
	if r.g.slow != nil {
		loops = append(append([]*Loop(nil), loops...), r.g.slow)
	}
	r.g.mu.Unlock()
	for _, l := range loops {
		l.mu.Lock()
		queue, due, resting := len(l.queue)+len(l.overdue), len(l.due), l.resting()
		l.mu.Unlock()
		if queue+due > 0 || resting || l.baton.isStolen() || readable(l.wakeFd) {
			return fmt.Sprintf("a loop: %d pending, %d due, listener rests %v, stolen %v, woken %v",
				queue, due, resting, l.baton.isStolen(), readable(l.wakeFd))
		}
	}
	if after, idle := r.k.idle(); !idle || after != before {
		return "no wait lasts"
	}
	return ""
}

// settle waits until the loops have nothing to do, and looks whether all was
// done.
func (r *fuzzRun) settle() {
	r.t.Helper()
	until := time.Now().Add(10 * time.Second)
	for busy := r.busy(); busy != ""; busy = r.busy() {
		r.check()
		if time.Now().After(until) {
			r.t.Fatalf("the loops do not come to rest: %s", busy)
		}
		time.Sleep(20 * time.Microsecond)
	}
	for _, h := range r.all() {
		if undone := h.undone(); undone != "" {
			r.report("connection %d: the loop sleeps although %s", h.id, undone)
		}
	}
	r.check()
}

// undone returns what was not done for a connection, its loop being at rest.
func (h *fuzzConn) undone() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run.k.mu.Lock()
	defer h.run.k.mu.Unlock()
	s, ended := h.sock, h.closes.Load() == 1
	if h.left.Load() {
		return ""
	}
	if h.closing.Load() {
		if h.releases.Load() != 1 || !ended || h.waiting {
			return fmt.Sprintf("OnRelease came %d times after Close, OnClose %v, OnWritable lacks %v", h.releases.Load(), ended, h.waiting)
		}
		return ""
	}
	switch reads := !h.full && !h.paused && !ended; {
	case h.releases.Load() != 0:
		return "OnRelease came without Close"
	case reads && (len(s.rx) > 0 || s.eof || s.reset):
		return fmt.Sprintf("%d bytes can be read, EOF %v, reset %v", len(s.rx), s.eof, s.reset)
	case h.waiting && (s.room > 0 || s.reset || s.shut):
		return "OnWritable was asked for and the socket is writable"
	case h.asked.Load() && !ended:
		return "an interrupt was asked for"
	}
	return ""
}

// finishAll gives every connection room and its end, and ends the loops.
func (r *fuzzRun) finishAll() {
	r.t.Helper()
	r.settle()
	for _, h := range r.all() {
		r.k.change(func() { h.sock.room, h.sock.recvs, h.sock.sends = 1<<20, nil, nil })
		h.mu.Lock()
		h.armed = nil
		h.mu.Unlock()
		h.pause(false)
		h.interrupt() // what was held leaves now
	}
	r.settle()
	for _, h := range r.all() {
		h.mu.Lock()
		whole := h.in == h.sock.sent && h.sock.got == h.in
		if cut := h.lost || h.left.Load() || h.closing.Load() || h.sock.reset || h.sock.shut; !whole && !cut {
			r.report("connection %d: %d bytes sent, %d came in, %d came back", h.id, h.sock.sent, h.in, h.sock.got)
		}
		h.mu.Unlock()
		if h.id%2 == 0 {
			h.close()
		}
		h.do(opEOF, 0)
	}
	r.settle()
	for _, h := range r.all() {
		if ended := h.closes.Load() == 1; ended == h.left.Load() {
			r.report("connection %d: OnClose came %d times, Leave %v", h.id, h.closes.Load(), h.left.Load())
		}
		h.close()
	}
	r.settle()
	r.g.StopListening()
	r.g.Close()
	r.awaitEnd()
	r.check()
	if n := len(r.k.socks); n != 1 {
		r.t.Errorf("%d descriptors were not closed", n-1)
	}
}

// awaitEnd waits for the threads.
func (r *fuzzRun) awaitEnd() {
	r.t.Helper()
	loops := r.g.loops
	if r.g.slow != nil {
		loops = append(loops, r.g.slow)
	}
	until := time.Now().Add(10 * time.Second)
	for _, l := range loops {
		for {
			l.mu.Lock()
			workers := l.workers
			l.mu.Unlock()
			if workers == 0 {
				break
			}
			if time.Now().After(until) {
				r.t.Fatalf("%d threads do not end", workers)
			}
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// scenarios are what FuzzLoop begins with: the first byte is the loops, then
// come threes.
var scenarios = map[string][]byte{
	"echo":                              {0, opOpen, 0, 0, opSend, 0, 9, opSettle, 0, 0, opSend, 0, 60},
	"a full socket":                     {0, opOpen, 0, 0, opSend, 0, 63, opSend, 0, 63, opSend, 0, 63, opSettle, 0, 0, opRoom, 0, 99, opSettle, 0, 0},
	"a full socket that is closed":      {0, opOpen, 0, 0, opSend, 0, 63, opSend, 0, 63, opSettle, 0, 0, opClose, 0, 0},
	"a full socket that is reset":       {0, opOpen, 0, 0, opSend, 0, 63, opSend, 0, 63, opSettle, 0, 0, opReset, 0, 1},
	"reset with data behind it":         {0, opOpen, 0, 0, opSend, 0, 9, opReset, 0, 1, opSettle, 0, 0},
	"paused and reset":                  {0, opOpen, 0, 0, opPause, 0, 0, opSettle, 0, 0, opReset, 0, 0, opSettle, 0, 0, opResume, 0, 0},
	"EOF with a backlog":                {0, opOpen, 0, 0, opSend, 0, 63, opSend, 0, 63, opEOF, 0, 0, opSettle, 0, 0, opRoom, 0, 50, opSettle, 0, 0},
	"accept errors":                     {1, opAcceptError, 0, 0, opAccept, 0, 0, opAcceptError, 0, 1, opAccept, 0, 0, opAcceptError, 0, 2, opSettle, 0, 0, opSend, 1, 5},
	"a descriptor used again":           {0, opOpen, 0, 0, opOpen, 0, 0, opSend, 0, 5, opSend, 1, 5, opClose, 0, 0, opOpen, 0, 0, opSend, 2, 9, opCloseElsewhere, 1, 0, opOpen, 0, 0, opSend, 3, 7},
	"lies about what is ready":          {0, opOpen, 0, 0, opRecvAnswer, 0, 1, opRecvAnswer, 0, 2, opSendAnswer, 0, 1, opSendAnswer, 0, 2, opSend, 0, 20, opSpurious, 0, 0, opWaitEINTR, 0, 0, opSettle, 0, 0},
	"short reads and writes":            {0, opOpen, 0, 0, opRecvAnswer, 0, 0, opSendAnswer, 0, 0, opSendAnswer, 0, 0, opSend, 0, 20, opSettle, 0, 0},
	"interrupts":                        {0, opOpen, 0, 0, opInterrupt, 0, 0, opSettle, 0, 0, opInterruptAfter, 0, 1, opSettle, 0, 0, opInterruptAfter, 0, 0, opArm, 0, actInterrupt, opInterruptAfter, 0, 3, opClose, 0, 0},
	"stolen while others are ready":     {0, opOpen, 0, 0, opOpen, 0, 0, opOpen, 0, 0, opArm, 0, actStuck, opSend, 0, 9, opSend, 1, 9, opSend, 2, 9, opSettle, 0, 0, opSend, 0, 9},
	"stolen and back at once":           {0, opOpen, 0, 0, opOpen, 0, 0, opArm, 0, actSteal, opSend, 0, 9, opSend, 1, 9},
	"stolen while another is full":      {0, opOpen, 0, 0, opOpen, 0, 0, opSend, 1, 63, opSend, 1, 63, opSend, 1, 63, opSettle, 0, 0, opArm, 0, actStuck, opRoom, 1, 99, opSend, 0, 9, opSettle, 0, 0},
	"closed while stuck":                {0, opOpen, 0, 0, opArm, 0, actStuck, opArm, 0, actElsewhere, opSend, 0, 9, opSettle, 0, 0},
	"stolen, handed over, ended":        {0, opOpen, 0, 0, opArm, 0, actStuck, opSend, 0, 9, opSettle, 0, 0, opArm, 0, actGoexit, opSend, 0, 9, opSettle, 0, 0, opEOF, 0, 0},
	"ended goroutines":                  {0, opOpen, 0, 0, opArm, 0, actGoexit, opSend, 0, 9, opSettle, 0, 0, opArm, 0, actStuck, opArm, 0, actGoexit, opSend, 0, 9, opSettle, 0, 0},
	"burns, to the slow lane and back":  append([]byte{1, opOpen, 0, 0, opInterruptAfter, 0, 3, opArm, 0, actBurn, opSend, 0, 9, opSettle, 0, 0}, repeat(20, opSend, 0, 1, opSettle, 0, 0)...),
	"burns and is stolen":               {0, opOpen, 0, 0, opArm, 0, actBurn, opArm, 0, actStuck, opInterrupt, 0, 0, opSend, 0, 9, opSettle, 0, 0, opSend, 0, 9},
	"leaves":                            {0, opOpen, 0, 0, opArm, 0, actLeave, opSend, 0, 9, opOpen, 0, 0, opSend, 1, 9},
	"leaves while stuck":                {0, opOpen, 0, 0, opArm, 0, actStuck, opArm, 0, actLeave, opSend, 0, 9, opOpen, 0, 0, opSend, 1, 9},
	"trusted again":                     append([]byte{0, opOpen, 0, 0, opArm, 0, actStuck, opSend, 0, 9, opSettle, 0, 0}, repeat(18, opSend, 0, 1, opSettle, 0, 0)...),
	"one event at a time":               {0, opAtOnce, 0, 1, opOpen, 0, 0, opOpen, 0, 0, opSend, 0, 9, opSend, 1, 9, opEOF, 0, 0, opReset, 1, 0},
	"not taken in":                      {0, opFailAdd, 0, 0, opOpen, 0, 0, opOpen, 0, 0, opSend, 0, 9},
	"asks to write from outside":        {0, opOpen, 0, 0, opNotify, 0, 0, opSettle, 0, 0, opPause, 0, 0, opNotify, 0, 0, opSettle, 0, 0, opClose, 0, 0, opNotify, 0, 0},
	"a deadline set as the loop polls":  {0, opOpen, 0, 0, opSettle, 0, 0, opWithin, 0, 0, opInterruptAfter, 0, 3, opSettle, 0, 0},
	"a deadline set as it falls asleep": {0, opOpen, 0, 0, opSettle, 0, 0, opWithin, 0, 1, opInterruptAfter, 0, 3, opSettle, 0, 0},
	"closed as the loop polls":          {0, opOpen, 0, 0, opSend, 0, 9, opWithin, 0, 0, opClose, 0, 0, opWithin, 0, 0, opInterrupt, 0, 0, opSend, 0, 9},
	"ends its half":                     {0, opOpen, 0, 0, opCloseWrite, 0, 0, opSend, 0, 9, opSettle, 0, 0, opEOF, 0, 0},
	"held echo, paused in the callback": {0, opOpen, 0, 0, opArm, 0, actHold, opSend, 0, 9, opSettle, 0, 0, opArm, 0, actPause, opSend, 0, 9, opSend, 0, 9, opSettle, 0, 0},
}

func repeat(n int, threes ...byte) (all []byte) {
	for range n {
		all = append(all, threes...)
	}
	return all
}

func runInput(t *testing.T, input []byte) {
	if len(input) == 0 {
		return
	}
	r := newFuzzRun(t, int(input[0]%2)+1)
	for at := 1; at+2 < len(input) && at < 300; at += 3 {
		r.do(input[at]%ops, input[at+1], input[at+2])
	}
	r.finishAll()
}

func TestLoopOnAFakeKernel(t *testing.T) {
	for name, input := range scenarios {
		t.Run(name, func(t *testing.T) { runInput(t, input) })
	}
}

func FuzzLoop(f *testing.F) {
	for _, input := range scenarios {
		f.Add(input)
	}
	f.Fuzz(runInput)
}
