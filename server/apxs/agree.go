package apxs

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// pkg is what go list tells of a package that is linked.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct {
		Path, Version string
		Main          bool
	}
}

func (s *goSource) linked() ([]pkg, error) {
	out, err := s.run(slices.Concat([]string{"list", "-deps", "-json=ImportPath,Dir,Standard,Module"}, s.flags(), s.packages())...)
	if err != nil {
		return nil, err
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// agreements bounds how often versions are changed before they all agree: each
// round brings one module at least to the server's version for good.
const agreements = 50

// agree has every module that both link be of the server's version. A higher
// one that another module wants is excluded, whereby go leaves out that it is
// wanted (go.dev/ref/mod, "exclude directives").
func (s *goSource) agree() error {
	for range agreements {
		wanted, err := s.disagreements()
		if err != nil || len(wanted) == 0 {
			return err
		}
		if _, err := s.run(slices.Concat([]string{"mod", "edit"}, wanted, []string{s.modFile()})...); err != nil {
			return err
		}
	}
	return errors.New("the versions of the modules that plugin and server share cannot be made to agree: wshttpd check-plugin lists them after go build")
}

// disagreements are the edits of go.mod that bring modules nearer to the
// server's versions.
func (s *goSource) disagreements() (edits []string, err error) {
	packages, err := s.linked()
	if err != nil {
		return nil, err
	}
	ours := versionsOf(s.own)
	for _, p := range packages {
		m := p.Module
		if m == nil || m.Main || ours[m.Path] == "" || ours[m.Path] == m.Version {
			continue
		}
		edit := "-require=" + m.Path + "@" + ours[m.Path]
		if !slices.Contains(edits, edit) {
			edits = append(edits, edit, "-exclude="+m.Path+"@"+m.Version)
		}
	}
	return edits, nil
}
