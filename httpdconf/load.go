package httpdconf

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Options are the command line's part of a configuration.
type Options struct {
	Program    string   // last path element of argv[0], for messages
	ServerRoot string   // -d: absolute, the initial ServerRoot
	Defines    []string // -D: each is a name, also with "=" in it
	Before     []string // -C: each is a line in front of the file
	After      []string // -c: each is a line behind it
	NoRoots    bool     // -T: DocumentRoot need not exist
	Judge      bool     // what becomes of each directive is kept, for Report

	// LoadModule loads a module that is no stock module from the library at an
	// absolute path. Where it is nil such modules are not loaded, and their
	// directives are unknown.
	LoadModule func(ident, path string, reading PluginReading) (*PluginModule, *PluginModuleError)

	// LeaveUnknown leaves directives that nobody has, where such a module may
	// have them, to whoever loads it: the master of workers loads nothing.
	LeaveUnknown bool

	// Getenv is what ${NAME} looks into behind the Defines; nil is os.Getenv.
	Getenv func(name string) string
}

// linesBefore and linesAfter stand for the files of -C and -c. Messages call
// both as httpd does, by commandLineFile.
const (
	linesBefore     = "-C directives"
	linesAfter      = "-c directives"
	commandLineFile = "-c/-C directives"
)

// maxFileSize bounds one file, and maxTotalSize all of them together with what
// variables add: a folder that was included by mistake must not fill the
// memory.
const (
	maxFileSize  = 16 << 20
	maxTotalSize = 64 << 20
)

// Load reads a configuration from the file with this absolute path. It returns
// a Config also together with errors, for the source that diagnostics show; it
// must then not be served.
func Load(file string, o Options) (*Config, hcl.Diagnostics) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	r := newReader(o)
	r.config.File = file
	r.readText(linesBefore, commandLines(o.Before))
	if !r.broken {
		r.readMain(file)
	}
	if !r.broken {
		r.readText(linesAfter, commandLines(o.After))
	}
	r.config.ServerRoot = r.root
	r.config.Modules = r.modules.loaded
	r.finishRun()
	if !r.broken {
		process(r)
	}
	if o.Judge {
		(&walk{reader: r}).listVerdicts(r.nodes)
	}
	return r.config, r.diags
}

// commandLines makes one text of the lines of -C or -c. The blank in front of
// each newline keeps a backslash there from continuing the line: httpd reads
// these lines one by one (httpd 2.4 server/config.c, arr_elts_getstr). A
// newline inside of one is white space like any other.
func commandLines(lines []string) []byte {
	var text []byte
	for _, line := range lines {
		text = append(text, strings.ReplaceAll(line, "\n", " ")...)
		text = append(text, " \n"...)
	}
	return text
}

func newReader(o Options) *reader {
	table := stockTable()
	r := &reader{
		options: o,
		root:    filepath.Clean(o.ServerRoot),
		config:  &Config{Files: make(map[string]*hcl.File), Run: Run{User: unsetAccount, Group: unsetAccount}},
		stock:   table,
		modules: newModuleSet(table),
		vars:    make(map[string]string),
		defined: make(map[string]bool), seenNames: make(map[string]bool),
		ran: make(map[*syntax.Node]bool), plugins: make(map[*directiveInfo]*PluginDirective),
	}
	if o.Judge {
		r.judged = make(map[*syntax.Node]judgement)
	}
	for _, name := range o.Defines {
		r.defined[name] = true
		r.noteDefine(name)
	}
	return r
}

// readMain reads the main file: its path is not resolved, so that messages
// name it as the operator does.
func (r *reader) readMain(file string) {
	text, err := readFile(file)
	if err != nil {
		r.fail(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  fmt.Sprintf("Could not open configuration file %s: %s", file, errorText(err)),
			Extra:    &Place{Reading: true, Level: LevelError},
		})
		r.broken = true
		return
	}
	r.readText(file, text)
}

// readText reads a file's text at top level.
func (r *reader) readText(name string, text []byte) {
	b := syntax.NewBuilder(nil)
	r.keepSource(name, text)
	r.readLevel(syntax.NewReader(name, text), b)
	r.nodes = append(r.nodes, b.Roots...)
}

// keepSource keeps a file's text for diagnostics.
func (r *reader) keepSource(name string, text []byte) {
	r.config.Files[name] = &hcl.File{Body: hcl.EmptyBody(), Bytes: text}
}

// readFile reads a regular file, or a device such as /dev/stdin, up to
// maxFileSize.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileSize {
		return nil, fmt.Errorf("larger than %d bytes, the limit of a configuration file", maxFileSize)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(&limitedFile{f, maxFileSize}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// limitedFile fails rather than ends where a file has no size of its own.
type limitedFile struct {
	f    *os.File
	left int
}

func (l *limitedFile) Read(p []byte) (int, error) {
	n, err := l.f.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, fmt.Errorf("larger than %d bytes, the limit of a configuration file", maxFileSize)
	}
	return n, err
}

// rootRelative returns path, relative to ServerRoot as it stands (httpd 2.4
// server/config.c, ap_server_root_relative).
func (r *reader) rootRelative(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.root, path)
}

// lookup returns what a variable is worth: Defines come before the
// environment, and ignore case.
func (r *reader) lookup(name string) string {
	return cmp.Or(r.vars[strings.ToLower(name)], r.options.Getenv(name))
}
