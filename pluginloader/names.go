package pluginloader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// cause is an error without the path that stands in front of it already.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// nearbyFile is a remedy for a file that is not there: one in its folder with
// almost the same name.
func nearbyFile(file string) string {
	dir := filepath.Dir(file)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Sprintf("there is no folder %s", dir)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := nearest(filepath.Base(file), names); len(near) > 0 {
		return fmt.Sprintf("did you mean %s?", filepath.Join(dir, near[0]))
	}
	return ""
}

// nearest returns the candidates that name may be a misspelling of, the most
// likely first.
func nearest(name string, candidates []string) []string {
	type ranked struct {
		name     string
		distance int
	}
	var list []ranked
	bound := max(len(name)/3, 2)
	for _, c := range candidates {
		if d := levenshtein.Distance(fold(name), fold(c), nil); d <= bound || strings.HasPrefix(fold(c), fold(name)) && name != "" {
			list = append(list, ranked{c, d})
		}
	}
	slices.SortFunc(list, func(a, b ranked) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	names := make([]string, 0, 3)
	for _, r := range list[:min(len(list), 3)] {
		names = append(names, r.name)
	}
	return names
}

// fold makes echo_init and EchoInit the same.
func fold(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
