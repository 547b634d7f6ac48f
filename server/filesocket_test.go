package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketPair returns a socket under test, and what is at its other end.
func socketPair(t *testing.T) (*fileSocket, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, peer := newFileSocket(fds[0], netip.AddrPort{}, netip.AddrPort{}), os.NewFile(uintptr(fds[1]), "peer")
	t.Cleanup(func() {
		_ = s.Close()
		peer.Close()
	})
	return s, peer
}

func (s *fileSocket) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file != nil
}

// TestSocketWaitsOnlyWhereItMust: what can be done at once needs no poller.
func TestSocketWaitsOnlyWhereItMust(t *testing.T) {
	s, peer := socketPair(t)
	buf := make([]byte, 10)
	if _, err := peer.WriteString("question"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(buf); string(buf[:n]) != "question" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	for _, write := range []func([]byte) (int, error){s.Write, s.WriteLast} {
		if n, err := write([]byte("ans")); n != 3 || err != nil {
			t.Errorf("%d bytes written, %v", n, err)
		}
	}
	if n, err := io.ReadFull(peer, buf[:6]); string(buf[:n]) != "ansans" || err != nil {
		t.Errorf("the peer has read %q, %v", buf[:n], err)
	}
	if s.waits() {
		t.Error("it has been waited for")
	}
	if err := s.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := peer.Read(buf); err != io.EOF {
		t.Errorf("the peer reads on behind the end: %v", err)
	}
	peer.Close()
	if _, err := s.Read(buf); err != io.EOF {
		t.Errorf("read behind the end: %v", err)
	}
}

// TestSocketWritesAll: more than the kernel takes, whichever way it begins.
func TestSocketWritesAll(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for name, write := range map[string]func(*fileSocket, []byte) (int, error){"Write": (*fileSocket).Write, "WriteLast": (*fileSocket).WriteLast} {
		s, peer := socketPair(t)
		got := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(peer) // what is missing shows
			got <- all
		}()
		if n, err := write(s, sent); n != len(sent) || err != nil {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(<-got, sent) {
			t.Errorf("%s: not what was sent has come", name)
		}
	}
}

// TestSocketDeadlines: those set before anything was waited for hold as well.
func TestSocketDeadlines(t *testing.T) {
	for _, waits := range []bool{false, true} {
		s, _ := socketPair(t)
		if waits {
			if _, err := s.SyscallConn(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("waiting before: %v: read: %v", waits, err)
		}
		if _, err := s.Write(make([]byte, 8<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("waiting before: %v: write: %v", waits, err)
		}
	}
}

// TestSocketCloseWakes whoever waits; what comes later fails.
func TestSocketCloseWakes(t *testing.T) {
	s, _ := socketPair(t)
	woken := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		woken <- err
	}()
	for !s.waits() {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-woken; !errors.Is(err, os.ErrClosed) {
		t.Errorf("woken by %v", err)
	}
	closed, _ := socketPair(t)
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	_, readErr := closed.Read(make([]byte, 1))
	_, writeErr := closed.Write([]byte("x"))
	_, waitErr := closed.SyscallConn()
	for _, err := range []error{readErr, writeErr, waitErr, closed.Close(), closed.CloseWrite()} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("behind the end: %v", err)
		}
	}
}

// TestSocketSendsFiles: a piece of one, what the kernel does not send by itself,
// and what is none.
func TestSocketSendsFiles(t *testing.T) {
	environ, err := os.ReadFile("/proc/self/environ")
	if err != nil || len(environ) == 0 {
		t.Fatalf("%d bytes, %v", len(environ), err)
	}
	large := filepath.Join(t.TempDir(), "large")
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := os.WriteFile(large, text, 0o644); err != nil {
		t.Fatal(err)
	}
	piece := func(name string, at, end int64) io.Reader {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := &openedFile{fd: fd}
		t.Cleanup(func() { _ = f.Close() })
		return &filePiece{f, at, end}
	}
	for name, tt := range map[string]struct {
		from io.Reader
		want []byte
	}{
		"a file":                       {piece(large, 100, int64(len(text))-50), text[100 : len(text)-50]},
		"a file that cannot be sent":   {piece("/proc/self/environ", 0, int64(len(environ))), environ},
		"what is no file":              {bytes.NewReader(text), text},
		"a file that has become short": {piece(large, int64(len(text))-10, int64(len(text))+10), text[len(text)-10:]},
	} {
		s, peer := socketPair(t)
		got := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(peer) // what is missing shows
			got <- all
		}()
		n, err := s.ReadFrom(&io.LimitedReader{R: tt.from, N: int64(len(tt.want)) + 10})
		if n != int64(len(tt.want)) || err != nil {
			t.Errorf("%s: %d bytes, %v, want %d", name, n, err, len(tt.want))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(<-got, tt.want) {
			t.Errorf("%s: not what was sent has come", name)
		}
	}
}
