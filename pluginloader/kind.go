package pluginloader

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// kind is what a file was found to be.
type kind struct {
	form    form
	machine string               // for which it was built, "x86-64"; "" of what is no ELF file
	build   *buildinfo.BuildInfo // of a Go plugin
	// exports are the names of functions that the file defines: of a Go
	// plugin those of its main package, without its path.
	exports []string
	// pkgPath is the path of a Go plugin's main package.
	pkgPath string
	// undefined are the symbols that others must have, and needed the
	// libraries that the file names.
	undefined, needed []string
	// module is the name of the Apache module that the file holds, or "". The
	// same file may be a plugin too.
	module string
	// small are the data of a C library that are less than such a structure, with
	// their sizes in bytes.
	small map[string]uint64
}

type form int

const (
	cShared form = iota + 1
	goPlugin
)

// inspect decides what a file is before anything opens it: plugin.Open of a C
// library ends the process, and either of the two dies of a truncated file
// (SIGBUS), which no recover catches.
func inspect(path string) (k kind, e *Error) {
	refuse := func(why, remedy string) (kind, *Error) {
		return kind{machine: k.machine}, &Error{sentenceOpen, fmt.Sprintf("%s: %s", path, why), remedy}
	}
	defer func() {
		if p := recover(); p != nil { // of a reader of the standard library
			k, e = refuse(fmt.Sprintf("the file is damaged: %v", p), "install it again")
		}
	}()
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return refuse(cause(err).Error(), nearbyFile(path))
	case info.IsDir():
		return refuse("it is a directory", "name the file in it")
	case !info.Mode().IsRegular():
		return refuse("it is no regular file", "")
	}
	f, err := elf.Open(path)
	if err != nil {
		return refuse(notELF(path, err))
	}
	defer f.Close()
	k.machine = machineName(f.Machine)
	if why := wrongELF(f, info.Size()); why != "" {
		return refuse(why, "install it again, built for this machine")
	}
	k.needed, _ = f.ImportedLibraries() // a file without a dynamic section needs none
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return refuse(fmt.Sprintf("it has no dynamic symbols: %v", err), "link it with -shared")
	}
	build, err := buildinfo.ReadFile(path)
	if err != nil {
		k.form = cShared
		k.listSymbols(symbols, "")
		k.module = apacheModule(f, symbols)
		return k, nil
	}
	switch mode := setting(build, "-buildmode"); mode {
	case "plugin":
	case "c-shared":
		return refuse("Go library of buildmode c-shared: a second Go runtime", "build with -buildmode=plugin")
	default:
		return refuse(fmt.Sprintf("Go file of buildmode %s", mode), "build with -buildmode=plugin")
	}
	k.form, k.build = goPlugin, build
	k.pkgPath = mainPackage(symbols, build)
	k.listSymbols(symbols, k.pkgPath+".")
	return k, nil
}

// notELF says what a file is that is no ELF file, or none that can be read, and
// what to do about it.
func notELF(path string, err error) (why, remedy string) {
	f, openErr := os.Open(path)
	if openErr != nil {
		return cause(openErr).Error(), ""
	}
	defer f.Close()
	head := make([]byte, 4)
	n, _ := f.Read(head)
	switch {
	case n == 0:
		return "the file is empty", ""
	case string(head[:n]) == elf.ELFMAG && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "it is truncated: its headers lead beyond its end", "install it again"
	case string(head[:n]) == elf.ELFMAG:
		return fmt.Sprintf("the file is damaged: %v", err), "install it again"
	case n > 1 && string(head[:2]) == "MZ":
		return "it is a Windows library", ""
	case n == 4 && (string(head) == "\xcf\xfa\xed\xfe" || string(head) == "\xca\xfe\xba\xbe"):
		return "it is a macOS library", ""
	}
	return "it is no shared library", ""
}

