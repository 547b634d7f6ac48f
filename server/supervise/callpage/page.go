package callpage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// Slots is how many calls can be noted at once; those beyond are made all
	// the same.
	Slots = 4096

	// probes is how many slots a caller looks at for a free one.
	probes = 64

	// nameRoom is the room for names in bytes, and longestName that for one of
	// them. What is not used takes no memory.
	nameRoom    = 4 << 20
	longestName = 2 << 10

	headerSize = 64
	slotSize   = 64
	nameStart  = headerSize + Slots*slotSize
	pageSize   = nameStart + nameRoom
)

// Callback says what is called. The zero value is no call.
type Callback uint8

const (
	Load Callback = 1 + iota // of a library, and of its init function
	Connect
	Message
	Disconnect
	Timer
	Idle
	Destroy
	callbacks // how many there are, and one
)

func (c Callback) String() string {
	if c == 0 || c >= callbacks {
		return fmt.Sprintf("callback %d", uint8(c))
	}
	return [...]string{"", "loading", "on_connect", "on_message", "on_disconnect", "a timer", "on_idle", "destroy"}[c]
}

// Name stands for the text that says which plugin is called. The zero value is
// a plugin of which that is not known.
type Name uint32

// header begins the page.
type header struct {
	orderly     uint32 // the worker ends because it has come to its end; atomic
	connections uint32 // that are open; atomic
	_           [headerSize - 8]byte
}

// slot is a call under way. Whoever has set word owns the rest. The fields
// behind word are written without synchronisation: others read them a second or
// more later (the server's watch), or once the writer is dead. A serial is read
// at any time; a look that meets an old one is put right by the next.
type slot struct {
	word   uint64 // Callback | Name<<8; 0 of a free one; atomic
	serial uint64 // changes with each call
	client [16]byte
	port   uint32
	family uint32 // 4, 6, or 0 of no client
	lasts  uint32 // the call lasts long; atomic
	_      [slotSize - 44]byte
}

// Page is the memory. All methods may be called from any goroutine.
type Page struct {
	header *header
	slots  *[Slots]slot
	names  []byte // nameRoom

	mu    sync.Mutex
	known map[string]Name // guarded by mu, like used
	used  int             // bytes of names
}

// New makes a page that other processes can share through the file. The caller
// owns both.
func New() (*Page, *os.File, error) {
	fd, err := unix.MemfdCreate("wshttpd calls", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "calls")
	if err := file.Truncate(pageSize); err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	// A page that shrinks would end the master by SIGBUS.
	_, err = unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	if err != nil {
		_ = file.Close()
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	p, err := Map(file)
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return p, file, nil
}

// Map returns the page that a file of New holds. The file is not needed any
// more.
func Map(file *os.File) (*Page, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != pageSize {
		return nil, errors.New("the page of calls has another size: it is another version's")
	}
	return mapped(int(file.Fd()), unix.MAP_SHARED)
}

// Private returns a page that no other process sees, nil where there is no
// memory for it. On nil nothing is noted.
func Private() *Page {
	p, _ := mapped(-1, unix.MAP_PRIVATE|unix.MAP_ANON)
	return p
}

func mapped(fd, flags int) (*Page, error) {
	memory, err := unix.Mmap(fd, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	start := unsafe.Pointer(unsafe.SliceData(memory))
	return &Page{
		header: (*header)(start),
		slots:  (*[Slots]slot)(unsafe.Add(start, headerSize)),
		names:  memory[nameStart:],
		known:  make(map[string]Name),
	}, nil
}

// Close gives the memory back. No call may be under way; a process whose
// plugins may still be called keeps it.
func (p *Page) Close() {
	if p != nil {
		_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(p.header)), pageSize)) // it was mapped
	}
}

// Name notes a text, once. It returns 0 when there is no room for more.
func (p *Page) Name(text string) Name {
	if p == nil {
		return 0
	}
	text = text[:min(len(text), longestName)]
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, is := p.known[text]; is {
		return n
	}
	if p.used+2+len(text) > nameRoom {
		return 0
	}
	binary.LittleEndian.PutUint16(p.names[p.used:], uint16(len(text)))
	copy(p.names[p.used+2:], text)
	n := Name(p.used + 1)
	p.known[text] = n
	p.used += 2 + len(text)
	return n
}

// text returns what a name stands for, and whether there is such.
func (p *Page) text(n Name) (string, bool) {
	at := int(n) - 1
	if at < 0 || at+2 > nameRoom {
		return "", false
	}
	size := int(binary.LittleEndian.Uint16(p.names[at:]))
	if size > longestName || at+2+size > nameRoom {
		return "", false
	}
	return string(p.names[at+2 : at+2+size]), true
}

// Loading notes that a library is loaded, which may end the process or last
// for ever, until done.
func (p *Page) Loading(what string) (done func()) {
	at := p.Enter(0, Load, p.Name(what), netip.AddrPort{})
	return func() { p.Leave(at) }
}

// Place is a slot that a call has; the zero value is none.
type Place int32

// Enter notes a call. near is where a free slot is looked for first: callers
// that go on with the same number get the same memory. The call is to be ended
// with Leave.
func (p *Page) Enter(near int64, c Callback, n Name, client netip.AddrPort) Place {
	if p == nil {
		return 0
	}
	word := uint64(c) | uint64(n)<<8
	for i := range int64(probes) {
		at := uint64(near+i) % Slots
		s := &p.slots[at]
		if atomic.LoadUint64(&s.word) != 0 || !atomic.CompareAndSwapUint64(&s.word, 0, word) {
			continue
		}
		s.serial++
		s.client, s.port, s.family = client.Addr().As16(), uint32(client.Port()), family(client.Addr())
		return Place(at + 1)
	}
	return 0
}

func family(a netip.Addr) uint32 {
	switch {
	case a.Is4():
		return 4
	case a.Is6():
		return 6
	}
	return 0
}

// Next notes that the call at a place has returned, and that the same callback
// is called again.
func (p *Page) Next(at Place) {
	if at != 0 {
		p.slots[at-1].serial++
	}
}

// Leave notes that a call has returned.
func (p *Page) Leave(at Place) {
	if at == 0 {
		return
	}
	s := &p.slots[at-1]
	if atomic.LoadUint32(&s.lasts) != 0 {
		atomic.StoreUint32(&s.lasts, 0)
	}
	atomic.StoreUint64(&s.word, 0)
}

// SetConnections notes how many connections are open.
func (p *Page) SetConnections(n int) {
	if p != nil {
		atomic.StoreUint32(&p.header.connections, uint32(n))
	}
}

// Connections returns what SetConnections has noted last.
func (p *Page) Connections() int {
	if p == nil {
		return 0
	}
	return int(atomic.LoadUint32(&p.header.connections))
}

// EndInOrder notes that the process ends now because it has come to its end.
func (p *Page) EndInOrder() {
	if p != nil {
		atomic.StoreUint32(&p.header.orderly, 1)
	}
}

// EndedInOrder reports whether EndInOrder was called.
func (p *Page) EndedInOrder() bool { return p != nil && atomic.LoadUint32(&p.header.orderly) != 0 }
