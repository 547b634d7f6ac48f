package apxs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rename gives the main module a path that is made of what is in it: a process
// loads a package path once, whatever has been rebuilt since. Imports of the
// module's own packages follow, by an overlay.
func (s *goSource) rename() error {
	packages, err := s.linked()
	if err != nil {
		return err
	}
	sum, err := digest(packages)
	if err != nil {
		return err
	}
	name := s.module + "/build-" + sum
	for _, p := range packages {
		if p.Module != nil && p.Module.Main {
			if err := s.renameImports(p.Dir, name); err != nil {
				return err
			}
		}
	}
	_, err = s.run("mod", "edit", "-module="+name, s.modFile())
	return err
}

// renameImports overlays the files of a folder that import packages of the
// main module.
func (s *goSource) renameImports(dir, name string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		renamed := renamedImports(text, s.module, name)
		if bytes.Equal(renamed, text) {
			continue
		}
		path, err := filepath.Rel(s.root, file)
		if err != nil {
			return err
		}
		if err := s.overlayFile(path, renamed); err != nil {
			return err
		}
	}
	return nil
}

// renamedImports is a source whose imports of a module's packages are of
// another module. What is no Go is left to the compiler.
func renamedImports(text []byte, from, to string) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.ImportsOnly)
	if err != nil {
		return text
	}
	for _, spec := range slices.Backward(f.Imports) { // so that offsets stay good
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || path != from && !strings.HasPrefix(path, from+"/") || path == apiModule {
			continue
		}
		start, end := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
		text = slices.Concat(text[:start], []byte(strconv.Quote(to+path[len(from):])), text[end:])
	}
	return text
}

// digest is of what the main module contributes to the plugin.
func digest(packages []pkg) (string, error) {
	h := sha256.New()
	for _, p := range packages {
		switch {
		case p.Standard || p.Module == nil:
		case !p.Module.Main:
			fmt.Fprintf(h, "%s %s\n", p.Module.Path, p.Module.Version)
		default:
			if err := digestFolder(h, p.Dir); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), nil
}

// digestFolder takes in the sources in a folder, and what they may embed.
func digestFolder(h io.Writer, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) == ".so" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n%s", e.Name(), len(text), text)
	}
	return nil
}
