package mask

import (
	"os"
	"syscall"
	"testing"
)

// TestNothingOutsideIsRead has a page that must not be touched before the
// payload, and another behind it.
func TestNothingOutsideIsRead(t *testing.T) {
	page := os.Getpagesize()
	room, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(room) }()
	for _, guard := range [][]byte{room[:page], room[2*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	inside := room[page : 2*page]
	for _, w := range ways() {
		for length := w.least; length <= 700; length++ {
			for _, p := range [][]byte{inside[:length], inside[page-length:]} {
				w.xor(0x12345678, p) // a fault ends the test
				w.isASCII(p)
			}
		}
	}
}