// wrongELF says why an ELF file cannot be loaded into this process, or "".
func wrongELF(f *elf.File, size int64) string {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	ours := machines[runtime.GOARCH]
	switch {
	case f.Class != elf.ELFCLASS64:
		return "it is a 32-bit library, this server is of 64 bits"
	case f.Machine != ours:
		return fmt.Sprintf("built for %s, this server is %s", machineName(f.Machine), machineName(ours))
	case f.Type != elf.ET_DYN:
		return fmt.Sprintf("it is no shared library but of type %v", f.Type)
	}
	for _, p := range f.Progs {
		if end := p.Off + p.Filesz; end < p.Off || end > uint64(size) {
			return fmt.Sprintf("it is truncated: a segment ends at %d, the file has %d bytes", end, size)
		}
	}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NOBITS {
			continue
		}
		if end := s.Offset + s.FileSize; end < s.Offset || end > uint64(size) {
			return fmt.Sprintf("it is truncated: section %s ends at %d, the file has %d bytes", s.Name, end, size)
		}
	}
	isDynamic := func(p *elf.Prog) bool { return p.Type == elf.PT_DYNAMIC }
	if !slices.ContainsFunc(f.Progs, isDynamic) {
		return "it is no shared library: it has no dynamic segment"
	}
	return ""
}

func machineName(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "x86-64"
	case elf.EM_AARCH64:
		return "aarch64"
	}
	return strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
}

// listSymbols notes what the file exports, of names with a prefix, and what it
// needs from others.
func (k *kind) listSymbols(symbols []elf.Symbol, prefix string) {
	for _, s := range symbols {
		switch {
		case s.Section == elf.SHN_UNDEF:
			if elf.ST_BIND(s.Info) == elf.STB_GLOBAL && s.Name != "" {
				k.undefined = append(k.undefined, s.Name)
			}
		case elf.ST_TYPE(s.Info) == elf.STT_OBJECT && s.Size < moduleSize && prefix == "":
			if k.small == nil {
				k.small = make(map[string]uint64)
			}
			k.small[s.Name] = s.Size
		case elf.ST_TYPE(s.Info) == elf.STT_FUNC:
			if name, ok := strings.CutPrefix(s.Name, prefix); ok && name != "" {
				k.exports = append(k.exports, name)
			}
		}
	}
}

// What marks the module structure of Apache httpd 2.4 on 64-bit machines
// (include/http_config.h): its size in bytes, and AP24 as a number.
const (
	moduleSize    = 112
	moduleMagicAt = 40
	moduleMagic   = 0x41503234
)

// apacheModule returns the name of the module structure that a file exports,
// or "".
func apacheModule(f *elf.File, symbols []elf.Symbol) string {
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) != elf.STT_OBJECT || s.Size != moduleSize || int(s.Section) >= len(f.Sections) {
			continue
		}
		section := f.Sections[s.Section]
		magic := make([]byte, 8)
		if section.Type == elf.SHT_NOBITS || s.Value < section.Addr {
			continue
		}
		if _, err := section.ReadAt(magic, int64(s.Value-section.Addr)+moduleMagicAt); err != nil {
			continue
		}
		if f.ByteOrder.Uint64(magic) == moduleMagic {
			return s.Name
		}
	}
	return ""
}

// onlyModule refuses an Apache module that is no plugin too. It is told before
// it is opened, as it would be refused then for httpd's functions, which it
// needs.
func (k *kind) onlyModule(path, init string) *Error {
	hasInit := func(name string) bool { return slices.Contains(k.exports, name) }
	if k.module == "" || slices.ContainsFunc(initNames(init), hasInit) {
		return nil
	}
	return &Error{sentenceOpen, fmt.Sprintf("%s: it is the Apache module %s, not a plugin", path, k.module),
		"name the library that has " + init}
}

// mainPackage returns the path of a plugin's main package: what stands before
// the names that it exports. A plugin of single files has a made-up one.
func mainPackage(symbols []elf.Symbol, build *buildinfo.BuildInfo) string {
	if build.Path != "" && build.Path != "command-line-arguments" {
		return build.Path
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "plugin/unnamed-") {
			path, _, _ := strings.Cut(s.Name, ".")
			return path
		}
	}
	return build.Path
}

// setting returns one of the flags that a Go file was built with.
func setting(b *buildinfo.BuildInfo, key string) string {
	for _, s := range b.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
