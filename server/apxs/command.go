package apxs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wshttpd/wshttpd/server/doctor"
	"github.com/wshttpd/wshttpd/server/supervise"
)

// Run runs the command that argv names, if it is one of this package. It
// returns the exit status: 0 good, 1 not, 2 for a wrong usage.
func Run(argv []string) (code int, done bool) {
	if len(argv) < 2 {
		return 0, false
	}
	program, args := filepath.Base(argv[0]), argv[2:]
	switch argv[1] {
	case "build-plugin":
		return buildPlugin(os.Stdout, os.Stderr, program, args), true
	case "check-plugin":
		return doctor.CheckPlugin(os.Stdout, os.Stderr, program, args), true
	case "query":
		return query(os.Stdout, os.Stderr, program, args), true
	}
	return 0, false
}

const buildUsage = `Usage: %[1]s build-plugin [-o FILE] [-i] [-a] [-A] [options] DIR|FILE...
  DIR                : a folder with a Go plugin, or with sources in C
  FILE...            : sources of one plugin, .go or .c .cc .cpp; or a built .so
  -o FILE            : what is built; NAME.so by default
  -c                 : compile, as apxs does: always so
  -i                 : install it in the folder modules of the ServerRoot
  -a                 : with -i: add the lines that load it to the configuration
  -A                 : the same, commented out
  -n INIT            : the init function, where that cannot be guessed
  -L DIR, -l LIB, -I DIR, -D NAME, -Wc,FLAG, -Wl,FLAG : for the compiler of C
  --location PATH    : with -a: where the plugin serves; /NAME by default
  --unique           : a Go plugin under a module path of its own, so that one
                       process can load it beside an earlier build
  -d DIR, -f FILE    : ServerRoot and configuration, as the server takes them
`

// options are what build-plugin is asked for.
type options struct {
	sources   []string
	out       string
	install   bool
	activate  bool
	commented bool // the lines that activate it
	unique    bool
	init      string
	location  string
	compiler  []string // options for the compiler of C
	linker    []string // those that stand behind the sources
	paths     supervise.CommandLine
}

var errUsage = errors.New("usage")

// parse reads options the way apxs does (httpd 2.4 support/apxs.in, getopts).
func parse(args []string) (*options, error) {
	o := new(options)
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case arg == "--unique":
			o.unique = true
		case arg == "--location" && len(args) > 0:
			o.location, args = args[0], args[1:]
		case strings.HasPrefix(arg, "-Wc,"):
			o.compiler = append(o.compiler, splitFlags(arg)...)
		case strings.HasPrefix(arg, "-Wl,"):
			o.linker = append(o.linker, splitFlags(arg)...)
		case strings.HasPrefix(arg, "-") && len(arg) > 1:
			args, err = o.cluster(arg[1:], args)
		default:
			o.sources = append(o.sources, arg)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(o.sources) == 0 || (o.activate || o.commented) && !o.install {
		return nil, errUsage
	}
	return o, nil
}

// splitFlags returns what stands behind -Wc, or -Wl,: a flag as it is, as apxs
// hands it on.
func splitFlags(arg string) []string { return strings.Fields(arg[len("-Wc,"):]) }

// cluster takes the options behind one dash.
func (o *options) cluster(letters string, args []string) (rest []string, err error) {
	for i := range len(letters) {
		switch letters[i] {
		case 'i':
			o.install = true
		case 'a':
			o.activate = true
		case 'A':
			o.activate, o.commented = true, true
		case 'c':
		case 'o', 'n', 'd', 'f', 'L', 'l', 'I', 'D':
			value := letters[i+1:]
			if value == "" {
				if len(args) == 0 {
					return nil, fmt.Errorf("%w: option -%c requires an argument", errUsage, letters[i])
				}
				value, args = args[0], args[1:]
			}
			o.set(letters[i], value)
			return args, nil
		default:
			return nil, fmt.Errorf("%w: unknown option -%c", errUsage, letters[i])
		}
	}
	return args, nil
}

func (o *options) set(letter byte, value string) {
	switch letter {
	case 'o':
		o.out = value
	case 'n':
		o.init = value
	case 'd':
		o.paths.Root = value
	case 'f':
		o.paths.File = value
	case 'L', 'l':
		o.linker = append(o.linker, "-"+string(letter)+value)
	case 'I', 'D':
		o.compiler = append(o.compiler, "-"+string(letter)+value)
	}
}

