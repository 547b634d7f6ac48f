package apxs

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// api holds the sources of package wsplugin, which is a module of its own and
// cannot be embedded from where it is.
//
//go:embed api
var api embed.FS

const apiModule = "github.com/wshttpd/wshttpd/pluginloader/wsplugin"

// goSource is a plugin in Go, and how it is built.
type goSource struct {
	dir    string   // absolute: the folder of its main package
	files  []string // in that folder
	whole  bool     // the folder was named, not its files
	unique bool     // under a module path of its own
	tmp    string   // for files of the build
	stderr io.Writer

	own     *debug.BuildInfo // this server's
	goTool  string
	module  string            // path of the main module
	root    string            // its folder
	overlay map[string]string // files that stand for others of the tree
}

// buildGo builds the plugin that this server can load into a file.
func buildGo(s *goSource, out string) error {
	var ok bool
	if s.own, ok = debug.ReadBuildInfo(); !ok {
		return errors.New("this server has no build information: build it with go build")
	}
	if err := s.findToolchain(); err != nil {
		return err
	}
	if err := s.prepareModule(); err != nil {
		return err
	}
	if err := s.agree(); err != nil {
		return err
	}
	if s.unique {
		if err := s.rename(); err != nil {
			return err
		}
	}
	_, err := s.run(slices.Concat([]string{"build"}, s.flags(), []string{"-buildmode=plugin", "-o", out}, s.packages())...)
	return err
}

// findToolchain finds the go command, and the server's release through it.
func (s *goSource) findToolchain() error {
	const usual = "/usr/local/go/bin/go"
	var err error
	if s.goTool, err = exec.LookPath("go"); err != nil {
		if s.goTool, err = exec.LookPath(usual); err != nil {
			return fmt.Errorf("no go command in PATH or at %s: this server was built with %s", usual, runtime.Version())
		}
	}
	out, err := s.run("env", "GOVERSION")
	if err != nil {
		return err
	}
	if has := strings.TrimSpace(out); has != runtime.Version() {
		return fmt.Errorf("%s is of %s, this server was built with %s: a plugin needs the same; see https://go.dev/dl/", s.goTool, has, runtime.Version())
	}
	return nil
}

// release is the server's toolchain, as GOTOOLCHAIN names it.
func release() string {
	name, _, _ := strings.Cut(runtime.Version(), " ") // experiments stand behind it
	return name
}

// run runs the go command in the plugin's folder and returns its stdout.
func (s *goSource) run(args ...string) (string, error) {
	cmd := exec.Command(s.goTool, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PWD="+s.dir, "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN="+release(), "GO111MODULE=on")
	for _, setting := range s.own.Settings {
		if isVariable(setting.Key) {
			cmd.Env = append(cmd.Env, setting.Key+"="+setting.Value)
		}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(errs.Bytes()))
	}
	_, _ = s.stderr.Write(errs.Bytes()) // what is downloaded; who would be told
	return out.String(), nil
}

// isVariable tells the recorded settings that are variables of the environment
// from flags and facts (go version -m).
func isVariable(key string) bool {
	return strings.HasPrefix(key, "GO") || strings.HasPrefix(key, "CGO_")
}

// flags are those of the server, and those that the build itself needs.
func (s *goSource) flags() []string {
	flags := []string{"-mod=mod", "-modfile=" + s.modFile(), "-buildvcs=false"}
	if len(s.overlay) > 0 {
		flags = append(flags, "-overlay="+filepath.Join(s.tmp, "overlay.json"))
	}
	return append(flags, recordedFlags(s.own)...)
}

// recordedFlags are those by which the server's packages were compiled.
func recordedFlags(own *debug.BuildInfo) (flags []string) {
	for _, setting := range own.Settings {
		switch setting.Key {
		case "-trimpath", "-race", "-msan", "-asan", "-tags", "-gcflags", "-asmflags":
			flags = append(flags, setting.Key+"="+setting.Value)
		}
	}
	return flags
}

