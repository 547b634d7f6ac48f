package runner

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
)

// The servers that cells name.
const (
	rawName = "raw"
	ownName = "wshttpd"
	bunName = "bun"
	// These serve files and no WebSockets.
	filesName  = "fasthttp's files"
	cachedName = "the same, cached"
	httpdName  = "httpd"
)

// opponentNames are in the order of a round.
var opponentNames = []string{"gws", "gobwas", "gorilla", "coder", "fasthttp", bunName, "ws"}

// farm builds and runs servers.
type farm struct {
	tree    tree
	dir     string // temporary
	cores   cores
	command map[string]argv
	running map[string]*process
}

// prepare builds the servers that are named. One that cannot be built is left
// out, unless it is the yardstick or wshttpd; the reasons are returned.
func (f *farm) prepare(ctx context.Context, names []string) (map[string]string, error) {
	f.command = map[string]argv{}
	f.running = map[string]*process{}
	out := map[string]string{}
	for _, name := range names {
		err := f.prepareOne(ctx, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && (name == rawName || name == ownName) {
			return nil, err
		}
		if err != nil {
			out[name] = err.Error()
		}
	}
	return out, nil
}

func (f *farm) prepareOne(ctx context.Context, name string) error {
	plain := func(args ...string) {
		f.command[name] = func(addr string) ([]string, error) { return append(slices.Clone(args), addr), nil }
	}
	switch name {
	case rawName:
		f.command[name] = func(addr string) ([]string, error) {
			_, port, err := net.SplitHostPort(addr)
			return []string{f.tree.file("rawecho"), port}, err
		}
		return f.tree.buildRawEcho(ctx)
	case ownName:
		return f.prepareOwn(ctx)
	case bunName, "ws":
		if err := f.tree.installJS(ctx); err != nil {
			return err
		}
		if name == "ws" {
			plain("node", f.tree.js("ws.mjs"))
			return nil
		}
		bun, err := f.tree.bun()
		plain(bun, f.tree.js("bun.js"))
		return err
	case filesName:
		plain(f.tree.file("files"), "fresh", filepath.Join(f.dir, "docs"))
		return f.tree.buildOpponent(ctx, "files")
	case cachedName:
		plain(f.tree.file("files"), "cached", filepath.Join(f.dir, "docs"))
		return f.tree.buildOpponent(ctx, "files")
	case httpdName:
		return f.prepareHTTPD()
	}
	plain(f.tree.file(name))
	return f.tree.buildOpponent(ctx, name)
}

// prepareHTTPD looks for Debian's httpd. It is one process, whose threads are as
// many as connections ask for files at once.
func (f *farm) prepareHTTPD() error {
	program, err := exec.LookPath("apache2")
	if err != nil {
		return err
	}
	f.command[httpdName] = func(addr string) ([]string, error) {
		conf, err := writeHTTPDConfig(f.dir, addr)
		return []string{program, "-X", "-f", conf}, err
	}
	return nil
}

func (f *farm) prepareOwn(ctx context.Context) error {
	if err := f.tree.buildServer(ctx); err != nil {
		return err
	}
	if err := f.tree.buildSleepy(ctx); err != nil {
		return err
	}
	locations := []location{
		{"/echo", f.tree.module("echo.so"), "echo_init"},
		{"/echo-c", f.tree.module("mod_websocket_echo.so"), "echo_init"},
		{"/sleepy", f.tree.file("sleepy.so"), "sleepy_init"},
		{"/sleepy-c", f.tree.file("mod_websocket_sleepy.so"), "sleepy_init"},
	}
	f.command[ownName] = func(addr string) ([]string, error) {
		conf, err := writeConfig(f.dir, addr, locations)
		return []string{filepath.Join(f.tree.root, "build", "wshttpd"), "-X", "-d", f.dir, "-f", conf}, err
	}
	return nil
}

// server returns the running server of this name, and starts it if need be.
func (f *farm) server(ctx context.Context, name string) (*process, error) {
	if p := f.running[name]; p != nil {
		select {
		case <-p.done:
			delete(f.running, name) // the next measurement gets a new one
			return nil, fmt.Errorf("%s has ended: %v", name, p.cmd.ProcessState)
		default:
			return p, nil
		}
	}
	args := f.command[name]
	if args == nil {
		return nil, fmt.Errorf("%s was not built", name)
	}
	p, err := startServer(ctx, f.dir, name, f.cores.server, args)
	if err == nil {
		f.running[name] = p
	}
	return p, err
}

func (f *farm) stop(name string) {
	f.running[name].stop()
	delete(f.running, name)
}

func (f *farm) stopAll() {
	for name := range f.running {
		f.stop(name)
	}
}
