package pluginloader

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wshttpd/wshttpd/pluginloader/wsplugin"
)

// The original's sentences on a plugin that cannot be used.
const (
	sentenceOpen     = "Could not open WebSocket handler module"
	sentenceInit     = "Could not find initialization function in module"
	sentenceResponse = "Invalid response from initialization function"
)

// Error says why a plugin cannot be used.
type Error struct {
	Sentence string // the original module's
	Cause    string // what was found; may have several lines
	Remedy   string // what to do about it, may be empty
}

func (e *Error) Error() string { return e.Sentence + ": " + e.Cause }

// Loader loads plugins. Each library is opened once, under whatever name it
// comes.
type Loader struct {
	// Loading, if it is there, is told what is about to be loaded: that may end
	// the process, or last for ever. What it returns is called afterwards.
	Loading func(what string) (done func())

	log func(level int, format string, args ...any)

	mu        sync.Mutex
	libraries map[string]*library // by real path; guarded by mu

	modules []*Module // that were loaded here; guarded by mu

	running atomic.Int32 // callbacks of C plugins that run
	waiting atomic.Int32 // callbacks that wait until fewer run
	room    sync.Cond    // signalled when one has ended
	crowded atomic.Bool  // it has been logged that callbacks is full
	batches sync.Pool    // of *batch
}

// The levels of the log function, as httpd numbers them.
const (
	levelError  = 3
	levelWarn   = 4
	levelNotice = 5
	levelInfo   = 6
)

// library is one opened file.
type library struct {
	path string
	file os.FileInfo
	kind kind
	open opened // nil as long as nobody has asked for it
	err  *Error // it cannot be opened, and must not be tried again
}

// opened is what a library is once it has been opened: *goLibrary or
// *cLibrary.
type opened interface {
	// init finds and calls an init function.
	init(l *Loader, path, name, userConfig string) (wsplugin.Plugin, *Error)
}

// New makes a Loader. log takes what is worth noting, at httpd's levels (3
// error, 4 warn, 6 info); it is called from any goroutine.
func New(log func(level int, format string, args ...any)) *Loader {
	NoteSignals()
	l := &Loader{
		log:       log,
		libraries: make(map[string]*library),
		batches:   sync.Pool{New: func() any { return new(batch) }},
	}
	l.room.L = new(sync.Mutex)
	apache.mu.Lock()
	defer apache.mu.Unlock()
	apache.log, apache.hosts, apache.servers = log, nil, nil
	return l
}

// Load opens the library at this absolute path, unless it is open already, and
// calls the init function, each time. The error is an *Error.
func (l *Loader) Load(file, init string) (wsplugin.Plugin, error) {
	return l.LoadConfigured(file, init, "")
}

// LoadConfigured is Load with the text of UserConfig, which one fork's plugins
// in C take. They may keep it.
func (l *Loader) LoadConfigured(file, init, userConfig string) (wsplugin.Plugin, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.loading("%s with its %s", file, init)()
	lib := l.library(file)
	if lib.err == nil && lib.open == nil {
		if e := lib.kind.onlyModule(file, init); e != nil {
			return nil, e
		}
	}
	if e := l.open(lib); e != nil {
		return nil, e
	}
	l.adoptModule(lib)
	p, err := lib.open.init(l, file, init, userConfig)
	if err != nil {
		return nil, err
	}
	l.mendSignals(file)
	return p, nil
}

func (l *Loader) loading(format string, args ...any) (done func()) {
	if l.Loading == nil {
		return func() {}
	}
	return l.Loading(fmt.Sprintf(format, args...))
}

// Open opens the library at this absolute path and calls nothing in it but
// what runs when it is opened. The error is an *Error.
func (l *Loader) Open(file string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.open(l.library(file)); e != nil {
		return e
	}
	return nil
}

// library returns the library at a path, which may not be open yet. mu is held.
func (l *Loader) library(file string) *library {
	path, info, err := resolve(file)
	if err != nil {
		return &library{err: &Error{sentenceOpen, fmt.Sprintf("%s: %v", file, cause(err)), nearbyFile(file)}}
	}
	if lib := l.libraries[path]; lib != nil {
		return lib
	}
	for _, lib := range l.libraries {
		// The same file under another name. While it is open its inode is
		// nobody else's.
		if lib.open != nil && os.SameFile(lib.file, info) {
			return lib
		}
	}
	lib := &library{path: path, file: info}
	if lib.kind, lib.err = inspect(path); lib.err == nil {
		l.libraries[path] = lib
	}
	return lib
}

func resolve(file string) (path string, info os.FileInfo, err error) {
	if path, err = filepath.EvalSymlinks(file); err != nil {
		return "", nil, err
	}
	info, err = os.Stat(path)
	return path, info, err
}

// open opens a library, unless it is open or cannot be. mu is held.
func (l *Loader) open(lib *library) *Error {
	if lib.err != nil || lib.open != nil {
		return lib.err
	}
	switch lib.kind.form {
	case goPlugin:
		lib.open, lib.err = l.openGo(lib.path, lib.kind)
	case cShared:
		lib.open, lib.err = l.openC(lib.path, lib.kind)
	}
	return lib.err
}

// LoadFile opens a library for others to find its symbols, as httpd's LoadFile
// does. path is absolute.
func (l *Loader) LoadFile(path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.loading("%s", path)()
	k, e := inspect(path)
	if e != nil {
		return errors.New(e.Cause)
	}
	if k.form != cShared {
		return fmt.Errorf("%s is a Go library, which cannot be loaded for others", path)
	}
	if _, err := dlopen(path, global); err != nil {
		why, _ := k.whyNotBound(err.Error())
		return fmt.Errorf("%s: %s", path, why)
	}
	return nil
}

// Destroy tells plugins that the server ends, in the order given. None of
// their callbacks may be running. A panic in one does not keep the others from
// being told.
func (l *Loader) Destroy(plugins []wsplugin.Plugin) {
	for _, p := range plugins {
		if d, ok := p.(wsplugin.Destroyer); ok {
			l.destroy(d)
		}
	}
}

func (l *Loader) destroy(d wsplugin.Destroyer) {
	defer func() {
		if cause := recover(); cause != nil {
			l.log(levelError, "plugin panicked in destroy: %v", cause)
		}
	}()
	d.Destroy()
}

// withoutInit refuses a library in which none of the names is.
func withoutInit(path, what string, names, exports []string) *Error {
	remedy := ""
	if len(names) > 0 { // an empty INIT stands for no exported name at all
		remedy = remedyNearest(names[0], exports)
	}
	return &Error{sentenceInit, fmt.Sprintf("%s: no %s %s", path, what, strings.Join(names, " or ")), remedy}
}

// initNames returns the names under which an init function is looked for: the
// decoration of 32-bit Windows, which stands in copied configurations, is
// stripped.
func initNames(name string) []string {
	names := []string{name}
	if plain, found := strings.CutPrefix(name, "_"); found {
		if i := strings.LastIndexByte(plain, '@'); i >= 0 {
			names = append(names, plain[:i])
		}
		names = append(names, plain)
	}
	return names
}
