package server

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// openedFile is a regular file that is sent. It is no os.File: nothing ever waits
// for its descriptor, and to find that out costs as much as to send a small one.
// It belongs to whoever got it, who closes it.
type openedFile struct {
	fd       int
	id       fileID
	size     int64 // in bytes, when it was opened
	modified time.Time
}

// newOpenedFile takes over the descriptor of a regular file.
func newOpenedFile(fd int, st *unix.Stat_t) *openedFile {
	return &openedFile{fd, idOf(st), st.Size, time.Unix(st.Mtim.Unix())}
}

// ReadAt reads what is at an offset (io.ReaderAt).
func (f *openedFile) ReadAt(p []byte, offset int64) (int, error) {
	read := 0
	for read < len(p) {
		n, err := unix.Pread(f.fd, p[read:], offset+int64(read))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return read, err
		case n == 0:
			return read, io.EOF
		default:
			read += n
		}
	}
	return read, nil
}

// Close closes the file, from which nothing was but read (io.Closer). Only the
// first call does.
func (f *openedFile) Close() error {
	fd := f.fd
	if f.fd = -1; fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// filePiece is a piece of a file, which a socket may have the kernel send.
type filePiece struct {
	*openedFile
	at, end int64 // what is left of it
}

// Read reads on in the piece (io.Reader).
func (p *filePiece) Read(b []byte) (int, error) {
	if p.at >= p.end {
		return 0, io.EOF
	}
	n, err := p.ReadAt(b[:min(int64(len(b)), p.end-p.at)], p.at)
	p.at += int64(n)
	return n, err
}
