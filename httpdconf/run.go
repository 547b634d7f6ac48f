package httpdconf

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/wshttpd/wshttpd/httpdconf/syntax"
)

// Run is what concerns the process rather than what it serves.
type Run struct {
	User, Group Account
	RuntimeDir  string   // DefaultRuntimeDir, absolute; empty where nothing sets it
	Defines     []Define // -D and Define, in order
	Includes    []Include
}

// Account is what User or Group names.
type Account struct {
	Name string // as written; "#-1" where nothing sets it
	ID   int    // -1 where nothing sets it
}

// unsetAccount is httpd's default, which it cannot take.
var unsetAccount = Account{"#-1", -1}

// Define is a name that IfDefine finds, and what it is worth as a variable.
type Define struct {
	Name, Value string
	HasValue    bool
}

// Include is a file that was read for an Include line.
type Include struct {
	Depth int // 1 for those that the main file includes
	Line  int // of the Include line, as httpd numbers it
	File  string
}

// unixdCommands are the rows of mod_unixd.
func unixdCommands() map[string]command {
	return map[string]command{
		"User":  {"mod_unixd.c", (*walk).setUser, "user of the processes that serve, where root starts them; a name or `#` and a number"},
		"Group": {"mod_unixd.c", (*walk).setGroup, "group of the processes that serve, where root starts them"},
	}
}

// servesAsRoot begins as httpd's text does (httpd 2.4
// modules/arch/unix/mod_unixd.c, unixd_set_user).
const servesAsRoot = "Error:\tApache has not been designed to serve pages while\n\trunning as root."

// setUser looks a user up (httpd 2.4 server/core.c, ap_uname2id).
func (w *walk) setUser(_ *syntax.Node, words []syntax.Arg) *problem {
	w.config.Run.User = w.account(words[0].Text, "AH00543", "bad user name ", func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
	if w.config.Run.User.ID == 0 && os.Geteuid() == 0 {
		return &problem{text: servesAsRoot, at: words[0].Range, hint: "name another user, such as www-data or nobody"}
	}
	return nil
}

func (w *walk) setGroup(_ *syntax.Node, words []syntax.Arg) *problem {
	w.config.Run.Group = w.account(words[0].Text, "AH00544", "bad group name ", func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	return nil
}

// account reads a name, or "#" and a number as atoi does.
func (w *walk) account(name, code, bad string, lookup func(string) (string, error)) Account {
	if number, is := strings.CutPrefix(name, "#"); is {
		id, _ := leadingNumber(number)
		return Account{name, int(id)}
	}
	text, err := lookup(name)
	if err != nil {
		w.badName(code, bad+name)
		return Account{name, -1}
	}
	id, _ := strconv.Atoi(text) // the system's own
	return Account{name, id}
}

// badName reports what httpd reports without a line.
func (w *walk) badName(code, text string) {
	w.fail(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: text, Extra: &Place{Code: code, Level: LevelError}})
}

// finishRun fills c.Run from what the first pass has read.
func (r *reader) finishRun() {
	run := &r.config.Run
	for _, name := range r.names {
		if !r.defined[name] {
			continue
		}
		value, has := r.vars[strings.ToLower(name)]
		run.Defines = append(run.Defines, Define{name, value, has})
	}
}

// noteDefine keeps the order of names. One that was forgotten and comes again
// stands where it came first.
func (r *reader) noteDefine(name string) {
	if !r.seenNames[name] {
		r.seenNames[name] = true
		r.names = append(r.names, name)
	}
}

// noteInclude keeps that a file is read. The line is that of the last Include
// line so far, as httpd has it: where one names several files, those behind
// the first have the line of what was included in between.
func (r *reader) noteInclude(path string) {
	run := &r.config.Run
	run.Includes = append(run.Includes, Include{len(r.including), r.includeLine, path})
}

// PidFileOrDefault returns the file that holds the number of the process: what
// PidFile names, else httpd.pid in DefaultRuntimeDir, else in run of
// ServerRoot.
func (c *Config) PidFileOrDefault() string {
	if c.PidFile != "" {
		return c.PidFile
	}
	return filepath.Join(c.runtimeDir(), "httpd.pid")
}

func (c *Config) runtimeDir() string {
	if c.Run.RuntimeDir != "" {
		return c.Run.RuntimeDir
	}
	return filepath.Join(c.ServerRoot, "run")
}

// String is the line of -S.
func (d Define) String() string {
	if d.HasValue {
		return fmt.Sprintf("%s=%s", d.Name, d.Value)
	}
	return d.Name
}
