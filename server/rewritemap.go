package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// textMaps are the files of RewriteMap that were read. Its zero value is ready,
// and any goroutine may use it.
type textMaps struct {
	mu    sync.Mutex
	files map[string]*textMap // by path; guarded by mu
}

// textMap is one file, as it was at a time. It never changes.
type textMap struct {
	changed time.Time
	size    int64
	values  map[string]string
}

// maxMapSize bounds a file of RewriteMap in bytes: it is held in memory.
const maxMapSize = 64 << 20

// lookUp looks a key up in a map that is a file (httpd 2.4
// modules/mappers/mod_rewrite.c, lookup_map). A file that cannot be read has
// none.
func (w *rewriting) lookUp(m httpdconf.RewriteMap, key string) (value string, found bool) {
	values, err := w.s.maps.of(m.File)
	if err != nil {
		w.log(httpdconf.LevelError, "AH00661: mod_rewrite: can't access text RewriteMap file %s: %v", m.File, err)
		return "", false
	}
	value, found = values[key]
	if found && m.Kind == httpdconf.MapRandom {
		alternatives := strings.Split(value, "|")
		value = alternatives[rand.IntN(len(alternatives))]
	}
	return value, found
}

// of returns the values of a file, which is read again where it has changed.
func (t *textMaps) of(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.files[path]; m != nil && m.changed.Equal(info.ModTime()) && m.size == info.Size() {
		return m.values, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxMapSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxMapSize {
		return nil, fmt.Errorf("the file has more than %d bytes", maxMapSize)
	}
	if t.files == nil {
		t.files = make(map[string]*textMap)
	}
	m := &textMap{changed: info.ModTime(), size: info.Size(), values: parseTextMap(string(text))}
	t.files[path] = m
	return m.values, nil
}

// parseTextMap reads lines of a key and a value, between blanks; what is behind
// them, lines that begin with "#" or a blank, and all but the first line of a
// key play no part (lookup_map_txtfile).
func parseTextMap(text string) map[string]string {
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		if line[0] == '#' || strings.IndexByte(" \t\n\v\f\r", line[0]) >= 0 {
			continue
		}
		words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\n\v\f\r", c) })
		if len(words) < 2 {
			continue
		}
		if _, known := values[words[0]]; !known {
			values[words[0]] = words[1]
		}
	}
	return values
}