// packages are the arguments behind the flags.
func (s *goSource) packages() []string {
	if s.whole {
		return []string{"."}
	}
	return s.files
}

func (s *goSource) modFile() string { return filepath.Join(s.tmp, "go.mod") }

// prepareModule makes the copy of go.mod that the build goes by, or one for a
// folder that has none. The module of such a folder is named after what is in
// it (rename).
func (s *goSource) prepareModule() error {
	out, err := s.run("env", "GOMOD")
	if err != nil {
		return err
	}
	if file := strings.TrimSpace(out); file != "" && file != os.DevNull {
		s.root = filepath.Dir(file)
		if err := copyFile(file, s.modFile()); err != nil {
			return err
		}
		err := copyFile(strings.TrimSuffix(file, ".mod")+".sum", filepath.Join(s.tmp, "go.sum"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	} else {
		s.root, s.unique = s.dir, true
		text := fmt.Sprintf("module plugin/%s\n\ngo %s\n", moduleElement(filepath.Base(s.dir)), strings.TrimPrefix(release(), "go"))
		if err := os.WriteFile(s.modFile(), []byte(text), 0o644); err != nil {
			return err
		}
		if err := s.overlayFile("go.mod", []byte(text)); err != nil {
			return err
		}
	}
	return s.requireAPI()
}

// moduleElement makes an element of a module path of a folder's name.
func moduleElement(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}, name)
}

// overlayFile has a text stand for a file of the main module.
func (s *goSource) overlayFile(name string, text []byte) error {
	file := filepath.Join(s.tmp, fmt.Sprintf("overlay-%d", len(s.overlay)))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if s.overlay == nil {
		s.overlay = make(map[string]string)
	}
	s.overlay[filepath.Join(s.root, name)] = file
	list, err := json.Marshal(map[string]any{"Replace": s.overlay})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.tmp, "overlay.json"), list, 0o644)
}

// requireAPI requires package wsplugin at the server's version, and takes its
// source from the server.
func (s *goSource) requireAPI() error {
	folder := filepath.Join(s.tmp, "wsplugin")
	if err := writeAPI(folder); err != nil {
		return err
	}
	mod, err := s.readModFile()
	if err != nil {
		return err
	}
	s.module = mod.Module.Path
	edits := []string{"mod", "edit"}
	for _, r := range mod.Replace {
		if r.Old.Path == apiModule {
			edits = append(edits, "-dropreplace="+r.Old.String())
		}
	}
	edits = append(edits, "-require="+apiModule+"@"+versionsOf(s.own)[apiModule], "-replace="+apiModule+"="+folder, s.modFile())
	_, err = s.run(edits...)
	return err
}

// writeAPI writes the sources of package wsplugin into a folder.
func writeAPI(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	entries, err := api.ReadDir("api")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := api.ReadFile("api/" + e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, strings.TrimSuffix(e.Name(), ".txt")), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// versionsOf are those of the modules that the server links.
func versionsOf(own *debug.BuildInfo) map[string]string {
	versions := make(map[string]string)
	for _, m := range own.Deps {
		versions[m.Path] = m.Version
	}
	return versions
}

// modFile is what go mod edit -json tells of go.mod.
type modFile struct {
	Module  struct{ Path string }
	Replace []struct{ Old moduleVersion }
}

type moduleVersion struct{ Path, Version string }

func (m moduleVersion) String() string {
	if m.Version == "" {
		return m.Path
	}
	return m.Path + "@" + m.Version
}

func (s *goSource) readModFile() (*modFile, error) {
	out, err := s.run("mod", "edit", "-json", s.modFile())
	if err != nil {
		return nil, err
	}
	mod := new(modFile)
	return mod, json.Unmarshal([]byte(out), mod)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// replace puts a file in the place of another by rename: that one may be
// mapped into a process.
func replace(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Chmod(0o755), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
