package logsink

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxQueued bounds what waits for a sink that may stall, in bytes. What a
// program reads too slowly for is dropped.
const maxQueued = 1 << 20

// drainTime bounds how long Close waits for what is queued.
const drainTime = time.Second

// Options are what a sink is opened with besides its name. The zero value is
// that of an access log.
type Options struct {
	// Pipe is the input of a program that another process runs; nil has the
	// sink run it.
	Pipe *os.File
	// Lost returns what stands in front of the first record that is taken
	// after so many were not; Told is called once it is taken. Both may be nil,
	// and must not use the sink.
	Lost func(records int) []byte
	Told func(records int)
	// Complain takes what there is to say of a program. It may be nil.
	Complain func(text string)
	// Buffered gathers records of a file, up to the size that a pipe takes at
	// once (BufferedLogs).
	Buffered bool
	// Tag is how syslog calls this program where the name says nothing.
	Tag string
	// Socket is that of syslog; empty stands for /dev/log.
	Socket string
}

// Sink is an open log. Any goroutine may use it.
type Sink struct {
	name    string
	options Options
	program *Program // that this process runs; nil where none is
	syslog  *syslog  // nil where it is none

	mu     sync.Mutex
	file   *os.File // guarded by mu; of a queue it is the writer's alone
	lost   int      // guarded by mu: records that could not be written
	buffer []byte   // guarded by mu: of a buffered file
	queue  *queue   // nil writes at once
}

// IsFile reports whether a name of ErrorLog or CustomLog is that of a file.
func IsFile(name string) bool { return !IsProgram(name) && !IsSyslog(name) }

// Open opens a log by its name: an absolute path, a program behind |, or syslog
// (httpd 2.4 server/log.c, open_error_log).
func Open(name string, o Options) (s *Sink, err error) {
	s = &Sink{name: name, options: o}
	switch {
	case IsSyslog(name):
		s.syslog = openSyslog(name, o)
		s.queue = newQueue(s.syslog.write)
	case IsProgram(name):
		if s.file = o.Pipe; s.file == nil {
			if s.program, err = Start(name, os.Stderr, o.Complain); err != nil {
				return nil, err
			}
			s.file = s.program.Input
		}
		s.queue = newQueue(s.file.Write)
	default:
		err = s.Reopen()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Reopen opens a file anew, after a rotation; to programs and syslog it does
// nothing. When it fails the old file stays.
func (s *Sink) Reopen() error {
	if s.syslog != nil || IsProgram(s.name) {
		return nil
	}
	file, err := openFile(s.name)
	if err != nil {
		return fmt.Errorf("could not open log file %s: %w", s.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	if old := s.file; old != nil {
		s.stopQueue()
		_ = old.Close() // nothing of it is left to write
	}
	s.file = file
	if mayStall(file) {
		s.queue = newQueue(file.Write)
	}
	return nil
}

// openFile opens a file to append to. A socket, as systemd gives for standard
// error, cannot be opened, but copied.
func openFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if !errors.Is(err, unix.ENXIO) {
		return file, err
	}
	for fd, names := range [][]string{1: {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, 2: {"/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"}} {
		for _, name := range names {
			if name == path {
				copied, dupErr := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
				if dupErr != nil {
					return nil, dupErr
				}
				return os.NewFile(uintptr(copied), path), nil
			}
		}
	}
	return nil, err
}

// mayStall reports whether somebody at the other end may not read.
func mayStall(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	if info.Mode()&os.ModeCharDevice != 0 {
		_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
		return err == nil
	}
	return info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// Write writes a record, which ends in a newline. level is one of httpd's, and
// syslog's matter alone. It fails without a word: see Options.Lost.
func (s *Sink) Write(level int, record []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		s.lost += s.queue.forgotten()
	}
	var note []byte
	if s.lost > 0 && s.options.Lost != nil {
		note = s.options.Lost(s.lost)
	}
	if !s.take(level, note, record) {
		s.lost++
		return
	}
	if s.lost > 0 && s.options.Told != nil {
		s.options.Told(s.lost)
	}
	s.lost = 0
}

// take hands a record on, behind a note, which may be empty. s.mu is held.
func (s *Sink) take(level int, note, record []byte) bool {
	if s.syslog != nil {
		if len(note) > 0 && !s.queue.add(s.syslog.datagram(level, note)) {
			return false
		}
		return s.queue.add(s.syslog.datagram(level, record))
	}
	if len(note) > 0 {
		record = append(note, record...)
	}
	switch {
	case s.queue != nil:
		return s.queue.add(record)
	case s.options.Buffered:
		if len(s.buffer)+len(record) > atomicBytes && !s.flush() {
			return false
		}
		s.buffer = append(s.buffer, record...)
		return true
	}
	_, err := s.file.Write(record)
	return err == nil
}

// flush writes what is buffered. s.mu is held.
func (s *Sink) flush() bool {
	if len(s.buffer) == 0 {
		return true
	}
	_, err := s.file.Write(s.buffer)
	s.buffer = s.buffer[:0]
	return err == nil
}

// Flush writes what is buffered.
func (s *Sink) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
}

// stopQueue ends the writer once it has written what waits, or cannot. s.mu is
// held.
func (s *Sink) stopQueue() {
	if s.queue == nil {
		return
	}
	s.queue.stop(s.file)
	s.queue = nil
}

// Close writes what waits, for a second at most, and ends the program that this
// process runs; what comes later is lost. A file stays open for what is still
// said at the end of a process.
func (s *Sink) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	if s.queue == nil {
		return
	}
	s.stopQueue()
	switch {
	case s.syslog != nil:
		s.syslog.close()
	case s.program != nil:
		s.program.End()
	default:
		_ = s.file.Close() // nothing of it is left to write
	}
	s.queue = &queue{stopped: true}
}

// IsProgram reports whether a log's name is that of a program.
func IsProgram(name string) bool { return strings.HasPrefix(name, "|") }