// buildPlugin is the command build-plugin.
func buildPlugin(stdout, stderr io.Writer, program string, args []string) int {
	o, err := parse(args)
	if err != nil {
		if text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), errUsage.Error()), ": "); text != "" {
			fmt.Fprintf(stderr, "%s: %s\n", program, text)
		}
		fmt.Fprintf(stderr, buildUsage, program)
		return 2
	}
	checked, err := o.build(stderr)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return 1
	}
	if !checked.Loads {
		checked.Write(stdout)
		return 1
	}
	lines := o.lines(checked)
	if !o.install {
		fmt.Fprintf(stdout, "built %s\n\n%s", o.out, lines)
		return 0
	}
	if err := o.installBuilt(stdout, checked, lines); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return 1
	}
	return 0
}

// build builds what the sources are, and looks at what has come out. Where it
// loads it stands at o.out, else nothing has changed there.
func (o *options) build(stderr io.Writer) (*doctor.Checked, error) {
	if len(o.sources) == 1 && filepath.Ext(o.sources[0]) == ".so" {
		o.out = o.sources[0]
		return o.check(o.out), nil
	}
	dir, files, err := gather(o.sources)
	if err != nil {
		return nil, err
	}
	if o.out == "" {
		o.out = outputName(dir, o.sources) + ".so"
	}
	tmp, err := os.MkdirTemp("", "build-plugin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, filepath.Base(o.out))
	if filepath.Ext(files[0]) == ".go" {
		err = buildGo(&goSource{dir: dir, files: files, whole: len(o.sources) == 1 && isDir(o.sources[0]), unique: o.unique, tmp: tmp, stderr: stderr}, made)
	} else {
		err = o.buildC(dir, files, tmp, made, stderr)
	}
	if err != nil {
		return nil, err
	}
	checked := o.check(made)
	if checked.Loads {
		err = replace(made, o.out)
	}
	return checked, err
}

// check looks at a built plugin with the init function that it seems to have.
func (o *options) check(file string) *doctor.Checked {
	checked := doctor.InspectPlugin(file, o.init)
	if o.init == "" && checked.Loads && len(checked.Inits) == 1 {
		return doctor.InspectPlugin(file, checked.Inits[0])
	}
	return checked
}

// gather returns the folder of the sources and their names in it.
func gather(sources []string) (dir string, files []string, err error) {
	if len(sources) == 1 && isDir(sources[0]) {
		if dir, err = filepath.Abs(sources[0]); err != nil {
			return "", nil, err
		}
		files, err = sourcesIn(dir)
		return dir, files, err
	}
	inGo := filepath.Ext(sources[0]) == ".go"
	for _, source := range sources {
		path, err := filepath.Abs(source)
		if err != nil {
			return "", nil, err
		}
		if _, err := os.Stat(path); err != nil {
			return "", nil, err
		}
		if dir == "" {
			dir = filepath.Dir(path)
		}
		if isGo := filepath.Ext(path) == ".go"; isGo != inGo || isGo && filepath.Dir(path) != dir {
			return "", nil, fmt.Errorf("%s: sources of a Go plugin are all in Go, and in one folder", source)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return "", nil, err
		}
		files = append(files, name)
	}
	return dir, files, nil
}

// sourcesIn returns the sources of a plugin in a folder: those in Go, else
// those in C.
func sourcesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var goFiles, cFiles []string
	for _, e := range entries {
		switch name := e.Name(); filepath.Ext(name) {
		case ".go":
			goFiles = append(goFiles, name)
		case ".c", ".cc", ".cpp", ".cxx":
			cFiles = append(cFiles, name)
		}
	}
	switch {
	case len(goFiles) > 0:
		return goFiles, nil
	case len(cFiles) > 0:
		return cFiles, nil
	}
	return nil, fmt.Errorf("%s holds no sources in Go or C", dir)
}

// outputName names a plugin after its folder, or its first source.
func outputName(dir string, sources []string) string {
	if len(sources) == 1 && isDir(sources[0]) {
		return filepath.Base(dir)
	}
	return strings.TrimSuffix(filepath.Base(sources[0]), filepath.Ext(sources[0]))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
