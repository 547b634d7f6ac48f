package pluginloader

/*
#include <stdlib.h>
#include "cplugin.h"
#include "apache.h"
*/
import "C"

import (
	"cmp"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"
)

// Inspection is what a file is, and what it takes to load it.
type Inspection struct {
	Path    string // links followed; as given where that fails
	Kind    string // "Go plugin", "C library"; "" where it is neither
	Machine string // "x86-64"; "" of what is no ELF file
	Build   string // of a Go plugin: its release of Go and package path
	Module  string // the Apache module that it holds, "" for none
	Needed  []NeededLibrary
	Symbols []NeededSymbols
	Exports []string // functions; of a Go plugin those of its main package
	// Differs is all in which a Go plugin's build differs from this server's so
	// that it cannot be loaded: release, flags, packages.
	Differs []string
	Init    string // what INIT stands for among Exports, "" if nothing
	Problem *Error // why it can never be loaded; nil if it may be
}

// NeededLibrary is a library that a file names.
type NeededLibrary struct {
	Name string
	Path string // "" where it is not found
}

// NeededSymbols are undefined symbols of a file that one library has.
type NeededSymbols struct {
	In    string // path of the library; OwnSymbols, or "" where nobody has them
	Names []string
}

// OwnSymbols stands for the server itself among those who have symbols.
const OwnSymbols = "wshttpd"

// Inspect says what the file at this absolute path is, and whether it has the
// init function; an empty init asks for none. The libraries that it needs are
// opened, as loading it does; it itself is not.
func Inspect(file, init string) *Inspection {
	i := &Inspection{Path: file}
	path, _, err := resolve(file)
	if err != nil {
		i.Problem = &Error{sentenceOpen, fmt.Sprintf("%s: %v", file, cause(err)), nearbyFile(file)}
		return i
	}
	i.Path = path
	k, e := inspect(path)
	if i.Machine = k.machine; e != nil {
		i.Problem = e
		return i
	}
	i.Kind, i.Module, i.Exports = "C library", k.module, slices.Sorted(slices.Values(k.exports))
	what, names := "symbol", initNames(init)
	if k.form == goPlugin {
		i.Kind, i.Build = "Go plugin", k.build.GoVersion+" "+k.pkgPath
		i.Exports = slices.DeleteFunc(i.Exports, func(name string) bool {
			return !token.IsExported(name) || strings.Contains(name, ".") // a method
		})
		what, names = "exported function", goNames(init)
		i.Differs = differences(path, k.build)
	}
	if at := slices.IndexFunc(names, func(name string) bool { return slices.Contains(k.exports, name) }); at >= 0 {
		i.Init = names[at]
	} else if init != "" {
		i.Problem = cmp.Or(k.onlyModule(path, init), withoutInit(path, what, names, k.exports))
	}
	i.resolveSymbols(&k)
	return i
}

// resolveSymbols finds who has what the file needs, by the dynamic linker.
func (i *Inspection) resolveSymbols(k *kind) {
	C.wshttpd_apr_open() // as loading a plugin does
	var libraries []unsafe.Pointer
	for _, name := range k.needed {
		library, err := dlopen(name, local)
		if err != nil {
			i.Needed = append(i.Needed, NeededLibrary{Name: name})
			continue
		}
		libraries = append(libraries, library)
		i.Needed = append(i.Needed, NeededLibrary{name, freed(C.wshttpd_path_of(library))})
	}
	for _, symbol := range k.undefined {
		owner := ownerOf(symbol, libraries)
		at := slices.IndexFunc(i.Symbols, func(s NeededSymbols) bool { return s.In == owner })
		if at < 0 {
			at = len(i.Symbols)
			i.Symbols = append(i.Symbols, NeededSymbols{In: owner})
		}
		i.Symbols[at].Names = append(i.Symbols[at].Names, symbol)
	}
	slices.SortStableFunc(i.Symbols, func(a, b NeededSymbols) int { return len(b.Names) - len(a.Names) })
}

// ownerOf returns the file that has a symbol, among those of the process and
// libraries; "" if none has.
func ownerOf(symbol string, libraries []unsafe.Pointer) string {
	address := findSymbol(symbol, libraries)
	if address == nil {
		return ""
	}
	file := freed(C.wshttpd_file_of(C.uintptr_t(uintptr(address))))
	if own, err := os.Executable(); err == nil && filepath.Base(own) == filepath.Base(file) {
		return OwnSymbols
	}
	return file
}
