package expr

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// request is an Env of maps, and of this machine's files.
type request struct {
	variables map[string]string
	headers   map[string]string // by name in lower case
	vars      map[string]string // reqenv, and env before osenv
	system    map[string]string // osenv
	lists     map[string][]string
	remote    netip.Addr
}

func (r *request) Variable(name string) string { return r.variables[name] }

func (r *request) Function(name, arg string) (string, error) {
	switch name {
	case "req", "http", "req_novary":
		return r.headers[strings.ToLower(arg)], nil
	case "reqenv":
		return r.vars[arg], nil
	case "osenv":
		return r.system[arg], nil
	case "env":
		if v, ok := r.vars[arg]; ok {
			return v, nil
		}
		return r.system[arg], nil
	case "file":
		text, err := os.ReadFile(arg)
		if err != nil {
			return "", fmt.Errorf("Cannot open file %s", arg)
		}
		return string(text), nil
	case "filesize":
		info, err := os.Stat(arg)
		if err != nil || !info.Mode().IsRegular() {
			return "0", nil
		}
		return fmt.Sprint(info.Size()), nil
	}
	return "", nil
}

func (r *request) Test(operator byte, arg string) bool {
	stat := os.Stat
	if operator == 'L' || operator == 'h' || operator == 'x' {
		stat = os.Lstat
	}
	info, err := stat(arg)
	if err != nil {
		return false
	}
	switch operator {
	case 'd':
		return info.IsDir()
	case 'f':
		return info.Mode().IsRegular()
	case 's':
		return info.Mode().IsRegular() && info.Size() > 0
	case 'L', 'h':
		return info.Mode()&os.ModeSymlink != 0
	case 'x':
		return info.Mode()&0o111 != 0
	}
	return true
}

func (r *request) List(name, arg string) []string { return r.lists[name+" "+arg] }

func (r *request) Remote() netip.Addr { return r.remote }
