package pluginloader

// #include <stdlib.h>
import "C"

import "sync"

// lasting are texts that C has for as long as the process lives, since plugins
// and modules may keep them. Each is there once.
var lasting lastingTexts

type lastingTexts struct {
	mu    sync.Mutex
	texts map[string]*C.char // guarded by mu
}

// text returns C's copy, which nobody writes to or frees.
func (l *lastingTexts) text(s string) *C.char {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.texts == nil {
		l.texts = make(map[string]*C.char)
	}
	if l.texts[s] == nil {
		l.texts[s] = C.CString(s)
	}
	return l.texts[s]
}
