package httpdconf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cannotLoad is what httpd says of a library that is not there. A name without
// a slash it has looked for in the folders of the system too, and calls it by
// that (httpd 2.4 modules/mapping/mod_so.c, dso_load).
func cannotLoad(name, path string, err error) string {
	if !strings.Contains(name, "/") {
		path = name
	}
	return fmt.Sprintf("Cannot load %s into server: %s: cannot open shared object file: %s", name, path, errorText(err))
}

// systemLibrary returns where the dynamic linker finds a library of this name,
// "" where it does not, or the name has a slash (ld.so(8)): "libxml2.so.2" is
// what stock files write.
func (r *reader) systemLibrary(name string) string {
	if strings.Contains(name, "/") {
		return ""
	}
	dirs := filepath.SplitList(r.options.Getenv("LD_LIBRARY_PATH"))
	dirs = append(dirs, linkerFolders("/etc/ld.so.conf", 0)...)
	for _, dir := range append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib") {
		if path := filepath.Join(dir, name); filepath.IsAbs(path) && isFile(path) {
			return path
		}
	}
	return ""
}

// linkerFolders returns the folders that a configuration of the linker names,
// one on a line, or over "include" in other files (ldconfig(8)).
func linkerFolders(file string, depth int) []string {
	text, err := readFile(file)
	if err != nil || depth > 2 {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "include":
			files, _ := filepath.Glob(words[1]) // a bad pattern has no files
			for _, f := range files {
				dirs = append(dirs, linkerFolders(f, depth+1)...)
			}
		case len(words) == 1:
			dirs = append(dirs, words[0])
		}
	}
	return dirs
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
